package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The demo company's fingerprints, with what they stand for: which id a scanner gives a thing is for ever too. A line that
// goes is a thing that is no longer found; a line that changes is a ticket that is opened twice.
func TestFingerprintsOfTheDemo(t *testing.T) {
	var b strings.Builder
	for _, f := range undisturbed(t).Findings {
		fmt.Fprintf(&b, "%s %s %s %s\n", f.Fingerprint, f.Rule, f.Resource.Account, f.Resource.ID)
	}
	path := filepath.Join("testdata", "fingerprints.golden")
	if os.Getenv("TENKEN_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, line := range strings.Split(b.String(), "\n") {
		got[line] = true
	}
	for _, line := range strings.Split(string(want), "\n") {
		if !got[line] {
			t.Errorf("gone, or changed: %s", line)
		}
	}
	if n := strings.Count(string(want), "\n"); n != len(undisturbed(t).Findings) {
		t.Errorf("%d findings, and %d in the golden file: new ones belong into it (make golden)", len(undisturbed(t).Findings), n)
	}
}
