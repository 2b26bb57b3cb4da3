package inventory

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestUnitsNoteEachReadOnce(t *testing.T) {
	u := NewUnit(Scope{System: "s", Account: "a"}, "iam", AccountKind)
	a, b := u.Note(Read{Operation: "iam:A"}), u.Note(Read{Operation: "iam:B", Reason: AccessDenied})
	if a == 0 || b == 0 || a == b || u.Note(Read{Operation: "iam:A"}) != a {
		t.Fatalf("reads %d and %d of %v", a, b, u.Reads)
	}
	if got := u.Read(b); got.Operation != "iam:B" {
		t.Errorf("%+v", got)
	}
	if u.Read(999) != NotInAnswer {
		t.Error("a read that is not there gives no reason of its own")
	}
	var loaded Unit // a unit from a file knows nothing but its reads
	loaded.Reads = slices.Clone(u.Reads)
	if loaded.Note(Read{Operation: "iam:B", Reason: AccessDenied}) != b || len(loaded.Reads) != 3 {
		t.Errorf("after loading: %v", loaded.Reads)
	}
}

func TestUnitsHoldNoMoreReadsThanIDs(t *testing.T) {
	u := NewUnit(Scope{System: "s"}, "c")
	for i := range 1<<16 + 10 {
		if id := u.Note(Read{Operation: strings.Repeat("x", i%7), Detail: fmt.Sprint(i)}); id == 0 && len(u.Reads) < 1<<16 {
			t.Fatalf("no id for read %d of %d", i, len(u.Reads))
		}
	}
	if len(u.Reads) != 1<<16 {
		t.Errorf("%d reads", len(u.Reads))
	}
}

func TestCarryKeepsWhereItCameFrom(t *testing.T) {
	from, to, third := NewUnit(Scope{System: "s"}, "from"), NewUnit(Scope{System: "s"}, "to"), NewUnit(Scope{System: "s"}, "third")
	r := from.Note(Read{Operation: "op", Reason: Throttled})
	if from.Carry(&from, r) != r {
		t.Error("a read is carried nowhere within its unit")
	}
	carried := to.Carry(&from, r)
	if got := third.Read(third.Carry(&to, carried)); got.Where != from.ID || got.Operation != "op" || got.Reason != Throttled {
		t.Errorf("%+v", got)
	}
	if len(to.Gaps()) != 0 || len(from.Gaps()) != 1 {
		t.Error("a carried reason is no gap of the holder's own")
	}
}

func TestScope(t *testing.T) {
	whole, account, region := Scope{System: "s"}, Scope{System: "s", Account: "1"}, Scope{System: "s", Account: "1", Region: "r"}
	for _, c := range []struct {
		outer, inner Scope
		want         bool
	}{{whole, region, true}, {account, region, true}, {region, region, true}, {region, account, false}, {account, whole, false},
		{Scope{System: "t"}, region, false}, {Scope{System: "s", Account: "2"}, region, false}} {
		if c.outer.Contains(c.inner) != c.want {
			t.Errorf("%v contains %v: %t", c.outer, c.inner, !c.want)
		}
	}
	if whole.String() != "s" || account.String() != "s/1" || region.String() != "s/1/r" || region.AccountScope() != account {
		t.Errorf("%s %s %s", whole, account, region)
	}
}

func TestLedger(t *testing.T) {
	unit := func(id string, o Outcome) Unit { return Unit{ID: id, Outcome: o} }
	l, err := NewLedger([]string{"a", "b", "c", "d"}, []Unit{unit("a", Complete), unit("b", DisabledUnit), unit("c", Denied), unit("d", Partial)})
	if err != nil || l.Planned != 4 || l.Assessed() != 2 || l.Outcomes[Denied] != 1 {
		t.Errorf("%+v %v", l, err)
	}
	for name, c := range map[string]struct {
		plan  []string
		units []Unit
		says  string
	}{
		"lost":      {[]string{"a", "b"}, []Unit{unit("a", Complete)}, "b was planned and never ended"},
		"unplanned": {[]string{"a"}, []Unit{unit("a", Complete), unit("b", Complete)}, "b ended without being planned"},
		"twice":     {[]string{"a"}, []Unit{unit("a", Complete), unit("a", Complete)}, "a ended without being planned, or twice"},
		"open":      {[]string{"a"}, []Unit{unit("a", notYetFinished)}, "a has no outcome"},
	} {
		if _, err := NewLedger(c.plan, c.units); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKindsAreComplete: the generated walks agree with each other.
func TestKindsAreComplete(t *testing.T) {
	f := Facts{Accounts: make([]Account, 2), People: make([]Person, 1), Exposures: make([]Exposure, 3)}
	n := 0
	f.each(func(r Resource) { n++ })
	sum := 0
	for _, k := range Kinds() {
		sum += f.Count(k)
		for r := range f.Of(k) {
			if r.Kind() != k {
				t.Errorf("%s among %s", r.Kind(), k)
			}
		}
	}
	if n != 6 || sum != 6 {
		t.Errorf("walked %d, counted %d", n, sum)
	}
	if f.Count("Nothing") != 0 {
		t.Error("a kind that is none")
	}
	for range f.Of(AccountKind) {
		break
	}
}

func TestIndex(t *testing.T) {
	role := func(account, region string, complete bool, ids ...string) Unit {
		u := NewUnit(Scope{System: "s", Type: "aws", Account: account, Region: region}, "iam", RoleKind)
		r := u.Note(Read{Operation: "iam:List"})
		if !complete {
			r = u.Note(Read{Operation: "iam:List", Reason: AccessDenied})
		}
		u.Listings[0].Complete, u.Listings[0].Reads = complete, []ReadID{r}
		for _, id := range ids {
			u.Facts.Roles = append(u.Facts.Roles, Role{Head: Head{ID: id, Region: region}})
		}
		return u
	}
	inv := New([]Unit{role("1", "", true, "a"), role("2", "", false, "a"), role("3", "r", true)})
	ix := NewIndex[*Role](inv, RoleKind)
	u := &inv.Units[0]
	if found, ok, _ := ix.Find(u, "1", "", "a"); !ok || found != &inv.Units[0].Facts.Roles[0] {
		t.Error("not found in its own account")
	}
	if found, ok, _ := ix.Find(u, "2", "", "a"); !ok || found != &inv.Units[1].Facts.Roles[0] {
		t.Error("what is in hand of an incomplete listing counts")
	}
	for _, c := range []struct {
		account, region string
		why             Reason
	}{{"1", "", Unmatched}, {"2", "", AccessDenied}, {"3", "r", Unmatched}, {"4", "", NotConnected}} {
		_, ok, why := ix.Find(u, c.account, c.region, "z")
		if got := u.Read(why); ok || got.Reason != c.why || got.Where == "" {
			t.Errorf("%s/%s: found %t, %+v", c.account, c.region, ok, got)
		}
	}
	for account, want := range map[string]bool{"1": true, "2": false, "4": false} {
		if whole, _ := ix.Whole(u, account, ""); whole != want {
			t.Errorf("%s whole: %t", account, whole)
		}
	}
	if whole, why := ix.Everywhere(inv, u); whole || u.Read(why).Reason != AccessDenied {
		t.Error("one account is not listed whole")
	}
	if whole, why := NewListings(inv, PersonKind).Everywhere(inv, u); whole || u.Read(why).Reason != NotConfigured {
		t.Error("nothing lists people")
	}
}
