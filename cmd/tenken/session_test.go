package main

import (
	"slices"
	"testing"
)

// ledger is what a configuration leaves unconnected, and what this version can't read.
func ledger(t *testing.T, cfg *config) (unconnected, notBuilt []string) {
	t.Helper()
	s, err := newSession(env{}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range s.unconnected() {
		unconnected = append(unconnected, u.ID)
	}
	return unconnected, s.notBuilt()
}

// The ledger follows the systems that the regulation names, not the types that read them.
func TestLedgerOfSystems(t *testing.T) {
	unconnected, notBuilt := ledger(t, &config{})
	if want := []string{"aws/connection", "hr-roster/connection"}; !slices.Equal(unconnected, want) {
		t.Errorf("unconnected %v, want %v", unconnected, want)
	}
	for id, want := range map[string]bool{
		"cloudfront": true, "aws-identity-center": true, "cognito": true, "money-forward": true, "entra-id": true,
		"aws": false, "rds": false, "spartraining": false, "hr-roster": false,
		"office-peripherals": false, // only people can look
	} {
		if slices.Contains(notBuilt, id) != want {
			t.Errorf("%s: not built is %v", id, !want)
		}
	}

	unused := func(ids ...string) *config {
		c := &config{}
		for _, id := range ids {
			c.NotUsed = append(c.NotUsed, notUsed{System: id})
		}
		return c
	}
	if unconnected, notBuilt = ledger(t, unused("money-forward")); len(unconnected) != 2 || slices.Contains(notBuilt, "money-forward") {
		t.Errorf("money-forward unused: unconnected %v, not built %v", unconnected, notBuilt)
	}
	if unconnected, _ = ledger(t, unused("hr-roster", "aws")); !slices.Equal(unconnected, []string{"rds/connection"}) {
		t.Errorf("hr-roster and aws unused: unconnected %v", unconnected)
	}
	if unconnected, _ = ledger(t, unused("aws", "rds", "bastion", "spartraining", "hr-roster")); unconnected != nil {
		t.Errorf("everything unused: unconnected %v", unconnected)
	}
	if unconnected, _ = ledger(t, &config{Systems: []system{{Name: "x", Type: "aws"}}}); !slices.Equal(unconnected, []string{"hr-roster/connection"}) {
		t.Errorf("aws configured: unconnected %v", unconnected)
	}
}

// Every system that a provider claims to read is one of the regulation's, of that provider's type.
func TestReadsAreTheRegulations(t *testing.T) {
	pol, _, err := loadRules()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range providers {
		for _, id := range p.reads {
			if sys := pol.System(id); sys == nil || !slices.Contains(sys.Scanners, p.typ) {
				t.Errorf("%s reads %q, which systems.yaml doesn't give it to read", p.typ, id)
			}
		}
	}
}
