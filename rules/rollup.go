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
		out = append(out, j.clauseState(clause, chapters[clause.Chapter]))
	}
	return out
}

// clauseState sums up the rules of a clause. One that the regulation writes about certain systems counts findings on
// what their scanners read and no others: a database of AWS says nothing of a product in GCP.
func (j *judging) clauseState(clause *policy.Clause, chapter findings.Text) findings.ClauseState {
	c := findings.ClauseState{Clause: clause.Clause, ChapterTitle: chapter, Under: clause.Under}
	var types []string
	if clause.OfSystems {
		types = j.Policy.ScannersOf(clause.ID)
	}
	judged := 0
	for _, id := range c.Rules {
		r := j.Catalog.Rule(id)
		if r == nil {
			c.NotBuilt = append(c.NotBuilt, id)
			continue
		}
		byType, ok := j.byType[r.ID]
		if !ok {
			continue
		}
		judged++
		counts := total(byType, types)
		for _, v := range findings.Verdicts() {
			c.Counts.Add(v, counts.Of(v))
		}
	}
	switch {
	case clause.Class == policy.Manual:
		c.State, c.Counts = string(findings.Manual), findings.Summary{Manual: 1} // its rules support it and decide nothing
	case len(c.NotBuilt) == len(c.Rules), judged > 0 && len(types) > 0 && empty(c.Counts):
		// No rule, or no reader: wherever a unit of one of the types lists a kind of a rule, there is a count.
		c.State = findings.NotBuilt
	default:
		c.State = stateOf(c.Counts, judged == len(c.Rules))
	}
	return c
}

// total adds up the counts of the given scanner types, of all where none is given.
func total(byType map[string]findings.Summary, types []string) (all findings.Summary) {
	for t, sum := range byType {
		if len(types) > 0 && !slices.Contains(types, t) {
			continue
		}
		for _, v := range findings.Verdicts() {
			all.Add(v, sum.Of(v))
		}
	}
	return all
}

// empty reports that nothing was counted.
func empty(s findings.Summary) bool {
	return !slices.ContainsFunc(findings.Verdicts(), func(v findings.Verdict) bool { return s.Of(v) > 0 })
}

// stateOf is the worst of the counts. What holds of some of the clause's rules is not told as if it held of all.
func stateOf(c findings.Summary, all bool) string {
	switch {
	case c.Fail > 0:
		return string(findings.Fail)
	case c.Unknown > 0 || empty(c):
		return string(findings.Unknown)
	case !all:
		return findings.Partly
	case c.Pass > 0:
		return string(findings.Pass)
	}
	return string(findings.NotApplicable)
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
