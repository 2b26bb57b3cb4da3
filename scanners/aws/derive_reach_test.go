package aws

import (
	"strings"
	"testing"

	"sptr.jp/tenken/findings/inventory"
)

func tcp(from, to int64, cidr string) inventory.SecurityRule {
	return inventory.SecurityRule{Protocol: "tcp", From: from, To: to, CIDR: cidr}
}

func allow(n int64, egress bool, from, to int64, cidr string) inventory.ACLEntry {
	return inventory.ACLEntry{Number: n, Egress: egress, Allow: true, Protocol: "tcp", From: from, To: to, CIDR: cidr}
}

func deny(n int64, egress bool, from, to int64, cidr string) inventory.ACLEntry {
	e := allow(n, egress, from, to, cidr)
	e.Allow = false
	return e
}

var gateway = inventory.Route{Destination: "0.0.0.0/0", Target: "igw-1", State: "active"}

// place is a world with one public database and one public machine in a public subnet, open to the internet; each case
// changes one thing of it.
type place struct {
	rules   []inventory.SecurityRule
	main    []inventory.Route
	own     []inventory.Route // of a table with an explicit association, if any
	entries []inventory.ACLEntry
	public  bool
	ip      string
	ipv6    []string
	state   string
	lists   map[string][]string
}

func openPlace() place {
	return place{
		rules: []inventory.SecurityRule{tcp(5432, 5432, "0.0.0.0/0")}, main: []inventory.Route{gateway}, public: true, ip: "198.51.100.7", state: "running",
		entries: []inventory.ACLEntry{allow(100, false, 0, 65535, "0.0.0.0/0"), allow(100, true, 0, 65535, "0.0.0.0/0")},
	}
}

func (p place) build() *lab {
	l := newLab("111111111111", "ap-northeast-1")
	l.subnet("subnet-a")
	l.group("sg-1", p.rules...)
	l.table("rtb-main", true, nil, p.main...)
	if p.own != nil {
		l.table("rtb-own", false, []string{"subnet-a"}, p.own...)
	}
	l.acl("acl-1", []string{"subnet-a"}, p.entries...)
	for id, cidrs := range p.lists {
		l.list(id, cidrs...)
	}
	l.machine("i-1", p.state)
	l.nic("eni-1", "i-1", "", "subnet-a", p.ip, p.ipv6, []string{"sg-1"})
	l.database("db-1", 5432, p.public, []string{"subnet-a"}, []string{"sg-1"})
	return l
}

func TestReach(t *testing.T) {
	const now, near, far = inventory.ReachableNow, inventory.OneChangeAway, inventory.Unreachable
	halves := []inventory.Route{{Destination: "0.0.0.0/1", Target: "igw-1", State: "active"}, {Destination: "128.0.0.0/1", Target: "igw-1", State: "active"}}
	v6 := []inventory.Route{{Destination: "::/0", Target: "igw-1", State: "active"}}
	v6acl := []inventory.ACLEntry{allow(100, false, 0, 65535, "::/0"), allow(100, true, 0, 65535, "::/0")}
	cases := []struct {
		name     string
		change   func(*place)
		database string
		open     string
		machine  string // of tcp/5432 on the machine; empty: no exposure
	}{
		{"all open", func(*place) {}, now, "true", now},
		{"two halves in the group", func(p *place) {
			p.rules = []inventory.SecurityRule{tcp(5432, 5432, "0.0.0.0/1"), tcp(5432, 5432, "128.0.0.0/1")}
		}, now, "true", now},
		{"one half", func(p *place) { p.rules = []inventory.SecurityRule{tcp(5432, 5432, "128.0.0.0/1")} }, now, "true", now},
		{"a public /8", func(p *place) { p.rules = []inventory.SecurityRule{tcp(5432, 5432, "52.0.0.0/8")} }, now, "true", now},
		{"a /8 that holds a private range", func(p *place) { p.rules = []inventory.SecurityRule{tcp(5432, 5432, "172.0.0.0/8")} }, now, "true", now},
		{"a /8 in pieces", func(p *place) {
			p.rules = []inventory.SecurityRule{tcp(5432, 5432, "8.0.0.0/9"), tcp(5432, 5432, "8.128.0.0/10"), tcp(5432, 5432, "8.192.0.0/10")}
		}, now, "true", now},
		{"a /8 whose private range goes to a peer", func(p *place) {
			p.rules = []inventory.SecurityRule{tcp(5432, 5432, "172.0.0.0/8")}
			p.main = append(p.main, inventory.Route{Destination: "172.16.0.0/12", Target: "pcx-1", State: "active"})
		}, now, "true", now},
		{"three quarters of a /8", func(p *place) {
			p.rules = []inventory.SecurityRule{tcp(5432, 5432, "8.0.0.0/9"), tcp(5432, 5432, "8.128.0.0/10")}
		}, near, "false", ""},
		{"a public /9 is somebody", func(p *place) { p.rules = []inventory.SecurityRule{tcp(5432, 5432, "8.0.0.0/9")} }, near, "false", ""},
		{"a private /8", func(p *place) { p.rules = []inventory.SecurityRule{tcp(5432, 5432, "10.0.0.0/8")} }, near, "false", ""},
		{"private, and no public address", func(p *place) {
			p.rules, p.public = []inventory.SecurityRule{tcp(5432, 5432, "10.0.0.0/8")}, false
		}, far, "false", ""},
		{"open, and no public address", func(p *place) { p.public, p.ip = false, "" }, near, "true", near},
		{"all protocols", func(p *place) { p.rules = []inventory.SecurityRule{{Protocol: "all", To: 65535, CIDR: "0.0.0.0/0"}} }, now, "true", ""},
		{"udp on the port", func(p *place) {
			p.rules = []inventory.SecurityRule{{Protocol: "udp", From: 5432, To: 5432, CIDR: "0.0.0.0/0"}}
		}, near, "false", ""},
		{"another port", func(p *place) { p.rules = []inventory.SecurityRule{tcp(5433, 65535, "0.0.0.0/0")} }, near, "false", ""},
		{"a group that names itself", func(p *place) {
			p.rules = []inventory.SecurityRule{{Protocol: "tcp", From: 5432, To: 5432, GroupID: "sg-1"}}
		}, near, "false", ""},
		{"a group that names an open one", func(p *place) {
			p.rules = []inventory.SecurityRule{{Protocol: "tcp", From: 5432, To: 5432, GroupID: "sg-9"}}
		}, near, "false", ""},
		{"an open prefix list", func(p *place) {
			p.rules = []inventory.SecurityRule{{Protocol: "tcp", From: 5432, To: 5432, PrefixListID: "pl-1"}}
			p.lists = map[string][]string{"pl-1": {"10.0.0.0/8", "0.0.0.0/0"}}
		}, now, "true", now},
		{"a narrow prefix list", func(p *place) {
			p.rules = []inventory.SecurityRule{{Protocol: "tcp", From: 5432, To: 5432, PrefixListID: "pl-1"}}
			p.lists = map[string][]string{"pl-1": {"203.0.113.0/24"}}
		}, near, "false", ""},
		{"a prefix list that nothing lists", func(p *place) {
			p.rules = []inventory.SecurityRule{{Protocol: "tcp", From: 5432, To: 5432, PrefixListID: "pl-1"}}
		}, "unknown", "unknown", ""},
		{"IPv6 in the group alone", func(p *place) { p.rules = []inventory.SecurityRule{tcp(5432, 5432, "::/0")} }, near, "true", near},
		{"IPv6 all the way", func(p *place) {
			p.rules, p.main, p.entries = []inventory.SecurityRule{tcp(5432, 5432, "::/0")}, v6, v6acl
			p.ip, p.ipv6 = "", []string{"2001:db8::1"}
		}, near, "true", now},
		{"IPv6 by an egress-only gateway", func(p *place) {
			p.rules, p.entries, p.ipv6 = []inventory.SecurityRule{tcp(5432, 5432, "::/0")}, v6acl, []string{"2001:db8::1"}
			p.main = []inventory.Route{{Destination: "::/0", Target: "eigw-1", State: "active"}}
		}, near, "true", near},
		{"IPv6 all the way to a unique local address", func(p *place) {
			p.rules, p.main, p.entries = []inventory.SecurityRule{tcp(5432, 5432, "::/0")}, v6, v6acl
			p.ip, p.ipv6 = "", []string{"fd12:3456::1", "fc00::9", "fd12:3456:7::/80"}
		}, near, "true", near},
		{"IPv6 all the way to an address beside a unique local one", func(p *place) {
			p.rules, p.main, p.entries = []inventory.SecurityRule{tcp(5432, 5432, "::/0")}, v6, v6acl
			p.ip, p.ipv6 = "", []string{"2a05:d014::1", "fd12:3456::1"}
		}, near, "true", now},
		{"unique local IPv6", func(p *place) { p.rules = []inventory.SecurityRule{tcp(5432, 5432, "fc00::/7")} }, near, "false", ""},
		{"an address of the other family only", func(p *place) { p.ip, p.ipv6, p.main = "", []string{"2001:db8::1"}, append(v6, gateway) }, now, "true", near},
		{"a NAT gateway", func(p *place) {
			p.main = []inventory.Route{{Destination: "0.0.0.0/0", Target: "nat-1", State: "active"}}
		}, near, "true", near},
		{"a blackhole", func(p *place) {
			p.main = []inventory.Route{{Destination: "0.0.0.0/0", Target: "igw-1", State: "blackhole"}}
		}, near, "true", near},
		{"halves in the table", func(p *place) { p.main = halves }, now, "true", now},
		{"halves before a NAT gateway", func(p *place) {
			p.main = append([]inventory.Route{{Destination: "0.0.0.0/0", Target: "nat-1", State: "active"}}, halves...)
		}, now, "true", now},
		{"no route but to one office", func(p *place) {
			p.main = []inventory.Route{{Destination: "203.0.113.0/24", Target: "igw-1", State: "active"}}
		}, near, "true", near},
		{"its own table without a gateway", func(p *place) { p.own = []inventory.Route{} }, near, "true", near},
		{"its own table with one, the main without", func(p *place) { p.own, p.main = p.main, nil }, now, "true", now},
		{"a list that sends everything to a peer", func(p *place) {
			p.main = append(p.main, inventory.Route{Destination: "pl-1", Target: "pcx-1", State: "active"})
			p.lists = map[string][]string{"pl-1": {"0.0.0.0/1", "128.0.0.0/1"}}
		}, near, "true", near},
		{"a list that sends everything to an endpoint", func(p *place) {
			p.main = append(p.main, inventory.Route{Destination: "pl-1", Target: "vpce-1", State: "active"})
			p.lists = map[string][]string{"pl-1": {"0.0.0.0/1", "128.0.0.0/1"}}
		}, "unknown", "true", "unknown"},
		{"ACL: a deny before", func(p *place) { p.entries = append(p.entries, deny(50, false, 0, 65535, "0.0.0.0/0")) }, near, "true", near},
		{"ACL: a deny after", func(p *place) { p.entries = append(p.entries, deny(150, false, 0, 65535, "0.0.0.0/0")) }, now, "true", now},
		{"ACL: a deny of the port", func(p *place) { p.entries = append(p.entries, deny(50, false, 5432, 5432, "0.0.0.0/0")) }, near, "true", near},
		{"ACL: a deny of another port", func(p *place) { p.entries = append(p.entries, deny(50, false, 22, 22, "0.0.0.0/0")) }, now, "true", now},
		{"ACL: a small deny", func(p *place) { p.entries = append(p.entries, deny(50, false, 0, 65535, "203.0.113.0/24")) }, now, "true", now},
		{"ACL: a deny of the group's whole range", func(p *place) {
			p.rules, p.entries = []inventory.SecurityRule{tcp(5432, 5432, "8.0.0.0/8")}, append(p.entries, deny(50, false, 0, 65535, "8.0.0.0/7"))
		}, near, "true", near},
		{"ACL: two half denies", func(p *place) {
			p.entries = append(p.entries, deny(50, false, 0, 65535, "0.0.0.0/1"), deny(51, false, 0, 65535, "128.0.0.0/1"))
		}, near, "true", near},
		{"ACL: one office in", func(p *place) { p.entries[0].CIDR = "203.0.113.0/24" }, near, "true", near},
		{"ACL: no answer out", func(p *place) { p.entries = p.entries[:1] }, near, "true", near},
		{"ACL: the answer to well-known ports only, one of which the client may take", func(p *place) { p.entries[1].To = 1023 }, now, "true", now},
		{"ACL: the answer to a single port", func(p *place) { p.entries[1].From, p.entries[1].To = 443, 443 }, now, "true", now},
		{"ACL: the answer to some client ports", func(p *place) { p.entries[1].From = 50000 }, now, "true", now},
		{"ACL: in and out for different halves", func(p *place) { p.entries[0].CIDR, p.entries[1].CIDR = "0.0.0.0/1", "128.0.0.0/1" }, near, "true", near},
		{"ACL: of the other family", func(p *place) { p.entries = v6acl }, near, "true", near},
		{"stopped", func(p *place) { p.state = "stopped" }, now, "true", near},
		{"what is no address range", func(p *place) { p.rules = []inventory.SecurityRule{tcp(5432, 5432, "everybody")} }, "unknown", "unknown", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := openPlace()
			c.change(&p)
			inv := derived(t, inventory.Declared{}, p.build().units()...)
			db := databases(inv)["db-1"]
			if say(db.InternetReach) != c.database || say(db.InternetOpen) != c.open {
				t.Errorf("database: %s, open %s; want %s, %s\n%v", say(db.InternetReach), say(db.InternetOpen), c.database, c.open, db.Proof)
			}
			got := ""
			if e := exposures(inv)["i-1|tcp/5432-5432"]; e != nil {
				got = say(e.Reach)
			}
			if got != c.machine {
				t.Errorf("machine: %q, want %q", got, c.machine)
			}
		})
	}
}

// TestWhatHasNoHandshakeNeedsNoAnswer: an ACL that lets nothing out keeps TCP away, and no other protocol.
func TestWhatHasNoHandshakeNeedsNoAnswer(t *testing.T) {
	p := openPlace()
	p.rules = append(p.rules, inventory.SecurityRule{Protocol: "udp", From: 161, To: 161, CIDR: "0.0.0.0/0"}, inventory.SecurityRule{Protocol: "icmp", From: -1, To: -1, CIDR: "0.0.0.0/0"})
	p.entries = []inventory.ACLEntry{{Number: 100, Allow: true, Protocol: "all", To: 65535, CIDR: "0.0.0.0/0"}}
	found := exposures(derived(t, inventory.Declared{}, p.build().units()...))
	for id, want := range map[string]string{"tcp/5432-5432": inventory.OneChangeAway, "udp/161-161": inventory.ReachableNow, "icmp/-1--1": inventory.ReachableNow} {
		if e := found["i-1|"+id]; e == nil || say(e.Reach) != want {
			t.Errorf("%s: %v, want %s", id, e, want)
		}
	}
}

// TestWhatIsBehindATarget: a way in is proven by an internet gateway alone, and closed by few targets.
func TestWhatIsBehindATarget(t *testing.T) {
	const now, near, unknown = inventory.ReachableNow, inventory.OneChangeAway, "unknown"
	for target, want := range map[string]string{
		"igw-1": now, "nat-1": near, "eigw-1": near, "pcx-1": near, "vgw-1": near, "local": near,
		"vpce-1": unknown, "eni-1": unknown, "i-1": unknown, "tgw-1": unknown, "cagw-1": unknown, "lgw-1": unknown,
		"arn:aws:networkmanager::111111111111:core-network/core-network-1": unknown, "": unknown,
	} {
		for _, routes := range [][]string{{"0.0.0.0/0"}, {"0.0.0.0/1", "128.0.0.0/1"}} {
			p := openPlace()
			p.main = nil
			for _, to := range routes {
				p.main = append(p.main, inventory.Route{Destination: to, Target: target, State: "active"})
			}
			inv := derived(t, inventory.Declared{}, p.build().units()...)
			db, e := databases(inv)["db-1"], exposures(inv)["i-1|tcp/5432-5432"]
			if say(db.InternetReach) != want || say(e.Reach) != want {
				t.Errorf("%v to %q: database %s, machine %s, want %s", routes, target, say(db.InternetReach), say(e.Reach), want)
			}
			for _, r := range []inventory.Read{db.Unit().Read(db.InternetReach.Read()), e.Unit().Read(e.Reach.Read())} {
				if want == unknown && (r.Reason != inventory.Unmatched || r.Where != "derive" || !strings.Contains(r.Detail, routes[0]+" to "+target)) {
					t.Errorf("%v to %q is unknown because of %+v", routes, target, r)
				}
			}
		}
		p := openPlace() // a small route beside a gateway's changes nothing, whatever its target
		p.main = append(p.main, inventory.Route{Destination: "203.0.113.0/24", Target: target, State: "active"})
		if got := say(databases(derived(t, inventory.Declared{}, p.build().units()...))["db-1"].InternetReach); got != now {
			t.Errorf("a /24 to %q beside a gateway: %s", target, got)
		}
		p.main = []inventory.Route{{Destination: "0.0.0.0/0", Target: target, State: "blackhole"}}
		if got := say(databases(derived(t, inventory.Declared{}, p.build().units()...))["db-1"].InternetReach); got != near {
			t.Errorf("a blackhole to %q: %s", target, got)
		}
	}
}

// TestGatewayEndpointsTakeNothingAway: their lists are AWS's own; what was not read of them hides no way in.
func TestGatewayEndpointsTakeNothingAway(t *testing.T) {
	p := openPlace()
	p.main = append(p.main, inventory.Route{Destination: "pl-s3", Target: "vpce-1", State: "active"})
	l := p.build()
	reach := func() string {
		return say(databases(derived(t, inventory.Declared{}, l.units()...))["db-1"].InternetReach)
	}
	if got := reach(); got != "unknown" {
		t.Errorf("a list that nothing lists: %s", got)
	}
	l.list("pl-s3")
	list := &l.net.Facts.PrefixLists[0]
	list.Name, list.CIDRs = "com.amazonaws.ap-northeast-1.s3", inventory.List[string]{}
	if got := reach(); got != inventory.ReachableNow {
		t.Errorf("the list of a service: %s", got)
	}
}
