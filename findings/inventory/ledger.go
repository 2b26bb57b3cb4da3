package inventory

import (
	"fmt"
	"sort"
)

// Ledger is the account that a run gives of its own work: what was planned before anything was read, and how each
// planned unit ended.
type Ledger struct {
	Planned  int
	Outcomes map[Outcome]int
}

// Assessed is n of "assessed n of m": units read whole, and those that are off where off proves that nothing exists.
func (l Ledger) Assessed() int { return l.Outcomes[Complete] + l.Outcomes[DisabledUnit] }

// NewLedger balances the plan against the units. Its error names what is missing, doubled or unplanned: such a run must
// not be reported as if its books were in order.
func NewLedger(plan []string, units []Unit) (Ledger, error) {
	l := Ledger{Planned: len(plan), Outcomes: map[Outcome]int{}}
	left := make(map[string]int, len(plan))
	for _, id := range plan {
		left[id]++
	}
	var wrong []string
	for i := range units {
		u := &units[i]
		left[u.ID]--
		if u.Outcome == notYetFinished {
			wrong = append(wrong, u.ID+" has no outcome")
		}
		l.Outcomes[u.Outcome]++
	}
	for id, n := range left {
		switch {
		case n > 0:
			wrong = append(wrong, id+" was planned and never ended")
		case n < 0:
			wrong = append(wrong, id+" ended without being planned, or twice")
		}
	}
	if len(wrong) > 0 {
		sort.Strings(wrong)
		return l, fmt.Errorf("the books do not balance: %d planned, %d ended: %s", len(plan), len(units), wrong[0])
	}
	return l, nil
}
