package inventory

import (
	"cmp"
	"slices"
	"strings"
)

// compareIDs orders resources by id, then by where they live, so that no order of reading shows.
func compareIDs(a, b *Head) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.unit.index, b.unit.index), cmp.Compare(a.Region, b.Region))
}

// deriveOwners leads each credential to its account.
func deriveOwners(inv *Inventory) {
	accounts := NewIndex[*Account](inv, AccountKind)
	for i := range inv.Units {
		u := &inv.Units[i]
		for c := range u.Facts.Credentials {
			cr := &u.Facts.Credentials[c]
			cr.Owner = follow(u, accounts, cr.OwnerID)
		}
	}
}

// deriveRoles leads each grant to its role. A role that the provider keeps is listed by every account that uses it.
func deriveRoles(inv *Inventory) {
	roles := NewIndex[*Role](inv, RoleKind)
	for i := range inv.Units {
		u := &inv.Units[i]
		for g := range u.Facts.Grants {
			gr := &u.Facts.Grants[g]
			gr.Role = follow(u, roles, gr.RoleID)
		}
	}
}

// follow gives what an edge of unit u leads to among its account's resources that have no region.
func follow[T Resource](u *Unit, ix *Index[T], edge Val[string]) Val[T] {
	id, ok := edge.Get()
	if !ok {
		if edge.IsAbsent() {
			return Absent[T](edge.Read())
		}
		return Unknown[T](edge.Read())
	}
	found, ok, why := ix.Find(u, u.Scope.Account, "", id)
	if !ok {
		return Unknown[T](why)
	}
	return Known(found, edge.Read())
}

// own tells the company's accounts and organisations of one type of system from others.
type own struct {
	accounts      map[string]bool
	organizations map[string]bool
	// gap is set while the company's own accounts are not all in hand: a discovery that was not answered whole.
	gap opening
	// orgGap is set while an account's organisation is not known.
	orgGap opening
}

func newOwn(inv *Inventory, d Declared, typ string) *own {
	o := &own{accounts: map[string]bool{}, organizations: map[string]bool{}}
	for _, e := range d.Environments {
		o.accounts[e.Account] = true
	}
	for i := range inv.Units {
		u := &inv.Units[i]
		if u.Scope.Type != typ {
			continue
		}
		o.accounts[u.Scope.Account] = true
		if u.Scope.Account == "" && u.Outcome != Complete && u.Outcome != DisabledUnit && o.gap.unit == nil {
			o.gap = opening{u, u.firstGap()}
		}
		if l := u.Listing(TenantKind); l != nil && !l.Complete && u.Scope.Region == "" && o.orgGap.unit == nil {
			o.orgGap = opening{u, l.Why(u)}
		}
		for t := range u.Facts.Tenants {
			if u.Facts.Tenants[t].Region != "" { // an account says what it belongs to, not a region of it
				continue
			}
			v := u.Facts.Tenants[t].OrganizationID
			if id, ok := v.Get(); ok {
				o.organizations[id] = true
			} else if v.IsUnknown() && o.orgGap.unit == nil {
				o.orgGap = opening{u, v.Read()}
			}
		}
	}
	return o
}

func (u *Unit) firstGap() ReadID {
	for i := 1; i < len(u.Reads); i++ {
		if u.Reads[i].Reason != "" && u.Reads[i].Where == "" {
			return ReadID(i)
		}
	}
	return 0
}

// outside reports that a name of SharedWith is none of ours; when that can't be told, gap says why. An organisation is
// named by its id, alone or as a part of a longer name.
func (o *own) outside(name string) (outside bool, gap opening) {
	if o.accounts[name] {
		return false, opening{}
	}
	if !strings.ContainsAny(name, "/-") {
		return o.gap.unit == nil, o.gap
	}
	for part := range strings.SplitSeq(name, "/") {
		if o.organizations[part] {
			return false, opening{}
		}
	}
	if o.gap.unit != nil {
		return false, o.gap
	}
	return o.orgGap.unit == nil, o.orgGap
}

// deriveSharing names those who may restore a backup and are not the company: neither scanned nor declared. While the
// company's accounts are not all known, a stranger can't be told from one of them, and the list stays open.
func deriveSharing(inv *Inventory, d Declared) {
	byType := map[string]*own{}
	for i := range inv.Units {
		u := &inv.Units[i]
		if len(u.Facts.Backups) == 0 {
			continue
		}
		o := byType[u.Scope.Type]
		if o == nil {
			o = newOwn(inv, d, u.Scope.Type)
			byType[u.Scope.Type] = o
		}
		for b := range u.Facts.Backups {
			bk := &u.Facts.Backups[b]
			bk.SharedOutside = o.strangers(u, bk.SharedWith)
		}
	}
}

func (o *own) strangers(u *Unit, with List[string]) List[string] {
	out := List[string]{closed: with.closed, r: with.r}
	for _, name := range with.Items {
		if name == "all" { // not an account: Backup.Public says it
			continue
		}
		outside, gap := o.outside(name)
		if outside {
			out.Items = append(out.Items, name)
		} else if gap.unit != nil && out.closed {
			out.closed, out.r = false, u.Carry(gap.unit, gap.read)
		}
	}
	slices.Sort(out.Items)
	return out
}
