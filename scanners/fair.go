package scanners

// fair decides who is next: first accounts of which nothing hangs or hung, then the system with the fewest places, then its
// account with the fewest, then who has waited longest. So an account that hangs costs the others its share of the
// places for the length of one patience, a system with a thousand accounts leaves its turn to one with a single account,
// and what is left alone may use every place.
type fair struct {
	lanes   []*lane
	byName  map[[2]string]*lane
	systems map[string]*share
	slots   int // places in use
	turn    int
}

// share is the part of the places that a system has.
type share struct{ slots int }

// lane is the queue of one account of one system.
type lane struct {
	system      *share
	waiting     []*task
	slots, slow int
	lastTurn    int
}

// add queues a task behind the others of its account.
func (f *fair) add(system, account string, t *task) *lane {
	if f.systems == nil {
		f.systems, f.byName = map[string]*share{}, map[[2]string]*lane{}
	}
	name := [2]string{system, account}
	l := f.byName[name]
	if l == nil {
		if f.systems[system] == nil {
			f.systems[system] = &share{}
		}
		l = &lane{system: f.systems[system]}
		f.byName[name] = l
		f.lanes = append(f.lanes, l)
	}
	l.waiting = append(l.waiting, t)
	return l
}

// pick gives a place to the task that is next; nil when none waits.
func (f *fair) pick() *task {
	var next *lane
	for _, l := range f.lanes {
		if len(l.waiting) > 0 && (next == nil || l.before(next)) {
			next = l
		}
	}
	if next == nil {
		return nil
	}
	t := next.waiting[0]
	next.waiting = next.waiting[1:]
	f.turn++
	next.lastTurn = f.turn
	f.take(next, +1)
	return t
}

func (l *lane) before(m *lane) bool {
	switch {
	case l.slow != m.slow:
		return l.slow < m.slow
	case l.system.slots != m.system.slots:
		return l.system.slots < m.system.slots
	case l.slots != m.slots:
		return l.slots < m.slots
	}
	return l.lastTurn < m.lastTurn
}

// yield takes the place of a task that takes long; the task goes on.
func (f *fair) yield(t *task) {
	t.slow = true
	t.lane.slow++
	f.take(t.lane, -1)
}

// leave ends a task. One that took long and brought less than everything still counts as slow: the account is last until
// the others are done.
func (f *fair) leave(t *task, brought bool) {
	if t.slow {
		if brought {
			t.lane.slow--
		}
		return
	}
	f.take(t.lane, -1)
}

func (f *fair) take(l *lane, n int) {
	l.slots += n
	l.system.slots += n
	f.slots += n
}
