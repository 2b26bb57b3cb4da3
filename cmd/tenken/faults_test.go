package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/fixtures"
)

// faultTable is fixtures/sptr/faults.yaml; the file says what its words mean.
type faultTable struct {
	Accounts map[string]string
	Rules    map[string][]fault
}

type fault struct {
	At       string
	Kind     string
	What     []string
	Expect   string
	Severity findings.Severity
	Incident *int
	Reach    string
	Why      string
}

func loadFaults(t *testing.T) faultTable {
	t.Helper()
	b, err := fs.ReadFile(fixtures.Sptr(), "faults.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var table faultTable
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&table); err != nil {
		t.Fatal(err)
	}
	return table
}

// fits says whether a row is about a finding of its rule.
func (x *fault) fits(accounts map[string]string, f *findings.Finding) bool {
	account, region, _ := strings.Cut(x.At, "/")
	r := &f.Resource
	if account != "both" && accounts[account] != r.Account || region != "*" && strings.TrimPrefix(region, "global") != r.Region ||
		x.Kind != "" && x.Kind != r.Kind {
		return false
	}
	return slices.ContainsFunc(x.What, func(p string) bool { return glob(p, r.Name) || glob(p, r.ID) })
}

func glob(pattern, s string) bool {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$").MatchString(s)
}

// differs says how a finding differs from its row.
func (x *fault) differs(f *findings.Finding) string {
	switch {
	case string(f.Verdict) != x.Expect:
		return fmt.Sprintf("it is %s", f.Verdict)
	case f.Severity != x.Severity:
		return fmt.Sprintf("its severity is %q", f.Severity)
	case cmp.Diff(f.IncidentLevel, x.Incident) != "":
		return fmt.Sprintf("its incident level is %d", *f.IncidentLevel)
	case x.Reach != "" && !slices.ContainsFunc(f.Evidence, func(e findings.Fact) bool {
		var reach string
		return (e.Field == "reach" || e.Field == "internet_reach") && json.Unmarshal(e.Value, &reach) == nil && reach == x.Reach
	}):
		return fmt.Sprintf("its evidence is another: %s", evidence(f))
	}
	return ""
}

func evidence(f *findings.Finding) string {
	var all []string
	for _, e := range f.Evidence {
		all = append(all, e.Field+"="+string(e.Value))
	}
	return strings.Join(all, " ")
}

// Every seeded fault is found as the table says, no trap is walked into, and nothing fails or is unknown that the table
// does not know.
func TestFaultsAndTraps(t *testing.T) {
	table, run := loadFaults(t), undisturbed(t)
	for rule, rows := range table.Rules {
		used := make([]int, len(rows))
		for i := range run.Findings {
			f := &run.Findings[i]
			if f.Rule != rule {
				continue
			}
			found := false
			for k := range rows {
				x := &rows[k]
				if !x.fits(table.Accounts, f) {
					continue
				}
				if x.Expect == "none" {
					t.Errorf("%s: there is nothing to judge, because: %s", describe(f), x.Why)
				} else if difference := x.differs(f); !found && difference != "" {
					t.Errorf("%s: expected %s %s, because: %s; %s", describe(f), x.Expect, x.Severity, x.Why, difference)
				}
				if !found {
					used[k]++
				}
				found = found || x.Expect != "none"
			}
			if !found && (f.Verdict == findings.Fail || f.Verdict == findings.Unknown) {
				t.Errorf("%s %s: the table does not know it (%s %v)", describe(f), f.Severity, evidence(f), f.Unknown)
			}
		}
		for k := range rows {
			if (used[k] > 0) != (rows[k].Expect != "none") {
				t.Errorf("%s, %s %s: the row fits %d findings", rule, rows[k].At, strings.Join(rows[k].What, ", "), used[k])
			}
		}
	}
	for rule := range run.Rules {
		if len(table.Rules[rule]) == 0 {
			t.Errorf("the table has nothing on %s: seed a fault", rule)
		}
	}
}

const faultsHead = `# Faults and traps of the demo company

What a scan of ` + "`sptr/` with `tenken.yaml`" + ` must say, written from faults.yaml by a test (TENKEN_GOLDEN=1). A fault is seeded to be found; a
trap looks like one, or hides one. "none": nothing of that kind may be judged. What isn't listed passes or doesn't apply.
`

// FAULTS.md is the table for reading.
func TestFaultsForReading(t *testing.T) {
	table := loadFaults(t)
	var b strings.Builder
	b.WriteString(faultsHead + "\n")
	for _, name := range slices.Sorted(maps.Keys(table.Accounts)) {
		fmt.Fprintf(&b, "- `%s` is account %s\n", name, table.Accounts[name])
	}
	for _, rule := range slices.Sorted(maps.Keys(table.Rules)) {
		fmt.Fprintf(&b, "\n## %s\n\n| where | resource | expected | why |\n|---|---|---|---|\n", rule)
		for _, x := range table.Rules[rule] {
			expected := x.Expect
			if x.Expect == "fail" {
				expected = fmt.Sprintf("**fail**, %s, incident level %d", x.Severity, *x.Incident)
			}
			why := x.Why
			if x.Reach != "" {
				why += " (" + strings.ReplaceAll(x.Reach, "_", " ") + ")"
			}
			what := strings.TrimSpace(x.Kind + " `" + strings.Join(x.What, "`, `") + "`")
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", x.At, what, expected, why)
		}
	}
	path := filepath.Join("..", "..", "fixtures", "sptr", "FAULTS.md")
	if os.Getenv("TENKEN_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), string(have)); diff != "" {
		t.Errorf("write it again with TENKEN_GOLDEN=1 (-faults.yaml +FAULTS.md):\n%s", diff)
	}
}
