package scanners

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sptr.jp/tenken/findings/inventory"
)

// System is one system of the configuration with the scanner that reads it.
type System struct {
	Name    string // the name in tenken.yaml
	Type    string // the scanner: aws, roster, …
	Scanner Scanner
	// Kinds is every kind that the scanner can list: what stays unknown when its Plan fails. None means any.
	Kinds []inventory.Kind
}

// DefaultWorkers is how many units are read at once. A unit makes most of its calls one after another, each of which costs
// less than a millisecond of a processor and waits for tens of them: with so many, a machine with two processors still
// waits for its answers and not for itself. No quota is at stake: those have their own lanes.
const DefaultWorkers = 32

// Options bound a run. The zero value is the default of everything.
type Options struct {
	// Workers is how many units may be read at once; DefaultWorkers unless told. A unit that takes longer than Patience gives its
	// place to another one and goes on beside it: what hangs must not keep what doesn't from being read.
	Workers  int
	Patience time.Duration // 5 s
	// PlanTimeout and UnitTimeout are the deadlines of a Plan and of a Collect; 10 minutes.
	PlanTimeout, UnitTimeout time.Duration
	// Grace is how long a Plan or Collect whose context has ended is waited for before it is left behind; 5 s.
	Grace time.Duration
	// Keep narrows the plan: units for which it is false are not planned. Nil keeps everything. See Only.
	Keep func(*inventory.Unit) bool
	// Ended are units of the plan that nobody has to read: see NotConnected.
	Ended []inventory.Unit
	// OnPlan is told the fixed plan, sorted, before Collect reads anything. Its error ends the run.
	OnPlan func(ids []string) error
}

// Progress is told how a run gets on, for a display. Calls never overlap, and must return at once.
type Progress interface {
	// Planned gives the whole plan, once. Units that have an Outcome have ended already.
	Planned(units []inventory.Unit)
	// Started says that a unit is being read, for the first time or again.
	Started(u *inventory.Unit)
	// Done says how a unit ended. It comes once for every unit that Planned gave without an Outcome.
	Done(u *inventory.Unit)
}

// Result is what a run brought: every planned unit with its outcome, sorted by ID.
type Result struct {
	Plan   []string
	Units  []inventory.Unit
	Ledger inventory.Ledger
}

// Run plans every system, fixes the plan, reads every unit that the journal doesn't hold, and balances the books.
//
// Whatever goes wrong in a system ends in its own units. The error of Run means that there is no result to trust: the
// journal could not keep a unit, the plan was refused, the books don't balance, or ctx ended before the plan was fixed.
// When ctx ends later, the rest ends with the reason cancelled; such units are in Result but not in the journal, so that a
// resumed run reads them again. A unit that was throttled is read once more when all others are done.
func Run(ctx context.Context, systems []System, j Journal, o Options, p Progress) (Result, error) {
	o.setDefaults()
	if p == nil {
		p = silent{}
	}
	units, owner := planAll(ctx, systems, &o)
	if err := ctx.Err(); err != nil {
		return Result{}, fmt.Errorf("the run was stopped while it was planned: %w", err)
	}
	plan, err := fixPlan(units, owner, &o)
	if err != nil {
		return Result{}, err
	}
	if err := settled(units, j); err != nil {
		return Result{}, err
	}
	p.Planned(units)
	r := run{ctx: ctx, options: &o, journal: j, progress: p, units: units, owner: owner}
	if err := r.collectAll(); err != nil {
		return Result{}, err
	}
	ledger, err := inventory.NewLedger(plan, units)
	if err != nil {
		return Result{}, fmt.Errorf("run: %w", err)
	}
	return Result{Plan: plan, Units: units, Ledger: ledger}, nil
}

// fixPlan sorts the units and announces their ids: from here on m of "assessed n of m" stands.
func fixPlan(units []inventory.Unit, owner map[string]*System, o *Options) (plan []string, err error) {
	plan = make([]string, len(units))
	for i := range units {
		plan[i] = units[i].ID
		if i > 0 && plan[i] == plan[i-1] {
			return nil, fmt.Errorf("two systems plan the unit %s: give each system its own name", plan[i])
		}
		if units[i].Outcome == "" && owner[plan[i]] == nil {
			return nil, fmt.Errorf("the unit %s has not ended and no system reads it", plan[i])
		}
	}
	if o.OnPlan != nil {
		if err := o.OnPlan(slices.Clone(plan)); err != nil {
			return nil, fmt.Errorf("recording the plan: %w", err)
		}
	}
	return plan, nil
}

// settled puts in place what the journal already holds, and commits what ended while it was planned.
func settled(units []inventory.Unit, j Journal) error {
	for i := range units {
		u := &units[i]
		if kept, ok := j.Done(u.ID); ok && kept.ID == u.ID && kept.Outcome != "" {
			*u = kept
		} else if u.Outcome != "" {
			if err := j.Commit(*u); err != nil {
				return fmt.Errorf("keeping %s: %w", u.ID, err)
			}
		}
	}
	return nil
}

// Only keeps the named accounts, regions and collectors; an empty list names all. What is wider than a name is kept too:
// a global unit whatever the regions, a whole system's unit whatever the accounts, and all discovery in between, because
// nothing else says what there is.
func Only(accounts, regions, collectors []string) func(*inventory.Unit) bool {
	in := func(names []string, s string) bool { return len(names) == 0 || s == "" || slices.Contains(names, s) }
	return func(u *inventory.Unit) bool {
		return in(accounts, u.Scope.Account) && in(regions, u.Scope.Region) &&
			(u.Outcome != "" || in(collectors, u.Collector))
	}
}

// NotConnected is the unit of a system that the regulation names and that nobody configured or declared unused. It
// lists the kinds that the system would have given.
func NotConnected(system, typ string, kinds ...inventory.Kind) inventory.Unit {
	u := inventory.NewUnit(inventory.Scope{System: system, Type: typ}, "connection", kinds...)
	Fail(&u, Need{Operation: typ + ":connect"}, inventory.NotConnected,
		"the regulation names this system; configure it under systems, or declare it under not_used")
	return u
}

func (o *Options) setDefaults() {
	o.Workers = cmp.Or(max(o.Workers, 0), DefaultWorkers)
	for d, standard := range map[*time.Duration]time.Duration{
		&o.Patience: 5 * time.Second, &o.Grace: 5 * time.Second,
		&o.PlanTimeout: 10 * time.Minute, &o.UnitTimeout: 10 * time.Minute,
	} {
		*d = cmp.Or(max(*d, 0), standard)
	}
}

// stopReason is timeout or cancelled, as a context ended.
func stopReason(ctx context.Context) inventory.Reason {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return inventory.Timeout
	}
	return inventory.Cancelled
}

type silent struct{}

func (silent) Planned([]inventory.Unit) {}
func (silent) Started(*inventory.Unit)  {}
func (silent) Done(*inventory.Unit)     {}
