package aws

import (
	"slices"

	"sptr.jp/tenken/findings/inventory"
)

// How the internet reaches a port. A packet comes in by a public address, is let in by the subnet's network ACL and by a
// security group, and the subnet's route table joins it to an internet gateway. Of TCP an answer goes back out by the ACL
// too, to the client's port; what has no handshake has done its work when it is in. The way is open if that holds for one
// port of the range, one port of the client and addresses that count as the internet, all at once. Whoever attacks chooses
// the client's port: any will do, and not only those that systems choose by themselves.
//
// Each of the three is a set of addresses, or two: what it holds for certain, and what it may hold, given what was not
// read. An unread thing holds nothing for certain and may hold everything. So hiding a fact widens the gap between the
// two and can only turn an answer into "may be".

// part is what one of them lets through.
type part struct {
	lo, up ranges
	why    cause // set where lo and up differ
}

// cause is a read that kept something from being known, wherever it was made.
type cause struct {
	unit *inventory.Unit
	read inventory.ReadID
}

func (c cause) set() bool { return c.unit != nil }

// in carries a cause into the unit whose value is unknown for it.
func (c cause) in(u *inventory.Unit) inventory.ReadID {
	if c.unit == nil {
		return 0
	}
	return u.Carry(c.unit, c.read)
}

// truth is yes, no or maybe, and why it is no more than maybe.
type truth struct {
	yes, maybe bool
	why        cause
}

var yes = truth{yes: true}

func maybe(why cause) truth { return truth{maybe: true, why: why} }

func (t truth) no() bool { return !t.yes && !t.maybe }

func (t truth) or(o truth) truth {
	switch {
	case t.yes || o.no():
		return t
	case o.yes || t.no():
		return o
	}
	return t
}

func (t truth) and(o truth) truth {
	switch {
	case t.no() || o.yes:
		return t
	case o.no() || t.yes:
		return o
	}
	return t
}

// trail is what stands between a subnet and the internet. A nil table or ACL was not found, for the cause beside it.
type trail struct {
	table    *inventory.RouteTable
	acl      *inventory.NetworkACL
	tableWhy cause
	aclWhy   cause
}

// service is a protocol and a range of ports.
type service struct {
	protocol string
	from, to int64
}

func hasPorts(proto string) bool { return proto == "tcp" || proto == "udp" }

// needsAnswer reports that a protocol opens with a handshake: whom no answer reaches gets no further.
func needsAnswer(proto string) bool { return proto == "tcp" }

// matches reports that a rule of a group or an ACL is about a packet. Ports count for tcp and udp only; types of ICMP are
// not told apart.
func matches(ruleProto string, from, to int64, proto string, port int64) bool {
	ruleProto = protocolName(ruleProto)
	return ruleProto == "all" || ruleProto == proto && (!hasPorts(proto) || from <= port && port <= to)
}

// reaches reports whether the internet reaches the service through the firewall in a subnet, with the steps of the way.
func (w *world) reaches(tr trail, fw *firewall, s service, f *ipFamily) (truth, []inventory.Step) {
	key := wayKey{tr, fw, s, f.v6}
	found, ok := w.ways[key]
	if !ok {
		found = way{w.walk(tr, fw, s, f), w.steps(tr, s, f)}
		w.ways[key] = found
	}
	return found.open, slices.Clip(found.steps)
}

// way is an answer of reaches, kept: most interfaces of an account go the same few ways.
type way struct {
	open  truth
	steps []inventory.Step
}

type wayKey struct {
	tr trail
	fw *firewall
	s  service
	v6 bool
}

func (w *world) walk(tr trail, fw *firewall, s service, f *ipFamily) truth {
	out := w.routes(tr, f)
	best := truth{}
	for _, proto := range protocols(s.protocol, tr.acl, fw) {
		answers := w.answers(tr, proto, f, out)
		for _, port := range ports(proto, s, tr.acl, fw) {
			src := fw.sources(proto, port, f)
			in := aclPart(tr, false, proto, port, f)
			for _, a := range answers {
				if f.internet(src.lo.and(in.lo).and(a.lo)) {
					return yes
				}
				if best.no() && f.internet(src.up.and(in.up).and(a.up)) {
					best = maybe(firstCause(a.why, in.why, src.why))
				}
			}
		}
	}
	return best
}

func firstCause(causes ...cause) cause {
	for _, c := range causes {
		if c.set() {
			return c
		}
	}
	return cause{}
}

// answers are the sets of clients to whom an answer gets out, one for each client port that the ACL tells apart.
func (w *world) answers(tr trail, proto string, f *ipFamily, out part) []part {
	if !needsAnswer(proto) {
		return []part{out}
	}
	var parts []part
	for _, port := range pick(aclCuts(proto, tr.acl, true), 0, 65535) {
		a := aclPart(tr, true, proto, port, f)
		parts = append(parts, part{a.lo.and(out.lo), a.up.and(out.up), firstCause(out.why, a.why)})
	}
	return parts
}

// protocols gives the packets to try for a service: those that some rule tells apart, and one that none names.
func protocols(proto string, acl *inventory.NetworkACL, fw *firewall) []string {
	if proto != "all" {
		return []string{proto}
	}
	list := []string{"tcp", "udp", "other"}
	if acl != nil {
		for _, e := range acl.Entries.Items {
			list = append(list, protocolName(e.Protocol))
		}
	}
	for i := range fw.admissions {
		list = append(list, protocolName(fw.admissions[i].rule.Protocol))
	}
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(p string) bool { return p == "all" })
}

// ports gives one port for each part of the service's range that rules tell apart.
func ports(proto string, s service, acl *inventory.NetworkACL, fw *firewall) []int64 {
	if !hasPorts(proto) {
		return []int64{0}
	}
	cuts := aclCuts(proto, acl, false)
	for i := range fw.admissions {
		if r := &fw.admissions[i].rule; protocolName(r.Protocol) == proto {
			cuts = append(cuts, r.From, r.To+1)
		}
	}
	if s.protocol == "all" {
		s.from, s.to = 0, 65535
	}
	return pick(cuts, s.from, s.to)
}

func aclCuts(proto string, acl *inventory.NetworkACL, egress bool) (cuts []int64) {
	if acl == nil {
		return nil
	}
	for _, e := range acl.Entries.Items {
		if e.Egress == egress && protocolName(e.Protocol) == proto {
			cuts = append(cuts, e.From, e.To+1)
		}
	}
	return cuts
}

// pick gives from and every cut in (from, to], once each.
func pick(cuts []int64, from, to int64) []int64 {
	cuts = append(slices.DeleteFunc(cuts, func(c int64) bool { return c <= from || c > to }), from)
	slices.Sort(cuts)
	return slices.Compact(cuts)
}
