package rules

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/rules/policy"
)

func input(t testing.TB, c *Catalog) Input {
	t.Helper()
	p, err := c.policy.Params(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Input{Catalog: c, Policy: c.policy, Params: p, Now: casesNow(), Organization: "SPTR"}
}

func judged(t testing.TB, in Input, units ...inventory.Unit) *Result {
	t.Helper()
	res, err := Judge(inventory.New(units), in)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func unit(account, region string, kinds ...inventory.Kind) inventory.Unit {
	u := inventory.NewUnit(inventory.Scope{System: "prod", Type: "aws", Account: account, Region: region}, "x", kinds...)
	u.Outcome = inventory.Complete
	read := u.Note(inventory.Read{Operation: "rds:DescribeDBInstances", Permission: "rds:DescribeDBInstances"})
	for i := range u.Listings {
		u.Listings[i].Complete, u.Listings[i].Reads = true, []inventory.ReadID{read}
	}
	return u
}

func deny(u inventory.Unit) inventory.Unit {
	u.Outcome = inventory.Denied
	read := u.Note(inventory.Read{Operation: "rds:DescribeDBInstances", Permission: "rds:DescribeDBInstances", Reason: inventory.AccessDenied})
	for i := range u.Listings {
		u.Listings[i].Complete, u.Listings[i].Reads = false, []inventory.ReadID{read}
	}
	return u
}

func publicDatabase(id string) inventory.Database {
	return inventory.Database{
		Head:          inventory.Head{ID: id, Name: id, Region: "ap-northeast-1", EnvironmentClass: inventory.Production, Level: 3, Asset: "IA-001"},
		PublicAddress: inventory.Known(true, 1), InternetOpen: inventory.Known(true, 1), InternetReach: inventory.Known(inventory.ReachableNow, 1),
		Ingress: inventory.Closed([]inventory.Source{{Kind: "cidr", Value: "0.0.0.0/0", Internet: true}}, 1),
		Proof:   []inventory.Step{{Resource: id, Fact: "PubliclyAccessible"}},
	}
}

func of(res *Result, rule string) (out []findings.Finding) {
	for _, f := range res.Findings {
		if f.Rule == rule {
			out = append(out, f)
		}
	}
	return out
}

func TestOneUnknownForEachRuleAndAccountThatWasNotListedWhole(t *testing.T) {
	in := input(t, loaded(t))
	in.KeepAll = true
	ok, denied, other, empty := unit("111111111111", "ap-northeast-1", inventory.DatabaseKind),
		deny(unit("111111111111", "us-east-1", inventory.DatabaseKind)), deny(unit("111111111111", "eu-west-1", inventory.DatabaseKind)),
		unit("222222222222", "ap-northeast-1", inventory.DatabaseKind)
	ok.Facts.Databases = []inventory.Database{publicDatabase("db")}
	fs := of(judged(t, in, ok, denied, other, empty), "database-not-public")
	var got []string
	for _, f := range fs {
		got = append(got, f.Resource.ID+" "+string(f.Verdict))
	}
	want := []string{"111111111111 unknown", "db fail", "222222222222 not_applicable"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	gaps := []findings.Gap{
		{Reason: inventory.AccessDenied, Operation: "rds:DescribeDBInstances", Permission: "rds:DescribeDBInstances", Where: "prod/111111111111/eu-west-1/x"},
		{Reason: inventory.AccessDenied, Operation: "rds:DescribeDBInstances", Permission: "rds:DescribeDBInstances", Where: "prod/111111111111/us-east-1/x"},
	}
	if d := cmp.Diff(gaps, fs[0].Unknown); d != "" {
		t.Error(d)
	}
	if fs[0].Resource.Kind != findings.ScopeKind || !slices.Equal(fs[0].Resource.Kinds, []string{"Database"}) || !strings.Contains(fs[0].Message.JA, "rds:DescribeDBInstances") {
		t.Errorf("the scope's finding is %+v", fs[0])
	}
}

// What tenken.yaml calls a system moves neither the id nor the fingerprint of a finding on one of its accounts.
func TestAScopeIsNamedByItsAccount(t *testing.T) {
	in := input(t, loaded(t))
	here, there := deny(unit("111111111111", "eu-west-1", inventory.DatabaseKind)), deny(unit("111111111111", "eu-west-1", inventory.DatabaseKind))
	there.Scope.System = "renamed"
	a, b := of(judged(t, in, here), "database-not-public")[0], of(judged(t, in, there), "database-not-public")[0]
	if a.Fingerprint != b.Fingerprint || a.Resource.ID != b.Resource.ID || a.Resource.ID != "111111111111" || b.Resource.Name != "renamed/111111111111" {
		t.Errorf("%s %s, %s %s", a.Resource.ID, a.Fingerprint, b.Resource.ID, b.Fingerprint)
	}
}

func TestAnUnreadUnitIsUnknownEvenWithoutAReason(t *testing.T) {
	u := inventory.NewUnit(inventory.Scope{System: "prod", Type: "aws"}, "discovery", inventory.DatabaseKind)
	u.Outcome = inventory.Skipped
	fs := of(judged(t, input(t, loaded(t)), u), "database-not-public")
	if len(fs) != 1 || fs[0].Verdict != findings.Unknown || fs[0].Unknown[0].Reason != inventory.NotConnected {
		t.Errorf("got %+v", fs)
	}
}

// A scope is unknown by the listings of the rule's kinds, not by its units: a denied detail, or another kind's listing, is
// no missing subject.
func TestAScopeGoesByListingsNotByUnits(t *testing.T) {
	in := input(t, loaded(t))
	in.KeepAll = true
	u := unit("1", "r", inventory.DatabaseKind, inventory.BackupKind)
	u.Outcome = inventory.Partial
	refused := u.Note(inventory.Read{Operation: "rds:DescribeDetail", Reason: inventory.AccessDenied})
	u.Listings[1].Complete, u.Listings[1].Reads = false, []inventory.ReadID{refused}
	d := publicDatabase("db")
	d.PublicAddress = inventory.Known(false, 1)
	d.InternetOpen = inventory.Unknown[bool](refused)
	u.Facts.Databases = []inventory.Database{d}
	res := judged(t, in, u)
	if fs := of(res, "database-not-public"); len(fs) != 1 || fs[0].Verdict != findings.Unknown || fs[0].Resource.ID != "db" {
		t.Errorf("a denied detail: %+v", fs)
	}
	if fs := of(res, "backup-not-exposed"); len(fs) != 1 || fs[0].Verdict != findings.Unknown || fs[0].Resource.Kind != findings.ScopeKind {
		t.Errorf("a listing that is not whole: %+v", fs)
	}
}

func TestExposuresAreCoveredByWhatTheyAreDrawnFrom(t *testing.T) {
	in := input(t, loaded(t))
	in.KeepAll = true
	groups := unit("111111111111", "ap-northeast-1", inventory.SecurityGroupKind)
	for want, units := range map[findings.Verdict][]inventory.Unit{
		findings.Unknown:       {deny(unit("111111111111", "ap-northeast-1", inventory.NetworkInterfaceKind)), groups},
		findings.NotApplicable: {groups},
	} {
		if fs := of(judged(t, in, units...), "admin-ports-closed"); len(fs) != 1 || fs[0].Verdict != want {
			t.Errorf("want %s, got %+v", want, fs)
		}
	}
	groups.Facts.SecurityGroups = []inventory.SecurityGroup{{Head: inventory.Head{ID: "sg-1"}}}
	if fs := of(judged(t, in, groups), "admin-ports-closed"); len(fs) != 1 || fs[0].Verdict != findings.Pass {
		t.Errorf("groups that open nothing: %+v", fs)
	}
}

func TestAFailTellsRiskEvidenceProofAndCause(t *testing.T) {
	u := unit("111111111111", "ap-northeast-1", inventory.DatabaseKind, inventory.SecurityGroupKind)
	u.Facts.Databases = []inventory.Database{publicDatabase("db")}
	u.Facts.Exposures = []inventory.Exposure{{Head: inventory.Head{ID: "db/tcp/5432", Level: 3, Asset: "IA-001"}, AssetKind: inventory.DatabaseKind,
		AssetID: "db", Protocol: "tcp", From: 5432, To: 5432, Reach: inventory.Known(inventory.ReachableNow, 1), Attached: inventory.Known(true, 1),
		Sources: inventory.Closed([]string{"0.0.0.0/0"}, 1)}}
	res := judged(t, input(t, loaded(t)), u)
	f := of(res, "database-not-public")[0]
	if f.Severity != findings.Critical || *f.IncidentLevel != 3 || *f.Risk != (findings.Risk{Asset: "IA-001", Impact: 3, Likelihood: 3, Value: 9}) {
		t.Errorf("severity %s, incident %d, risk %+v", f.Severity, *f.IncidentLevel, *f.Risk)
	}
	if !slices.ContainsFunc(f.Evidence, func(x findings.Fact) bool {
		return x.Field == "public_address" && string(x.Value) == "true" && x.Operation == "rds:DescribeDBInstances"
	}) {
		t.Errorf("evidence: %+v", f.Evidence)
	}
	if len(f.Proof) != 1 || f.Fingerprint != findings.Fingerprint("aws", "111111111111", "database-not-public", "db", "") {
		t.Errorf("proof %v, fingerprint %s", f.Proof, f.Fingerprint)
	}
	for _, rule := range []string{"admin-ports-closed", "database-ingress-restricted"} {
		if c := of(res, rule); len(c) != 1 || !slices.Equal(c[0].CausedBy, []string{f.Fingerprint}) {
			t.Errorf("%s: %+v", rule, c)
		}
	}
	if other := of(res, "database-ingress-restricted")[0]; other.Proof != nil { // it reads nothing that the proof is of
		t.Errorf("the proof of another claim: %v", other.Proof)
	}
	if res.Summary.Severities[findings.Critical] != 2 || res.Summary.Fail < 3 {
		t.Errorf("summary: %+v", res.Summary)
	}
}

func TestWhatIsNotDeclaredIsSaid(t *testing.T) {
	u := unit("111111111111", "ap-northeast-1", inventory.DatabaseKind)
	d := publicDatabase("db")
	d.Level, d.EnvironmentClass, d.Encrypted, d.ClusterID = 0, inventory.Undeclared, inventory.Known(false, 1), inventory.Absent[string](1)
	u.Facts.Databases = []inventory.Database{d}
	res := judged(t, input(t, loaded(t)), u)
	if m := of(res, "data-encrypted-at-rest")[0].Message; !strings.Contains(m.JA, "レベル3とみなした") || !strings.Contains(m.EN, "level 3") {
		t.Errorf("the level: %+v", m)
	}
	if m := of(res, "database-not-public")[0].Message; !strings.Contains(m.JA, "本番とみなした") || !strings.Contains(m.EN, "as production") {
		t.Errorf("the environment: %+v", m)
	}
}

// What is in hand of a list is never shown as the whole of it.
func TestOpenListsAreShownAsOpen(t *testing.T) {
	u := unit("111111111111", "ap-northeast-1", inventory.DatabaseKind)
	d := publicDatabase("db")
	d.Ingress = inventory.Open(d.Ingress.Items, u.Note(inventory.Read{Operation: "ec2:X", Reason: inventory.PartialList}))
	u.Facts.Databases = []inventory.Database{d}
	f := of(judged(t, input(t, loaded(t)), u), "database-ingress-restricted")[0]
	if len(f.Evidence) == 0 || string(f.Evidence[0].Value) != `{"in_hand":["0.0.0.0/0"],"open":true}` || !strings.Contains(f.Message.JA, "ほかは不明") {
		t.Errorf("%s %+v", f.Message.JA, f.Evidence)
	}
}

func TestManualClausesAndRollUp(t *testing.T) {
	c := loaded(t)
	u := unit("111111111111", "ap-northeast-1", inventory.DatabaseKind)
	u.Facts.Databases = []inventory.Database{publicDatabase("db")}
	res := judged(t, input(t, c), u)
	manual := 0
	states := map[string]findings.ClauseState{}
	for _, s := range res.Clauses {
		states[s.ID] = s
		if s.Class == policy.Manual {
			manual++
			if len(of(res, "clause-"+s.ID)) != 1 || s.State != "manual" {
				t.Errorf("clause %s is %s", s.ID, s.State)
			}
		}
	}
	if len(res.Clauses) != len(c.policy.Clauses) || manual == 0 || res.Summary.Manual != manual {
		t.Errorf("%d clauses, %d manual, %d counted", len(res.Clauses), manual, res.Summary.Manual)
	}
	if s := states["NW.7"]; s.State != "fail" || s.Counts.Fail == 0 {
		t.Errorf("NW.7: %+v", s)
	}
	if s := states["FM.0"]; s.State != "not_built" || len(s.NotBuilt) == 0 {
		t.Errorf("FM.0: %+v", s)
	}
	if s := states["4.4"]; s.State != "unknown" {
		t.Errorf("a clause at which nobody looked: %+v", s)
	}
	if !slices.IsSortedFunc(res.Findings, func(a, b findings.Finding) int { return strings.Compare(a.Rule, b.Rule) }) {
		t.Error("the findings are not sorted by rule")
	}
}

// A clause is pass only where every rule of it was judged; one about certain systems counts these alone.
func TestAClauseIsNotPassByOmission(t *testing.T) {
	c := loaded(t)
	state := func(id string, in Input, units ...inventory.Unit) findings.ClauseState {
		t.Helper()
		for _, s := range judged(t, in, units...).Clauses {
			if s.ID == id {
				return s
			}
		}
		t.Fatalf("no clause %s", id)
		return findings.ClauseState{}
	}
	held := func(account string) inventory.Unit { // a database that breaks no rule
		u := unit(account, "ap-northeast-1", inventory.DatabaseKind)
		d := publicDatabase("db")
		d.PublicAddress, d.InternetOpen, d.InternetReach = inventory.Known(false, 1), inventory.Known(false, 1), inventory.Known(inventory.Unreachable, 1)
		d.Ingress, d.ReplicaOf, d.ClusterID = inventory.Closed([]inventory.Source{}, 1), inventory.Absent[string](1), inventory.Absent[string](1)
		d.BackupRetentionDays, d.LatestRestorableAt, d.PointInTimeRecovery = inventory.Known(int64(7), 1), inventory.Known(casesNow(), 1), inventory.Known(true, 1)
		u.Facts.Databases = []inventory.Database{d}
		return u
	}
	all, one := input(t, c), input(t, c)
	one.Rules = []string{"database-not-public"}
	empty, denied, gcp := unit("1", "ap-northeast-1", inventory.DatabaseKind), deny(unit("1", "us-east-1", inventory.DatabaseKind)), held("p")
	gcp.Scope.Type = "gcp"
	for _, x := range []struct {
		clause, want string
		in           Input
		units        []inventory.Unit
	}{
		{"3.4", "pass", all, []inventory.Unit{held("1")}},
		{"3.4", "not_applicable", all, []inventory.Unit{empty}},
		{"3.4.1", "partly", all, []inventory.Unit{held("1")}},
		{"3.4.1", "partly", all, []inventory.Unit{empty}},
		{"3.4.1", "unknown", all, []inventory.Unit{held("1"), denied}},
		{"NW.3.4", "partly", one, []inventory.Unit{held("1")}},
		{"NW.3.5", "not_built", all, []inventory.Unit{held("1")}},
		{"NW.3.5", "partly", all, []inventory.Unit{held("1"), gcp}},
		{"NW.3.4", "not_built", all, []inventory.Unit{gcp}},
	} {
		if s := state(x.clause, x.in, x.units...); s.State != x.want {
			t.Errorf("%s is %s, want %s: %+v", x.clause, s.State, x.want, s.Counts)
		}
	}
	one.Clauses = []string{"12.4.2"} // of which the rule is none: nobody looked
	if s := state("12.4.2", one); s.State != "unknown" {
		t.Errorf("12.4.2 is %s", s.State)
	}
	public := unit("1", "ap-northeast-1", inventory.DatabaseKind)
	public.Facts.Databases = []inventory.Database{publicDatabase("db")}
	if s := state("NW.3.5", all, public, gcp); s.Counts.Fail != 0 || s.Counts.Pass != 2 {
		t.Errorf("NW.3.5 counts databases of AWS: %+v", s.Counts)
	}
}

func TestNarrowing(t *testing.T) {
	in := input(t, loaded(t))
	in.Rules = []string{"database-not-public"}
	if res := judged(t, in, unit("1", "r", inventory.DatabaseKind)); len(res.Rules) != 1 || len(res.Findings) != 0 {
		t.Errorf("%d rules, %d findings", len(res.Rules), len(res.Findings))
	}
	in = input(t, in.Catalog)
	in.Clauses = []string{"4.4"}
	if res := judged(t, in); len(res.Rules) != 1 || len(res.Clauses) == 0 {
		t.Errorf("clause 4.4 means %d rules", len(res.Rules))
	}
	for _, bad := range []Input{{Rules: []string{"nothing"}}, {Clauses: []string{"99"}}} {
		bad.Catalog, bad.Policy = in.Catalog, in.Policy
		if _, err := Judge(inventory.New(nil), bad); err == nil {
			t.Errorf("%v %v was accepted", bad.Rules, bad.Clauses)
		}
	}
}

// A rule that fails is unknown for that rule and subject alone.
func TestAFaultyRuleIsUnknownForItselfAlone(t *testing.T) {
	c := loaded(t)
	for _, r := range c.rules {
		for _, s := range r.subjects {
			broken := *s.require
			env, err := c.env.kinds[s.kind].Extend(panics())
			if err != nil {
				t.Fatal(err)
			}
			checked, iss := env.Compile("boom(it)")
			if iss.Err() != nil {
				t.Fatal(iss.Err())
			}
			if broken.program, err = env.Program(checked); err != nil {
				t.Fatal(err)
			}
			inv, m := caseWorld()
			res, err := m.resource(s.kind, facts{})
			if err != nil {
				t.Fatal(err)
			}
			j := newJudging(inv, input(t, c))
			one := *s
			one.when, one.require = nil, &broken
			if v := j.subject(r, &one, res); v != findings.Unknown || j.out.Findings[0].Unknown[0].Reason != inventory.RuleError {
				t.Errorf("%s: a panic gives %s", r.ID, v)
			}
		}
	}
}

// No rule asks null for a field or compares it with a number: with every nullable field absent no rule is in error.
func TestNoRuleIsInErrorWhereEverythingIsAbsent(t *testing.T) {
	c := loaded(t)
	for _, r := range c.rules {
		for _, s := range r.subjects {
			absent := facts{}
			for _, f := range fieldsOf("tenken." + string(s.kind)) {
				if f.read == nil {
					continue
				}
				n := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
				if strings.HasPrefix(f.typ.String(), "list(") {
					n = yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
				}
				absent[f.name] = n
			}
			for _, given := range []facts{absent, {}} {
				for subtype := range map[string]bool{"": true, "iam:user": true, "iam:root": true} {
					given["subtype"] = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: subtype}
					inv, m := caseWorld()
					res, err := m.resource(s.kind, given)
					if err != nil {
						t.Fatal(err)
					}
					j := newJudging(inv, input(t, c))
					j.subject(r, s, res)
					for _, f := range j.out.Findings {
						for _, g := range f.Unknown {
							if g.Reason == inventory.RuleError || g.Reason == inventory.CostLimit {
								t.Errorf("%s: %s: %s", r.ID, s.kind, g.Detail)
							}
						}
					}
				}
			}
		}
	}
}

func TestExplain(t *testing.T) {
	c := loaded(t)
	u := unit("111111111111", "ap-northeast-1", inventory.DatabaseKind)
	d := publicDatabase("db")
	d.PublicAddress = inventory.Unknown[bool](u.Note(inventory.Read{Operation: "rds:X", Reason: inventory.AccessDenied}))
	u.Facts.Databases = []inventory.Database{d}
	inv := inventory.New([]inventory.Unit{u})
	values, err := c.Explain(inv, input(t, c), "database-not-public", &inv.Units[0].Facts.Databases[0])
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, v := range values {
		got[v.Part+": "+v.Expr] = v.Value
		if v.Value == "unknown" && (len(v.Gaps) == 0 || v.Gaps[0].Operation != "rds:X" || v.Gaps[0].Field != "public_address") {
			t.Errorf("%s: gaps %+v", v.Expr, v.Gaps)
		}
	}
	for expr, want := range map[string]string{
		"require: it.public_address == false && it.internet_open == false": "false",
		"require: it.public_address == false":                              "unknown", "require: it.internet_open == false": "false",
		"require: it.internet_open": "true", "levels 1: it.internet_reach": `"reachable_now"`,
	} {
		if got[expr] != want {
			t.Errorf("%s is %q, not %q", expr, got[expr], want)
		}
	}
}
