package scanners

import (
	"context"
	"fmt"
	"time"

	"sptr.jp/tenken/findings/inventory"
)

// run is one run while it collects. One goroutine, collectAll's, owns everything here but the attempts.
type run struct {
	ctx      context.Context
	options  *Options
	journal  Journal
	progress Progress
	units    []inventory.Unit
	owner    map[string]*System

	queue  fair
	events chan event
	flying int // attempts that have not ended, the slow ones included
}

// event is what an attempt tells: that it takes long, or how it ended.
type event struct {
	task  *task
	ended bool
	unit  inventory.Unit
	err   error // the journal's
}

// task is a unit that waits or is being read.
type task struct {
	at     int // in run.units
	lane   *lane
	slow   bool
	before *inventory.Unit // what an earlier, throttled attempt brought
}

// collectAll reads everything that is planned and not done, and then once more what was throttled.
func (r *run) collectAll() error {
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	r.events = make(chan event)
	var first []*task
	for i := range r.units {
		if r.units[i].Outcome == "" {
			first = append(first, &task{at: i})
		}
	}
	again, err := r.pass(ctx, cancel, first)
	if err != nil {
		return err
	}
	_, err = r.pass(ctx, cancel, again)
	return err
}

// pass reads the tasks and gives those that are to be read again. The first error of the journal stops it.
func (r *run) pass(ctx context.Context, cancel func(), tasks []*task) (again []*task, fatal error) {
	for _, t := range tasks {
		u := &r.units[t.at]
		t.lane = r.queue.add(u.Scope.System, u.Scope.Account, t)
	}
	for {
		for r.queue.slots < r.options.Workers && ctx.Err() == nil {
			t := r.queue.pick()
			if t == nil {
				break
			}
			r.start(ctx, t)
		}
		if r.flying == 0 {
			break
		}
		e := <-r.events
		if !e.ended {
			r.queue.yield(e.task)
			continue
		}
		r.flying--
		r.queue.leave(e.task, read(&e.unit))
		switch {
		case e.err != nil && fatal == nil:
			fatal = fmt.Errorf("keeping %s: %w", e.unit.ID, e.err)
			cancel()
		case e.err == nil && r.finish(ctx, e):
			again = append(again, &task{at: e.task.at, before: &e.unit})
		}
	}
	if fatal == nil && ctx.Err() != nil {
		r.abandon(ctx)
	}
	return again, fatal
}

// finish puts a unit that was read in its place, and says whether it is to be read again.
func (r *run) finish(ctx context.Context, e event) (again bool) {
	u := &r.units[e.task.at]
	*u = e.unit
	if e.task.before == nil && throttled(u) && ctx.Err() == nil {
		return true
	}
	r.progress.Done(u)
	return false
}

// abandon ends what nobody started. What was throttled and waits for its second time keeps what the first one brought.
func (r *run) abandon(ctx context.Context) {
	for {
		t := r.queue.pick()
		if t == nil {
			return
		}
		r.queue.leave(t, false)
		u := &r.units[t.at]
		if t.before == nil {
			Fail(u, Need{Operation: u.Scope.Type + ":" + u.Collector}, stopReason(ctx), "not begun")
		}
		r.progress.Done(u)
	}
}

// start reads a unit in a goroutine of its own, which tells when it takes long and when it has ended.
func (r *run) start(ctx context.Context, t *task) {
	planned := &r.units[t.at]
	scanner := r.owner[planned.ID].Scanner
	r.progress.Started(planned)
	r.flying++
	fresh := blank(planned)
	ended := make(chan event, 1)
	go func() {
		u := attempt(ctx, scanner, fresh, r.options)
		if t.before != nil && whole(&u) < whole(t.before) {
			u = *t.before
		}
		var err error
		if final := t.before != nil || !throttled(&u); read(&u) || final && ctx.Err() == nil {
			err = r.journal.Commit(u)
		}
		ended <- event{task: t, ended: true, unit: u, err: err}
	}()
	go func() {
		timer := time.NewTimer(r.options.Patience)
		defer timer.Stop()
		select {
		case e := <-ended:
			r.events <- e
		case <-timer.C:
			r.events <- event{task: t}
			r.events <- <-ended
		}
	}()
}

// attempt reads a unit once. Its outcome is the scanner's, unless the scanner broke its contract.
func attempt(ctx context.Context, s Scanner, planned inventory.Unit, o *Options) inventory.Unit {
	ctx, cancel := context.WithTimeout(ctx, o.UnitTimeout)
	defer cancel()
	u, wrong := guarded(ctx, o.Grace, func(ctx context.Context) inventory.Unit {
		own := blank(&planned)
		s.Collect(ctx, &own)
		return own
	})
	if wrong == nil && (u.ID != planned.ID || u.Scope != planned.Scope || u.Outcome == "") {
		wrong = &mishap{inventory.DecodeError, "the scanner returned another unit, or one without an outcome"}
	}
	if wrong != nil {
		u = planned
		Fail(&u, Need{Operation: u.Scope.Type + ":" + u.Collector}, wrong.why, wrong.detail)
	}
	return u
}

// blank is a unit as it was planned, sharing nothing with what an attempt left.
func blank(u *inventory.Unit) inventory.Unit {
	b := inventory.Unit{Scope: u.Scope, Collector: u.Collector, Listings: u.Listings}
	NewRecorder(&b)
	return b
}

// read says that nothing more can be had of a unit.
func read(u *inventory.Unit) bool {
	return u.Outcome == inventory.Complete || u.Outcome == inventory.DisabledUnit
}

func throttled(u *inventory.Unit) bool {
	for _, gap := range u.Gaps() {
		if gap.Reason == inventory.Throttled {
			return true
		}
	}
	return false
}

// whole counts the kinds that a unit lists whole.
func whole(u *inventory.Unit) (n int) {
	for _, l := range u.Listings {
		if l.Complete {
			n++
		}
	}
	return n
}
