package aws

import (
	"encoding/json"
	"fmt"

	"pgregory.net/rapid"

	"sptr.jp/tenken/findings/inventory"
)

// lab builds one account and region, unit by unit as the scanner reads it.
type lab struct {
	net, machines, rds inventory.Unit
	ok                 inventory.ReadID
}

func newLab(account, region string) *lab {
	s := inventory.Scope{System: "cloud", Type: "aws", Account: account, Region: region}
	l := &lab{
		net: inventory.NewUnit(s, "ec2-network", inventory.NetworkKind, inventory.NetworkACLKind, inventory.PrefixListKind,
			inventory.RouteTableKind, inventory.SecurityGroupKind, inventory.SubnetKind),
		machines: inventory.NewUnit(s, "ec2-instances", inventory.InstanceKind, inventory.NetworkInterfaceKind),
		rds:      inventory.NewUnit(s, "rds", inventory.DatabaseKind),
	}
	for _, u := range []*inventory.Unit{&l.net, &l.machines, &l.rds} {
		l.ok = u.Note(inventory.Read{Operation: "ec2:Describe"})
		for i := range u.Listings {
			u.Listings[i].Complete, u.Listings[i].Reads = true, []inventory.ReadID{l.ok}
		}
		u.Outcome = inventory.Complete
	}
	return l
}

func (l *lab) head(id string) inventory.Head {
	return inventory.Head{ID: id, Name: id, Region: l.net.Scope.Region}
}

func is[T any](l *lab, v T) inventory.Val[T] { return inventory.Known(v, l.ok) }

func none[T any](l *lab) inventory.Val[T] { return inventory.Absent[T](l.ok) }

func all[T any](l *lab, items ...T) inventory.List[T] { return inventory.Closed(items, l.ok) }

func (l *lab) group(id string, rules ...inventory.SecurityRule) {
	l.net.Facts.SecurityGroups = append(l.net.Facts.SecurityGroups,
		inventory.SecurityGroup{Head: l.head(id), NetworkID: is(l, "vpc-1"), Ingress: all(l, rules...), Egress: all[inventory.SecurityRule](l)})
}

func (l *lab) subnet(id string) {
	l.net.Facts.Subnets = append(l.net.Facts.Subnets, inventory.Subnet{Head: l.head(id), NetworkID: is(l, "vpc-1")})
}

func (l *lab) table(id string, main bool, subnets []string, routes ...inventory.Route) {
	l.net.Facts.RouteTables = append(l.net.Facts.RouteTables, inventory.RouteTable{Head: l.head(id), NetworkID: is(l, "vpc-1"),
		Main: is(l, main), SubnetIDs: all(l, subnets...), Routes: all(l, routes...)})
}

func (l *lab) acl(id string, subnets []string, entries ...inventory.ACLEntry) {
	l.net.Facts.NetworkACLs = append(l.net.Facts.NetworkACLs, inventory.NetworkACL{Head: l.head(id), NetworkID: is(l, "vpc-1"),
		SubnetIDs: all(l, subnets...), Entries: all(l, entries...)})
}

func (l *lab) list(id string, cidrs ...string) {
	l.net.Facts.PrefixLists = append(l.net.Facts.PrefixLists, inventory.PrefixList{Head: l.head(id), CIDRs: all(l, cidrs...)})
}

func (l *lab) machine(id, state string) {
	l.machines.Facts.Instances = append(l.machines.Facts.Instances, inventory.Instance{Head: l.head(id), State: is(l, state)})
}

// nic adds an interface in use; empty words mean that it has none.
func (l *lab) nic(id, machine, service, subnet, ip string, ipv6, groups []string) {
	word := func(s string) inventory.Val[string] {
		if s == "" {
			return none[string](l)
		}
		return is(l, s)
	}
	l.machines.Facts.NetworkInterfaces = append(l.machines.Facts.NetworkInterfaces, inventory.NetworkInterface{Head: l.head(id),
		InstanceID: word(machine), Service: word(service), SubnetID: is(l, subnet), PublicIP: word(ip), IPv6: all(l, ipv6...), SecurityGroupIDs: all(l, groups...),
		InUse: is(l, true), InterfaceType: is(l, "interface")})
}

func (l *lab) database(id string, port int64, public bool, subnets, groups []string) *inventory.Database {
	l.rds.Facts.Databases = append(l.rds.Facts.Databases, inventory.Database{Head: l.head(id), Port: is(l, port), NetworkID: is(l, "vpc-1"),
		PublicAddress: is(l, public), SubnetIDs: all(l, subnets...), SecurityGroupIDs: all(l, groups...), Engine: is(l, "mysql"),
		NetworkType: is(l, "IPV4"), InternetGateway: none[bool](l), OptionGroups: all(l, "default:mysql-8-0")})
	return &l.rds.Facts.Databases[len(l.rds.Facts.Databases)-1]
}

func (l *lab) units() []inventory.Unit { return []inventory.Unit{l.net, l.machines, l.rds} }

// derived makes an inventory of copies of the units, and derives.
func derived(t rapid.TB, d inventory.Declared, units ...inventory.Unit) *inventory.Inventory {
	t.Helper()
	inv := inventory.New(copies(t, units))
	if err := inventory.Derive(inv, d); err != nil {
		t.Fatal(err)
	}
	Derive(inv, d)
	return inv
}

// copies goes through the run file's own form, so that nothing but facts gets across.
func copies(t rapid.TB, units []inventory.Unit) []inventory.Unit {
	t.Helper()
	b, err := json.Marshal(units)
	if err != nil {
		t.Fatal(err)
	}
	var out []inventory.Unit
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func exposures(inv *inventory.Inventory) map[string]*inventory.Exposure {
	found := map[string]*inventory.Exposure{}
	for i := range inv.Units {
		for e := range inv.Units[i].Facts.Exposures {
			x := &inv.Units[i].Facts.Exposures[e]
			found[x.ID] = x
		}
	}
	return found
}

func databases(inv *inventory.Inventory) map[string]*inventory.Database {
	found := map[string]*inventory.Database{}
	for i := range inv.Units {
		for e := range inv.Units[i].Facts.Databases {
			x := &inv.Units[i].Facts.Databases[e]
			found[x.ID] = x
		}
	}
	return found
}

// say writes a value with its state, so that tests compare all of it.
func say[T any](v inventory.Val[T]) string {
	switch x, ok := v.Get(); {
	case ok:
		return fmt.Sprint(x)
	case v.IsAbsent():
		return "absent"
	}
	return "unknown"
}

// The words that random worlds are made of: few, so that they meet.
var (
	someCIDRs = []string{"0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "8.0.0.0/8", "8.0.0.0/9", "8.128.0.0/9", "203.0.113.0/24",
		"203.0.113.7/32", "172.16.0.0/12", "172.0.0.0/8", "100.64.0.0/10", "11.0.0.0/8", "192.0.0.0/3", "::/0", "::/0", "::/1", "8000::/1", "2000::/3", "2600::/16",
		"2600::/17", "2600:8000::/17", "2600:1f00::/24", "fc00::/7", "2001:db8::/32", "2600::1/128"}
	somePorts     = []int64{0, 22, 443, 1024, 3306, 5432, 40000, 65535}
	someProtocols = []string{"tcp", "tcp", "tcp", "all", "udp", "icmp", "6"}
)

// randomLab draws a small network.
func randomLab(t *rapid.T) *lab {
	l := newLab("111111111111", "ap-northeast-1")
	cidr := rapid.SampledFrom(someCIDRs)
	subnets := []string{"subnet-a", "subnet-b"}
	for _, s := range subnets {
		l.subnet(s)
	}
	for _, id := range []string{"pl-1", "pl-2"} {
		l.list(id, rapid.SliceOfN(cidr, 0, 3).Draw(t, id)...)
	}
	lists := rapid.SampledFrom([]string{"pl-1", "pl-2", "pl-none"})
	ends := func(name, protocol string) (int64, int64) {
		if protocol == "icmp" && rapid.Bool().Draw(t, "any type") {
			return -1, -1
		}
		a, b := rapid.SampledFrom(somePorts).Draw(t, name), rapid.SampledFrom(somePorts).Draw(t, name)
		return min(a, b), max(a, b)
	}
	protocols := rapid.SampledFrom(someProtocols)
	for _, id := range []string{"sg-1", "sg-2", "sg-3"} {
		var rules []inventory.SecurityRule
		for range rapid.IntRange(0, 3).Draw(t, id) {
			r := inventory.SecurityRule{Protocol: protocols.Draw(t, "protocol")}
			r.From, r.To = ends("ports", r.Protocol)
			switch rapid.IntRange(0, 9).Draw(t, "source") {
			case 0:
				r.GroupID = "sg-1"
			case 1:
				r.PrefixListID = lists.Draw(t, "list")
			default:
				r.CIDR = cidr.Draw(t, "cidr")
			}
			rules = append(rules, r)
		}
		l.group(id, rules...)
	}
	randomPaths(t, l, subnets, cidr, lists, ends)
	randomAssets(t, l, subnets)
	return l
}

func randomPaths(t *rapid.T, l *lab, subnets []string, cidr, lists *rapid.Generator[string], ends func(string, string) (int64, int64)) {
	targets := rapid.SampledFrom([]string{"igw-1", "igw-1", "igw-1", "nat-1", "eigw-1", "local", "vpce-1", "pcx-1", "vgw-1", "tgw-1", "eni-1"})
	routes := func(name string) []inventory.Route {
		var list []inventory.Route
		seen := map[string]bool{}
		for _, all := range []string{"0.0.0.0/0", "::/0"} {
			if rapid.Bool().Draw(t, "default route") {
				list = append(list, inventory.Route{Destination: all, Target: "igw-1", State: "active"})
				seen[all] = true
			}
		}
		for range rapid.IntRange(0, 4).Draw(t, name) {
			r := inventory.Route{Destination: cidr.Draw(t, "destination"), Target: targets.Draw(t, "target"), State: rapid.SampledFrom([]string{"active", "active", "active", "blackhole"}).Draw(t, "state")}
			if rapid.IntRange(0, 9).Draw(t, "listed") == 0 {
				r.Destination = lists.Draw(t, "list")
			}
			if !seen[r.Destination] { // AWS holds a destination once
				list = append(list, r)
			}
			seen[r.Destination] = true
		}
		return list
	}
	var explicit []string
	if rapid.Bool().Draw(t, "explicit") {
		explicit = subnets[:1]
	}
	l.table("rtb-main", true, nil, routes("main")...)
	l.table("rtb-own", false, explicit, routes("own")...)
	for i, id := range []string{"acl-a", "acl-b"} {
		var entries []inventory.ACLEntry
		for n := range rapid.IntRange(0, 3).Draw(t, id) {
			e := inventory.ACLEntry{Number: int64(100 - n), Egress: rapid.Bool().Draw(t, "egress"), Allow: rapid.IntRange(0, 3).Draw(t, "allow") > 0,
				Protocol: rapid.SampledFrom(someProtocols).Draw(t, "protocol"), CIDR: cidr.Draw(t, "cidr")}
			e.From, e.To = ends("ports", e.Protocol)
			entries = append(entries, e)
		}
		if rapid.IntRange(0, 3).Draw(t, "default entries") > 0 {
			for _, out := range []bool{false, true} {
				entries = append(entries, inventory.ACLEntry{Number: 200, Egress: out, Allow: true, Protocol: "all", From: 0, To: 65535, CIDR: "0.0.0.0/0"},
					inventory.ACLEntry{Number: 201, Egress: out, Allow: true, Protocol: "all", From: 0, To: 65535, CIDR: "::/0"})
			}
		}
		l.acl(id, subnets[i:i+1], entries...)
	}
}

func randomAssets(t *rapid.T, l *lab, subnets []string) {
	groups := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"sg-1", "sg-2", "sg-none"}), 0, 2, rapid.ID)
	for _, id := range []string{"i-1", "i-2"} {
		l.machine(id, rapid.SampledFrom([]string{"running", "running", "stopped"}).Draw(t, id))
	}
	for i, machine := range []string{"i-1", "i-1", "i-2", "", "", "i-none"} {
		service := ""
		if machine == "" {
			service = rapid.SampledFrom([]string{"", "amazon-rds", "amazon-elb"}).Draw(t, "service")
		}
		ip := rapid.SampledFrom([]string{"", "198.51.100.1"}).Draw(t, "ip")
		v6 := rapid.SampledFrom([][]string{nil, {"2001:db8::5"}, {"fd00::5"}, {"2001:db8::5", "fd00::5"}}).Draw(t, "v6")
		l.nic(fmt.Sprintf("eni-%d", i), machine, service, rapid.SampledFrom(append(subnets, "subnet-none")).Draw(t, "subnet"), ip, v6, groups.Draw(t, "groups"))
		n := &l.machines.Facts.NetworkInterfaces[i]
		n.InUse = is(l, rapid.Bool().Draw(t, "in use"))
		n.InterfaceType = is(l, rapid.SampledFrom([]string{"interface", "interface", "network_load_balancer"}).Draw(t, "type"))
	}
	port := rapid.SampledFrom(somePorts)
	for _, id := range []string{"db-1", "db-2"} {
		db := l.database(id, port.Draw(t, "port"), rapid.Bool().Draw(t, "public"), rapid.SliceOfNDistinct(rapid.SampledFrom(subnets), 1, 2, rapid.ID).Draw(t, "subnets"), groups.Draw(t, "groups"))
		if rapid.IntRange(0, 4).Draw(t, "cluster") == 0 {
			db.PublicAddress = none[bool](l)
		}
		db.NetworkType = is(l, rapid.SampledFrom([]string{"IPV4", "IPV4", "DUAL", "IPV6"}).Draw(t, "network type"))
		if rapid.IntRange(0, 9).Draw(t, "gateway") == 0 {
			db.InternetGateway = is(l, rapid.Bool().Draw(t, "opened"))
		}
		if rapid.IntRange(0, 3).Draw(t, "options") == 0 {
			db.OptionGroups = all(l, "default:mysql-8-0", "memcached")
		}
	}
}
