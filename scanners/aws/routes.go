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
	to      netip.Prefix
	gateway bool // an internet gateway, and working
	rank    int  // 1 for what comes of a prefix list: it yields to a route of the same length
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
	left, out := f.everything(), []span(nil)
	for _, l := range lines {
		s, whole := f.span(l.to)
		if l.gateway && !whole {
			continue
		}
		if l.gateway {
			out = append(out, left.and(ranges{s})...)
		}
		left = left.without(s)
	}
	set := union(out)
	return part{set, set, cause{}}
}

// lines reads a table's routes. Those within the network are left out: its own addresses are no part of the internet.
// So are those of gateway endpoints, which hold the ranges of one AWS service.
func (w *world) lines(t *inventory.RouteTable, f *ipFamily) (lines []line, why cause) {
	for _, r := range t.Routes.Items {
		list := strings.HasPrefix(r.Destination, "pl-")
		if r.Target == "local" || list && strings.HasPrefix(r.Target, "vpce-") {
			continue
		}
		gateway := strings.HasPrefix(r.Target, "igw-") && r.State == "active"
		if !list {
			p, err := netip.ParsePrefix(r.Destination)
			if err != nil {
				return nil, garbled(t.Unit(), t.ID+" routes to no address range")
			}
			if f.has(p) {
				lines = append(lines, line{to: p, gateway: gateway})
			}
			continue
		}
		prefixes, why := w.prefixes(t.Unit(), t.Region, r.Destination)
		if why.set() {
			return nil, why
		}
		for _, p := range prefixes {
			if f.has(p) {
				lines = append(lines, line{to: p, gateway: gateway, rank: 1})
			}
		}
	}
	return lines, cause{}
}
