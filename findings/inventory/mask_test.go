package inventory

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestMaskingNeverFlipsAPerson: whatever is hidden of rosters and accounts, an account's person is the same or unknown, a
// person's accounts are no more than they were, and a stranger to a backup stays one.
func TestMaskingNeverFlipsAPerson(t *testing.T) {
	kept := 0
	rapid.Check(t, func(t *rapid.T) {
		build := rosterWorld(t)
		d := Declared{LoginMap: map[string]string{"cloud/A1": "a@x", "cloud/A2": "nobody@x"}}
		before, after := New(build()), New(hide(t, build()))
		for _, inv := range []*Inventory{before, after} {
			if err := Derive(inv, d); err != nil {
				t.Fatal(err)
			}
		}
		was := map[string]string{}
		each(before, AccountKind, func(r Resource) { was[r.Base().ID] = told(r.(*Account)) })
		each(after, AccountKind, func(r Resource) {
			a := r.(*Account)
			if now := told(a); !a.Person.IsUnknown() && now != was[a.ID] {
				t.Fatalf("%s was of %q and is of %q", a.ID, was[a.ID], now)
			} else if now == was[a.ID] {
				kept++
			}
		})
		held := map[string]List[*Account]{}
		each(before, PersonKind, func(r Resource) { held[r.Base().ID] = r.(*Person).Accounts })
		each(after, PersonKind, func(r Resource) {
			now, old := r.(*Person).Accounts, held[r.Base().ID]
			if len(now.Items) > len(old.Items) || !now.IsOpen() && (old.IsOpen() || len(now.Items) != len(old.Items)) {
				t.Fatalf("%s had %d accounts (open: %t) and has %d (open: %t)", r.Base().ID, len(old.Items), old.IsOpen(), len(now.Items), now.IsOpen())
			}
		})
	})
	if kept == 0 {
		t.Error("every answer was lost")
	}
}

func each(inv *Inventory, k Kind, do func(Resource)) {
	for i := range inv.Units {
		for r := range inv.Units[i].Facts.Of(k) {
			do(r)
		}
	}
}

// rosterWorld draws two rosters, in each of which an address has one holder, and an account list; each call makes it anew.
func rosterWorld(t *rapid.T) func() []Unit {
	addresses := []string{"a@x", "b@x", "c@x", "d@x"}
	var holders [2][]int // by roster and address: the person that has it, 3 for none
	for r := range holders {
		holders[r] = rapid.SliceOfN(rapid.IntRange(0, 3), len(addresses), len(addresses)).Draw(t, "holders")
		if r == 1 && rapid.Bool().Draw(t, "one roster") {
			holders[r] = []int{3, 3, 3, 3}
		}
	}
	accounts := rapid.SliceOfN(rapid.SliceOfN(rapid.SampledFrom(append(addresses, "e@x")), 0, 2), 4, 4).Draw(t, "accounts")
	return func() []Unit {
		var units []Unit
		for r, of := range holders {
			u := listed(Scope{System: fmt.Sprint("roster", r), Type: "roster"}, "people", PersonKind)
			for p := range 3 {
				var has []string
				for i, h := range of {
					if h == p {
						has = append(has, addresses[i])
					}
				}
				u.Facts.People = append(u.Facts.People, person(fmt.Sprint("P", r, p), has...))
			}
			units = append(units, u)
		}
		var list []Account
		for i, emails := range accounts {
			list = append(list, account(fmt.Sprint("A", i), emails...))
		}
		return append(units, iam(list...))
	}
}

// hide masks a few things: the end of a list of addresses, a person, an account, a roster's freshness, a unit.
func hide(t *rapid.T, units []Unit) []Unit {
	for range rapid.IntRange(1, 3).Draw(t, "masks") {
		u := &units[rapid.IntRange(0, len(units)-1).Draw(t, "unit")]
		k := u.Listings[0].Kind
		n := u.Facts.Count(k)
		if n == 0 {
			continue
		}
		which := rapid.IntRange(0, n-1).Draw(t, "which")
		switch how := rapid.IntRange(0, 4).Draw(t, "how"); {
		case how == 0:
			u.Facts.People, u.Facts.Accounts = nil, nil
			cut(u, k, AccessDenied)
		case how == 1:
			cut(u, k, Stale)
		case how < 4 && k == PersonKind:
			e := &u.Facts.People[which].Emails
			*e = Open(e.Items[:rapid.IntRange(0, len(e.Items)).Draw(t, "left")], 1)
		case how < 4:
			e := &u.Facts.Accounts[which].Emails
			*e = Open(e.Items[:rapid.IntRange(0, len(e.Items)).Draw(t, "left")], 1)
		case k == PersonKind:
			u.Facts.People = append(u.Facts.People[:which:which], u.Facts.People[which+1:]...)
			cut(u, k, DecodeError)
		default:
			u.Facts.Accounts = append(u.Facts.Accounts[:which:which], u.Facts.Accounts[which+1:]...)
			cut(u, k, PartialList)
		}
	}
	return units
}
