package findings

import (
	"time"

	"sptr.jp/tenken/findings/inventory"
)

// Document is one run, judged: what every sink writes.
type Document struct {
	Schema   string          `json:"schema"`
	Run      Run             `json:"run"`
	Coverage Coverage        `json:"coverage"`
	Summary  Summary         `json:"summary"`
	Rules    map[string]Rule `json:"rules"`
	Clauses  []ClauseState   `json:"clauses"`
	Findings []Finding       `json:"findings,omitzero"` // sorted by rule, system, account, region, resource id, fingerprint; never null
}

// Run says by what and when the document was made.
type Run struct {
	ID       string    `json:"id"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Judged   time.Time `json:"judged"`   // the date that rules saw as now
	Tool     string    `json:"tool"`     // version of tenken
	Rules    string    `json:"rules"`    // content hash of the catalogue
	Policy   string    `json:"policy"`   // content hash of the regulation's data
	Narrowed []string  `json:"narrowed"` // the flags that narrowed the plan; null for a whole run
}

// Coverage is the ledger: how much of the plan was read, and what was not.
type Coverage struct {
	Assessed int                       `json:"assessed"`
	Planned  int                       `json:"planned"`
	Units    map[inventory.Outcome]int `json:"units"`
	Gaps     []CoverageGap             `json:"gaps"`
	// NotBuilt are systems that the regulation names and this version can't read yet; they are holes, not unknowns.
	NotBuilt []string `json:"not_built,omitempty"`
}

// Complete reports that everything was read, declared gaps aside.
func (c Coverage) Complete() bool {
	for _, g := range c.Gaps {
		if !g.Declared {
			return false
		}
	}
	return true
}

// CoverageGap is one call of one unit that was not answered whole.
type CoverageGap struct {
	System     string           `json:"system"`
	Account    string           `json:"account,omitempty"`
	Region     string           `json:"region,omitempty"`
	Collector  string           `json:"collector"`
	Reason     inventory.Reason `json:"reason"`
	Operation  string           `json:"operation,omitempty"`
	Permission string           `json:"permission,omitempty"`
	Detail     string           `json:"detail,omitempty"`
	Declared   bool             `json:"declared"`
}

// Summary counts findings by verdict, those left out of the document included.
type Summary struct {
	Pass          int              `json:"pass"`
	Fail          int              `json:"fail"`
	Unknown       int              `json:"unknown"`
	NotApplicable int              `json:"not_applicable"`
	Manual        int              `json:"manual"`
	Accepted      int              `json:"accepted"`
	Severities    map[Severity]int `json:"severities,omitempty"` // of fails, required rules only
}

// Add counts n findings.
func (s *Summary) Add(v Verdict, n int) {
	switch v {
	case Pass:
		s.Pass += n
	case Fail:
		s.Fail += n
	case Unknown:
		s.Unknown += n
	case NotApplicable:
		s.NotApplicable += n
	case Manual:
		s.Manual += n
	}
}

// Of gives the count of a verdict.
func (s Summary) Of(v Verdict) int {
	switch v {
	case Pass:
		return s.Pass
	case Fail:
		return s.Fail
	case Unknown:
		return s.Unknown
	case NotApplicable:
		return s.NotApplicable
	case Manual:
		return s.Manual
	}
	return 0
}

// Rule is what a report says of a rule.
type Rule struct {
	Title      Text       `json:"title"`
	Why        Text       `json:"why"`
	Remedy     Remedy     `json:"remedy"`
	Clauses    []string   `json:"clauses"`
	AnnexA     []string   `json:"annex_a"`
	CIS        []string   `json:"cis,omitempty"`
	Obligation Obligation `json:"obligation"`
	Counts     Summary    `json:"counts"`
}

// Remedy is what to do about a failing finding.
type Remedy struct {
	Text
	Commands map[string]string `json:"commands,omitempty"` // by scanner type; printed, never run
}

// Clause is one clause of the regulation: number and title are cited, the rest is ours.
type Clause struct {
	ID      string   `json:"id"`
	Chapter string   `json:"chapter"`
	Title   Text     `json:"title"`
	Class   string   `json:"class"` // automated|evidence|manual
	Rules   []string `json:"rules,omitempty"`
}

// The states of a clause that are no verdicts.
const (
	Partly   = "partly"
	NotBuilt = "not_built"
)

// ClauseState is a clause and what this run says of it.
type ClauseState struct {
	Clause
	ChapterTitle Text `json:"chapter_title"`  // as printed, number included
	Under        Text `json:"under,omitzero"` // title of the clause above, where a title alone says too little
	// State: fail, unknown, partly, pass, not_applicable, manual, or not_built when this version has no rule of it, or
	// reads none of the systems that it is about. The worst of the rules that were judged counts: fail > unknown > pass >
	// not_applicable; but where not every rule of the clause was judged, pass and not_applicable are partly: what was
	// judged holds, and nothing is said of the rest.
	State    string   `json:"state"`
	Counts   Summary  `json:"counts"`
	NotBuilt []string `json:"not_built,omitempty"` // rules of the catalogue that this version lacks
}
