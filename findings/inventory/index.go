package inventory

// Listings answers, for one kind, whether everything of it is in hand in an account and region, and if not, why.
type Listings struct {
	kind Kind
	open map[place]opening // by account and region: a listing of the kind that is not complete
	any  map[place]bool    // by account and region: something lists the kind there
}

// Index follows edges: it finds the resources of one kind by account, region and id, and where it finds none it says
// whether there is none or whether nobody looked.
type Index[T Resource] struct {
	*Listings
	at map[place]T
}

type place struct{ account, region, id string }

type opening struct {
	unit *Unit
	read ReadID
}

// NewListings looks through the units for those that list a kind.
func NewListings(inv *Inventory, k Kind) *Listings {
	ls := &Listings{kind: k, open: map[place]opening{}, any: map[place]bool{}}
	for i := range inv.Units {
		u := &inv.Units[i]
		l := u.Listing(k)
		if l == nil {
			continue
		}
		p := place{account: u.Scope.Account, region: u.Scope.Region}
		ls.any[p] = true
		if _, already := ls.open[p]; !l.Complete && !already {
			ls.open[p] = opening{u, l.Why(u)}
		}
	}
	return ls
}

// NewIndex indexes every resource of a kind; T is the pointer to that kind's struct.
func NewIndex[T Resource](inv *Inventory, k Kind) *Index[T] {
	n := 0
	for i := range inv.Units {
		n += inv.Units[i].Facts.Count(k)
	}
	ix := &Index[T]{Listings: NewListings(inv, k), at: make(map[place]T, n)}
	for i := range inv.Units {
		u := &inv.Units[i]
		for r := range u.Facts.Of(k) {
			h := r.Base()
			ix.at[place{u.Scope.Account, h.Region, h.ID}] = r.(T)
		}
	}
	return ix
}

// Find follows an edge from a resource of unit u. When it finds nothing it notes in u why: the reason of the listing
// that is not complete, or Unmatched when a complete listing does not hold the id.
func (ix *Index[T]) Find(u *Unit, account, region, id string) (found T, ok bool, why ReadID) {
	if found, ok = ix.at[place{account, region, id}]; ok {
		return found, true, 0
	}
	return found, false, ix.Gap(u, account, region, id)
}

// Gap notes in u why an id is not in hand.
func (ls *Listings) Gap(u *Unit, account, region, id string) ReadID {
	for _, p := range []place{{account: account, region: region}, {account: account}, {}} {
		if o, ok := ls.open[p]; ok {
			return u.Carry(o.unit, o.read)
		}
		if ls.any[p] {
			return u.Note(Read{Reason: Unmatched, Where: "derive", Detail: string(ls.kind) + " " + id + " is in no listing"})
		}
	}
	return u.Note(Read{Reason: NotConnected, Where: "derive", Detail: "nothing lists " + string(ls.kind) + " of " + account + "/" + region})
}

// Whole reports whether the kind is listed whole in an account and region; if it is not, why is noted in u.
func (ls *Listings) Whole(u *Unit, account, region string) (whole bool, why ReadID) {
	p := place{account: account, region: region}
	if _, open := ls.open[p]; ls.any[p] && !open {
		return true, 0
	}
	return false, ls.Gap(u, account, region, "")
}

// Everywhere reports whether every listing of the kind, in the whole inventory, is complete; if not, why is noted in u.
// At least one unit must list it.
func (ls *Listings) Everywhere(inv *Inventory, u *Unit) (whole bool, why ReadID) {
	if len(ls.any) == 0 {
		return false, u.Note(Read{Reason: NotConfigured, Where: "derive", Detail: "nothing lists " + string(ls.kind)})
	}
	if len(ls.open) == 0 {
		return true, 0
	}
	for i := range inv.Units { // in the order of units, so that the same run names the same reason
		if l := inv.Units[i].Listing(ls.kind); l != nil && !l.Complete {
			return false, u.Carry(&inv.Units[i], l.Why(&inv.Units[i]))
		}
	}
	return true, 0
}

// Why gives the first read that kept a listing from being complete.
func (l *Listing) Why(u *Unit) ReadID {
	for _, r := range l.Reads {
		if u.Read(r).Reason != "" {
			return r
		}
	}
	return 0
}
