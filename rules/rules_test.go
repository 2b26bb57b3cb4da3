package rules

import (
	"testing"
)

func loaded(t testing.TB) *Catalog {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Every promise that a rule makes in its cases is kept.
func TestCases(t *testing.T) {
	for _, r := range loaded(t).Test() {
		if r.Err != nil {
			t.Errorf("%s:%d: %s: %v", r.File, r.Line, r.Case, r.Err)
		}
	}
}
