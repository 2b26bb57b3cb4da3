package scanners

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"sptr.jp/tenken/findings/inventory"
)

// planAll plans every system at the same time and gives the units that are kept, sorted, with the system of each.
func planAll(ctx context.Context, systems []System, o *Options) ([]inventory.Unit, map[string]*System) {
	plans := make([][]inventory.Unit, len(systems))
	var wg sync.WaitGroup
	for i := range systems {
		wg.Go(func() { plans[i] = planOne(ctx, &systems[i], o) })
	}
	wg.Wait()
	units := slices.Clone(o.Ended)
	owner := map[string]*System{}
	for i, plan := range plans {
		for _, u := range plan {
			if o.Keep == nil || o.Keep(&u) {
				units = append(units, u)
				owner[u.ID] = &systems[i]
			}
		}
	}
	slices.SortStableFunc(units, func(a, b inventory.Unit) int { return strings.Compare(a.ID, b.ID) })
	return units, owner
}

// planOne plans a system. A Plan that panics, hangs, plans nothing or plans nonsense is a failed discovery, which lists
// every kind of the system: without a plan nobody knows what was not looked at.
func planOne(ctx context.Context, s *System, o *Options) []inventory.Unit {
	ctx, cancel := context.WithTimeout(ctx, o.PlanTimeout)
	defer cancel()
	plan, wrong := guarded(ctx, o.Grace, s.Scanner.Plan)
	if wrong == nil {
		if wrong = checkPlan(s, plan); wrong == nil {
			return plan
		}
	}
	kinds := s.Kinds
	if len(kinds) == 0 {
		kinds = inventory.Kinds()
	}
	u := inventory.NewUnit(inventory.Scope{System: s.Name, Type: s.Type}, "discovery", kinds...)
	Fail(&u, Need{Operation: s.Type + ":plan"}, wrong.why, wrong.detail)
	return []inventory.Unit{u}
}

func checkPlan(s *System, plan []inventory.Unit) *mishap {
	seen := map[string]bool{}
	for i := range plan {
		u := &plan[i]
		want := inventory.NewUnit(u.Scope, u.Collector).ID
		if seen[u.ID] || u.ID != want || u.Scope.System != s.Name {
			return &mishap{inventory.DecodeError, fmt.Sprintf("the scanner's plan is not sound: unit %q", u.ID)}
		}
		seen[u.ID] = true
	}
	if len(plan) == 0 {
		return &mishap{inventory.DecodeError, "the scanner planned nothing"}
	}
	return nil
}
