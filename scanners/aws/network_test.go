package aws_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/fixtures"
	"sptr.jp/tenken/scanners/aws"
)

func TestInterfacesAndMachines(t *testing.T) {
	const place = "aws/333333333333/ap-northeast-1/ec2/"
	const balancer, bastion, task = "eni-091499208cdb17444", "eni-0058642c5fa252a09", "eni-07db12d5db408df92"
	id := func(n *inventory.NetworkInterface) string { return n.ID }
	unit := management + "/" + tokyo + "/ec2-instances"
	u := production(t, fixtures.Patch(place+"DescribeNetworkInterfaces.yaml", `networkInterfaceSet: {item: {
  networkInterfaceId=`+task+`: {privateIpAddressesSet: {item: {+: {primary: false, privateIpAddress: 10.20.10.99, association: {publicIp: 203.0.113.99}}}},
    ipv6AddressesSet: {item: [{ipv6Address: "2001:db8::1"}]}}}}`))[unit]
	elb := named(t, u.Facts.NetworkInterfaces, id, balancer)
	wantVal(t, "who manages the balancer's interface", elb.Service, "amazon-elb")
	wantVal(t, "its address", elb.PublicIP, "203.0.113.10")
	if !elb.InstanceID.IsAbsent() {
		t.Errorf("a balancer is no instance: %v", elb.InstanceID)
	}
	vm := named(t, u.Facts.NetworkInterfaces, id, bastion)
	wantVal(t, "the bastion's interface", vm.InstanceID, "i-0a42e69f4f2cd2da5")
	if !vm.Service.IsAbsent() || !vm.PublicIP.IsAbsent() || vm.IPv6.IsOpen() || len(vm.IPv6.Items) > 0 {
		t.Errorf("the bastion's interface: %v, %v, %v", vm.Service, vm.PublicIP, vm.IPv6)
	}
	second := named(t, u.Facts.NetworkInterfaces, id, task)
	wantVal(t, "the address of a second private one", second.PublicIP, "203.0.113.99")
	if !slices.Equal(second.IPv6.Items, []string{"2001:db8::1"}) {
		t.Errorf("IPv6: %v", second.IPv6.Items)
	}
	machine := named(t, u.Facts.Instances, func(i *inventory.Instance) string { return i.ID }, "i-0a42e69f4f2cd2da5")
	wantVal(t, "IMDSv2", machine.IMDSv2, true)
	wantVal(t, "state", machine.State, "running")

	u = production(t, fixtures.Patch(place+"DescribeInstances.yaml", `reservationSet: {item: {"*": {instancesSet: {item: {"*": {instanceState: {name: terminated}}}}}}}`))[unit]
	if n := len(u.Facts.Instances); n > 0 || !u.Listing(inventory.InstanceKind).Complete {
		t.Errorf("%d terminated instances still exist", n)
	}
}

func TestUseAndPrefixesOfInterfaces(t *testing.T) {
	const balancer, bastion, task = "eni-091499208cdb17444", "eni-0058642c5fa252a09", "eni-07db12d5db408df92"
	const free, silent, held, nameless = "eni-free", "eni-silent", "eni-held", "eni-nameless"
	u := production(t, fixtures.Patch("aws/333333333333/ap-northeast-1/ec2/DescribeNetworkInterfaces.yaml", `networkInterfaceSet: {item: {
  networkInterfaceId=`+balancer+`: {interfaceType: network_load_balancer},
  networkInterfaceId=`+task+`: {ipv6AddressesSet: {item: [{ipv6Address: "2001:db8::1"}]}, ipv6PrefixSet: {item: [{ipv6Prefix: "2001:db8:0:1:2::/80"}]}},
  +: [{networkInterfaceId: `+free+`, status: available}, {networkInterfaceId: `+silent+`}, {networkInterfaceId: `+held+`, attachment: {status: attached}},
      {networkInterfaceId: `+nameless+`, status: detaching, ipv6PrefixSet: {item: [{ipv6Prefix: "2001:db8::/80"}, {}]}}]}}`))[management+"/"+tokyo+"/ec2-instances"]
	of := func(id string) *inventory.NetworkInterface {
		return named(t, u.Facts.NetworkInterfaces, func(n *inventory.NetworkInterface) string { return n.ID }, id)
	}
	for id, want := range map[string]bool{bastion: true, free: false, held: true, nameless: true} {
		wantVal(t, id+" is in use", of(id).InUse, want)
	}
	if n := of(silent); !n.InUse.IsUnknown() || !n.InterfaceType.IsUnknown() {
		t.Errorf("of an interface nothing was said: %v, %v", n.InUse, n.InterfaceType)
	}
	wantVal(t, "the balancer's type", of(balancer).InterfaceType, "network_load_balancer")
	if v6 := of(task).IPv6; v6.IsOpen() || !slices.Equal(v6.Items, []string{"2001:db8::1", "2001:db8:0:1:2::/80"}) {
		t.Errorf("a prefix counts as addresses: %+v", v6)
	}
	if v6 := of(nameless).IPv6; !v6.IsOpen() || !slices.Equal(v6.Items, []string{"2001:db8::/80"}) {
		t.Errorf("a prefix without its range: %+v", v6)
	}
}

func TestRulesAndRoutes(t *testing.T) {
	const place = "aws/333333333333/ap-northeast-1/ec2/"
	u := production(t, fixtures.Patch(place+"DescribeSecurityGroups.yaml", `securityGroupInfo: {item: {+: {groupId: sg-x, groupName: x, ownerId: "333333333333", vpcId: vpc-x, ipPermissionsEgress: {},
  ipPermissions: {item: [
    {ipProtocol: tcp, fromPort: 22, toPort: 23, ipRanges: {item: [{cidrIp: 192.0.2.0/24}]}, ipv6Ranges: {item: [{cidrIpv6: "::/0"}]}},
    {ipProtocol: "-1", groups: {item: [{userId: "333333333333", groupId: sg-own}, {userId: "999988887777", groupId: sg-other}]}},
    {ipProtocol: icmp, fromPort: 8, toPort: -1, prefixListIds: {item: [{prefixListId: pl-gone}]}}]}}}}`),
		fixtures.Patch(place+"DescribeRouteTables.yaml", `routeTableSet: {item: {+: {routeTableId: rtb-x, vpcId: vpc-x,
  associationSet: {item: [{main: true}, {subnetId: subnet-a}, {subnetId: subnet-b, associationState: {state: disassociated}}]},
  routeSet: {item: [{destinationIpv6CidrBlock: "::/0", egressOnlyInternetGatewayId: eigw-x, state: active}, {destinationCidrBlock: 0.0.0.0/0, gatewayId: igw-x, state: blackhole}]}}}}`))[management+"/"+tokyo+"/ec2-network"]
	group := named(t, u.Facts.SecurityGroups, func(g *inventory.SecurityGroup) string { return g.ID }, "sg-x")
	want := []inventory.SecurityRule{
		{Protocol: "tcp", From: 22, To: 23, CIDR: "192.0.2.0/24"}, {Protocol: "tcp", From: 22, To: 23, CIDR: "::/0"},
		{Protocol: "all", To: 65535, GroupID: "sg-own"}, {Protocol: "all", To: 65535, GroupID: "sg-other", GroupAccount: "999988887777"},
		{Protocol: "icmp", From: 8, To: -1, PrefixListID: "pl-gone"},
	}
	if !slices.Equal(group.Ingress.Items, want) || group.Ingress.IsOpen() || group.Egress.IsOpen() || len(group.Egress.Items) > 0 {
		t.Errorf("ingress %+v, egress %+v", group.Ingress, group.Egress)
	}
	table := named(t, u.Facts.RouteTables, func(r *inventory.RouteTable) string { return r.ID }, "rtb-x")
	wantVal(t, "main", table.Main, true)
	routes := []inventory.Route{{Destination: "::/0", Target: "eigw-x", State: "active"}, {Destination: "0.0.0.0/0", Target: "igw-x", State: "blackhole"}}
	if !slices.Equal(table.Routes.Items, routes) || !slices.Equal(table.SubnetIDs.Items, []string{"subnet-a"}) {
		t.Errorf("routes %+v, subnets %v", table.Routes.Items, table.SubnetIDs.Items)
	}
	for i := range u.Facts.PrefixLists {
		if u.Facts.PrefixLists[i].ID == "pl-gone" {
			t.Error("a prefix list that does not exist was read")
		}
	}
	u = production(t, fixtures.Deny(fixtures.Match{Operation: "GetManagedPrefixListEntries"}))[management+"/"+tokyo+"/ec2-network"]
	if l := u.Facts.PrefixLists[0]; !l.CIDRs.IsOpen() || u.Read(l.CIDRs.Read()).Operation != "ec2:GetManagedPrefixListEntries" || !u.Listing(inventory.PrefixListKind).Complete {
		t.Errorf("refused entries: %+v of %v", l.CIDRs, u.Listing(inventory.PrefixListKind))
	}
}

// TestGroupOfASharedNetwork: another account's group may name ours, and its own.
func TestGroupOfASharedNetwork(t *testing.T) {
	u := production(t, fixtures.Patch("aws/333333333333/ap-northeast-1/ec2/DescribeSecurityGroups.yaml", `securityGroupInfo: {item: {+: {groupId: sg-shared, groupName: x, ownerId: "999988887777", vpcId: vpc-x,
  ipPermissions: {item: [{ipProtocol: "-1", groups: {item: [{userId: "333333333333", groupId: sg-ours}, {userId: "999988887777", groupId: sg-theirs}, {groupId: sg-unsaid}]}}]}}}}`))[management+"/"+tokyo+"/ec2-network"]
	group := named(t, u.Facts.SecurityGroups, func(g *inventory.SecurityGroup) string { return g.ID }, "sg-shared")
	for i, want := range []string{"", "999988887777", ""} {
		if rule := group.Ingress.Items[i]; rule.GroupAccount != want {
			t.Errorf("%s is of the account %q, want %q", rule.GroupID, rule.GroupAccount, want)
		}
	}
}

// TestWhatTheDoorRefuses: a request that is not signed, or writes, never leaves.
func TestWhatTheDoorRefuses(t *testing.T) {
	signed := "AWS4-HMAC-SHA256 Credential=AKIAX/20261124/us-east-1/%s/aws4_request, SignedHeaders=host, Signature=0"
	sent := 0
	transport := aws.Door("http://127.0.0.1:1", counting{&sent})
	for _, c := range []struct {
		service, action, authorization string
		sent                           bool
	}{
		{"ec2", "DescribeVpcs", signed, true}, {"ec2", "DescribeVpcs", "", false}, {"ec2", "TerminateInstances", signed, false},
		{"rds", "DescribeVpcs", signed, false}, {"ec2", "", signed, false}, {"sts", "AssumeRole", signed, true}, {"iam", "CreateUser", signed, false},
		{"ec2", "GetPasswordData", signed, false}, {"s3", "GetObject", signed, false},
	} {
		sent = 0
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:1/", strings.NewReader("Action="+c.action))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", strings.Replace(c.authorization, "%s", c.service, 1))
		resp, err := transport.RoundTrip(req)
		if err == nil {
			resp.Body.Close()
		}
		if (sent == 1) != c.sent {
			t.Errorf("%s:%s, signed %v: sent %d times, %v", c.service, c.action, c.authorization != "", sent, err)
		}
	}
}

type counting struct{ n *int }

func (c counting) RoundTrip(req *http.Request) (*http.Response, error) {
	*c.n++
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
}
