package rules_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/rules"
	"sptr.jp/tenken/rules/policy"
	"sptr.jp/tenken/rules/ruletest"
)

var now = time.Date(2026, time.April, 1, 0, 0, 0, 0, time.UTC)

// soak gives the number of worlds and their seed: under TENKEN_SOAK fifty times as many, from a seed of the day.
// TENKEN_SEED repeats a run.
func soak(t *testing.T) (worlds int, seed uint64) {
	worlds, seed = 100, 1
	if os.Getenv("TENKEN_SOAK") != "" {
		worlds, seed = 5000, uint64(time.Now().UnixNano())
	}
	if v := os.Getenv("TENKEN_SEED"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			t.Fatalf("TENKEN_SEED=%q is no seed", v)
		}
		seed = n
	}
	t.Logf("seed %d, %d masks a rule", seed, worlds*masks)
	return worlds, seed
}

const masks = 20 // of each world

// The property, through Derive and Judge: 2,000 masks a rule (100,000 under TENKEN_SOAK), over what the rule reads as often
// as over anything.
func TestSoakMasksNeverFlipAVerdict(t *testing.T) {
	worlds, seed := soak(t)
	pol, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	params, err := pol.Params(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	params["privileged_roles"] = []string{"role/Admin*"}
	for _, r := range catalog.Rules() {
		t.Run(r.ID, func(t *testing.T) {
			t.Parallel()
			in := rules.Input{Catalog: catalog, Policy: pol, Params: params, Now: now, KeepAll: true, Rules: []string{r.ID}}
			verdicts := map[findings.Verdict]int{}
			for w := range worlds {
				checkWorld(t, r, in, seed, uint64(w), verdicts)
			}
			if verdicts[findings.Pass] == 0 || verdicts[findings.Fail] == 0 {
				t.Errorf("the worlds give only %v", verdicts)
			}
		})
	}
}

// checkWorld masks one random world of a rule and counts its verdicts, which must not all be the same.
func checkWorld(t *testing.T, r *rules.Rule, in rules.Input, seed, n uint64, verdicts map[findings.Verdict]int) {
	judge := func(units []inventory.Unit) ([]findings.Finding, error) {
		inv := inventory.New(units)
		if err := inventory.Derive(inv, declared()); err != nil {
			return nil, err
		}
		res, err := rules.Judge(inv, in)
		if err != nil {
			return nil, err
		}
		return res.Findings, nil
	}
	m := ruletest.NewMasker(seed + n)
	m.Prefer(goFields(r)...)
	units := world(rand.New(rand.NewPCG(seed, n)), r)
	all, err := judge(ruletest.Copy(units))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		verdicts[f.Verdict]++
	}
	wrong, err := ruletest.Property(m, units, masks, judge)
	if err != nil {
		t.Fatal(err)
	}
	if len(wrong) > 0 {
		t.Fatalf("world %d of seed %d:\n%s", n, seed, strings.Join(wrong, "\n"))
	}
}

func declared() inventory.Declared {
	return inventory.Declared{
		Organization: "SPTR", Domains: []string{"sptr.jp"},
		Environments: []inventory.EnvironmentDecl{
			{Product: "spartraining", Name: "production", Class: inventory.Production, Account: "1"},
			{Product: "spartraining", Name: "unstable", Class: inventory.Nonproduction, Account: "2"},
		},
		Assets: []inventory.AssetDecl{{Asset: "IA-001", Level: 3, Owner: "officer", Resources: []string{"r-1*"}}, {Asset: "IA-007", Level: 1, Owner: "officer", Resources: []string{"r-2*"}}},
		AccountExceptions: []inventory.AccountException{
			{System: "aws1", Principal: "p3", Kind: "break_glass", Owner: "o", Reason: "r", Approver: "a", Expires: "2026-12-31"}},
	}
}

// goFields turns the paths that a rule reads into Kind.GoName, the last step being enough: person.leave_date is read of
// Person.
func goFields(r *rules.Rule) (out []string) {
	for _, s := range r.Subjects() {
		for _, path := range s.Reads {
			for step := range strings.SplitSeq(path, ".") {
				for _, kind := range []string{string(s.Kind), "Person", "Role", "Account"} {
					out = append(out, kind+"."+camel(step))
				}
			}
		}
	}
	return append(out, "Account.Emails", "Person.Emails", "Grant.RoleID", "Credential.OwnerID", "Backup.SharedWith")
}

func camel(snake string) (out string) {
	for word := range strings.SplitSeq(snake, "_") {
		switch word {
		case "id", "mfa", "url", "kms", "tls", "cidr":
			out += strings.ToUpper(word)
		default:
			out += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return out
}

// world makes random units of two accounts, a second system and a roster: resources of the rule's kinds, and of the kinds
// that their edges lead to. Conclusions that only a provider can draw are made up as facts.
func world(rng *rand.Rand, r *rules.Rule) (units []inventory.Unit) {
	g := &generator{rng: rng}
	roster := inventory.NewUnit(inventory.Scope{System: "people", Type: "roster"}, "people", inventory.PersonKind)
	g.list(&roster, inventory.PersonKind)
	units = append(units, roster)
	for _, at := range []struct{ system, account, region string }{{"aws1", "1", "tokyo"}, {"aws1", "1", "osaka"}, {"aws1", "2", "tokyo"}, {"slack", "T", ""}} {
		u := inventory.NewUnit(inventory.Scope{System: at.system, Type: "aws", Account: at.account, Region: at.region}, "x")
		kinds := r.Kinds()
		if rng.IntN(3) > 0 {
			kinds = append(kinds, inventory.RoleKind, inventory.AccountKind)
		}
		for _, k := range kinds {
			if u.Listing(k) == nil {
				u.Listings = append(u.Listings, inventory.Listing{Kind: k})
				g.list(&u, k)
			}
			if k == inventory.ExposureKind && u.Listing(inventory.SecurityGroupKind) == nil {
				u.Listings = append(u.Listings, inventory.Listing{Kind: inventory.SecurityGroupKind})
				g.list(&u, inventory.SecurityGroupKind)
			}
		}
		units = append(units, u)
	}
	return units
}

type generator struct {
	rng *rand.Rand
	n   int

	people int
}

func pick[T any](rng *rand.Rand, values ...T) T { return values[rng.IntN(len(values))] }

// list fills a listing with up to four random resources.
func (g *generator) list(u *inventory.Unit, k inventory.Kind) {
	read := u.Note(inventory.Read{Operation: "x:List" + string(k)})
	l := u.Listing(k)
	l.Complete, l.Reads, u.Outcome = true, []inventory.ReadID{read}, inventory.Complete
	facts := reflect.ValueOf(&u.Facts).Elem()
	for f := range facts.NumField() {
		s := facts.Field(f)
		if s.Type().Elem().Name() != string(k) {
			continue
		}
		for range g.rng.IntN(5) {
			r := reflect.New(s.Type().Elem()).Elem()
			g.n++
			h := r.FieldByName("Head").Addr().Interface().(*inventory.Head)
			h.ID, h.Name, h.Region = fmt.Sprintf("r-%d-%d", g.rng.IntN(3), g.n), fmt.Sprintf("p%d", g.rng.IntN(6)), u.Scope.Region
			h.Subtype = pick(g.rng, "iam:user", "iam:user", "iam:root", "rds:db", "")
			g.fill(u, r, read)
			s.Set(reflect.Append(s, r))
		}
	}
}

func (g *generator) fill(u *inventory.Unit, r reflect.Value, read inventory.ReadID) {
	for i := range r.NumField() {
		name := r.Type().Field(i).Name
		switch p := r.Field(i).Addr().Interface().(type) {
		case *inventory.Val[string]:
			*p = val(g, g.text(name), read)
			if name == "OrganizationID" && u.Scope.Region != "" { // a setting of the account, not of a region
				*p = inventory.Absent[string](read)
			}
		case *inventory.Val[bool]:
			*p = val(g, g.rng.IntN(2) == 0, read)
		case *inventory.Val[int64]:
			*p = val(g, int64(pick(g.rng, 0, 1, 2, 7, 30)), read)
		case *inventory.Val[time.Time]:
			*p = val(g, now.Add(-time.Duration(pick(g.rng, -2000, -1, 0, 1, 20, 26, 27, 400, 2300))*time.Hour), read)
		case *inventory.List[string]:
			*p = inventory.Closed(g.texts(name, r.Type().Name() == "Person"), read)
		case *inventory.List[inventory.Source]:
			var items []inventory.Source
			for range g.rng.IntN(3) {
				items = append(items, inventory.Source{Kind: pick(g.rng, "cidr", "security_group", "prefix_list"), Value: "v",
					Single: g.rng.IntN(2) == 0, Declared: g.rng.IntN(4) == 0, SameEnvironment: val(g, g.rng.IntN(2) == 0, read)})
			}
			*p = inventory.Closed(items, read)
		case *string:
			*p = pick(g.rng, "tcp", "udp", "all", "icmp")
		case *int64:
			*p = int64(pick(g.rng, 0, 22, 443, 5432, 65535))
		}
	}
}

func val[T any](g *generator, v T, read inventory.ReadID) inventory.Val[T] {
	if g.rng.IntN(6) == 0 {
		return inventory.Absent[T](read)
	}
	return inventory.Known(v, read)
}

func (g *generator) text(field string) string {
	switch field {
	case "State":
		return pick(g.rng, "active", "active", "suspended", "archived", "invited", "deleted")
	case "InternetReach", "Reach":
		return pick(g.rng, inventory.Unreachable, inventory.OneChangeAway, inventory.ReachableNow)
	case "PrincipalType":
		return pick(g.rng, "user", "role", "service_role")
	case "PrincipalName":
		return pick(g.rng, "user/x", "role/Admin1", "role/x")
	case "SnapshotSharingBlocked":
		return pick(g.rng, "block-all-sharing", "block-new-sharing", "unblocked")
	}
	return fmt.Sprintf("r-%d-%d", g.rng.IntN(3), 1+g.rng.IntN(max(1, g.n)))
}

// texts gives a short list. An address has one holder among the people of a roster: its reader sees to that.
func (g *generator) texts(field string, person bool) (out []string) {
	for range g.rng.IntN(3) {
		if field == "Emails" && person {
			g.people++
			out = append(out, fmt.Sprintf("p%d@sptr.jp", g.people))
		} else if field == "Emails" {
			out = append(out, fmt.Sprintf("p%d@sptr.jp", g.rng.IntN(8)))
		} else {
			out = append(out, pick(g.rng, "1", "2", "9", "r-1-1"))
		}
	}
	return out
}
