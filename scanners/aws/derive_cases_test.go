package aws

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sptr.jp/tenken/findings/inventory"
)

// TestWhatIsNotReadIsUnknown: each fact that could change an answer makes it unknown, and no other does.
func TestWhatIsNotReadIsUnknown(t *testing.T) {
	const now, near, unknown = inventory.ReachableNow, inventory.OneChangeAway, "unknown"
	none := inventory.Listing{}
	for _, c := range []struct {
		name     string
		hide     func(*lab)
		database string
		machine  string
	}{
		{"subnets of another table", func(l *lab) {
			l.table("rtb-other", false, nil)
			l.net.Facts.RouteTables[1].SubnetIDs = inventory.List[string]{}
		}, unknown, unknown},
		{"which table is the main one", func(l *lab) { l.net.Facts.RouteTables[0].Main = inventory.Val[bool]{} }, unknown, unknown},
		{"the main table's network", func(l *lab) { l.net.Facts.RouteTables[0].NetworkID = inventory.Val[string]{} }, unknown, unknown},
		{"the subnet's network", func(l *lab) { l.net.Facts.Subnets[0].NetworkID = inventory.Val[string]{} }, unknown, unknown},
		{"routes", func(l *lab) {
			l.net.Facts.RouteTables[0].Routes = inventory.Open(l.net.Facts.RouteTables[0].Routes.Items, 0)
		}, unknown, unknown},
		{"entries", func(l *lab) {
			l.net.Facts.NetworkACLs[0].Entries = inventory.Open(l.net.Facts.NetworkACLs[0].Entries.Items, 0)
		}, unknown, unknown},
		{"subnets of the ACL", func(l *lab) { l.net.Facts.NetworkACLs[0].SubnetIDs = inventory.List[string]{} }, unknown, unknown},
		{"more rules", func(l *lab) {
			l.net.Facts.SecurityGroups[0].Ingress = inventory.Open(l.net.Facts.SecurityGroups[0].Ingress.Items, 0)
		}, now, now},
		{"the port", func(l *lab) { l.rds.Facts.Databases[0].Port = inventory.Val[int64]{} }, unknown, now},
		{"the public address", func(l *lab) {
			l.rds.Facts.Databases[0].PublicAddress = inventory.Val[bool]{}
			l.machines.Facts.NetworkInterfaces[0].PublicIP = inventory.Val[string]{}
		}, unknown, unknown},
		{"more subnets", func(l *lab) { l.rds.Facts.Databases[0].SubnetIDs = inventory.Open([]string{"subnet-a"}, 0) }, now, now},
		{"subnets", func(l *lab) { l.rds.Facts.Databases[0].SubnetIDs = inventory.List[string]{} }, unknown, now},
		{"subnets, but no rule admits IPv4", func(l *lab) {
			l.rds.Facts.Databases[0].SubnetIDs = inventory.List[string]{}
			l.net.Facts.SecurityGroups[0].Ingress = inventory.Closed([]inventory.SecurityRule{tcp(5432, 5432, "::/0")}, 0)
		}, near, near},
		{"the interface's subnet", func(l *lab) { l.machines.Facts.NetworkInterfaces[0].SubnetID = inventory.Val[string]{} }, now, unknown},
		{"the machine's state", func(l *lab) { l.machines.Facts.Instances[0].State = inventory.Val[string]{} }, now, unknown},
		{"the machine", func(l *lab) { l.machines.Facts.Instances = nil; *l.machines.Listing(inventory.InstanceKind) = none }, now, unknown},
		{"more interfaces", func(l *lab) { l.machines.Listing(inventory.NetworkInterfaceKind).Complete = false }, now, now},
		{"more interfaces, and this one has no address", func(l *lab) {
			l.machines.Listing(inventory.NetworkInterfaceKind).Complete = false
			l.machines.Facts.NetworkInterfaces[0].PublicIP = inventory.Absent[string](0)
		}, now, unknown},
		{"whose another interface is, and this one has no address", func(l *lab) {
			l.nic("eni-2", "", "", "subnet-a", "", nil, nil)
			l.machines.Facts.NetworkInterfaces[1].InstanceID = inventory.Val[string]{}
			l.machines.Facts.NetworkInterfaces[0].PublicIP = inventory.Absent[string](0)
		}, now, unknown},
		{"IPv6 addresses", func(l *lab) {
			n := &l.machines.Facts.NetworkInterfaces[0]
			n.IPv6, n.PublicIP = inventory.List[string]{}, inventory.Absent[string](0)
		}, now, near}, // no rule admits IPv6
	} {
		t.Run(c.name, func(t *testing.T) {
			l := openPlace().build()
			c.hide(l)
			inv := derived(t, inventory.Declared{}, l.units()...)
			if got := say(databases(inv)["db-1"].InternetReach); got != c.database {
				t.Errorf("database: %s, want %s", got, c.database)
			}
			if e := exposures(inv)["i-1|tcp/5432-5432"]; e == nil || say(e.Reach) != c.machine {
				t.Errorf("machine: %v, want %s", e, c.machine)
			}
		})
	}
}

// TestWhatMayBeMissingIsSaid: where something unread may hide an exposure, the listing of exposures is not complete; where
// it can only change how far the internet gets, it is.
func TestWhatMayBeMissingIsSaid(t *testing.T) {
	for _, c := range []struct {
		name     string
		hide     func(*lab)
		complete bool
	}{
		{"nothing hidden", func(*lab) {}, true},
		{"who manages an interface", func(l *lab) { l.machines.Facts.NetworkInterfaces[1].Service = inventory.Val[string]{} }, false},
		{"who manages a machine's interface", func(l *lab) { l.machines.Facts.NetworkInterfaces[0].Service = inventory.Val[string]{} }, true},
		{"whose an interface is", func(l *lab) { l.machines.Facts.NetworkInterfaces[0].InstanceID = inventory.Val[string]{} }, false},
		{"groups of an interface", func(l *lab) { l.machines.Facts.NetworkInterfaces[0].SecurityGroupIDs = inventory.List[string]{} }, false},
		{"groups of a database", func(l *lab) { l.rds.Facts.Databases[0].SecurityGroupIDs = inventory.List[string]{} }, false},
		{"rules of a group that nothing has", func(l *lab) {
			l.group("sg-9")
			l.net.Facts.SecurityGroups[1].Ingress = inventory.List[inventory.SecurityRule]{}
		}, false},
		{"a prefix list", func(l *lab) { l.group("sg-9", inventory.SecurityRule{Protocol: "tcp", PrefixListID: "pl-none"}) }, false},
		{"a group", func(l *lab) { l.net.Facts.SecurityGroups = nil }, false},
		{"some interfaces", func(l *lab) { l.machines.Listing(inventory.NetworkInterfaceKind).Complete = false }, false},
		{"some databases", func(l *lab) { l.rds.Listing(inventory.DatabaseKind).Complete = false }, false},
		{"machines", func(l *lab) { l.machines.Listing(inventory.InstanceKind).Complete = false }, true},
		{"routes", func(l *lab) { l.net.Facts.RouteTables = nil; l.net.Listing(inventory.RouteTableKind).Complete = false }, true},
		{"public addresses", func(l *lab) { l.machines.Facts.NetworkInterfaces[0].PublicIP = inventory.Val[string]{} }, true},
		{"what a balancer without groups forwards", balancer("network_load_balancer", "198.51.100.9"), false},
		{"what a gateway balancer forwards", balancer("gateway_load_balancer", "198.51.100.9"), false},
		{"nothing: the balancer is internal", balancer("network_load_balancer", ""), true},
		{"nothing: a NAT gateway has no groups either", balancer("natGateway", "198.51.100.9"), true},
		{"nothing: the balancer has a group", func(l *lab) {
			balancer("network_load_balancer", "198.51.100.9")(l)
			l.machines.Facts.NetworkInterfaces[2].SecurityGroupIDs = all(l, "sg-1")
		}, true},
		{"whether something without groups is a balancer", func(l *lab) {
			balancer("", "198.51.100.9")(l)
			l.machines.Facts.NetworkInterfaces[2].InterfaceType = inventory.Val[string]{}
		}, false},
		{"whether a balancer is public", func(l *lab) {
			balancer("network_load_balancer", "")(l)
			l.machines.Facts.NetworkInterfaces[2].PublicIP = inventory.Val[string]{}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := openPlace().build()
			l.nic("eni-lb", "", "amazon-elb", "subnet-a", "198.51.100.8", nil, []string{"sg-1"})
			c.hide(l)
			inv := derived(t, inventory.Declared{}, l.units()...)
			complete := true
			for i := range inv.Units {
				listing := inv.Units[i].Listing(inventory.ExposureKind)
				if listing == nil {
					t.Fatalf("%s has no listing of exposures", inv.Units[i].ID)
				}
				complete = complete && listing.Complete
			}
			if complete != c.complete {
				t.Errorf("complete: %t", complete)
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
		{Resource: "eni-1", Fact: "no IPv6 address of the internet"},
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
	l.nic("eni-task", "", "", "subnet-a", "198.51.100.11", nil, []string{"sg-1"})
	l.nic("eni-free", "", "", "subnet-a", "198.51.100.10", nil, []string{"sg-1"})
	l.nic("eni-left", "", "amazon-elb", "subnet-a", "198.51.100.12", nil, []string{"sg-1"})
	l.nic("eni-any", "", "", "subnet-a", "198.51.100.13", nil, []string{"sg-1"})
	nics := l.machines.Facts.NetworkInterfaces
	nics[len(nics)-3].InUse, nics[len(nics)-2].InUse, nics[len(nics)-1].InUse = is(l, false), is(l, false), inventory.Val[bool]{}
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
		"eni-task|tcp/5432-5432": "reachable_now attached=true", // a container's: the account's own, and in use
		"eni-free|tcp/5432-5432": "one_change_away attached=true",
		"eni-left|tcp/5432-5432": "one_change_away attached=true",
		"eni-any|tcp/5432-5432":  "unknown attached=true",
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
