package rules

import (
	"errors"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
)

// Rule is one rule of the catalogue. Its ID is the claim that a pass makes.
type Rule struct {
	ID         string
	File       string
	Title, Why findings.Text
	Remedy     findings.Text
	Commands   map[string]string // by scanner type
	Obligation findings.Obligation
	Impact     int // where no asset is mapped
	Clauses    []string
	AnnexA     []string
	CIS        []string
	CausedBy   []string // rules whose failing finding on the same asset explains one of this rule
	Formerly   []string
	Cases      []Case

	subjects []*subject
}

// Kinds are the kinds that the rule judges.
func (r *Rule) Kinds() (kinds []inventory.Kind) {
	for _, s := range r.subjects {
		kinds = append(kinds, s.kind)
	}
	return kinds
}

// Subject is what a rule says of one kind, as it is written.
type Subject struct {
	Kind          inventory.Kind
	When, Require string
	Reads         []string // the fields that the conditions read, as paths from the subject
}

// Subjects are the rule's conditions, for people to read.
func (r *Rule) Subjects() (out []Subject) {
	for _, s := range r.subjects {
		sub := Subject{Kind: s.kind, Require: s.require.text}
		if s.when != nil {
			sub.When = s.when.text
		}
		for _, p := range s.reads {
			sub.Reads = append(sub.Reads, p.text)
		}
		out = append(out, sub)
	}
	return out
}

// subject is the part of a rule that judges one kind.
type subject struct {
	kind    inventory.Kind
	when    *condition // nil: always
	require *condition
	levels  []level
	reads   []path // every field that the conditions read, in the order in which they do
	message message
	words   *words
	// The fields whose lack of a declaration the message must tell: it was judged as the worst.
	readsLevel, readsClass bool
	readsReach             bool // a field that the resource's proof is of
}

// level is one line of the table that gives severity and incident level; the first whose condition holds counts.
type level struct {
	when       *condition // nil in the last one
	likelihood int
	incident   int
	impact     int // lowers the impact where the line says that no asset is at stake; 0: the asset's
}

// verdict applies when and require. The truth that decided comes back with it: for an unknown it holds why.
func (s *subject) verdict(a *activation) (findings.Verdict, truth) {
	if s.when != nil {
		switch t := s.when.eval(a); {
		case t.err != nil || t.unknown != nil:
			return findings.Unknown, t
		case !t.yes:
			return findings.NotApplicable, t
		}
	}
	switch t := s.require.eval(a); {
	case t.err != nil || t.unknown != nil:
		return findings.Unknown, t
	case t.yes:
		return findings.Pass, t
	default:
		return findings.Fail, t
	}
}

// risk gives the row of 14.1 that a fail makes: impact of the asset × likelihood of the first line that holds. A line
// whose condition is unknown, or in error, may hold, so the higher one counts.
func (s *subject) risk(a *activation, impact int) (risk findings.Risk, incident int, err error) {
	for _, l := range s.levels {
		holds, perhaps := true, false
		if l.when != nil {
			t := l.when.eval(a)
			holds, perhaps = t.yes, t.unknown != nil || t.err != nil
			err = errors.Join(err, t.err)
		}
		if !holds && !perhaps {
			continue
		}
		row := findings.Risk{Impact: impact, Likelihood: l.likelihood}
		if l.impact > 0 {
			row.Impact = min(impact, l.impact)
		}
		if row.Value = row.Impact * row.Likelihood; row.Value > risk.Value {
			risk = row
		}
		incident = max(incident, l.incident)
		if holds {
			break
		}
	}
	return risk, incident, err
}
