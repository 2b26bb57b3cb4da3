package aws

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"sptr.jp/tenken/findings/inventory"
)

// aclPart is what a subnet's ACL lets in (or out): the lowest number that matches decides, and what none matches is
// refused.
func aclPart(tr trail, egress bool, proto string, port int64, f *ipFamily) part {
	if tr.acl == nil {
		return part{nil, f.everything(), tr.aclWhy}
	}
	if tr.acl.Entries.IsOpen() { // the tail may hold a lower number
		return part{nil, f.everything(), cause{tr.acl.Unit(), tr.acl.Entries.Read()}}
	}
	entries := slices.Clone(tr.acl.Entries.Items)
	slices.SortStableFunc(entries, func(a, b inventory.ACLEntry) int { return cmp.Compare(a.Number, b.Number) })
	left, admitted := f.everything(), []span(nil)
	for _, e := range entries {
		if e.Egress != egress || !matches(e.Protocol, e.From, e.To, proto, port) || !e.Allow && oneICMPType(e) {
			continue
		}
		p, err := netip.ParsePrefix(e.CIDR)
		if err != nil {
			return part{nil, f.everything(), garbled(tr.acl.Unit(), tr.acl.ID+" holds no address range in entry "+strconv.FormatInt(e.Number, 10))}
		}
		if !f.has(p) {
			continue
		}
		s, whole := f.span(p)
		if e.Allow && !whole {
			continue
		}
		if e.Allow {
			admitted = append(admitted, left.and(ranges{s})...)
		}
		left = left.without(s)
	}
	set := union(admitted)
	return part{set, set, cause{}}
}

// oneICMPType reports that an entry is about one type of ICMP only: it refuses no other, and so not the protocol.
func oneICMPType(e inventory.ACLEntry) bool {
	p := protocolName(e.Protocol)
	return (p == "icmp" || p == "icmpv6") && e.From >= 0
}

// garbled is the cause for an answer that names no address range where there must be one.
func garbled(u *inventory.Unit, detail string) cause {
	return cause{u, u.Note(inventory.Read{Reason: inventory.DecodeError, Where: "derive", Detail: detail})}
}

// routes gives the addresses that a subnet's table sends to an internet gateway.
func (w *world) routes(tr trail, f *ipFamily) part {
	if tr.table == nil {
		return part{nil, f.everything(), tr.tableWhy}
	}
	key := routeKey{tr.table, f.v6}
	p, ok := w.out[key]
	if !ok {
		p = w.route(tr.table, f)
		w.out[key] = p
	}
	return p
}

type routeKey struct {
	table *inventory.RouteTable
	v6    bool
}

// line is one destination of a table.
type line struct {
	to   netip.Prefix
	way  truth // whether it leads to the internet and back
	rank int   // 1 for what comes of a prefix list: it yields to a route of the same length
}

func (w *world) route(t *inventory.RouteTable, f *ipFamily) part {
	if t.Routes.IsOpen() { // the tail may hold a narrower route to anywhere
		return part{nil, f.everything(), cause{t.Unit(), t.Routes.Read()}}
	}
	lines, why := w.lines(t, f)
	if why.set() {
		return part{nil, f.everything(), why}
	}
	slices.SortStableFunc(lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(b.to.Bits(), a.to.Bits()), cmp.Compare(a.rank, b.rank))
	})
	lo, up := sent(lines, f, func(t truth) bool { return t.yes }), sent(lines, f, func(t truth) bool { return !t.no() })
	if slices.Equal(lo, up) {
		return part{lo, up, cause{}}
	}
	for _, l := range lines {
		why = firstCause(why, l.way.why)
	}
	return part{lo, up, why}
}

// sent is what lines, the narrowest first, send to where counts.
func sent(lines []line, f *ipFamily, counts func(truth) bool) ranges {
	left, out := f.everything(), []span(nil)
	for _, l := range lines {
		s, whole := f.span(l.to)
		if counts(l.way) && !whole {
			continue
		}
		if counts(l.way) {
			out = append(out, left.and(ranges{s})...)
		}
		left = left.without(s)
	}
	return union(out)
}

// noWayIn are the targets by which nobody comes in from the internet: a NAT and an egress-only gateway let out only, a
// peer and a VPN lead to networks that are not the internet. (A peer passes nothing on.)
var noWayIn = []string{"nat-", "eigw-", "pcx-", "vgw-"}

// leads reports whether a route leads to the internet and back. Whatever has a target beyond an internet gateway and those
// of noWayIn passes packets on to where nobody looked: the endpoint of a firewall or of a gateway load balancer, an
// appliance's interface, a transit gateway, a core network.
func leads(t *inventory.RouteTable, r inventory.Route) truth {
	switch {
	case r.State == "blackhole" || slices.ContainsFunc(noWayIn, func(p string) bool { return strings.HasPrefix(r.Target, p) }):
		return truth{}
	case strings.HasPrefix(r.Target, "igw-") && r.State == "active":
		return yes
	}
	return maybe(cause{t.Unit(), t.Unit().Note(inventory.Read{Reason: inventory.Unmatched, Where: "derive",
		Detail: t.ID + " sends " + r.Destination + " to " + r.Target + ": whether the internet comes in by it was not read"})})
}

// lines reads a table's routes. Those within the network are left out: its own addresses are no part of the internet.
// So are those of gateway endpoints, whose lists are AWS's own and hold the ranges of one service.
func (w *world) lines(t *inventory.RouteTable, f *ipFamily) (lines []line, why cause) {
	for _, r := range t.Routes.Items {
		list := strings.HasPrefix(r.Destination, "pl-")
		if r.Target == "local" || list && strings.HasPrefix(r.Target, "vpce-") && w.awsOwns(t, r.Destination) {
			continue
		}
		if !list {
			p, err := netip.ParsePrefix(r.Destination)
			if err != nil {
				return nil, garbled(t.Unit(), t.ID+" routes to no address range")
			}
			if f.has(p) {
				lines = append(lines, line{to: p, way: leads(t, r)})
			}
			continue
		}
		prefixes, why := w.prefixes(t.Unit(), t.Region, r.Destination)
		if why.set() {
			return nil, why
		}
		for _, p := range prefixes {
			if f.has(p) {
				lines = append(lines, line{to: p, way: leads(t, r), rank: 1})
			}
		}
	}
	return lines, cause{}
}

// awsOwns reports that a prefix list is one of AWS's: no other may have such a name.
func (w *world) awsOwns(t *inventory.RouteTable, id string) bool {
	l, ok, _ := w.lists.Find(t.Unit(), t.Unit().Scope.Account, t.Region, id)
	return ok && strings.HasPrefix(l.Name, "com.amazonaws.")
}
