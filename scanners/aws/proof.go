package aws

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"sptr.jp/tenken/findings/inventory"
)

// step says in the console's terms what a rule admits, and from where.
func (a *admission) step() inventory.Step {
	from := a.prefix.String()
	if a.rule.PrefixListID != "" {
		from = a.rule.PrefixListID + " (" + from + ")"
	}
	return inventory.Step{Resource: a.group.ID, Fact: "admits " + serviceOf(a.rule).String() + " from " + from}
}

// steps says where the subnet's table sends the internet, and what its ACL does with the packet and its answer.
func (w *world) steps(tr trail, s service, f *ipFamily) []inventory.Step {
	table := inventory.Step{Resource: "route table", Fact: "not read"}
	if tr.table != nil {
		table = inventory.Step{Resource: tr.table.ID, Fact: gatewayRoute(tr.table, f)}
	}
	acl := inventory.Step{Resource: "network ACL", Fact: "not read"}
	if tr.acl != nil {
		passes, stops := "", ""
		if needsAnswer(s.protocol) {
			passes, stops = " and the answer out", " or the answer on its way back"
		}
		acl = inventory.Step{Resource: tr.acl.ID, Fact: "lets the internet in to " + s.String() + passes}
		switch {
		case tr.acl.Entries.IsOpen():
			acl.Fact = "entries not read whole"
		case w.walk(trail{acl: tr.acl}, w.everybody, s, f).no():
			acl.Fact = "stops the internet on its way to " + s.String() + stops
		}
	}
	return []inventory.Step{table, acl}
}

// gatewayRoute is the widest route of a table to an internet gateway, else its default route.
func gatewayRoute(t *inventory.RouteTable, f *ipFamily) string {
	text, bits, found := "", 129, false
	for _, r := range t.Routes.Items {
		p, err := netip.ParsePrefix(r.Destination)
		gateway := strings.HasPrefix(r.Target, "igw-")
		if err != nil || !f.has(p) || !gateway && (found || p.Bits() != 0) {
			continue
		}
		if gateway && !found || p.Bits() < bits {
			text, bits, found = fmt.Sprintf("%s → %s (%s)", r.Destination, r.Target, r.State), p.Bits(), gateway
		}
	}
	switch {
	case text != "":
		return text
	case t.Routes.IsOpen():
		return "routes not read whole"
	}
	return "no route to an internet gateway"
}

// listsExposed reports that a unit lists something that exposures are made of. Prefix lists are nothing of that kind: what
// names one that is not in hand says so itself, and a list that only routes name opens nothing.
func listsExposed(k inventory.Kind) bool {
	return slices.Contains([]inventory.Kind{inventory.DatabaseKind, inventory.NetworkInterfaceKind, inventory.SecurityGroupKind}, k)
}

// settle gives a unit its listing of Exposure: complete if what exposures are made of is listed whole there.
func settle(u *inventory.Unit) {
	listing := inventory.Listing{Kind: inventory.ExposureKind, Complete: true}
	made := false
	for i := range u.Listings {
		if l := &u.Listings[i]; listsExposed(l.Kind) {
			made = true
			listing.Complete = listing.Complete && l.Complete
			listing.Reads = append(listing.Reads, l.Reads...)
		}
	}
	if !made {
		return
	}
	slices.Sort(listing.Reads)
	listing.Reads = slices.Compact(listing.Reads)
	if old := u.Listing(inventory.ExposureKind); old != nil {
		*old = listing
		return
	}
	u.Listings = append(u.Listings, listing)
}

// missing notes that an exposure of unit u may be missing for a cause.
func (w *world) missing(u *inventory.Unit, why cause) {
	if !why.set() {
		return
	}
	l := u.Listing(inventory.ExposureKind)
	if l == nil {
		u.Listings = append(u.Listings, inventory.Listing{Kind: inventory.ExposureKind})
		l = &u.Listings[len(u.Listings)-1]
	}
	l.Complete = false
	if r := why.in(u); !slices.Contains(l.Reads, r) {
		l.Reads = append(l.Reads, r)
	}
}

// file gives the units their exposures, in order.
func (w *world) file() {
	for _, u := range w.units {
		list := w.found[u]
		slices.SortFunc(list, func(a, b inventory.Exposure) int { return strings.Compare(a.ID, b.ID) })
		u.Facts.Exposures = list
	}
}
