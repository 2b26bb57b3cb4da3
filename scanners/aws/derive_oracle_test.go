package aws

import (
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"sort"
	"strings"
	"testing"

	"pgregory.net/rapid"

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

func newOracle(l *lab) *oracle {
	o := &oracle{l: l}
	for v6 := range 2 {
		o.clients[v6] = blocks(v6 == 1)
	}
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
				if netip.MustParsePrefix(c).Contains(k.from) {
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
			if e.Egress == egress && about(e.Protocol, e.From, e.To, k.proto, port) && netip.MustParsePrefix(e.CIDR).Contains(k.from) && e.Number < first.Number {
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
	best, sent := -1, false
	for _, r := range table.Routes.Items {
		cidrs, list := []string{r.Destination}, strings.HasPrefix(r.Destination, "pl-")
		if r.Target == "local" || list && r.Target == "vpce-1" {
			continue
		}
		if list {
			var ok bool
			if cidrs, ok = o.listed(r.Destination); !ok {
				return unsure
			}
		}
		for _, c := range cidrs {
			p := netip.MustParsePrefix(c)
			rank := 2 * p.Bits()
			if !list {
				rank++
			}
			if p.Contains(to) && rank > best {
				best, sent = rank, strings.HasPrefix(r.Target, "igw-") && r.State == "active"
			}
		}
	}
	if sent {
		return sure
	}
	return no
}

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
				if back < 1024 {
					continue
				}
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
		answer = min(answer, o.letIn(groups, k), o.passes(subnet, false, k, port), o.passes(subnet, true, k, back), o.leaves(subnet, a))
		if answer == no {
			return no
		}
	}
	return answer
}

// opens lists the ranges that the rules in hand of some groups open to the internet.
func (o *oracle) opens(groups []string) map[string][3]any {
	type key struct {
		proto    string
		from, to int64
	}
	found := map[string][3]any{}
	rules := map[key][]string{}
	for _, g := range o.l.net.Facts.SecurityGroups {
		for _, r := range g.Ingress.Items {
			if !slices.Contains(groups, g.ID) || r.GroupID != "" {
				continue
			}
			k := key{spelled(r.Protocol), r.From, r.To}
			if k.proto == "all" {
				k.from, k.to = 0, 65535
			}
			if cidrs, ok := o.listed(r.PrefixListID); ok {
				rules[k] = append(rules[k], cidrs...)
			} else if r.CIDR != "" {
				rules[k] = append(rules[k], r.CIDR)
			}
		}
	}
	for k, cidrs := range rules {
		for v6 := range 2 {
			for _, block := range o.clients[v6] {
				if !slices.ContainsFunc(block, func(a netip.Addr) bool {
					return !slices.ContainsFunc(cidrs, func(c string) bool { return netip.MustParsePrefix(c).Contains(a) })
				}) {
					found[fmt.Sprintf("%s/%d-%d", k.proto, k.from, k.to)] = [3]any{k.proto, k.from, k.to}
				}
			}
		}
	}
	return found
}

// openPort is whether the groups admit the internet to a port.
func (o *oracle) openPort(groups []string, port int64) state {
	answer := no
	for v6 := range 2 {
		for _, block := range o.clients[v6] {
			all := sure
			for _, a := range block {
				all = min(all, o.letIn(groups, packet{a, "tcp", port, 0}))
			}
			answer = max(answer, all)
		}
	}
	return answer
}

func said(s state, ifSure, ifNo string) string { return [...]string{ifNo, "unknown", ifSure}[s] }

// expected is every exposure with its reach.
func (o *oracle) expected() map[string]string {
	want := map[string]string{}
	byMachine := map[string]map[string]state{}
	for _, n := range o.l.machines.Facts.NetworkInterfaces {
		owner, attached := n.InstanceID.Get()
		service, managed := n.Service.Get()
		if !attached && service == "amazon-rds" {
			continue
		}
		up := no
		if attached {
			up = unsure
			for _, i := range o.l.machines.Facts.Instances {
				if i.ID == owner {
					up = no
					if i.State.Or("") == "running" {
						up = sure
					}
				}
			}
		} else if owner = n.ID; managed {
			up = sure
		}
		for id := range o.opens(n.SecurityGroupIDs.Items) {
			if byMachine[owner] == nil {
				byMachine[owner] = map[string]state{}
			}
			byMachine[owner][id] = up
		}
	}
	for owner, ids := range byMachine {
		for id, up := range ids {
			way := no
			var proto string
			var from, to int64
			name := strings.ReplaceAll(id, "/", " ")
			if _, err := fmt.Sscanf(name, "%s %d-%d", &proto, &from, &to); err != nil {
				panic(err)
			}
			for _, n := range o.l.machines.Facts.NetworkInterfaces {
				if n.InstanceID.Or(n.ID) != owner {
					continue
				}
				subnet, groups := n.SubnetID.Or(""), n.SecurityGroupIDs.Items
				if n.PublicIP.Or("") != "" {
					way = max(way, o.reach(groups, subnet, proto, from, to, 0))
				}
				if len(n.IPv6.Items) > 0 {
					way = max(way, o.reach(groups, subnet, proto, from, to, 1))
				}
			}
			want[owner+"|"+id] = said(min(up, way), inventory.ReachableNow, inventory.OneChangeAway)
		}
	}
	o.expectedOfOthers(want)
	return want
}

func (o *oracle) expectedOfOthers(want map[string]string) {
	used := map[string]bool{}
	for _, n := range o.l.machines.Facts.NetworkInterfaces {
		for _, g := range n.SecurityGroupIDs.Items {
			used[g] = true
		}
	}
	for _, db := range o.l.rds.Facts.Databases {
		port := db.Port.Or(0)
		for _, g := range db.SecurityGroupIDs.Items {
			used[g] = true
		}
		for id, s := range o.opens(db.SecurityGroupIDs.Items) {
			if !about(s[0].(string), s[1].(int64), s[2].(int64), "tcp", port) {
				want[db.ID+"|"+id] = inventory.Unreachable
				continue
			}
			want[db.ID+"|"+id] = said(o.databaseNow(db), inventory.ReachableNow, inventory.OneChangeAway)
		}
	}
	for _, g := range o.l.net.Facts.SecurityGroups {
		if !used[g.ID] {
			for id := range o.opens([]string{g.ID}) {
				want[g.ID+"|"+id] = inventory.Unreachable
			}
		}
	}
}

func (o *oracle) databaseNow(db inventory.Database) state {
	way := no
	for _, s := range db.SubnetIDs.Items {
		if db.PublicAddress.Or(false) {
			way = max(way, o.reach(db.SecurityGroupIDs.Items, s, "tcp", db.Port.Or(0), db.Port.Or(0), 0))
		}
	}
	return way
}

func (o *oracle) databaseReach(db inventory.Database) string {
	now, open := o.databaseNow(db), o.openPort(db.SecurityGroupIDs.Items, db.Port.Or(0))
	switch {
	case now == sure:
		return inventory.ReachableNow
	case now == unsure:
		return "unknown"
	case db.PublicAddress.Or(false):
		return inventory.OneChangeAway
	}
	return said(open, inventory.OneChangeAway, inventory.Unreachable)
}

// TestSoakReachAgainstPackets compares what Derive concludes on random small networks with what packets meet there.
func TestSoakReachAgainstPackets(t *testing.T) {
	seen := map[string]int{}
	soak(t, 700, 100_000, func(t *rapid.T) {
		l := randomLab(t)
		o := newOracle(l)
		inv := derived(t, inventory.Declared{}, l.units()...)
		want, got := o.expected(), map[string]string{}
		for id, e := range exposures(inv) {
			got[id] = say(e.Reach)
			seen[say(e.Reach)]++
		}
		for id, reach := range want {
			if got[id] != reach {
				t.Fatalf("%s: derived %q, packets say %q", id, got[id], reach)
			}
		}
		for id := range got {
			if _, ok := want[id]; !ok {
				t.Fatalf("%s: derived, and nothing opens it", id)
			}
		}
		for id, db := range databases(inv) {
			i := slices.IndexFunc(l.rds.Facts.Databases, func(d inventory.Database) bool { return d.ID == id })
			if want := o.databaseReach(l.rds.Facts.Databases[i]); say(db.InternetReach) != want {
				t.Fatalf("%s: derived %s, packets say %s", id, say(db.InternetReach), want)
			}
			seen["db "+say(db.InternetReach)]++
			open := said(o.openPort(db.SecurityGroupIDs.Items, db.Port.Or(0)), "true", "false")
			if say(db.InternetOpen) != open {
				t.Fatalf("%s: derived open %s, packets say %s", id, say(db.InternetOpen), open)
			}
		}
	})
	t.Logf("seen: %v", seen)
	for _, s := range []string{inventory.ReachableNow, inventory.OneChangeAway, inventory.Unreachable, "unknown", "db " + inventory.ReachableNow} {
		if seen[s] == 0 {
			t.Errorf("no world had an answer %q: the trial proves nothing about it", s)
		}
	}
}
