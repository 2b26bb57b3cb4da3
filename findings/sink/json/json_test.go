package json

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
)

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("findings.json", raw); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("findings.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func document() *findings.Document {
	zero, at := 0, time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)
	text := findings.Text{JA: "公開されています <b>&", EN: "public <b>&"}
	units := map[inventory.Outcome]int{}
	for _, o := range inventory.Outcomes() {
		units[o] = 0
	}
	units[inventory.Complete] = 1
	fp := findings.Fingerprint("aws", "1", "database-not-public", "arn", "")
	return &findings.Document{
		Schema:   findings.Schema,
		Run:      findings.Run{ID: "r", Started: at, Finished: at, Judged: at, Tool: "t", Rules: "x", Policy: "y"},
		Coverage: findings.Coverage{Assessed: 1, Planned: 1, Units: units, Gaps: []findings.CoverageGap{{System: "s", Collector: "rds", Reason: inventory.Timeout}}},
		Rules:    map[string]findings.Rule{"database-not-public": {Title: text, Why: text, Remedy: findings.Remedy{Text: text, Commands: map[string]string{"aws": "aws rds …"}}, Obligation: findings.Required}},
		Clauses:  []findings.ClauseState{{Clause: findings.Clause{ID: "14.4", Title: text, Class: "automated"}, State: "fail"}},
		Findings: []findings.Finding{
			{Fingerprint: fp, Rule: "database-not-public", Verdict: findings.Fail, Severity: findings.Critical, IncidentLevel: &zero, Message: text,
				Risk: &findings.Risk{Impact: 3, Likelihood: 3, Value: 9}, Resource: findings.Resource{ID: "arn", Kind: "Database", System: "s", Type: "aws"},
				Evidence: []findings.Fact{{Field: "public_address", Value: []byte("true")}}, Proof: []findings.Step{{Resource: "sg", Fact: "f"}}},
			{Fingerprint: fp, Rule: "database-not-public", Verdict: findings.Unknown, Message: text,
				Resource: findings.Resource{ID: "1", Kind: findings.ScopeKind, Kinds: []string{"Database"}, System: "s", Type: "aws", Account: "1"}, Unknown: []findings.Gap{{Reason: inventory.AccessDenied}}},
		},
	}
}

func TestSchema(t *testing.T) {
	s := schema(t)
	check := func(d *findings.Document) error {
		var b bytes.Buffer
		if err := Write(&b, d); err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(&b)
		if err != nil {
			t.Fatal(err)
		}
		return s.Validate(v)
	}
	if err := check(document()); err != nil {
		t.Fatal(err)
	}
	for name, breakIt := range map[string]func(d *findings.Document){
		"fail without severity":    func(d *findings.Document) { d.Findings[0].Severity = "" },
		"unknown with a severity":  func(d *findings.Document) { d.Findings[1].Severity = findings.Low },
		"unknown without a reason": func(d *findings.Document) { d.Findings[1].Unknown = nil },
		"reason not in the list":   func(d *findings.Document) { d.Coverage.Gaps[0].Reason = "because" },
		"fingerprint":              func(d *findings.Document) { d.Findings[0].Fingerprint = "v2:00" },
		"outcome left out":         func(d *findings.Document) { delete(d.Coverage.Units, inventory.Denied) },
	} {
		d := document()
		breakIt(d)
		if check(d) == nil {
			t.Errorf("%s: the schema does not mind", name)
		}
	}
	for _, r := range inventory.Reasons() {
		d := document()
		d.Coverage.Gaps[0].Reason = r
		if err := check(d); err != nil {
			t.Errorf("reason %s: %v", r, err)
		}
	}
}

func TestLines(t *testing.T) {
	var b bytes.Buffer
	if err := WriteLines(&b, document()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != 3 || strings.Contains(lines[0], `"findings"`) || !strings.Contains(lines[1], `<b>&`) {
		t.Fatalf("%d lines:\n%s", len(lines), b.String())
	}
	if !strings.Contains(lines[0], `"remedy":{"ja":`) || !strings.Contains(lines[0], `"commands":{"aws":`) || !strings.Contains(lines[1], `"risk":{"asset":"",`) {
		t.Errorf("not as it is published:\n%s", b.String())
	}
	head, err := jsonschema.UnmarshalJSON(strings.NewReader(lines[0]))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema(t).Validate(head); err != nil {
		t.Errorf("the first line: %v", err)
	}
}
