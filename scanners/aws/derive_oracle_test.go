package aws

import (
	"math/big"
	"net/netip"
	"slices"
	"sort"
	"strings"

	"sptr.jp/tenken/findings/inventory"
)

// oracle decides reach packet by packet: it sends packets from sampled clients of the internet to sampled ports, lets
// each filter look at them one entry at a time, and sends the answers back. It shares nothing with the code it judges:
// no sets of addresses, no cuts of ports. It knows worlds that were read whole; where the world itself lacks something (a
// group that is in no listing), it says that it does not know.
type oracle struct {
	l       *lab
	clients [2][][]netip.Addr // by family: blocks, with their sampled addresses
	ports   []int64
}

var clients = [2][][]netip.Addr{blocks(false), blocks(true)}

var ranges4or6 = map[string]netip.Prefix{}

// parsed remembers: the oracle asks the same few ranges millions of times.
func parsed(cidr string) netip.Prefix {
	p, ok := ranges4or6[cidr]
	if !ok {
		p = netip.MustParsePrefix(cidr)
		ranges4or6[cidr] = p
	}
	return p
}

func newOracle(l *lab) *oracle {
	o := &oracle{l: l, clients: clients}
	seen := map[int64]bool{}
	for _, p := range somePorts {
		for _, x := range []int64{p - 1, p, p + 1} {
			if x >= 0 && x <= 65535 && !seen[x] {
				o.ports = append(o.ports, x)
			}
			seen[x] = true
		}
	}
	return o
}

var private = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("224.0.0.0/3")}

// blocks samples addresses: at the edges of every range that worlds are made of and beside them, grouped by the /8 (or,
// in IPv6, the /16) that they lie in.
func blocks(v6 bool) [][]netip.Addr {
	by := map[string][]netip.Addr{}
	add := func(n *big.Int) {
		a, ok := address4or6(n, v6)
		if !ok || v6 && !netip.MustParsePrefix("2000::/3").Contains(a) || slices.ContainsFunc(private, func(p netip.Prefix) bool { return p.Contains(a) }) {
			return
		}
		bits := 8
		if v6 {
			bits = 16
		}
		p, _ := a.Prefix(bits)
		by[p.String()] = append(by[p.String()], a)
	}
	one := big.NewInt(1)
	bits := 32
	if v6 {
		bits = 128
	}
	for _, c := range append([]string{"2600:1f00::/24", "64.0.0.0/8", "9.0.0.0/8", "3f00::/16"}, someCIDRs...) {
		p := netip.MustParsePrefix(c)
		if p.Addr().Is6() != v6 {
			continue
		}
		lo := new(big.Int).SetBytes(p.Addr().AsSlice())
		hi := new(big.Int).Add(lo, new(big.Int).Lsh(one, uint(bits-p.Bits())))
		for _, edge := range []*big.Int{lo, hi} {
			add(edge)
			add(new(big.Int).Sub(edge, one))
			// the edges of the block that the edge lies in
			size := uint(24)
			if v6 {
				size = 112
			}
			start := new(big.Int).Lsh(new(big.Int).Rsh(edge, size), size)
			add(start)
			add(new(big.Int).Sub(new(big.Int).Add(start, new(big.Int).Lsh(one, size)), one))
			add(new(big.Int).Add(start, new(big.Int).Lsh(one, size-1)))
		}
	}
	var names []string
	for n := range by {
		names = append(names, n)
	}
	sort.Strings(names)
	var out [][]netip.Addr
	for _, n := range names {
		out = append(out, by[n])
	}
	return out
}

func address4or6(n *big.Int, v6 bool) (netip.Addr, bool) {
	size := 4
	if v6 {
		size = 16
	}
	if n.Sign() < 0 || n.BitLen() > 8*size {
		return netip.Addr{}, false
	}
	return netip.AddrFromSlice(n.FillBytes(make([]byte, size)))
}

type packet struct {
	from  netip.Addr
	proto string
	port  int64 // of the server
	back  int64 // of the client
}

// state is what the oracle says: no, yes, or that the world does not tell.
type state int

const (
	no state = iota
	unsure
	sure
)

func spelled(proto string) string {
	if proto == "6" {
		return "tcp"
	}
	return proto
}

func about(ruleProto string, from, to int64, proto string, port int64) bool {
	if spelled(ruleProto) == "all" {
		return true
	}
	return spelled(ruleProto) == proto && ((proto != "tcp" && proto != "udp") || (port >= from && port <= to))
}

// letIn is a security group's word on a packet.
func (o *oracle) letIn(groups []string, k packet) state {
	answer := no
	for _, id := range groups {
		i := slices.IndexFunc(o.l.net.Facts.SecurityGroups, func(g inventory.SecurityGroup) bool { return g.ID == id })
		if i < 0 {
			answer = max(answer, unsure)
			continue
		}
		for _, r := range o.l.net.Facts.SecurityGroups[i].Ingress.Items {
			if !about(r.Protocol, r.From, r.To, k.proto, k.port) {
				continue
			}
			cidrs := []string{r.CIDR}
			if r.GroupID != "" {
				continue // a client of the internet is in no group
			}
			if r.PrefixListID != "" {
				var ok bool
				if cidrs, ok = o.listed(r.PrefixListID); !ok {
					answer = max(answer, unsure)
				}
			}
			for _, c := range cidrs {
				if parsed(c).Contains(k.from) {
					answer = sure
				}
			}
		}
	}
	return answer
}

func (o *oracle) listed(id string) ([]string, bool) {
	for _, p := range o.l.net.Facts.PrefixLists {
		if p.ID == id {
			return p.CIDRs.Items, true
		}
	}
	return nil, false
}

// passes is the word of a subnet's ACL.
func (o *oracle) passes(subnet string, egress bool, k packet, port int64) state {
	for _, a := range o.l.net.Facts.NetworkACLs {
		if !slices.Contains(a.SubnetIDs.Items, subnet) {
			continue
		}
		first := inventory.ACLEntry{Number: 1 << 20}
		for _, e := range a.Entries.Items {
			if !e.Allow && e.Protocol == "icmp" && e.From >= 0 {
				continue // it refuses one type; the packet is of another
			}
			if e.Egress == egress && about(e.Protocol, e.From, e.To, k.proto, port) && e.Number < first.Number && parsed(e.CIDR).Contains(k.from) {
				first = e
			}
		}
		if first.Allow {
			return sure
		}
		return no
	}
	return unsure
}

// leaves is whether the subnet's table sends an answer to an internet gateway.
func (o *oracle) leaves(subnet string, to netip.Addr) state {
	if !strings.HasSuffix(subnet, "-a") && !strings.HasSuffix(subnet, "-b") {
		return unsure
	}
	table := o.l.net.Facts.RouteTables[0]
	if slices.Contains(o.l.net.Facts.RouteTables[1].SubnetIDs.Items, subnet) {
		table = o.l.net.Facts.RouteTables[1]
	}
	best, sent := -1, no
	for _, r := range table.Routes.Items {
		cidrs, list := []string{r.Destination}, strings.HasPrefix(r.Destination, "pl-")
		if r.Target == "local" {
			continue
		}
		if list {
			var ok bool
			if cidrs, ok = o.listed(r.Destination); !ok {
				return unsure
			}
		}
		for _, c := range cidrs {
			p := parsed(c)
			rank := 2 * p.Bits()
			if !list {
				rank++
			}
			if p.Contains(to) && rank > best {
				best, sent = rank, behind[r.Target]
				if r.State == "blackhole" {
					sent = no
				}
			}
		}
	}
	return sent
}

// oneWay holds the protocols of which nothing need come back.
var oneWay = map[string]state{"udp": sure, "icmp": sure, "ospf": sure}

// behind says of the targets of random worlds whether the internet is behind them; nobody knows what an endpoint or a
// transit gateway passes on.
var behind = map[string]state{"igw-1": sure, "nat-1": no, "eigw-1": no, "pcx-1": no, "vgw-1": no, "vpce-1": unsure, "tgw-1": unsure, "eni-1": unsure}

// reach is whether the internet reaches some port of a range in a subnet: whether, for some ports, a whole block does.
func (o *oracle) reach(groups []string, subnet, proto string, from, to int64, v6 int) state {
	protos := []string{proto}
	if proto == "all" {
		protos = []string{"tcp", "udp", "icmp", "ospf"}
		from, to = 0, 65535
	}
	answer := no
	for _, pr := range protos {
		for _, port := range o.ports {
			if (pr == "tcp" || pr == "udp") && (port < from || port > to) {
				continue
			}
			for _, back := range o.ports {
				for _, block := range o.clients[v6] {
					answer = max(answer, o.whole(block, groups, subnet, pr, port, back))
				}
				if answer == sure {
					return sure
				}
			}
		}
	}
	return answer
}

func (o *oracle) whole(block []netip.Addr, groups []string, subnet, proto string, port, back int64) state {
	answer := sure
	for _, a := range block {
		k := packet{a, proto, port, back}
		for _, look := range []func() state{
			func() state { return o.letIn(groups, k) }, func() state { return o.passes(subnet, false, k, port) },
			func() state { return max(o.passes(subnet, true, k, back), oneWay[proto]) }, func() state { return o.leaves(subnet, a) },
		} {
			if answer = min(answer, look()); answer == no {
				return no
			}
		}
	}
	return answer
}
