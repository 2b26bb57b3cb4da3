package rules

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v3"

	"sptr.jp/tenken/findings"
)

// The severity of the catalogue's paper is a check on the formula: impact × likelihood of the first line.
func TestSeveritiesAgreeWithTheControls(t *testing.T) {
	dir := os.Getenv("TENKEN_CONTROLS")
	if dir == "" {
		t.Skip("TENKEN_CONTROLS names no directory of controls: severities, clauses and obligations are not compared")
	}
	type control struct {
		ID, Severity string
		Obligation   findings.Obligation
		Clauses      []string
		ISO          []string `yaml:"iso27001_2022"`
		Risk         struct {
			Impact     int
			Likelihood int `yaml:"likelihood_on_fail"`
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "rules", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no controls in %s: %v", dir, err)
	}
	c, found := loaded(t), 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var controls struct{ Rules []control }
		if err := yaml.Unmarshal(b, &controls.Rules); err != nil {
			if err := yaml.Unmarshal(b, &controls); err != nil {
				t.Fatal(err)
			}
		}
		for _, k := range controls.Rules {
			r := c.Rule(k.ID)
			if r == nil {
				continue
			}
			found++
			value := r.Impact * r.subjects[0].levels[worst(r.subjects[0].levels)].likelihood
			if got := findings.SeverityOf(value); string(got) != k.Severity || r.Impact != k.Risk.Impact || value != k.Risk.Impact*k.Risk.Likelihood {
				t.Errorf("%s: %s (%d), the controls say %s", k.ID, got, value, k.Severity)
			}
			if r.Obligation != k.Obligation || !slices.Equal(r.Clauses, k.Clauses) || !slices.Equal(r.AnnexA, k.ISO) {
				t.Errorf("%s: %s %v %v, the controls say %s %v %v", k.ID, r.Obligation, r.Clauses, r.AnnexA, k.Obligation, k.Clauses, k.ISO)
			}
		}
	}
	if found != len(c.rules) {
		t.Errorf("the controls know %d of %d rules", found, len(c.rules))
	}
}

func worst(ls []level) (at int) {
	for i := range ls {
		if ls[i].likelihood > ls[at].likelihood {
			at = i
		}
	}
	return at
}

// A broken rule file is refused with file, line and field, and nothing is loaded.
func TestBrokenRuleFiles(t *testing.T) {
	good, err := catalogFS.ReadFile("catalog/database-ingress-restricted.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(good), "caused_by: [database-not-public]\n", "", 1)
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key":       {"obligation: required", "obligation: required\nseverity: high", "unknown field severity"},
		"doubled key":       {"obligation: required", "obligation: required\nobligation: required", "already defined"},
		"unknown case key":  {"  - name: nothing is admitted", "  - name: nothing is admitted\n    expects: pass", "unknown field expects"},
		"alias":             {"impact: 3", "impact: &x 3\nformerly: [*x]", "aliases and anchors"},
		"wrong type":        {"impact: 3", "impact: high", "line 17"},
		"impact":            {"impact: 3", "impact: 4", "impact: 4"},
		"no kind":           {"kind: Database", "kind: Datenbank", "there is no kind"},
		"unknown field":     {"it.ingress.all(s, s.declared ||", "it.ingres.all(s, s.declared ||", "require: 1:3: undefined field 'ingres'"},
		"refused operator":  {"when: it.ingress.exists(s,", "when: has(it.ingress) && it.ingress.exists(s,", "line 19: levels: when: has is not admitted"},
		"no last level":     {"  - likelihood: 2\n    incident: 0\n", "", "levels: line 1"},
		"clause":            {`"NW.3.4"`, `"NW.33"`, `no clause "NW.33"`},
		"one language":      {"  en: Databases admit the application and the bastion only", "", "title: both ja and en"},
		"message":           {"{ingress}", "{ingres}", `message: Database has no field "ingres"`},
		"message's part":    {"{ingress}", "{it.ingress[0]}", "message: {it.ingress[0]}: "},
		"message's when":    {"  - when: >-\n      count", "  - when: >-\n      it.ingress == null || count", "message: when: "},
		"no last message":   {"  - ja: \"アプリ", "  - when: it.level == 1\n    ja: \"アプリ", "message: every message but the last has a when"},
		"a message's half":  {"    en: \"It admits", "    # en: \"It admits", "message: both ja and en"},
		"no unknown case":   {"expect: unknown", "expect: pass", "none of them expects unknown"},
		"a case's verdict":  {"expect: pass", "expect: ok", "is no verdict"},
		"fail without line": {"    severity: high\n    incident: 2\n", "", "has severity and incident"},
		"file name":         {"id: database-ingress-restricted", "id: other", "must be the file's name"},
		"cause":             {"impact: 3", "impact: 3\ncaused_by: [nothing]", `no other rule "nothing"`},
		"too large":         {"impact: 3", "impact: 3 # " + strings.Repeat("x", maxFile), "bytes are no rule"},
		"two documents":     {"impact: 3", "impact: 3\n---\nimpact: 3", ""},
		"no YAML":           {"impact: 3", "impact: [", ""},
	} {
		broken := strings.ReplaceAll(text, c.old, c.new)
		if broken == text {
			t.Errorf("%s: nothing was broken", name)
		}
		_, err := LoadFS(fstest.MapFS{"database-ingress-restricted.yaml": {Data: []byte(broken)}})
		if err == nil || !strings.Contains(err.Error(), "database-ingress-restricted.yaml: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := LoadFS(fstest.MapFS{"database-ingress-restricted.yaml": {Data: []byte(text)}}); err != nil {
		t.Errorf("unbroken: %v", err)
	}
}

// The regulation's data and the rules name each other: a clause whose rule is built lists it, and the reverse.
func TestClausesAndRulesNameEachOther(t *testing.T) {
	c := loaded(t)
	for _, r := range c.rules {
		var listed []string
		for i := range c.policy.Clauses {
			if slices.Contains(c.policy.Clauses[i].Rules, r.ID) {
				listed = append(listed, c.policy.Clauses[i].ID)
			}
		}
		if !slices.Equal(slices.Sorted(slices.Values(listed)), slices.Sorted(slices.Values(r.Clauses))) {
			t.Errorf("%s answers %v, and is listed by %v", r.ID, r.Clauses, listed)
		}
	}
}
