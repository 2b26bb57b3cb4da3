package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What the documentation calls read by a rule is what the catalogue's files name, wherever in a rule it stands.
func TestReaders(t *testing.T) {
	pol, catalog, err := loadRules()
	if err != nil {
		t.Fatal(err)
	}
	by := readers(pol, catalog)
	files, err := filepath.Glob(filepath.Join("..", "..", "rules", "catalog", "*.yaml"))
	if err != nil || len(files) < len(catalog.Rules()) {
		t.Fatalf("%d files: %v", len(files), err)
	}
	named := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rule := strings.TrimSuffix(filepath.Base(file), ".yaml")
		for _, m := range regexp.MustCompile(`param\.(\w+)`).FindAllStringSubmatch(string(b), -1) {
			if named++; !slices.Contains(strings.Split(by[m[1]], ", "), rule) {
				t.Errorf("%s reads %s, which is said to be read by %q", rule, m[1], by[m[1]])
			}
		}
	}
	if named == 0 {
		t.Error("no rule reads a parameter")
	}
	for key, want := range map[string]string{"hr_roster": "derive", "exceptions": "", "public_entry_points": "", "invite_max_days": ""} {
		if by[key] != want {
			t.Errorf("%s is read by %q, want %q", key, by[key], want)
		}
	}
}
