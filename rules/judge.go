package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/rules/policy"
)

// Input is what a verdict follows from, beside the inventory. Nothing else counts: no clock, no environment.
type Input struct {
	Catalog *Catalog
	Policy  *policy.Policy
	Params  policy.Params
	Now     time.Time // the judging date

	Organization string // the subject of manual clauses
	// KeepAll keeps findings that pass or do not apply; without it they are counted only.
	KeepAll bool
	// Rules and Clauses narrow what is judged; empty: everything. A clause stands for its rules.
	Rules, Clauses []string
}

// Result is what Judge adds to a document: the rest of it is about the run.
type Result struct {
	Rules    map[string]findings.Rule
	Clauses  []findings.ClauseState
	Summary  findings.Summary
	Findings []findings.Finding
}

// judging is one run of Judge.
type judging struct {
	Input
	inv   *inventory.Inventory
	act   activation
	cover map[inventory.Kind][]coverage
	out   Result
	// byType are the counts of each rule that was judged, by scanner type: a clause about certain systems counts theirs.
	byType map[string]map[string]findings.Summary
}

// Judge applies the catalogue to an inventory that was derived. For each rule it gives one verdict a subject, and for
// each account in which a listing that the rule rests on is not whole one unknown on that scope.
func Judge(inv *inventory.Inventory, in Input) (*Result, error) {
	rules, err := in.chosen()
	if err != nil {
		return nil, err
	}
	j := newJudging(inv, in)
	for _, r := range rules {
		j.rule(r)
	}
	j.manualClauses()
	j.causes(rules)
	j.out.Clauses = j.clauseStates(rules)
	return &j.out, nil
}

func newJudging(inv *inventory.Inventory, in Input) *judging {
	return &judging{
		Input: in, inv: inv, cover: map[inventory.Kind][]coverage{},
		act: activation{param: newParams(in.Params), now: types.Timestamp{Time: in.Now}},
		out: Result{Rules: map[string]findings.Rule{}}, byType: map[string]map[string]findings.Summary{},
	}
}

// chosen gives the rules to judge, by id.
func (in *Input) chosen() ([]*Rule, error) {
	for _, id := range in.Clauses {
		if in.Policy.Clause(id) == nil {
			return nil, fmt.Errorf("rules: the regulation has no clause %q", id)
		}
	}
	wanted := map[*Rule]bool{}
	for _, id := range in.Rules {
		r := in.Catalog.Rule(id)
		if r == nil {
			return nil, fmt.Errorf("rules: there is no rule %q", id)
		}
		wanted[r] = true
	}
	var rules []*Rule
	for _, r := range in.Catalog.rules {
		byID := len(in.Rules) == 0 || wanted[r]
		byClause := len(in.Clauses) == 0 || slices.ContainsFunc(r.Clauses, func(c string) bool { return slices.Contains(in.Clauses, c) })
		if byID && byClause {
			rules = append(rules, r)
		}
	}
	return rules, nil
}

// rule judges every subject of one rule and every scope that it rests on.
func (j *judging) rule(r *Rule) {
	from := len(j.out.Findings)
	byType := map[string]findings.Summary{}
	for _, s := range r.subjects {
		for i := range j.inv.Units {
			u := &j.inv.Units[i]
			sum := byType[u.Scope.Type]
			for res := range u.Facts.Of(s.kind) {
				sum.Add(j.subject(r, s, res), 1)
			}
			byType[u.Scope.Type] = sum
		}
	}
	for _, f := range j.scopes(r) {
		sum := byType[f.Resource.Type]
		sum.Add(f.Verdict, 1)
		byType[f.Resource.Type] = sum
		if j.keep(f.Verdict) {
			j.out.Findings = append(j.out.Findings, f)
		}
	}
	j.byType[r.ID] = byType
	counts := total(byType, nil)
	counts.Severities = map[findings.Severity]int{}
	for i := from; i < len(j.out.Findings); i++ {
		if s := j.out.Findings[i].Severity; s != "" {
			counts.Severities[s]++
		}
	}
	order(j.out.Findings[from:])
	j.out.Rules[r.ID] = findings.Rule{
		Title: r.Title, Why: r.Why, Remedy: findings.Remedy{Text: r.Remedy, Commands: r.Commands}, Clauses: r.Clauses, AnnexA: r.AnnexA,
		CIS: r.CIS, Obligation: r.Obligation, Counts: counts,
	}
	j.sum(r.Obligation, counts)
}

func (j *judging) keep(v findings.Verdict) bool {
	return j.KeepAll || v != findings.Pass && v != findings.NotApplicable
}

func (j *judging) sum(o findings.Obligation, c findings.Summary) {
	s := &j.out.Summary
	for _, v := range findings.Verdicts() {
		s.Add(v, c.Of(v))
	}
	if o != findings.Required {
		return
	}
	if s.Severities == nil {
		s.Severities = map[findings.Severity]int{}
	}
	for sev, n := range c.Severities {
		s.Severities[sev] += n
	}
}

// order is the order of a document within one rule.
func order(fs []findings.Finding) {
	slices.SortFunc(fs, func(a, b findings.Finding) int {
		for _, pair := range [...][2]string{
			{a.Resource.System, b.Resource.System}, {a.Resource.Account, b.Resource.Account},
			{a.Resource.Region, b.Resource.Region}, {a.Resource.ID, b.Resource.ID},
		} {
			if c := strings.Compare(pair[0], pair[1]); c != 0 {
				return c
			}
		}
		return strings.Compare(a.Fingerprint, b.Fingerprint)
	})
}

// subject judges one resource and keeps the finding if there is something to tell.
func (j *judging) subject(r *Rule, s *subject, res inventory.Resource) findings.Verdict {
	j.act.it = res
	v, t := s.verdict(&j.act)
	if !j.keep(v) {
		return v
	}
	f := findings.Finding{Rule: r.ID, Verdict: v, Resource: resourceOf(res)}
	f.Fingerprint = findings.Fingerprint(f.Resource.Type, f.Resource.Account, r.ID, f.Resource.ID, "")
	f.Evidence = s.evidence(res)
	switch v {
	case findings.Fail:
		risk, incident, err := s.risk(&j.act, j.impact(r, res))
		if err != nil { // the fail stands; its severity is the highest that it may be
			f.Unknown = []findings.Gap{faultOf(err)}
		}
		risk.Asset = res.Base().Asset
		f.Risk, f.IncidentLevel, f.Severity = &risk, &incident, findings.SeverityOf(risk.Value)
		f.Message = s.fail(&j.act, r, res)
		if s.readsReach {
			f.Proof = proofOf(res)
		}
	case findings.Unknown:
		f.Unknown = j.gaps(s.kind, res.Base().Unit(), t)
		f.Message = s.words.notKnown(r.Title, f.Unknown, findings.Text{})
	case findings.Pass:
		f.Message = r.Title
	case findings.NotApplicable:
		f.Message = findings.Text{JA: "対象外：" + r.Title.JA, EN: "Does not apply: " + r.Title.EN}
	}
	j.out.Findings = append(j.out.Findings, f)
	return v
}

// impact is that of the resource's asset (14.4); where none is mapped the rule's own counts. Where it is not known which
// asset it is, the higher of the two does.
func (j *judging) impact(r *Rule, res inventory.Resource) int {
	a := j.Policy.Asset(res.Base().Asset)
	if a == nil {
		return r.Impact
	}
	if _, mayBeAnother := res.Base().AssetGap(); mayBeAnother {
		return max(a.Impact, r.Impact)
	}
	return a.Impact
}

func resourceOf(res inventory.Resource) findings.Resource {
	h := res.Base()
	scope := h.Scope()
	return findings.Resource{
		ID: h.ID, Kind: string(res.Kind()), Subtype: h.Subtype, System: scope.System, Type: scope.Type,
		Account: scope.Account, Region: scope.Region, Name: h.Name, Product: h.Product, Environment: h.Environment, URL: h.URL,
	}
}

func proofOf(res inventory.Resource) []findings.Step {
	switch r := res.(type) {
	case *inventory.Database:
		return r.Proof
	case *inventory.Exposure:
		return r.Proof
	}
	return nil
}

// evidence is every field that the rule read and that is not unknown, with the call that gave it.
func (s *subject) evidence(res inventory.Resource) []findings.Fact {
	facts := make([]findings.Fact, 0, len(s.reads))
	for _, p := range s.reads {
		v, by := p.value(res)
		if j := jsonOf(v); j != nil {
			facts = append(facts, findings.Fact{Field: p.text, Value: j, Operation: by.Operation})
		}
	}
	return facts
}

// gaps names what an unknown verdict hangs on: the reads that CEL gathered, or the rule's own fault.
func (j *judging) gaps(k inventory.Kind, holder *inventory.Unit, t truth) []findings.Gap {
	if t.unknown == nil {
		return []findings.Gap{faultOf(t.err)}
	}
	var gaps []findings.Gap
	for _, id := range t.unknown.IDs() {
		unit, read, number := splitGap(id)
		u := &j.inv.Units[unit]
		g := gapOf(u.Read(read))
		kind, name, _ := strings.Cut(fieldNames[number], ".")
		if g.Field = name; kind != string(k) {
			g.Field = strings.ToLower(kind) + "." + name
		}
		if g.Where == "" && u != holder {
			g.Where = u.ID
		}
		gaps = append(gaps, g)
	}
	slices.SortStableFunc(gaps, func(a, b findings.Gap) int { return strings.Compare(a.Field, b.Field) })
	return slices.Compact(gaps)
}

func gapOf(r inventory.Read) findings.Gap {
	g := findings.Gap{Reason: r.Reason, Operation: r.Operation, Permission: r.Permission, Where: r.Where, Detail: r.Detail}
	if g.Reason == "" {
		g.Reason, g.Detail = inventory.NotInAnswer.Reason, inventory.NotInAnswer.Detail
	}
	return g
}

// faultOf names an error of the rule itself. It is unknown for this subject alone.
func faultOf(err error) findings.Gap {
	var cancelled interpreter.EvalCancelledError
	if errors.As(err, &cancelled) && cancelled.Cause == interpreter.CostLimitExceeded {
		return findings.Gap{Reason: inventory.CostLimit}
	}
	return findings.Gap{Reason: inventory.RuleError, Detail: shorten(err)}
}
