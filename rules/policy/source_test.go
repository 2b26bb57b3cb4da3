package policy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// TestCatalogue compares with the catalogue that the rules are built from, where it is at hand.
func TestCatalogue(t *testing.T) {
	dir := os.Getenv("TENKEN_CONTROLS")
	if dir == "" {
		t.Skip("TENKEN_CONTROLS, the folder of the catalogue, is not set")
	}
	p := loaded(t)
	var cat struct {
		Clauses []struct {
			ID, Class string
			Rules     []string
		}
	}
	readYAML(t, filepath.Join(dir, "clauses.yaml"), &cat)
	for i, c := range cat.Clauses {
		mine := p.Clauses[i]
		if diff := cmp.Diff([]any{c.ID, c.Class, c.Rules}, []any{mine.ID, mine.Class, mine.Rules}); diff != "" {
			t.Errorf("clause %d (-catalogue +ours):\n%s", i+1, diff)
		}
	}
	known := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(dir, "rules", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		var rules []struct{ ID string }
		readYAML(t, f, &rules)
		for _, r := range rules {
			known[r.ID] = true
		}
	}
	if len(known) != 128 {
		t.Errorf("the catalogue has %d rules, want 128", len(known))
	}
	_, rules := cited(p)
	for by, ids := range rules {
		for _, id := range ids {
			if !known[id] {
				t.Errorf("%s names rule %s, which the catalogue lacks", by, id)
			}
		}
	}
}

// TestRegulation holds titles and fingerprints to the regulation itself, where it is at hand.
func TestRegulation(t *testing.T) {
	file := os.Getenv("TENKEN_REGULATION")
	if file == "" {
		t.Skip("TENKEN_REGULATION, the regulation's text file, is not set")
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := loaded(t)
	parts := p.split(string(b))
	for _, h := range entries(p) {
		part, ok := parts[h.ID]
		if !ok {
			t.Errorf("%s: the regulation has no line %q", h.ID, printed(h))
		}
		if got := fingerprint(part); got != h.SHA256 {
			t.Errorf("%s: sha256 is %s, the text has %s", h.ID, h.SHA256, got)
		}
	}
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
