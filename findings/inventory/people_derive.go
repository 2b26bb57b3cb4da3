package inventory

import (
	"slices"
	"strings"
	"time"
)

// The ways in which an account finds its person.
const (
	MatchedByAddress  = "address"  // the person's primary address
	MatchedByAlias    = "alias"    // another address of the person
	MatchedByDeclared = "declared" // an entry of LoginMap
)

// roster is what the units that list people say about addresses.
//
// An account's addresses are asked in their order: first what LoginMap declares for it, then those that its system
// knows, the primary one first. The first address that somebody on the roster has decides; a later one is asked only
// if it is proven that nobody has the earlier ones. So nothing unread can turn a match into another:
//
//   - Within one unit an address has one holder: a reader of people that meets a second claim to an address gives it to
//     neither and leaves its listing incomplete. A match in hand therefore stands, even when the rest of that roster is
//     unread.
//   - Two rosters may name the same address. While another roster is not whole, it might, and the match is unknown.
//   - A stale roster proves neither that somebody has an address nor that nobody has: all its matches are unknown.
//   - That nobody has an address is proven only by rosters that are all listed whole, every person's addresses included.
type roster struct {
	holders map[string]holder // by address
	units   []*Unit           // that list people
	gaps    map[*Unit]opening // those of them whose addresses are not all in hand
}

type holder struct {
	person *Person
	by     string
	second bool // another person has the address too
}

func newRoster(inv *Inventory) *roster {
	n := 0
	for i := range inv.Units {
		n += len(inv.Units[i].Facts.People)
	}
	ro := &roster{holders: make(map[string]holder, n), gaps: map[*Unit]opening{}}
	for i := range inv.Units {
		u := &inv.Units[i]
		l := u.Listing(PersonKind)
		if l == nil {
			continue
		}
		ro.units = append(ro.units, u)
		if !l.Complete {
			ro.gaps[u] = opening{u, l.Why(u)}
		}
		for _, r := range l.Reads { // of several reasons, the one that counts most
			if u.Read(r).Reason == Stale {
				ro.gaps[u] = opening{u, r}
			}
		}
		for p := range u.Facts.People {
			ro.add(u, &u.Facts.People[p])
		}
	}
	return ro
}

func (ro *roster) add(u *Unit, p *Person) {
	if _, already := ro.gaps[u]; p.Emails.IsOpen() && !already {
		ro.gaps[u] = opening{u, p.Emails.Read()}
	}
	by := MatchedByAddress
	for _, address := range p.Emails.Items {
		key := fold(address)
		if key == "" {
			continue
		}
		if h, taken := ro.holders[key]; !taken {
			ro.holders[key] = holder{person: p, by: by}
		} else if h.person != p {
			h.second = true
			ro.holders[key] = h
		}
		by = MatchedByAlias
	}
}

// stale reports that a unit's list of people is older than it may be.
func (o opening) stale() bool { return o.unit != nil && o.unit.Read(o.read).Reason == Stale }

// ask looks for the holder of an address. Found and not unknown: p is it. Neither: nobody has it.
func (ro *roster) ask(u *Unit, address string) (h holder, found, unknown bool, why ReadID) {
	if len(ro.units) == 0 {
		return h, false, true, u.Note(Read{Reason: NotConfigured, Where: "derive", Detail: "no roster of people"})
	}
	h, found = ro.holders[address]
	if h.second {
		return h, false, true, u.Note(Read{Reason: Unmatched, Where: "derive", Detail: "two people have the same address"})
	}
	for _, ru := range ro.units {
		if gap, open := ro.gaps[ru]; open && (!found || ru != h.person.unit || gap.stale()) {
			return h, false, true, u.Carry(gap.unit, gap.read)
		}
	}
	if found {
		return h, true, false, u.Carry(h.person.unit, h.person.Emails.Read())
	}
	return h, false, false, u.Carry(ro.units[0], ro.units[0].Listing(PersonKind).first())
}

// first is the first call that made up a listing.
func (l *Listing) first() ReadID {
	if len(l.Reads) == 0 {
		return 0
	}
	return l.Reads[0]
}

// derivePeople finds the person of every account, then the accounts of every person.
func derivePeople(inv *Inventory, logins map[[2]string]string) {
	ro := newRoster(inv)
	for _, u := range ro.units {
		for p := range u.Facts.People {
			u.Facts.People[p].Accounts = List[*Account]{}
		}
	}
	var undecided *Account // the first account that may be anybody's
	for i := range inv.Units {
		u := &inv.Units[i]
		for a := range u.Facts.Accounts {
			acc := &u.Facts.Accounts[a]
			acc.Person, acc.MatchedBy = ro.match(u, acc, logins)
			if p, ok := acc.Person.Get(); ok {
				p.Accounts.Items = append(p.Accounts.Items, acc)
			} else if acc.Person.IsUnknown() && undecided == nil {
				undecided = acc
			}
		}
	}
	closeAccounts(inv, ro, undecided)
}

func (ro *roster) match(u *Unit, a *Account, logins map[[2]string]string) (Val[*Person], Val[string]) {
	if a.isRoot() {
		return Absent[*Person](a.Emails.Read()), Absent[string](a.Emails.Read())
	}
	why := a.Emails.Read()
	if address, ok := declaredFor(u, a, logins); ok {
		h, found, unknown, r := ro.ask(u, address)
		if unknown {
			return Unknown[*Person](r), Unknown[string](r)
		}
		if found {
			return Known(h.person, r), Known(MatchedByDeclared, r)
		}
		why = r
	}
	for _, address := range a.Emails.Items {
		h, found, unknown, r := ro.ask(u, fold(address))
		if unknown {
			return Unknown[*Person](r), Unknown[string](r)
		}
		if found {
			return Known(h.person, r), Known(h.by, r)
		}
		why = r
	}
	if a.Emails.IsOpen() {
		return Unknown[*Person](a.Emails.Read()), Unknown[string](a.Emails.Read())
	}
	return ro.nobody(u, why)
}

// nobody is the answer for an account none of whose addresses is on the roster. Where it has no address at all, a
// roster must still be there: with none, nobody is on it and nothing is proven.
func (ro *roster) nobody(u *Unit, why ReadID) (Val[*Person], Val[string]) {
	if _, _, unknown, r := ro.ask(u, ""); unknown {
		return Unknown[*Person](r), Unknown[string](r)
	}
	return Absent[*Person](why), Absent[string](why)
}

// declaredFor gives the address that LoginMap declares for an account, by its id before its name.
func declaredFor(u *Unit, a *Account, logins map[[2]string]string) (string, bool) {
	for _, principal := range [2]string{a.ID, a.Name} {
		if address, ok := logins[[2]string{u.Scope.System, principal}]; ok {
			return address, true
		}
	}
	return "", false
}

// isRoot reports the sign-in that a provider's account itself has: nobody holds it.
func (a *Account) isRoot() bool { return strings.HasSuffix(a.Subtype, ":root") }

// closeAccounts sorts each person's accounts, and closes the list if no other account can be theirs: every system's
// accounts are listed whole and the person of each is decided.
func closeAccounts(inv *Inventory, ro *roster, undecided *Account) {
	systems := NewListings(inv, AccountKind)
	for _, u := range ro.units {
		whole, why := systems.Everywhere(inv, u)
		if whole && undecided != nil {
			whole, why = false, u.Carry(undecided.unit, undecided.Person.Read())
		}
		for p := range u.Facts.People {
			list := &u.Facts.People[p].Accounts
			slices.SortFunc(list.Items, func(a, b *Account) int { return compareIDs(&a.Head, &b.Head) })
			list.closed, list.r = whole, why
		}
	}
}

// deriveExceptions notes which accounts may exist without a person, by their id before their name.
func deriveExceptions(inv *Inventory, declared map[[2]string]exception) {
	for i := range inv.Units {
		u := &inv.Units[i]
		if len(u.Facts.Accounts) == 0 {
			continue
		}
		r := u.Note(Read{Operation: "declared:account_exceptions", Where: "derive"})
		for a := range u.Facts.Accounts {
			acc := &u.Facts.Accounts[a]
			e, ok := declared[[2]string{u.Scope.System, acc.ID}]
			if !ok {
				e, ok = declared[[2]string{u.Scope.System, acc.Name}]
			}
			acc.Exception, acc.ExceptionUntil = Absent[string](r), Absent[time.Time](r)
			if ok {
				acc.Exception, acc.ExceptionUntil = Known(e.kind, r), Known(e.until, r)
			}
		}
	}
}
