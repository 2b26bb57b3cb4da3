package ruletest

import (
	"fmt"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
)

type subject struct {
	rule, system, account, kind, id string
}

// Flips compares all findings (those that pass included) of an inventory with those of the same inventory with parts
// hidden, and names everything that the property forbids:
//
//   - a verdict that is neither the one before nor unknown;
//   - a subject that appears;
//   - a subject that disappears without an unknown of the same rule on a scope that contains it.
func Flips(before, after []findings.Finding) (wrong []string) {
	was, is := map[subject]findings.Verdict{}, map[subject]findings.Verdict{}
	open := map[string][]inventory.Scope{} // by rule: scopes that are unknown
	for i := range before {
		was[subjectOf(&before[i])] = before[i].Verdict
	}
	for i := range after {
		f := &after[i]
		is[subjectOf(f)] = f.Verdict
		if scope, ok := scopeOf(f); ok && f.Verdict == findings.Unknown {
			open[f.Rule] = append(open[f.Rule], scope)
		}
	}
	for i := range after {
		f := &after[i]
		s := subjectOf(f)
		_, isScope := scopeOf(f)
		switch v, ok := was[s]; {
		case !ok && (!isScope || f.Verdict != findings.Unknown):
			wrong = append(wrong, fmt.Sprintf("%s: %s %s appears and gives %s", s.rule, s.kind, s.id, f.Verdict))
		case ok && v != f.Verdict && f.Verdict != findings.Unknown:
			wrong = append(wrong, fmt.Sprintf("%s: %s %s turns from %s to %s", s.rule, s.kind, s.id, v, f.Verdict))
		}
	}
	for s, v := range was {
		if _, ok := is[s]; !ok && !covered(open[s.rule], s) {
			wrong = append(wrong, fmt.Sprintf("%s: %s %s (%s) disappears and no unknown covers it", s.rule, s.kind, s.id, v))
		}
	}
	return wrong
}

// subjectOf names what a finding is about.
func subjectOf(f *findings.Finding) subject {
	r := f.Resource
	return subject{f.Rule, r.System, r.Account, r.Kind, r.ID}
}

func scopeOf(f *findings.Finding) (inventory.Scope, bool) {
	return inventory.Scope{System: f.Resource.System, Account: f.Resource.Account}, f.Resource.Kind == findings.ScopeKind
}

func covered(scopes []inventory.Scope, s subject) bool {
	for _, scope := range scopes {
		if scope.Contains(inventory.Scope{System: s.system, Account: s.account}) {
			return true
		}
	}
	return false
}

// Judged is what one side of the property needs.
type Judged func([]inventory.Unit) ([]findings.Finding, error)

// Property masks the units n times and gives the first flips with what was hidden, or nothing.
func Property(m *Masker, units []inventory.Unit, n int, judge Judged) (wrong []string, err error) {
	before, err := judge(Copy(units))
	if err != nil {
		return nil, err
	}
	for range n {
		masked, hidden := m.Mask(units)
		after, err := judge(masked)
		if err != nil {
			return nil, err
		}
		if wrong := Flips(before, after); len(wrong) > 0 {
			return append(wrong, hidden...), nil
		}
	}
	return nil, nil
}
