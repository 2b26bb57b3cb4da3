package scanners

import "sptr.jp/tenken/findings/inventory"

// Recorder keeps the books of one unit while it is read. Every call is noted, answered or not; the Outcome follows from
// the notes, so that no scanner decides it by itself.
type Recorder struct {
	unit     *inventory.Unit
	disabled bool
}

// NewRecorder starts a unit afresh: whatever an earlier attempt left in it is dropped.
func NewRecorder(u *inventory.Unit) *Recorder {
	kinds := make([]inventory.Kind, 0, len(u.Listings))
	for _, l := range u.Listings {
		kinds = append(kinds, l.Kind)
	}
	*u = inventory.NewUnit(u.Scope, u.Collector, kinds...)
	return &Recorder{unit: u}
}

// OK notes a call that was answered whole and gives the id for the values that it brought.
func (r *Recorder) OK(n Need) inventory.ReadID {
	return r.unit.Note(inventory.Read{Operation: n.Operation, Permission: n.Permission})
}

// Gap notes a call that was not answered whole. Detail is an error code or a short, redacted hint.
func (r *Recorder) Gap(n Need, why inventory.Reason, detail string) inventory.ReadID {
	return r.unit.Note(inventory.Read{Operation: n.Operation, Permission: n.Permission, Reason: why, Detail: detail})
}

// Listed says that a kind was listed by the given calls. It is complete only if there is one and every
// one of them was answered whole.
// A kind that several calls list (instances and clusters) is given in one Listed with all of them.
func (r *Recorder) Listed(k inventory.Kind, reads ...inventory.ReadID) {
	l := r.unit.Listing(k)
	if l == nil {
		r.unit.Listings = append(r.unit.Listings, inventory.Listing{Kind: k})
		l = &r.unit.Listings[len(r.unit.Listings)-1]
	}
	l.Reads, l.Complete = reads, len(reads) > 0
	for _, id := range reads {
		if r.unit.Read(id).Reason != "" {
			l.Complete = false
		}
	}
}

// Disabled says that the API, region or plan is off and that the scanner's own table proves that nothing can exist
// there. It is the only way to the outcome "disabled"; every kind then counts as listed whole and empty.
func (r *Recorder) Disabled(n Need) {
	r.disabled = true
	id := r.OK(n)
	for i := range r.unit.Listings {
		r.Listed(r.unit.Listings[i].Kind, id)
	}
}

// Finish settles the unit's outcome.
func (r *Recorder) Finish() {
	u := r.unit
	gaps := u.Gaps()
	complete := 0
	var first inventory.Reason
	for i := range u.Listings {
		l := &u.Listings[i]
		if l.Complete {
			complete++
		} else if first == "" {
			first = u.Read(l.Why(u)).Reason
		}
	}
	switch {
	case r.disabled:
		u.Outcome = inventory.DisabledUnit
	case len(gaps) == 0 && complete == len(u.Listings):
		u.Outcome = inventory.Complete
	case complete > 0 || len(u.Listings) == 0 || hasFacts(&u.Facts):
		u.Outcome = inventory.Partial
	default:
		u.Outcome = outcomeOf(first)
	}
}

// Fail ends a unit of which nothing could be read, or (NotConnected, NotConfigured) nothing was read on purpose.
func Fail(u *inventory.Unit, n Need, why inventory.Reason, detail string) {
	r := NewRecorder(u)
	id := r.Gap(n, why, detail)
	for i := range r.unit.Listings {
		r.Listed(r.unit.Listings[i].Kind, id)
	}
	r.unit.Outcome = outcomeOf(why)
}

func hasFacts(f *inventory.Facts) bool {
	for _, k := range inventory.Kinds() {
		if f.Count(k) > 0 {
			return true
		}
	}
	return false
}

func outcomeOf(why inventory.Reason) inventory.Outcome {
	switch why {
	case inventory.AccessDenied, inventory.MissingScope:
		return inventory.Denied
	case inventory.Throttled:
		return inventory.ThrottledOut
	case inventory.NotConnected, inventory.NotConfigured:
		return inventory.Skipped
	}
	return inventory.Failed
}
