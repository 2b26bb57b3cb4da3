package rules

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/rules/policy"
)

// Case is one promise of a rule: of such a subject it says this. A known false positive is a case with its reason.
type Case struct {
	Name     string
	Kind     inventory.Kind // of the subject; needed where the rule judges several
	Facts    facts
	Unlisted inventory.Reason // there is no subject: the listing that would hold it failed for this reason
	Params   yaml.Node        // parameters that differ from the policy's defaults
	Now      time.Time        // the judging date; casesNow when it is left out
	Expect   findings.Verdict
	Severity findings.Severity
	Incident *int
	Value    int              // of the risk, where its severity does not show it
	Reason   inventory.Reason // of an unknown, where it matters
	Says     string           // words that its message must hold, in either language
	Why      string           // why this verdict is right although it may look wrong

	line int
}

// casesNow is the judging date of cases that name none.
func casesNow() time.Time { return time.Date(2026, time.April, 1, 9, 0, 0, 0, tokyo) }

// UnmarshalYAML keeps the line, and refuses unknown keys by itself: yaml does not carry the strictness through.
func (c *Case) UnmarshalYAML(n *yaml.Node) error {
	type plain Case
	known := map[string]bool{"name": true, "kind": true, "facts": true, "params": true, "now": true, "value": true, "unlisted": true, "expect": true,
		"severity": true, "incident": true, "reason": true, "says": true, "why": true}
	if n.Kind == yaml.MappingNode {
		for i := 0; i < len(n.Content); i += 2 {
			if key := n.Content[i]; !known[key.Value] {
				return fmt.Errorf("line %d: cases: unknown field %s", key.Line, key.Value)
			}
		}
	}
	if err := n.Decode((*plain)(c)); err != nil {
		return err
	}
	c.line = n.Line
	return nil
}

// complete fills what the file says once for all cases.
func (c *Case) complete(given map[inventory.Kind]facts, subjects []subjectFile) {
	if c.Kind == "" && len(subjects) > 0 {
		c.Kind = subjects[0].Kind
	}
	all := maps.Clone(given[c.Kind])
	if all == nil {
		all = facts{}
	}
	maps.Copy(all, c.Facts)
	c.Facts = all
	if c.Now.IsZero() {
		c.Now = casesNow()
	}
}

// CaseResult is what became of one case.
type CaseResult struct {
	Rule, File string
	Line       int
	Case       string
	Finding    findings.Finding
	Err        error // what differs from what the case expects
}

// Test runs every case of every rule.
func (c *Catalog) Test() (results []CaseResult) {
	for _, r := range c.rules {
		for i := range r.Cases {
			f, err := c.runCase(r, &r.Cases[i])
			if err == nil {
				err = r.Cases[i].compare(f)
			}
			results = append(results, CaseResult{Rule: r.ID, File: r.File, Line: r.Cases[i].line, Case: r.Cases[i].Name, Finding: f, Err: err})
		}
	}
	return results
}

// runCase judges the subject of a case through the same code as a scan.
func (c *Catalog) runCase(r *Rule, cs *Case) (findings.Finding, error) {
	inv, m := caseWorld()
	if cs.Unlisted != "" {
		return c.runUnlisted(r, cs, inv, m)
	}
	res, err := m.resource(cs.Kind, cs.Facts)
	if err != nil {
		return findings.Finding{}, err
	}
	set, err := c.caseParams(cs)
	if err != nil {
		return findings.Finding{}, err
	}
	j := newJudging(inv, Input{Catalog: c, Policy: c.policy, Params: set, Now: cs.Now, KeepAll: true})
	for _, s := range r.subjects {
		if s.kind == cs.Kind {
			j.subject(r, s, res)
			return j.out.Findings[0], nil
		}
	}
	return findings.Finding{}, fmt.Errorf("the rule does not judge a %s", cs.Kind)
}

// runUnlisted judges an account in which the kind was not listed whole.
func (c *Catalog) runUnlisted(r *Rule, cs *Case, inv *inventory.Inventory, m *maker) (findings.Finding, error) {
	read, err := m.failed(string(cs.Unlisted))
	if err != nil {
		return findings.Finding{}, err
	}
	k := cs.Kind
	if d := drawnFrom(k); d != nil {
		k = d[0]
	}
	m.unit.Listings = []inventory.Listing{{Kind: k, Reads: []inventory.ReadID{read}}}
	j := newJudging(inv, Input{Catalog: c, Policy: c.policy, Now: cs.Now, KeepAll: true})
	return j.scopes(r)[0], nil
}

func (c *Catalog) caseParams(cs *Case) (policy.Params, error) {
	derived := map[string][]string{}
	return c.policy.Params(&cs.Params, derived)
}

func (c *Case) compare(f findings.Finding) error {
	switch {
	case f.Verdict != c.Expect:
		return fmt.Errorf("it gives %s, not %s: %s", f.Verdict, c.Expect, f.Message.EN)
	case f.Severity != c.Severity:
		return fmt.Errorf("its severity is %s, not %s", f.Severity, c.Severity)
	case c.Incident != nil && *f.IncidentLevel != *c.Incident:
		return fmt.Errorf("its incident level is %d, not %d", *f.IncidentLevel, *c.Incident)
	case c.Value > 0 && f.Risk.Value != c.Value:
		return fmt.Errorf("its risk value is %d, not %d", f.Risk.Value, c.Value)
	case len(f.Unknown) > 0 && f.Unknown[0].Reason == inventory.RuleError && c.Reason != inventory.RuleError:
		return fmt.Errorf("the rule is in error: %s", f.Unknown[0].Detail)
	case c.Reason != "" && (len(f.Unknown) == 0 || f.Unknown[0].Reason != c.Reason):
		return fmt.Errorf("its reason is not %s", c.Reason)
	case !strings.Contains(f.Message.JA, c.Says) && !strings.Contains(f.Message.EN, c.Says):
		return fmt.Errorf("it does not say %q: %s %s", c.Says, f.Message.JA, f.Message.EN)
	}
	return nil
}
