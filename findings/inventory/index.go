package inventory

// Index follows edges: it finds the resources of one kind by account, region and id, and where it finds none it says
// whether there is none or whether nobody looked.
type Index[T Resource] struct {
	kind Kind
	at   map[place]T
	open map[place]opening // by account and region: a listing of the kind that is not complete
	any  map[place]bool    // by account and region: something lists the kind there
}

type place struct{ account, region, id string }

type opening struct {
	unit *Unit
	read ReadID
}

// NewIndex indexes every resource of a kind; T is the pointer to that kind's struct.
func NewIndex[T Resource](inv *Inventory, k Kind) *Index[T] {
	ix := &Index[T]{kind: k, at: map[place]T{}, open: map[place]opening{}, any: map[place]bool{}}
	for i := range inv.Units {
		u := &inv.Units[i]
		if l := u.Listing(k); l != nil {
			p := place{account: u.Scope.Account, region: u.Scope.Region}
			ix.any[p] = true
			if !l.Complete {
				ix.open[p] = opening{u, l.Why(u)}
			}
		}
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

// Gap notes in u why an id is not in the index.
func (ix *Index[T]) Gap(u *Unit, account, region, id string) ReadID {
	for _, p := range []place{{account: account, region: region}, {account: account}, {}} {
		if o, ok := ix.open[p]; ok {
			return u.Carry(o.unit, o.read)
		}
		if ix.any[p] {
			return u.Note(Read{Reason: Unmatched, Where: "derive", Detail: string(ix.kind) + " " + id + " is in no listing"})
		}
	}
	return u.Note(Read{Reason: NotConnected, Where: "derive", Detail: "nothing lists " + string(ix.kind) + " of " + account + "/" + region})
}

// Whole reports whether the kind is listed whole in an account and region; if it is not, why is noted in u.
func (ix *Index[T]) Whole(u *Unit, account, region string) (whole bool, why ReadID) {
	p := place{account: account, region: region}
	if _, open := ix.open[p]; ix.any[p] && !open {
		return true, 0
	}
	return false, ix.Gap(u, account, region, "")
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
