package aws

import (
	"net/netip"
	"slices"

	"sptr.jp/tenken/findings/inventory"
)

// Derive draws the conclusions that need to know how AWS works: what may reach a database, how far the internet gets,
// which backups anybody may restore, and an Exposure for every range of ports that a rule opens to the internet. It comes after inventory.Derive: exposures
// take environment and asset from the heads of what they are about.
//
// It reads facts only, so that doing it again, or in another order, gives the same. It also settles, in every unit that
// brings what exposures are made of, the listing of Exposure: complete only where nothing unread could add one.
func Derive(inv *inventory.Inventory, d inventory.Declared) {
	w := newWorld(inv, d)
	for _, u := range w.units {
		settle(u)
		for i := range u.Facts.Databases {
			w.database(u, &u.Facts.Databases[i])
		}
		w.publicity(u)
	}
	w.interfaces()
	w.unattached()
	w.file()
}

// spot is an id in an account and region, as edges lead to it.
type spot struct{ account, region, id string }

func (s spot) area() spot { return spot{s.account, s.region, ""} }

func spotOf(h *inventory.Head) spot { return spot{h.Unit().Scope.Account, h.Region, h.ID} }

// world is what the joins share.
type world struct {
	declared inventory.Declared
	sources  []netip.Prefix // declared to reach databases
	units    []*inventory.Unit
	families [2]*ipFamily

	groups    *inventory.Index[*inventory.SecurityGroup]
	lists     *inventory.Index[*inventory.PrefixList]
	subnets   *inventory.Index[*inventory.Subnet]
	instances *inventory.Index[*inventory.Instance]
	tenants   *inventory.Index[*inventory.Tenant]
	nics      *inventory.Listings
	databases *inventory.Listings

	tables   lookup[*inventory.RouteTable] // by subnet, explicitly associated
	mains    map[spot]*inventory.RouteTable
	acls     lookup[*inventory.NetworkACL] // by subnet
	attached map[spot]bool                 // groups that something in hand names
	doubts   map[spot]cause                // by area: something that may name any group
	strays   map[spot]cause                // by area: an interface that may be any machine's
	read     map[spot]cause                // by area: the read that lists its groups

	everybody *firewall // admits everything
	firewalls map[firewallKey]*firewall
	trails    map[spot]trail
	ways      map[wayKey]way
	out       map[routeKey]part
	found     map[*inventory.Unit][]inventory.Exposure
}

// lookup finds by subnet what the subnet is associated with. A doubt is one, by area, whose subnets were not all read.
type lookup[T any] struct {
	at     map[spot]T
	listed *inventory.Listings
	doubts map[spot]cause
}

func newWorld(inv *inventory.Inventory, d inventory.Declared) *world {
	w := &world{
		declared: d, families: newFamilies(),
		groups:    inventory.NewIndex[*inventory.SecurityGroup](inv, inventory.SecurityGroupKind),
		lists:     inventory.NewIndex[*inventory.PrefixList](inv, inventory.PrefixListKind),
		subnets:   inventory.NewIndex[*inventory.Subnet](inv, inventory.SubnetKind),
		instances: inventory.NewIndex[*inventory.Instance](inv, inventory.InstanceKind),
		tenants:   inventory.NewIndex[*inventory.Tenant](inv, inventory.TenantKind),
		nics:      inventory.NewListings(inv, inventory.NetworkInterfaceKind),
		databases: inventory.NewListings(inv, inventory.DatabaseKind),
		mains:     map[spot]*inventory.RouteTable{},
		attached:  map[spot]bool{}, doubts: map[spot]cause{}, strays: map[spot]cause{}, read: map[spot]cause{},
		everybody: &firewall{admissions: []admission{admitAll("0.0.0.0/0"), admitAll("::/0")}},
		found:     map[*inventory.Unit][]inventory.Exposure{},
		firewalls: map[firewallKey]*firewall{}, trails: map[spot]trail{}, ways: map[wayKey]way{}, out: map[routeKey]part{},
	}
	w.tables = lookup[*inventory.RouteTable]{map[spot]*inventory.RouteTable{}, inventory.NewListings(inv, inventory.RouteTableKind), map[spot]cause{}}
	w.acls = lookup[*inventory.NetworkACL]{map[spot]*inventory.NetworkACL{}, inventory.NewListings(inv, inventory.NetworkACLKind), map[spot]cause{}}
	for _, c := range d.DatabaseSources {
		if p, err := netip.ParsePrefix(c); err == nil { // inventory.Derive refused the others
			w.sources = append(w.sources, p.Masked())
		}
	}
	for i := range inv.Units {
		if u := &inv.Units[i]; u.Scope.Type == "aws" {
			w.units = append(w.units, u)
			w.index(u)
		}
	}
	return w
}

func (w *world) index(u *inventory.Unit) {
	for i := range u.Facts.RouteTables {
		t := &u.Facts.RouteTables[i]
		w.tables.add(t, &t.Head, t.SubnetIDs)
		main, sure := t.Main.Get()
		network, named := t.NetworkID.Get()
		switch {
		case !sure:
			note(w.tables.doubts, &t.Head, true, t.Main.Read())
		case main && !named:
			note(w.tables.doubts, &t.Head, true, t.NetworkID.Read())
		case main:
			w.mains[spot{u.Scope.Account, t.Region, network}] = t
		}
	}
	for i := range u.Facts.NetworkACLs {
		a := &u.Facts.NetworkACLs[i]
		w.acls.add(a, &a.Head, a.SubnetIDs)
	}
	for i := range u.Facts.NetworkInterfaces {
		n := &u.Facts.NetworkInterfaces[i]
		w.attach(&n.Head, n.SecurityGroupIDs)
		note(w.strays, &n.Head, n.InstanceID.IsUnknown(), n.InstanceID.Read())
	}
	for i := range u.Facts.SecurityGroups {
		g := &u.Facts.SecurityGroups[i]
		note(w.read, &g.Head, true, g.Ingress.Read())
	}
	for i := range u.Facts.Databases {
		db := &u.Facts.Databases[i]
		w.attach(&db.Head, db.SecurityGroupIDs)
	}
}

func (w *world) attach(h *inventory.Head, groups inventory.List[string]) {
	s := spotOf(h)
	for _, id := range groups.Items {
		w.attached[spot{s.account, s.region, id}] = true
	}
	note(w.doubts, h, groups.IsOpen(), groups.Read())
}

// note keeps the first cause of an area, if there is one.
func note(causes map[spot]cause, h *inventory.Head, is bool, r inventory.ReadID) {
	area := spotOf(h).area()
	if _, already := causes[area]; is && !already {
		causes[area] = cause{h.Unit(), r}
	}
}

func (l *lookup[T]) add(t T, h *inventory.Head, subnets inventory.List[string]) {
	s := spotOf(h)
	for _, id := range subnets.Items {
		l.at[spot{s.account, s.region, id}] = t
	}
	note(l.doubts, h, subnets.IsOpen(), subnets.Read())
}

// of finds what a subnet is associated with. When it finds nothing, why is set unless it is proven that nothing in hand
// or unread is.
func (l *lookup[T]) of(u *inventory.Unit, s spot) (found T, why cause) {
	found, ok := l.at[s]
	if ok {
		return found, cause{}
	}
	if whole, r := l.listed.Whole(u, s.account, s.region); !whole {
		return found, cause{u, r}
	}
	return found, l.doubts[s.area()]
}

// trail finds what stands between a subnet and the internet: the table that it is associated with, else its network's
// main table, and its ACL.
func (w *world) trail(u *inventory.Unit, region, subnet string) trail {
	s := spot{u.Scope.Account, region, subnet}
	if tr, ok := w.trails[s]; ok {
		return tr
	}
	var tr trail
	tr.table, tr.tableWhy = w.tables.of(u, s)
	if tr.table == nil && !tr.tableWhy.set() {
		tr.table, tr.tableWhy = w.mainTable(u, s)
	}
	tr.acl, tr.aclWhy = w.acls.of(u, s)
	if tr.acl == nil && !tr.aclWhy.set() { // every subnet has one
		tr.aclWhy = unmatched(u, "network ACL", subnet)
	}
	w.trails[s] = tr
	return tr
}

func (w *world) mainTable(u *inventory.Unit, s spot) (*inventory.RouteTable, cause) {
	sub, ok, r := w.subnets.Find(u, s.account, s.region, s.id)
	if !ok {
		return nil, cause{u, r}
	}
	network, ok := sub.NetworkID.Get()
	if !ok {
		return nil, cause{sub.Unit(), sub.NetworkID.Read()}
	}
	if t := w.mains[spot{s.account, s.region, network}]; t != nil {
		return t, cause{}
	}
	return nil, unmatched(u, "main route table", network)
}

func unmatched(u *inventory.Unit, what, of string) cause {
	return cause{u, u.Note(inventory.Read{Reason: inventory.Unmatched, Where: "derive", Detail: "no " + what + " of " + of + " is in hand"})}
}

// prefixes gives the ranges of a prefix list, or why they are not all in hand; the ranges in hand come with it.
func (w *world) prefixes(u *inventory.Unit, region, id string) ([]netip.Prefix, cause) {
	list, ok, r := w.lists.Find(u, u.Scope.Account, region, id)
	if !ok {
		return nil, cause{u, r}
	}
	var why cause
	if list.CIDRs.IsOpen() {
		why = cause{list.Unit(), list.CIDRs.Read()}
	}
	var out []netip.Prefix
	for _, c := range list.CIDRs.Items {
		p, err := netip.ParsePrefix(c)
		if err != nil {
			why = garbled(list.Unit(), id+" holds what is no address range")
			continue
		}
		out = append(out, p.Masked())
	}
	return out, why
}

// sameEnvironment reports whether a group that a database's rule names belongs to the database's environment: to the
// same account, or to an account that is declared to bound the same environment. Where networks divide an account, the
// group's own network decides.
func (w *world) sameEnvironment(db *inventory.Database, from *inventory.SecurityGroup, r inventory.SecurityRule) inventory.Val[bool] {
	u := db.Unit()
	mine, theirs := u.Scope.Account, r.GroupAccount
	if theirs == "" {
		theirs = mine
	}
	read := cause{from.Unit(), from.Ingress.Read()}.in(u)
	if !w.declared.Divided(mine) && !w.declared.Divided(theirs) {
		if mine == theirs {
			return inventory.Known(true, read)
		}
		return inventory.Known(same(w.declared.EnvironmentOf(mine, ""))(w.declared.EnvironmentOf(theirs, "")), read)
	}
	network, ok := db.NetworkID.Get()
	if !ok {
		return inventory.Unknown[bool](db.NetworkID.Read())
	}
	g, ok, why := w.groups.Find(u, theirs, db.Region, r.GroupID)
	if !ok {
		return inventory.Unknown[bool](why)
	}
	theirNetwork, ok := g.NetworkID.Get()
	if !ok {
		return inventory.Unknown[bool](cause{g.Unit(), g.NetworkID.Read()}.in(u))
	}
	inOne := mine == theirs && network == theirNetwork
	return inventory.Known(inOne || same(w.declared.EnvironmentOf(mine, network))(w.declared.EnvironmentOf(theirs, theirNetwork)), read)
}

// same compares two environments, of which both must be declared.
func same(a inventory.EnvironmentDecl, declared bool) func(inventory.EnvironmentDecl, bool) bool {
	return func(b inventory.EnvironmentDecl, alsoDeclared bool) bool {
		return declared && alsoDeclared && a.Product == b.Product && a.Name == b.Name
	}
}

// sorted gives a copy in order: what is concluded must not show the order of reading.
func sorted(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}
