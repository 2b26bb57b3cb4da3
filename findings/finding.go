package findings

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"sptr.jp/tenken/findings/inventory"
)

// Schema names the version of the findings document; its JSON Schema is published by the json sink.
const Schema = "tenken.findings/v1"

// Text is what an auditor reads, in both languages.
type Text struct {
	JA string `json:"ja" yaml:"ja"`
	EN string `json:"en" yaml:"en"`
}

// In gives the text in a language, "ja" or "en".
func (t Text) In(lang string) string {
	if lang == "ja" {
		return t.JA
	}
	return t.EN
}

// Verdict is what a rule says of a subject.
type Verdict string

// The verdicts. Unknown is the answer to every "could not look"; it never becomes a pass or a fail.
const (
	Pass          Verdict = "pass"
	Fail          Verdict = "fail"
	Unknown       Verdict = "unknown"
	NotApplicable Verdict = "not_applicable"
	Manual        Verdict = "manual"
)

// Verdicts lists every verdict in the order of reports.
func Verdicts() []Verdict { return []Verdict{Fail, Unknown, Manual, Pass, NotApplicable} }

// Severity follows from impact × likelihood alone; other findings never move it.
type Severity string

// The severities.
const (
	Critical Severity = "critical" // 9
	High     Severity = "high"     // 6
	Medium   Severity = "medium"   // 3–4
	Low      Severity = "low"      // 1–2
)

// Severities lists them, worst first.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low} }

// SeverityOf gives the severity of a risk value (impact × likelihood, both 1–3).
func SeverityOf(value int) Severity {
	switch {
	case value >= 9:
		return Critical
	case value >= 6:
		return High
	case value >= 3:
		return Medium
	}
	return Low
}

// Obligation says whether the regulation demands a rule or good practice beyond its text does.
type Obligation string

// The obligations.
const (
	Required    Obligation = "required"
	Recommended Obligation = "recommended"
)

// Finding is one rule's verdict on one subject: a resource, or a scope that could not be looked at.
type Finding struct {
	Fingerprint   string    `json:"fingerprint"`
	Rule          string    `json:"rule"` // a rule id, or clause-<number> for a manual clause
	Verdict       Verdict   `json:"verdict"`
	Severity      Severity  `json:"severity,omitempty"`       // of a fail only
	IncidentLevel *int      `json:"incident_level,omitempty"` // of a fail only: 0–3, chapter 10
	Message       Text      `json:"message"`
	Risk          *Risk     `json:"risk,omitempty"` // of a fail only
	Resource      Resource  `json:"resource"`
	Evidence      []Fact    `json:"evidence,omitempty"`
	Proof         []Step    `json:"proof,omitempty"`
	Unknown       []Gap     `json:"unknown,omitempty"`
	CausedBy      []string  `json:"caused_by,omitempty"` // fingerprints
	Exception     *struct{} `json:"exception"`           // an accepted risk; null until the company keeps some
	Life          *Life     `json:"life"`                // what the store adds; null without one
}

// Risk is the row of 14.1 that a failing finding makes.
type Risk struct {
	Asset      string `json:"asset"` // empty: none is mapped, the rule's own impact counts
	Impact     int    `json:"impact"`
	Likelihood int    `json:"likelihood"`
	Value      int    `json:"value"`
}

// ScopeKind is the kind of a subject that is a whole account, or a whole system where no account is known.
const ScopeKind = "Scope"

// Resource is the subject. Of a scope, ID is the provider's account, or the system where no account is known,
// and Name is both as people write them.
type Resource struct {
	ID          string   `json:"id"`
	Kind        string   `json:"kind"`
	Kinds       []string `json:"kinds,omitempty"` // of a scope only: the kinds that it is about, those not listed whole if unknown
	Subtype     string   `json:"subtype,omitempty"`
	System      string   `json:"system"`
	Type        string   `json:"type"`
	Account     string   `json:"account,omitempty"`
	Region      string   `json:"region,omitempty"`
	Name        string   `json:"name,omitempty"`
	Product     string   `json:"product,omitempty"`
	Environment string   `json:"environment,omitempty"`
	URL         string   `json:"url,omitempty"`
}

// Fact is one field that the rule read, with the call that gave it.
type Fact struct {
	Field     string          `json:"field"`
	Value     json.RawMessage `json:"value"`
	Operation string          `json:"operation,omitempty"`
}

// Step is one link of a proof chain.
type Step = inventory.Step

// Gap is one thing that could not be read.
type Gap struct {
	Field      string           `json:"field,omitempty"` // of the subject; empty for a scope
	Reason     inventory.Reason `json:"reason"`
	Operation  string           `json:"operation,omitempty"`
	Permission string           `json:"permission,omitempty"`
	Where      string           `json:"where,omitempty"`
	Detail     string           `json:"detail,omitempty"`
}

// Life is what a store of runs knows of a finding.
type Life struct {
	State     string    `json:"state"` // new|open|reopened|resolved
	FirstSeen time.Time `json:"first_seen"`
	Since     time.Time `json:"since"`
}

// Fingerprint names a finding for ever: v1: and the SHA-256 of the JSON array [type, account, rule, uid, part]. Nothing
// in it may depend on a name in tenken.yaml, on a time, on severity or on the language. The one exception is a scope whose
// account is not known: the system's name is then all that tells it from another of its type. A golden file guards it.
func Fingerprint(typ, account, rule, uid, part string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode([5]string{typ, account, rule, uid, part}); err != nil {
		panic(err) // five strings always encode
	}
	sum := sha256.Sum256(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	return "v1:" + hex.EncodeToString(sum[:])
}
