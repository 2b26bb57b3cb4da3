package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/fixtures"
	"sptr.jp/tenken/scanners"
	"sptr.jp/tenken/scanners/aws"
)

func deny(op string) fixtures.Option {
	service, operation, _ := strings.Cut(op, ":")
	return fixtures.Deny(fixtures.Match{Service: service, Operation: operation})
}

var (
	signInRules   = []string{"account-matched-to-person", "iam-user-console-password-absent", "leaver-account-disabled", "long-lived-credential-rotated", "root-account-protected"}
	databaseRules = []string{"admin-ports-closed", "backup-enabled-and-recent", "data-encrypted-at-rest", "database-ingress-restricted", "database-not-public"}
	backupRules   = []string{"backup-not-exposed", "data-encrypted-at-rest"}
	everyRule     = slices.Concat(signInRules, databaseRules, []string{"backup-not-exposed", "wildcard-admin-policy-absent"})
)

// dependents says, for every operation, which rules can't be answered for want of it, somewhere in the demo company.
// What decides no verdict today is read for severity, for proof or for rules to come: it costs nothing but the coverage.
var dependents = map[string][]string{
	"sts:GetCallerIdentity":                   everyRule, // AWS refuses it to nobody; a proxy may
	"sts:AssumeRole":                          everyRule,
	"organizations:ListAccounts":              everyRule, // of accounts that nobody knows of
	"organizations:DescribeOrganization":      {"backup-not-exposed"},
	"ec2:DescribeRegions":                     nil, // the configuration names them
	"iam:GenerateCredentialReport":            nil, // somebody's report is fresh
	"iam:GetCredentialReport":                 signInRules,
	"iam:GetAccountAuthorizationDetails":      append([]string{"wildcard-admin-policy-absent"}, signInRules...),
	"iam:GetAccountSummary":                   nil, // the report says the same
	"iam:GetAccountPasswordPolicy":            nil,
	"rds:DescribeDBInstances":                 databaseRules,
	"rds:DescribeDBClusters":                  databaseRules,
	"rds:DescribeDBSubnetGroups":              nil,
	"rds:DescribeDBParameters":                nil,
	"rds:DescribeDBClusterParameters":         nil,
	"rds:DescribeDBInstanceAutomatedBackups":  nil, // the instances say how far they can be restored
	"rds:DescribeDBSnapshots":                 backupRules,
	"rds:DescribeDBClusterSnapshots":          backupRules,
	"rds:DescribeDBSnapshotAttributes":        {"backup-not-exposed"},
	"rds:DescribeDBClusterSnapshotAttributes": {"backup-not-exposed"},
	"ec2:DescribeVpcs":                        nil,
	"ec2:DescribeSubnets":                     nil,
	"ec2:DescribeRouteTables":                 nil, // how far the internet gets is severity
	"ec2:DescribeNetworkAcls":                 nil,
	"ec2:DescribeSecurityGroups":              {"admin-ports-closed", "database-ingress-restricted", "database-not-public"},
	"ec2:DescribeManagedPrefixLists":          nil, // their names; the entries are asked for by id
	"ec2:GetManagedPrefixListEntries":         {"admin-ports-closed"},
	"ec2:DescribeInstances":                   {"data-encrypted-at-rest"}, // volumes inherit their level
	"ec2:DescribeNetworkInterfaces":           {"admin-ports-closed"},
	"ec2:DescribeVolumes":                     {"data-encrypted-at-rest"},
	"ec2:GetEbsEncryptionByDefault":           {"data-encrypted-at-rest"},
	"ec2:GetSnapshotBlockPublicAccessState":   {"backup-not-exposed"},
	"ec2:DescribeSnapshots":                   backupRules,
	"ec2:DescribeImages":                      backupRules,
	"ec2:DescribeSnapshotAttribute":           {"backup-not-exposed"},
	"ec2:DescribeImageAttribute":              {"backup-not-exposed"},
}

// Each operation denied in turn: nothing flips, only what depends on it turns unknown, the unknowns name it and what to
// permit, what vanishes is spoken for by its account, and the doctor knew.
func TestEachOperationDenied(t *testing.T) {
	base, asked := undisturbed(t), map[string]bool{}
	for _, n := range aws.Needs() {
		rules := strings.Join(dependents[n.Operation], " ")
		first := !asked[rules]
		asked[rules] = true
		t.Run(n.Operation, func(t *testing.T) {
			t.Parallel()
			want, known := dependents[n.Operation]
			if !known {
				t.Fatal("say in dependents which rules depend on it")
			}
			r := deniedDemo(t, n.Operation)
			compareHonestly(t, base, r)
			if diff := gocmp.Diff(slices.Sorted(slices.Values(want)), r.turnedUnknown(base), nothingIsEmpty); diff != "" {
				t.Errorf("rules that turned unknown (-depend on it +did):\n%s", diff)
			}
			checkNamed(t, base, r, n)
			if first { // the doctor of the others is in TestSoakDoctor
				askDoctor(t, r, n)
			}
		})
	}
}

// The doctor foresees the loss of every operation.
func TestSoakDoctor(t *testing.T) {
	if os.Getenv("TENKEN_SOAK") == "" {
		t.Skip("TENKEN_SOAK is not set")
	}
	for _, n := range aws.Needs() {
		t.Run(n.Operation, func(t *testing.T) {
			t.Parallel()
			askDoctor(t, deniedDemo(t, n.Operation), n)
		})
	}
}

// Two operations of one service denied together are no less honest than one: what one answer stands in for may be gone too.
func TestSoakPairsDenied(t *testing.T) {
	if os.Getenv("TENKEN_SOAK") == "" {
		t.Skip("TENKEN_SOAK is not set")
	}
	base, needs := undisturbed(t), aws.Needs()
	for i, a := range needs {
		for _, b := range needs[:i] {
			if service, _, _ := strings.Cut(a.Operation, ":"); !strings.HasPrefix(b.Operation, service+":") {
				continue
			}
			t.Run(a.Operation+"+"+b.Operation, func(t *testing.T) {
				t.Parallel()
				r := scanDemo(t, "", deny(a.Operation), deny(b.Operation))
				compareHonestly(t, base, r)
				for k := range r.Findings {
					for _, g := range r.unread(base, &r.Findings[k]) {
						if g.Operation != a.Operation && g.Operation != b.Operation || g.Reason != inventory.AccessDenied {
							t.Errorf("%s: it names %s (%s)", describe(&r.Findings[k]), g.Operation, g.Reason)
						}
					}
				}
			})
		}
	}
}

// askDoctor demands that the doctor, where an operation is denied, foretells what the scan could not say, and asks for
// the permission.
func askDoctor(t *testing.T, r *demoRun, n scanners.Need) {
	t.Helper()
	_, config := served(t, t.TempDir(), deny(n.Operation))
	said := checkDoctor(t, r, config)
	asks := "permit " + cmp.Or(n.Permission, "-") + map[bool]string{true: ", optional"}[n.Optional] + " (units: "
	if lost(n) != strings.Contains(said, asks) {
		t.Errorf("the doctor says %q: %v, want %v:\n%s", asks, !lost(n), lost(n), said)
	}
}

// lost says whether a denial can be noticed in the demo company: nobody misses a report that was just made. TestWireCases
// takes that one away.
func lost(n scanners.Need) bool { return n.Operation != "iam:GenerateCredentialReport" }

var nothingIsEmpty = gocmp.Transformer("nothing", func(s []string) string { return strings.Join(s, "\n") })

// compareHonestly holds a disturbed run against the undisturbed one.
func compareHonestly(t *testing.T, base, r *demoRun) {
	t.Helper()
	for i := range base.Findings {
		before := &base.Findings[i]
		after := r.byPrint[before.Fingerprint]
		switch {
		case after == nil && !slices.ContainsFunc(r.Findings, func(f findings.Finding) bool {
			return f.Verdict == findings.Unknown && contains(&f, before)
		}):
			t.Errorf("%s vanished, and no unknown speaks for it", describe(before))
		case after == nil || after.Verdict == findings.Unknown:
		case after.Verdict != before.Verdict:
			t.Errorf("%s became %s", describe(before), after.Verdict)
		case slices.Index(findings.Severities(), after.Severity) > slices.Index(findings.Severities(), before.Severity):
			t.Errorf("%s was %s and became %s for want of a fact", describe(before), before.Severity, after.Severity)
		}
	}
	for i := range r.Findings {
		if f := &r.Findings[i]; base.byPrint[f.Fingerprint] == nil && (f.Verdict != findings.Unknown || !isScope(f)) {
			t.Errorf("%s appeared", describe(f))
		}
	}
	if sum := sumOf(r.Coverage.Units); sum != r.Coverage.Planned || r.Coverage.Assessed > sum {
		t.Errorf("%d units planned, %d ended", r.Coverage.Planned, sum)
	}
}

func sumOf(units map[inventory.Outcome]int) (sum int) {
	for _, n := range units {
		sum += n
	}
	return sum
}

// turnedUnknown are the rules with a verdict that is unknown and was not.
func (r *demoRun) turnedUnknown(base *demoRun) []string {
	rules := map[string]bool{}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Verdict == findings.Unknown && len(r.unread(base, f)) > 0 {
			rules[f.Rule] = true
		}
	}
	return slices.Sorted(maps.Keys(rules))
}

// checkNamed demands that everything that is unknown for want of an operation names it and its permission, in the
// findings and in the coverage.
func checkNamed(t *testing.T, base, r *demoRun, n scanners.Need) {
	t.Helper()
	for i := range r.Findings {
		f := &r.Findings[i]
		for _, g := range r.unread(base, f) {
			if g.Operation != n.Operation || g.Permission != n.Permission || g.Reason != inventory.AccessDenied {
				t.Errorf("%s: %s %s, permit %q", describe(f), g.Operation, g.Reason, g.Permission)
			}
		}
	}
	named := slices.ContainsFunc(r.Coverage.Gaps, func(g findings.CoverageGap) bool {
		return g.Operation == n.Operation && g.Permission == n.Permission && g.Reason == inventory.AccessDenied
	})
	if named != lost(n) || lost(n) && r.Coverage.Complete() {
		t.Errorf("the coverage names it: %v, want %v; gaps: %v", named, lost(n), r.Coverage.Gaps)
	}
	if lost(n) && r.code != exitIncomplete && r.code != exitIncompleteFailures {
		t.Errorf("exit %d for a run that could not read everything", r.code)
	}
}

// checkDoctor demands that the doctor foretells which rules the scan could not answer, and for which calls.
func checkDoctor(t *testing.T, r *demoRun, config string) string {
	t.Helper()
	all, _ := tenken(t, "doctor", "--config", config, "--lang", "en")
	_, said, found := strings.Cut(all, "Rules that will be unknown\n")
	if !found {
		t.Fatalf("the doctor says nothing of rules:\n%s", all)
	}
	foretold := map[string][]string{}
	rule := ""
	for line := range strings.Lines(said) {
		if line = strings.TrimRight(line, "\n"); strings.HasPrefix(line, "    ") {
			foretold[rule] = append(foretold[rule], strings.TrimSpace(line))
		} else {
			rule = strings.TrimSpace(line)
		}
	}
	delete(foretold, "nothing")
	unknown := map[string][]string{}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Verdict == findings.Unknown {
			for _, g := range f.Unknown {
				unknown[f.Rule] = append(unknown[f.Rule], fmt.Sprintf("%s (%s)", g.Operation, g.Reason))
			}
			slices.Sort(unknown[f.Rule])
			unknown[f.Rule] = slices.Compact(unknown[f.Rule])
		}
	}
	if diff := gocmp.Diff(unknown, foretold); diff != "" {
		t.Errorf("unknown rules and why (-scan +doctor):\n%s", diff)
	}
	return all
}

// A system that the regulation names and nobody connected makes rules unknown too, and the doctor knows.
func TestDoctorKnowsOfUnconnectedSystems(t *testing.T) {
	t.Parallel()
	r := &demoRun{}
	r.server, r.config = served(t, t.TempDir())
	b, err := os.ReadFile(r.config)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(b), "\n")
	kept := slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.Contains(l, "type: roster") })
	if len(kept) != len(lines)-1 {
		t.Fatalf("the demo's configuration has changed:\n%s", b)
	}
	if err := os.WriteFile(r.config, []byte(strings.Join(kept, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	r.scan(t, "")
	if !slices.Contains(r.turnedUnknown(undisturbed(t)), "leaver-account-disabled") {
		t.Error("who has left is known without a roster")
	}
	checkDoctor(t, r, r.config)
}

// With nothing permitted nothing is assessed, nothing passes and nothing fails, and the run says that it is incomplete.
// The roster is a file of ours: it is narrowed away, and in the second trial counted.
func TestEveryOperationDenied(t *testing.T) {
	for name, options := range map[string][]fixtures.Option{
		"as AWS refuses":   {fixtures.DenyAll()},
		"the caller's own": {fixtures.DenyAll(), deny("sts:GetCallerIdentity")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for systems, read := range map[string]int{"spartraining": 0, "": 1} {
				r := scanDemo(t, systems, options...)
				if r.code != exitIncomplete || r.Coverage.Assessed != read || r.Coverage.Planned <= read {
					t.Errorf("systems %q: exit %d, assessed %d of %d; want exit 3, assessed %d", systems, r.code, r.Coverage.Assessed, r.Coverage.Planned, read)
				}
				unknown := map[string]bool{}
				for i := range r.Findings {
					f := &r.Findings[i]
					if f.Verdict != findings.Unknown && f.Verdict != findings.Manual {
						t.Errorf("%s, and nothing was read", describe(f))
					}
					unknown[f.Rule] = unknown[f.Rule] || f.Verdict == findings.Unknown
				}
				for rule := range r.Rules {
					if !unknown[rule] {
						t.Errorf("%s says nothing, and nothing was read", rule)
					}
				}
			}
		})
	}
}
