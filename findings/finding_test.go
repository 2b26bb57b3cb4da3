package findings

import "testing"

// Fingerprints carry tickets and histories over years. If this test fails, the change is wrong, not the test.
func TestFingerprintForEver(t *testing.T) {
	for _, c := range []struct{ typ, account, rule, uid, part, want string }{
		{"aws", "333333333333", "database-not-public", "arn:aws:rds:ap-northeast-1:333333333333:db:app", "", "v1:c425dc99ccde6c2a709eba7020e1abbaf0ed57c44f6953c715535e133f3fb45b"},
		{"aws", "", "root-account-protected", "spartraining", "", "v1:8d563c69c0fdd2d3941a480cf4509d59c3456387c4b9579cde56c1e5bdd23bcd"},
		{"roster", "", "clause-2.2", "スパトレ", "", "v1:52302b59a7394df9dfe249aa343e17df1fdd43648a09837a1871750736e62517"},
		{"aws", "a\"b", "r", "<&>\u2028\xff", "p", "v1:91ebb798ffcf4c5699bf7643fa9774ebf5fdf4e75ad35fd850c17360da89bee0"},
	} {
		if got := Fingerprint(c.typ, c.account, c.rule, c.uid, c.part); got != c.want {
			t.Errorf("%q: %s, want %s", c.uid, got, c.want)
		}
	}
	// The parts of the name can't run into each other.
	if Fingerprint("a", "b", "c", "d", "e") == Fingerprint("a", "bc", "", "d", "e") || Fingerprint("a", "b", "c", `d","e`, "") == Fingerprint("a", "b", "c", "d", "e") {
		t.Error("two names have one fingerprint")
	}
}

func TestSeverityOf(t *testing.T) {
	want := map[int]Severity{1: Low, 2: Low, 3: Medium, 4: Medium, 6: High, 9: Critical}
	for impact := 1; impact <= 3; impact++ {
		for likelihood := 1; likelihood <= 3; likelihood++ {
			if got := SeverityOf(impact * likelihood); got != want[impact*likelihood] {
				t.Errorf("%d × %d is %s", impact, likelihood, got)
			}
		}
	}
}

func TestComplete(t *testing.T) {
	if !(Coverage{}).Complete() || (Coverage{Gaps: []CoverageGap{{}}}).Complete() || !(Coverage{Gaps: []CoverageGap{{Declared: true}}}).Complete() {
		t.Error("only a gap that nobody declared makes a run incomplete")
	}
}
