package aws

import (
	"fmt"
	"math"
	"net/netip"
	"runtime"
	"slices"
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
		{"a gateway endpoint's list beside", func(p *place) {
			p.main = append(p.main, inventory.Route{Destination: "pl-s3", Target: "vpce-1", State: "active"})
		}, now, "true", now},
		{"a list that sends everything elsewhere", func(p *place) {
			p.main = append(p.main, inventory.Route{Destination: "pl-1", Target: "tgw-1", State: "active"})
			p.lists = map[string][]string{"pl-1": {"0.0.0.0/1", "128.0.0.0/1"}}
		}, near, "true", near},
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
		{"ACL: the answer out of well-known ports only", func(p *place) { p.entries[1].To = 1023 }, near, "true", near},
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

// TestProofNamesTheChain: a reader follows the steps in the console.
func TestProofNamesTheChain(t *testing.T) {
	inv := derived(t, inventory.Declared{}, openPlace().build().units()...)
	want := []inventory.Step{
		{Resource: "sg-1", Fact: "admits tcp/5432 from 0.0.0.0/0"},
		{Resource: "eni-1", Fact: "public IPv4 address 198.51.100.7"},
		{Resource: "rtb-main", Fact: "0.0.0.0/0 → igw-1 (active)"},
		{Resource: "acl-1", Fact: "lets the internet in to tcp/5432 and the answer out"},
		{Resource: "eni-1", Fact: "no IPv6 address"},
	}
	e := exposures(inv)["i-1|tcp/5432-5432"]
	if !slices.Equal(e.Proof, want) {
		t.Errorf("machine: %v", e.Proof)
	}
	want[1] = inventory.Step{Resource: "db-1", Fact: "PubliclyAccessible=true"}
	if db := databases(inv)["db-1"]; !slices.Equal(db.Proof, want[:4]) {
		t.Errorf("database: %v", db.Proof)
	}
	if e.Name != "i-1 tcp/5432" || e.AssetKind != inventory.InstanceKind || e.AssetID != "i-1" || say(e.Attached) != "true" || e.Unit().Collector != "ec2-instances" {
		t.Errorf("%+v", e)
	}
}

// TestDatabaseIngress: every source by its kind, with the flags that rules ask for.
func TestDatabaseIngress(t *testing.T) {
	l := newLab("111111111111", "ap-northeast-1")
	port := func(r inventory.SecurityRule) inventory.SecurityRule {
		r.Protocol, r.From, r.To = "tcp", 5432, 5432
		return r
	}
	l.group("sg-1", port(inventory.SecurityRule{CIDR: "203.0.113.7/32"}), port(inventory.SecurityRule{CIDR: "198.51.100.0/24"}), port(inventory.SecurityRule{CIDR: "0.0.0.0/0"}),
		port(inventory.SecurityRule{CIDR: "10.0.0.0/8"}), port(inventory.SecurityRule{GroupID: "sg-1"}), port(inventory.SecurityRule{GroupID: "sg-prod", GroupAccount: "222222222222"}),
		port(inventory.SecurityRule{GroupID: "sg-dev", GroupAccount: "333333333333"}), port(inventory.SecurityRule{PrefixListID: "pl-1"}), tcp(22, 22, "192.0.2.1/32"))
	l.list("pl-1", "2001:db8::1/128")
	l.database("db-1", 5432, false, nil, []string{"sg-1"})
	env := func(account, name, class string) inventory.EnvironmentDecl {
		return inventory.EnvironmentDecl{Product: "spartraining", Name: name, Class: class, Account: account}
	}
	d := inventory.Declared{DatabaseSources: []string{"198.51.100.0/23"}, Environments: []inventory.EnvironmentDecl{
		env("111111111111", "production", inventory.Production), env("222222222222", "production", inventory.Production), env("333333333333", "unstable", inventory.Nonproduction)}}
	db := databases(derived(t, d, l.units()...))["db-1"]
	var got []string
	for _, s := range db.Ingress.Items {
		got = append(got, fmt.Sprintf("%s %s internet=%t single=%t declared=%t same=%s", s.Kind, s.Value, s.Internet, s.Single, s.Declared, say(s.SameEnvironment)))
	}
	want := []string{
		"cidr 0.0.0.0/0 internet=true single=false declared=false same=absent",
		"cidr 10.0.0.0/8 internet=false single=false declared=false same=absent",
		"cidr 198.51.100.0/24 internet=false single=false declared=true same=absent",
		"cidr 2001:db8::1/128 internet=false single=true declared=false same=absent",
		"cidr 203.0.113.7/32 internet=false single=true declared=false same=absent",
		"security_group sg-1 internet=false single=false declared=false same=true",
		"security_group sg-dev internet=false single=false declared=false same=false",
		"security_group sg-prod internet=false single=false declared=false same=true",
	}
	if !slices.Equal(got, want) || db.Ingress.IsOpen() {
		t.Errorf("open %t:\n%s", db.Ingress.IsOpen(), strings.Join(got, "\n"))
	}
}

// TestSameEnvironmentInADividedAccount: where networks tell environments of one account apart, the account proves nothing.
func TestSameEnvironmentInADividedAccount(t *testing.T) {
	l := newLab("111111111111", "ap-northeast-1")
	l.group("sg-1", inventory.SecurityRule{Protocol: "all", GroupID: "sg-2"}, inventory.SecurityRule{Protocol: "all", GroupID: "sg-1"})
	l.group("sg-2")
	l.net.Facts.SecurityGroups[1].NetworkID = is(l, "vpc-2")
	l.database("db-1", 5432, false, nil, []string{"sg-1"})
	env := func(name, network string) inventory.EnvironmentDecl {
		return inventory.EnvironmentDecl{Product: "p", Name: name, Class: inventory.Production, Account: "111111111111", Network: network}
	}
	db := databases(derived(t, inventory.Declared{Environments: []inventory.EnvironmentDecl{env("a", "vpc-1"), env("b", "vpc-2")}}, l.units()...))["db-1"]
	if got := say(db.Ingress.Items[0].SameEnvironment) + say(db.Ingress.Items[1].SameEnvironment); got != "truefalse" {
		t.Errorf("sg-1 and sg-2: %s", got)
	}
	l.net.Facts.SecurityGroups[1].NetworkID = inventory.Val[string]{}
	db = databases(derived(t, inventory.Declared{Environments: []inventory.EnvironmentDecl{env("a", "vpc-1"), env("b", "vpc-2")}}, l.units()...))["db-1"]
	if got := say(db.Ingress.Items[1].SameEnvironment); got != "unknown" {
		t.Errorf("a group whose network was not read: %s", got)
	}
}

// TestReasonsComeFromTheUnitThatLacksTheFact: the database's unit names the operation that was refused elsewhere.
func TestReasonsComeFromTheUnitThatLacksTheFact(t *testing.T) {
	l := openPlace().build()
	gap := l.net.Note(inventory.Read{Operation: "ec2:DescribeRouteTables", Permission: "ec2:DescribeRouteTables", Reason: inventory.AccessDenied})
	l.net.Facts.RouteTables = nil
	*l.net.Listing(inventory.RouteTableKind) = inventory.Listing{Kind: inventory.RouteTableKind, Reads: []inventory.ReadID{gap}}
	inv := derived(t, inventory.Declared{}, l.units()...)
	db := databases(inv)["db-1"]
	read := db.Unit().Read(db.InternetReach.Read())
	if say(db.InternetReach) != "unknown" || read.Operation != "ec2:DescribeRouteTables" || read.Reason != inventory.AccessDenied || !strings.HasSuffix(read.Where, "/ec2-network") {
		t.Errorf("%s because of %+v", say(db.InternetReach), read)
	}
	if say(db.InternetOpen) != "true" {
		t.Error("what the groups admit does not depend on routes")
	}
	if e := exposures(inv)["i-1|tcp/5432-5432"]; say(e.Reach) != "unknown" {
		t.Errorf("exposure: %s", say(e.Reach))
	}
}

// TestExposuresOfOtherThings: groups that nothing has, interfaces without a machine, ports on which a database is silent.
func TestExposuresOfOtherThings(t *testing.T) {
	l := openPlace().build()
	l.group("sg-lonely", tcp(22, 22, "0.0.0.0/0"))
	l.group("sg-wide", tcp(22, 22, "0.0.0.0/0"))
	l.nic("eni-lb", "", "amazon-elb", "subnet-a", "198.51.100.8", nil, []string{"sg-1"})
	l.nic("eni-rds", "", "amazon-rds", "subnet-a", "198.51.100.9", nil, []string{"sg-1"})
	l.nic("eni-free", "", "", "subnet-a", "198.51.100.10", nil, []string{"sg-1"})
	l.database("db-2", 3306, true, []string{"subnet-a"}, []string{"sg-wide"})
	cluster := l.database("db-3", 5432, false, []string{"subnet-a"}, []string{"sg-1"})
	cluster.PublicAddress = none[bool](l)
	got := map[string]string{}
	for id, e := range exposures(derived(t, inventory.Declared{}, l.units()...)) {
		got[id] = say(e.Reach) + " attached=" + say(e.Attached)
	}
	want := map[string]string{
		"i-1|tcp/5432-5432":      "reachable_now attached=true",
		"eni-lb|tcp/5432-5432":   "reachable_now attached=true",
		"eni-free|tcp/5432-5432": "one_change_away attached=true",
		"db-1|tcp/5432-5432":     "reachable_now attached=true",
		"db-2|tcp/22-22":         "unreachable attached=true",
		"db-3|tcp/5432-5432":     "one_change_away attached=true",
		"sg-lonely|tcp/22-22":    "unreachable attached=false",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestExposureTakesTheHeadOfItsAsset.
func TestExposureTakesTheHeadOfItsAsset(t *testing.T) {
	d := inventory.Declared{Environments: []inventory.EnvironmentDecl{{Product: "spartraining", Name: "production", Class: inventory.Production, Account: "111111111111"}},
		Assets: []inventory.AssetDecl{{Asset: "IA-001", Level: 3, Resources: []string{"db-*"}}}}
	e := exposures(derived(t, d, openPlace().build().units()...))["db-1|tcp/5432-5432"]
	if e.Asset != "IA-001" || e.Level != 3 || e.Environment != "production" || e.Product != "spartraining" || e.EnvironmentClass != inventory.Production || e.Scope().Region != "ap-northeast-1" {
		t.Errorf("%+v", e.Head)
	}
}

func TestRanges(t *testing.T) {
	f := newFamilies()
	for cidr, want := range map[string]span{"0.0.0.0/0": {0, math.MaxUint32}, "255.255.255.255/32": {math.MaxUint32, math.MaxUint32}, "10.1.2.3/8": {10 << 24, 11<<24 - 1}} {
		if got, whole := f[0].span(netip.MustParsePrefix(cidr)); got != want || !whole {
			t.Errorf("%s: %v %t", cidr, got, whole)
		}
	}
	for cidr, want := range map[string]span{"::/0": {0, math.MaxUint64}, "2600::/16": {0x2600 << 48, 0x2601<<48 - 1}, "ffff::/16": {0xffff << 48, math.MaxUint64}} {
		if got, whole := f[1].span(netip.MustParsePrefix(cidr)); got != want || !whole {
			t.Errorf("%s: %v %t", cidr, got, whole)
		}
	}
	if _, whole := f[1].span(netip.MustParsePrefix("2600::1/128")); whole {
		t.Error("one IPv6 address is no /64")
	}
	if got := union([]span{{5, 9}, {0, 3}, {4, 4}, {20, math.MaxUint64}, {30, 40}}); !slices.Equal(got, ranges{{0, 9}, {20, math.MaxUint64}}) {
		t.Errorf("union: %v", got)
	}
	if got := (ranges{{0, 9}, {20, 29}}).without(span{5, 24}); !slices.Equal(got, ranges{{0, 4}, {25, 29}}) {
		t.Errorf("without: %v", got)
	}
	if got := (ranges{{0, 9}, {20, 29}}).and(ranges{{5, 24}, {29, 40}}); !slices.Equal(got, ranges{{5, 9}, {20, 24}, {29, 29}}) {
		t.Errorf("and: %v", got)
	}
}

// BenchmarkDerive derives a large company: per account and region a few groups, and many machines with their interfaces,
// volumes and backups. It reports what a resource costs in memory, before and after.
func BenchmarkDerive(b *testing.B) {
	n := 1_000_000
	if testing.Short() {
		n = 10_000
	}
	units, count := company(n)
	var before, after runtime.MemStats
	inv := inventory.New(units)
	runtime.GC()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		if err := inventory.Derive(inv, inventory.Declared{}); err != nil {
			b.Fatal(err)
		}
		Derive(inv, inventory.Declared{})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc)/float64(count), "B/resource")
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(count), "B/resource-derived")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(count), "ns/resource")
	runtime.KeepAlive(inv)
}

func company(n int) (units []inventory.Unit, count int) {
	const perLab = 5000
	for a := 0; count < n; a++ {
		l := newLab(fmt.Sprintf("%012d", a), "ap-northeast-1")
		l.subnet("subnet-a")
		l.table("rtb-main", true, nil, gateway)
		l.acl("acl-1", []string{"subnet-a"}, openPlace().entries...)
		for g := range 50 {
			l.group(fmt.Sprintf("sg-%d", g), tcp(443, 443, "0.0.0.0/0"), tcp(22, 22, "10.0.0.0/8"))
		}
		volumes := inventory.NewUnit(l.net.Scope, "ec2-volumes", inventory.VolumeKind, inventory.BackupKind)
		for i := range perLab / 4 {
			id, group := fmt.Sprintf("i-%012d%08d", a, i), fmt.Sprintf("sg-%d", i%50)
			l.machine(id, "running")
			l.nic("eni-"+id, id, "", "subnet-a", "198.51.100.1", nil, []string{group})
			volumes.Facts.Volumes = append(volumes.Facts.Volumes, inventory.Volume{Head: l.head("vol-" + id), InstanceIDs: all(l, id), Encrypted: is(l, true)})
			volumes.Facts.Backups = append(volumes.Facts.Backups, inventory.Backup{Head: l.head("snap-" + id), SourceID: is(l, "vol-"+id), SharedWith: all[string](l)})
		}
		units = append(units, l.net, l.machines, l.rds, volumes)
		count += perLab
	}
	return units, count
}
