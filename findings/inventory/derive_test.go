package inventory

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// listed makes a unit whose kinds were read whole.
func listed(s Scope, collector string, kinds ...Kind) Unit {
	u := NewUnit(s, collector, kinds...)
	r := u.Note(Read{Operation: collector + ":List"})
	for i := range u.Listings {
		u.Listings[i].Complete, u.Listings[i].Reads = true, []ReadID{r}
	}
	u.Outcome = Complete
	return u
}

// cut makes a unit's listing incomplete.
func cut(u *Unit, k Kind, why Reason) {
	*u.Listing(k) = Listing{Kind: k, Reads: []ReadID{u.Note(Read{Operation: u.Collector + ":List", Reason: why})}}
	u.Outcome = Partial
}

func rosterOf(people ...Person) Unit {
	u := listed(Scope{System: "people", Type: "roster"}, "people", PersonKind)
	u.Facts.People = people
	return u
}

func person(id string, emails ...string) Person {
	return Person{Head: Head{ID: id, Name: id}, Emails: Closed(emails, 1)}
}

func iam(accounts ...Account) Unit {
	u := listed(Scope{System: "cloud", Type: "aws", Account: "111"}, "iam", AccountKind, CredentialKind, GrantKind, RoleKind)
	u.Facts.Accounts = accounts
	return u
}

func account(id string, emails ...string) Account {
	return Account{Head: Head{ID: id, Name: id + "-name", Subtype: "iam:user"}, Emails: Closed(emails, 1)}
}

func derive(t *testing.T, d Declared, units ...Unit) *Inventory {
	t.Helper()
	inv := New(units)
	if err := Derive(inv, d); err != nil {
		t.Fatal(err)
	}
	return inv
}

// told gives an account's person: its id, "nobody", or the reason why it is unknown.
func told(a *Account) string {
	p, ok := a.Person.Get()
	switch {
	case ok:
		return p.ID + " by " + a.MatchedBy.Or("?")
	case a.Person.IsAbsent():
		return "nobody"
	}
	return string(a.unit.Read(a.Person.Read()).Reason)
}

func TestPersonOfAccount(t *testing.T) {
	taro, hana := person("E1", "taro@sptr.jp", "T.Yamada@sptr.jp"), person("E2", "hana@sptr.jp")
	second := listed(Scope{System: "partners", Type: "roster"}, "people", PersonKind)
	open := person("E3", "ken@sptr.jp")
	open.Emails = Open(open.Emails.Items, 1)
	roster := func(change func(*Unit)) []Unit {
		u := rosterOf(taro, hana)
		change(&u)
		return []Unit{u}
	}
	whole := roster(func(*Unit) {})
	denied := roster(func(u *Unit) { cut(u, PersonKind, DecodeError) })
	stale := roster(func(u *Unit) { cut(u, PersonKind, Stale) })
	both := roster(func(u *Unit) {
		cut(u, PersonKind, DecodeError)
		u.Listings[0].Reads = append(u.Listings[0].Reads, u.Note(Read{Reason: Stale}))
	})
	root := account("root", "taro@sptr.jp")
	root.Subtype = "iam:root"
	hidden := account("A", "taro@sptr.jp")
	hidden.Emails = Open([]string{}, 0)
	partly := account("A", "hana@sptr.jp")
	partly.Emails = Open(partly.Emails.Items, 1)
	twins := second
	twins.Facts.People = []Person{person("P9", "taro@sptr.jp")}
	unread := listed(Scope{System: "partners", Type: "roster"}, "people", PersonKind)
	cut(&unread, PersonKind, AccessDenied)
	login := map[string]string{"cloud/A": "HANA@sptr.jp", "other/A": "taro@sptr.jp"}

	for _, c := range []struct {
		name    string
		rosters []Unit
		account Account
		logins  map[string]string
		want    string
	}{
		{"primary address", whole, account("A", "taro@sptr.jp"), nil, "E1 by address"},
		{"alias, in other letters", whole, account("A", "t.yamada@SPTR.jp"), nil, "E1 by alias"},
		{"the first address that somebody has", whole, account("A", "x@sptr.jp", "hana@sptr.jp", "taro@sptr.jp"), nil, "E2 by address"},
		{"nobody", whole, account("A", "x@sptr.jp"), nil, "nobody"},
		{"no address", whole, account("A"), nil, "nobody"},
		{"declared by id", whole, account("A"), login, "E2 by declared"},
		{"declared by name", whole, account("A"), map[string]string{"cloud/A-name": "taro@sptr.jp"}, "E1 by declared"},
		{"declared against its address", whole, account("A", "taro@sptr.jp"), login, "E2 by declared"},
		{"declared, and nobody has it", whole, account("A"), map[string]string{"cloud/A": "gone@sptr.jp"}, "nobody"},
		{"root is nobody's", whole, root, nil, "nobody"},
		{"no roster", nil, account("A", "taro@sptr.jp"), nil, "not_configured"},
		{"no roster, no address", nil, account("A"), nil, "not_configured"},
		{"a match on a roster with bad rows", denied, account("A", "taro@sptr.jp"), nil, "E1 by address"},
		{"none on a roster with bad rows", denied, account("A", "x@sptr.jp"), nil, "decode_error"},
		{"no address, a roster with bad rows", denied, account("A"), nil, "decode_error"},
		{"a later match, behind an address that bad rows may hold", denied, account("A", "x@sptr.jp", "taro@sptr.jp"), nil, "decode_error"},
		{"a match on a stale roster", stale, account("A", "taro@sptr.jp"), nil, "stale"},
		{"a match on a stale roster with bad rows", both, account("A", "taro@sptr.jp"), nil, "stale"},
		{"addresses not read", whole, hidden, nil, "decode_error"},
		{"addresses not read, declared", whole, hidden, login, "E2 by declared"},
		{"a match among addresses read in part", whole, partly, nil, "E2 by address"},
		{"two people of two rosters", append([]Unit{twins}, whole...), account("A", "taro@sptr.jp"), nil, "unmatched"},
		{"a match, another roster unread", append([]Unit{unread}, whole...), account("A", "taro@sptr.jp"), nil, "access_denied"},
		{"a person whose aliases were not read", []Unit{rosterOf(taro, open)}, account("A", "x@sptr.jp"), nil, ""}, // by an answered read
	} {
		t.Run(c.name, func(t *testing.T) {
			inv := derive(t, Declared{LoginMap: c.logins}, append(copyUnits(c.rosters), iam(c.account))...)
			got := told(&inv.Units[0].Facts.Accounts[0])
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func copyUnits(units []Unit) []Unit {
	out := slices.Clone(units)
	for i := range out {
		out[i].Facts.People = slices.Clone(out[i].Facts.People)
		out[i].Reads, out[i].seen = slices.Clone(out[i].Reads), nil
	}
	return out
}

func TestAccountsOfPerson(t *testing.T) {
	accounts := func(inv *Inventory) string {
		for i := range inv.Units {
			if len(inv.Units[i].Facts.People) > 0 {
				person := &inv.Units[i].Facts.People[0]
				var ids []string
				for _, a := range person.Accounts.Items {
					ids = append(ids, a.ID)
				}
				text := strings.Join(ids, " ")
				if person.Accounts.IsOpen() {
					text += " …" + string(person.unit.Read(person.Accounts.Read()).Reason)
				}
				return text
			}
		}
		return "no person"
	}
	taro := rosterOf(person("E1", "taro@sptr.jp"))
	two := iam(account("B", "taro@sptr.jp"), account("A", "taro@sptr.jp"), account("C", "x@sptr.jp"))
	inv := derive(t, Declared{}, copyUnits([]Unit{taro})[0], two)
	if got := accounts(inv); got != "A B" {
		t.Errorf("whole: %q", got)
	}
	if err := Derive(inv, Declared{}); err != nil || accounts(inv) != "A B" {
		t.Errorf("again: %q %v", accounts(inv), err)
	}
	other := listed(Scope{System: "zoho", Type: "zoho"}, "users", AccountKind)
	cut(&other, AccountKind, NotConnected)
	if got := accounts(derive(t, Declared{}, copyUnits([]Unit{taro})[0], two, other)); got != "A B …not_connected" {
		t.Errorf("another system unread: %q", got)
	}
	undecided := iam(account("A", "taro@sptr.jp"), Account{Head: Head{ID: "U"}})
	if got := accounts(derive(t, Declared{}, copyUnits([]Unit{taro})[0], undecided)); got != "A …decode_error" {
		t.Errorf("an account that may be anybody's: %q", got)
	}
}

func TestAccountExceptions(t *testing.T) {
	d := Declared{AccountExceptions: []AccountException{
		{System: "cloud", Principal: "A-name", Kind: "break_glass", Expires: "2026-03-31"},
		{System: "elsewhere", Principal: "B", Kind: "bot", Expires: "2026-03-31"}}}
	inv := derive(t, d, iam(account("A"), account("B")))
	a, b := &inv.Units[0].Facts.Accounts[0], &inv.Units[0].Facts.Accounts[1]
	if until, _ := a.ExceptionUntil.Get(); a.Exception.Or("") != "break_glass" || !until.Equal(time.Date(2026, 3, 31, 14, 59, 59, 0, time.UTC)) {
		t.Errorf("%v %v", a.Exception, a.ExceptionUntil)
	}
	if !b.Exception.IsAbsent() || !b.ExceptionUntil.IsAbsent() {
		t.Errorf("an exception of another system: %v", b.Exception)
	}
}

func TestEdges(t *testing.T) {
	u := iam(account("A"))
	u.Facts.Credentials = []Credential{{Head: Head{ID: "k1"}, OwnerID: Known("A", 1)}, {Head: Head{ID: "k2"}, OwnerID: Known("Z", 1)}, {Head: Head{ID: "k3"}}}
	u.Facts.Roles = []Role{{Head: Head{ID: "arn:aws:iam::aws:policy/X"}}}
	u.Facts.Grants = []Grant{{Head: Head{ID: "g1"}, RoleID: Known("arn:aws:iam::aws:policy/X", 1)}, {Head: Head{ID: "g2"}, RoleID: Absent[string](1)}}
	inv := derive(t, Declared{}, u)
	f := &inv.Units[0].Facts
	if owner, _ := f.Credentials[0].Owner.Get(); owner != &f.Accounts[0] {
		t.Error("a key's owner")
	}
	if v := f.Credentials[1].Owner; !v.IsUnknown() || inv.Units[0].Read(v.Read()).Reason != Unmatched {
		t.Errorf("a key of nobody: %+v", v)
	}
	if !f.Credentials[2].Owner.IsUnknown() {
		t.Error("a key whose owner was not read")
	}
	if role, _ := f.Grants[0].Role.Get(); role != &f.Roles[0] {
		t.Error("a grant's role")
	}
	if !f.Grants[1].Role.IsAbsent() {
		t.Error("a grant of no role")
	}
}

// BenchmarkPeople joins accounts with people. It must stay linear: ten times as many take ten times as long.
func BenchmarkPeople(b *testing.B) {
	for _, n := range []int{30_000, 300_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			if testing.Short() {
				n /= 100
			}
			inv := New(crowd(n, 7*n))
			for b.Loop() {
				if err := Derive(inv, Declared{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(8*n), "ns/resource")
		})
	}
}

func crowd(people, accounts int) []Unit {
	roster, cloud := rosterOf(), iam()
	for i := range people {
		roster.Facts.People = append(roster.Facts.People, person(fmt.Sprint("E", i), fmt.Sprintf("p%d@sptr.jp", i), fmt.Sprintf("alias%d@sptr.jp", i)))
	}
	for i := range accounts {
		cloud.Facts.Accounts = append(cloud.Facts.Accounts, account(fmt.Sprint("A", i), fmt.Sprintf("p%d@sptr.jp", i%(people+people/10))))
	}
	return []Unit{roster, cloud}
}

// TestPeopleJoinIsLinear fails if the work grows with people times accounts: it would take minutes.
func TestPeopleJoinIsLinear(t *testing.T) {
	start := time.Now()
	inv := derive(t, Declared{}, crowd(20_000, 140_000)...)
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	matched := 0
	for i := range inv.Units {
		for a := range inv.Units[i].Facts.Accounts {
			if _, ok := inv.Units[i].Facts.Accounts[a].Person.Get(); ok {
				matched++
			}
		}
	}
	if matched < 120_000 || matched == 140_000 {
		t.Errorf("%d of 140000 matched", matched)
	}
}
