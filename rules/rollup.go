package rules

import (
	"slices"
	"strings"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/rules/policy"
)

// manualClauses gives one finding a run for each clause that only a person can decide.
func (j *judging) manualClauses() {
	if len(j.Rules) > 0 {
		return
	}
	from := len(j.out.Findings)
	for i := range j.Policy.Clauses {
		c := &j.Policy.Clauses[i]
		if c.Class != policy.Manual || len(j.Clauses) > 0 && !slices.Contains(j.Clauses, c.ID) {
			continue
		}
		id := "clause-" + c.ID
		j.out.Findings = append(j.out.Findings, findings.Finding{
			Fingerprint: findings.Fingerprint("", "", id, "organization", ""),
			Rule:        id, Verdict: findings.Manual, Message: c.Asks,
			Resource: findings.Resource{ID: "organization", Kind: "Organization", Name: j.Organization},
		})
	}
	slices.SortFunc(j.out.Findings[from:], func(a, b findings.Finding) int { return strings.Compare(a.Rule, b.Rule) })
	j.out.Summary.Manual += len(j.out.Findings) - from
	// The whole is sorted by rule: clause-… stands among the rules' own ids.
	slices.SortStableFunc(j.out.Findings, func(a, b findings.Finding) int { return strings.Compare(a.Rule, b.Rule) })
}

// causes links a failing finding to those that explain it: a failing finding of a rule that its own rule names, on the
// same resource or on the asset of an exposure.
func (j *judging) causes(rules []*Rule) {
	type key struct{ rule, account, id string }
	wanted, by := map[string]bool{}, map[string][]string{}
	for _, r := range rules {
		by[r.ID] = r.CausedBy
		for _, id := range r.CausedBy {
			wanted[id] = true
		}
	}
	failed := map[key]string{}
	for i := range j.out.Findings {
		if f := &j.out.Findings[i]; f.Verdict == findings.Fail && wanted[f.Rule] {
			failed[key{f.Rule, f.Resource.Account, f.Resource.ID}] = f.Fingerprint
		}
	}
	if len(failed) == 0 {
		return
	}
	assets := j.exposed()
	for i := range j.out.Findings {
		f := &j.out.Findings[i]
		if f.Verdict != findings.Fail {
			continue
		}
		for _, rule := range by[f.Rule] {
			for _, id := range []string{f.Resource.ID, assets[f.Resource.ID]} {
				if fp, ok := failed[key{rule, f.Resource.Account, id}]; ok {
					f.CausedBy = append(f.CausedBy, fp)
				}
			}
		}
	}
}

// exposed maps exposures to what they expose.
func (j *judging) exposed() map[string]string {
	assets := map[string]string{}
	for i := range j.inv.Units {
		for k := range j.inv.Units[i].Facts.Exposures {
			e := &j.inv.Units[i].Facts.Exposures[k]
			assets[e.ID] = e.AssetID
		}
	}
	return assets
}

// clauseStates rolls findings up into the regulation's own order. A clause whose rules gave no verdict at all is unknown:
// nobody looked.
func (j *judging) clauseStates(judged []*Rule) (out []findings.ClauseState) {
	narrowed := len(j.Rules)+len(j.Clauses) > 0
	chapters := map[string]findings.Text{}
	for _, c := range j.Policy.Chapters {
		chapters[c.ID] = c.Title
	}
	for i := range j.Policy.Clauses {
		clause := &j.Policy.Clauses[i]
		touched := slices.Contains(j.Clauses, clause.ID) || slices.ContainsFunc(judged, func(r *Rule) bool { return slices.Contains(clause.Rules, r.ID) })
		if narrowed && !touched {
			continue
		}
		c := findings.ClauseState{Clause: clause.Clause, ChapterTitle: chapters[clause.Chapter], Under: clause.Under}
		for _, id := range c.Rules {
			r := j.Catalog.Rule(id)
			if r == nil {
				c.NotBuilt = append(c.NotBuilt, id)
				continue
			}
			counts := j.out.Rules[r.ID].Counts // none where it was not judged
			for _, v := range findings.Verdicts() {
				c.Counts.Add(v, counts.Of(v))
			}
		}
		c.State = stateOf(&c, clause.Class)
		if c.State == string(findings.Manual) {
			c.Counts.Manual = 1
		}
		out = append(out, c)
	}
	return out
}

func stateOf(c *findings.ClauseState, class string) string {
	switch {
	case class == policy.Manual:
		return string(findings.Manual) // its rules support it and decide nothing
	case len(c.NotBuilt) == len(c.Rules):
		return "not_built"
	case c.Counts.Fail > 0:
		return string(findings.Fail)
	case c.Counts.Unknown > 0:
		return string(findings.Unknown)
	case c.Counts.Pass > 0:
		return string(findings.Pass)
	case c.Counts.NotApplicable > 0:
		return string(findings.NotApplicable)
	}
	return string(findings.Unknown)
}

// Coverage sums up the units of a run: what was read, and every call that was not answered whole.
func Coverage(inv *inventory.Inventory, l inventory.Ledger) findings.Coverage {
	c := findings.Coverage{Assessed: l.Assessed(), Planned: l.Planned, Units: map[inventory.Outcome]int{}, Gaps: []findings.CoverageGap{}}
	for _, o := range inventory.Outcomes() {
		c.Units[o] = l.Outcomes[o]
	}
	for i := range inv.Units {
		u := &inv.Units[i]
		gaps := u.Gaps()
		if len(gaps) == 0 && u.Outcome != inventory.Complete && u.Outcome != inventory.DisabledUnit {
			gaps = []inventory.Read{{Reason: endOf(u.Outcome)}}
		}
		for _, g := range gaps {
			c.Gaps = append(c.Gaps, findings.CoverageGap{
				System: u.Scope.System, Account: u.Scope.Account, Region: u.Scope.Region, Collector: u.Collector,
				Reason: g.Reason, Operation: g.Operation, Permission: g.Permission, Detail: g.Detail,
			})
		}
	}
	return c
}
