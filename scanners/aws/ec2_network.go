package aws

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"sptr.jp/tenken/findings/inventory"
)

// ec2Page is the largest page that every operation takes which takes more than 100; without a size EC2 does not page at
// all, and such requests are throttled first.
const ec2Page = int32(500)

// ec2Network reads what decides how far a packet gets.
func (r *reader) ec2Network(ctx context.Context) {
	client := ec2.NewFromConfig(r.config)
	r.networks(ctx, client)
	r.subnets(ctx, client)
	r.networkACLs(ctx, client)
	groups := r.securityGroups(ctx, client)
	tables := r.routeTables(ctx, client)
	r.prefixLists(ctx, client, groups, tables)
}

func (r *reader) networks(ctx context.Context, client *ec2.Client) {
	vpcs, err := pages(func(v ec2types.Vpc) string { return str(v.VpcId) },
		func(token *string) (*ec2.DescribeVpcsOutput, error) {
			return call(ctx, r, "ec2", client.DescribeVpcs, &ec2.DescribeVpcsInput{MaxResults: ptr(ec2Page), NextToken: token})
		},
		func(out *ec2.DescribeVpcsOutput) ([]ec2types.Vpc, *string) { return out.Vpcs, out.NextToken })
	read := r.note(describeVpcs, err)
	for i := range vpcs {
		v := &vpcs[i]
		id := str(v.VpcId)
		n := inventory.Network{Head: r.head("ec2:vpc", id, nameTag(v.Tags, id), "VpcDetails:VpcId="), Default: inventory.Ptr(v.IsDefault, read)}
		var cidrs []string
		for _, a := range v.CidrBlockAssociationSet {
			if a.CidrBlockState != nil && a.CidrBlockState.State == ec2types.VpcCidrBlockStateCodeAssociated {
				cidrs = append(cidrs, str(a.CidrBlock))
			}
		}
		if len(cidrs) == 0 && v.CidrBlock != nil {
			cidrs = append(cidrs, *v.CidrBlock)
		}
		for _, a := range v.Ipv6CidrBlockAssociationSet {
			if a.Ipv6CidrBlockState != nil && a.Ipv6CidrBlockState.State == ec2types.VpcCidrBlockStateCodeAssociated {
				cidrs = append(cidrs, str(a.Ipv6CidrBlock))
			}
		}
		n.CIDRs = inventory.Closed(cidrs, read)
		r.facts.Networks = append(r.facts.Networks, n)
	}
	r.Listed(inventory.NetworkKind, read)
}

func (r *reader) subnets(ctx context.Context, client *ec2.Client) {
	subnets, err := pages(func(s ec2types.Subnet) string { return str(s.SubnetId) },
		func(token *string) (*ec2.DescribeSubnetsOutput, error) {
			return call(ctx, r, "ec2", client.DescribeSubnets, &ec2.DescribeSubnetsInput{MaxResults: ptr(ec2Page), NextToken: token})
		},
		func(out *ec2.DescribeSubnetsOutput) ([]ec2types.Subnet, *string) { return out.Subnets, out.NextToken })
	read := r.note(describeSubnets, err)
	for i := range subnets {
		s := &subnets[i]
		id := str(s.SubnetId)
		var cidrs []string
		if s.CidrBlock != nil {
			cidrs = append(cidrs, *s.CidrBlock)
		}
		for _, a := range s.Ipv6CidrBlockAssociationSet {
			if a.Ipv6CidrBlockState != nil && a.Ipv6CidrBlockState.State == ec2types.SubnetCidrBlockStateCodeAssociated {
				cidrs = append(cidrs, str(a.Ipv6CidrBlock))
			}
		}
		r.facts.Subnets = append(r.facts.Subnets, inventory.Subnet{Head: r.head("ec2:subnet", id, nameTag(s.Tags, id), "SubnetDetails:subnetId="),
			NetworkID: inventory.Ptr(s.VpcId, read), CIDRs: inventory.Closed(cidrs, read), MapPublicIP: inventory.Ptr(s.MapPublicIpOnLaunch, read)})
	}
	r.Listed(inventory.SubnetKind, read)
}

func (r *reader) networkACLs(ctx context.Context, client *ec2.Client) {
	acls, err := pages(func(a ec2types.NetworkAcl) string { return str(a.NetworkAclId) },
		func(token *string) (*ec2.DescribeNetworkAclsOutput, error) {
			return call(ctx, r, "ec2", client.DescribeNetworkAcls, &ec2.DescribeNetworkAclsInput{MaxResults: ptr(ec2Page), NextToken: token})
		},
		func(out *ec2.DescribeNetworkAclsOutput) ([]ec2types.NetworkAcl, *string) {
			return out.NetworkAcls, out.NextToken
		})
	read := r.note(describeNetworkAcls, err)
	for i := range acls {
		a := &acls[i]
		id := str(a.NetworkAclId)
		r.facts.NetworkACLs = append(r.facts.NetworkACLs, inventory.NetworkACL{
			Head:      r.head("ec2:network-acl", id, nameTag(a.Tags, id), "NetworkAclDetails:networkAclId="),
			NetworkID: inventory.Ptr(a.VpcId, read),
			SubnetIDs: list(a.Associations, read, func(s ec2types.NetworkAclAssociation) string { return str(s.SubnetId) }),
			Entries:   r.aclEntries(a.Entries, read)})
	}
	r.Listed(inventory.NetworkACLKind, read)
}

// aclEntries leaves the list open for an entry that lacks what it is about: which way it filters, in which turn, whom it
// meets and what becomes of them.
func (r *reader) aclEntries(all []ec2types.NetworkAclEntry, read inventory.ReadID) inventory.List[inventory.ACLEntry] {
	readable := slices.DeleteFunc(slices.Clone(all), func(e ec2types.NetworkAclEntry) bool {
		return e.RuleAction != ec2types.RuleActionAllow && e.RuleAction != ec2types.RuleActionDeny || e.Egress == nil || e.RuleNumber == nil ||
			str(e.Protocol) == "" || str(e.CidrBlock)+str(e.Ipv6CidrBlock) == ""
	})
	entries := list(readable, read, aclEntry)
	if len(readable) < len(all) {
		return inventory.Open(entries.Items, r.Gap(describeNetworkAcls, inventory.DecodeError, "an entry of a network ACL could not be understood"))
	}
	return entries
}

func aclEntry(e ec2types.NetworkAclEntry) inventory.ACLEntry {
	made := inventory.ACLEntry{Number: int64(*e.RuleNumber), Egress: *e.Egress, Allow: e.RuleAction == ec2types.RuleActionAllow,
		Protocol: protocolName(*e.Protocol), CIDR: str(e.CidrBlock) + str(e.Ipv6CidrBlock)}
	var from, to *int32
	if e.PortRange != nil {
		from, to = e.PortRange.From, e.PortRange.To
	}
	if e.IcmpTypeCode != nil {
		from, to = e.IcmpTypeCode.Type, e.IcmpTypeCode.Code
	}
	made.From, made.To = portRange(made.Protocol, from, to)
	return made
}

func (r *reader) securityGroups(ctx context.Context, client *ec2.Client) inventory.ReadID {
	groups, err := pages(func(g ec2types.SecurityGroup) string { return str(g.GroupId) },
		func(token *string) (*ec2.DescribeSecurityGroupsOutput, error) {
			return call(ctx, r, "ec2", client.DescribeSecurityGroups, &ec2.DescribeSecurityGroupsInput{MaxResults: ptr(ec2Page), NextToken: token})
		},
		func(out *ec2.DescribeSecurityGroupsOutput) ([]ec2types.SecurityGroup, *string) {
			return out.SecurityGroups, out.NextToken
		})
	read := r.note(describeSecurityGroups, err)
	for i := range groups {
		g := &groups[i]
		account := r.unit.Scope.Account
		made := inventory.SecurityGroup{Head: r.head("ec2:security-group", str(g.GroupId), str(g.GroupName), "SecurityGroup:groupId="),
			NetworkID: inventory.Ptr(g.VpcId, read)}
		if g.IpPermissions != nil {
			made.Ingress = inventory.Closed(securityRules(g.IpPermissions, account), read)
		}
		if g.IpPermissionsEgress != nil {
			made.Egress = inventory.Closed(securityRules(g.IpPermissionsEgress, account), read)
		}
		r.facts.SecurityGroups = append(r.facts.SecurityGroups, made)
	}
	r.Listed(inventory.SecurityGroupKind, read)
	return read
}

// securityRules gives one rule for each source of each permission. Whose a group is counts from the account that is read:
// in a shared VPC it also sees groups of the VPC's owner, to whom its own are another's.
func securityRules(permissions []ec2types.IpPermission, reader string) (rules []inventory.SecurityRule) {
	for _, p := range permissions {
		rule := inventory.SecurityRule{Protocol: protocolName(str(p.IpProtocol))}
		rule.From, rule.To = portRange(rule.Protocol, p.FromPort, p.ToPort)
		add := func(source func(*inventory.SecurityRule)) {
			one := rule
			source(&one)
			rules = append(rules, one)
		}
		for _, s := range p.IpRanges {
			add(func(r *inventory.SecurityRule) { r.CIDR = str(s.CidrIp) })
		}
		for _, s := range p.Ipv6Ranges {
			add(func(r *inventory.SecurityRule) { r.CIDR = str(s.CidrIpv6) })
		}
		for _, s := range p.UserIdGroupPairs {
			add(func(r *inventory.SecurityRule) {
				r.GroupID = str(s.GroupId)
				if account := str(s.UserId); account != reader {
					r.GroupAccount = account
				}
			})
		}
		for _, s := range p.PrefixListIds {
			add(func(r *inventory.SecurityRule) { r.PrefixListID = str(s.PrefixListId) })
		}
	}
	return rules
}

// protocolName is a protocol's name where it has one that we use, else its number.
func protocolName(p string) string {
	switch p {
	case "-1":
		return "all"
	case "6":
		return "tcp"
	case "17":
		return "udp"
	case "1":
		return "icmp"
	case "58":
		return "icmpv6"
	}
	return p
}

// portRange of a rule. ICMP keeps its type and code, with -1 for any; everything else without ports means all of them.
func portRange(protocol string, from, to *int32) (int64, int64) {
	icmp := protocol == "icmp" || protocol == "icmpv6"
	if protocol == "all" || !icmp && (from == nil || to == nil || *from < 0) {
		return 0, 65535
	}
	if icmp && (from == nil || to == nil) {
		return -1, -1
	}
	return int64(*from), int64(*to)
}

func (r *reader) routeTables(ctx context.Context, client *ec2.Client) inventory.ReadID {
	tables, err := pages(func(t ec2types.RouteTable) string { return str(t.RouteTableId) },
		func(token *string) (*ec2.DescribeRouteTablesOutput, error) {
			return call(ctx, r, "ec2", client.DescribeRouteTables, &ec2.DescribeRouteTablesInput{MaxResults: ptr(int32(100)), NextToken: token})
		},
		func(out *ec2.DescribeRouteTablesOutput) ([]ec2types.RouteTable, *string) {
			return out.RouteTables, out.NextToken
		})
	read := r.note(describeRouteTables, err)
	for i := range tables {
		t := &tables[i]
		id := str(t.RouteTableId)
		made := inventory.RouteTable{Head: r.head("ec2:route-table", id, nameTag(t.Tags, id), "RouteTableDetails:RouteTableId="),
			NetworkID: inventory.Ptr(t.VpcId, read), Routes: list(t.Routes, read, route)}
		if t.Associations != nil {
			main, subnets := associated(t.Associations)
			made.Main, made.SubnetIDs = inventory.Known(main, read), inventory.Closed(subnets, read)
		}
		r.facts.RouteTables = append(r.facts.RouteTables, made)
	}
	r.Listed(inventory.RouteTableKind, read)
	return read
}

func associated(associations []ec2types.RouteTableAssociation) (main bool, subnets []string) {
	for _, a := range associations {
		if s := a.AssociationState; s != nil && (s.State == ec2types.RouteTableAssociationStateCodeDisassociated ||
			s.State == ec2types.RouteTableAssociationStateCodeFailed) {
			continue
		}
		main = main || a.Main != nil && *a.Main
		if a.SubnetId != nil {
			subnets = append(subnets, *a.SubnetId)
		}
	}
	return main, subnets
}

func route(o ec2types.Route) inventory.Route {
	made := inventory.Route{Destination: str(o.DestinationCidrBlock) + str(o.DestinationIpv6CidrBlock) + str(o.DestinationPrefixListId),
		State: string(o.State)}
	for _, target := range []*string{o.GatewayId, o.NatGatewayId, o.EgressOnlyInternetGatewayId, o.TransitGatewayId, o.VpcPeeringConnectionId,
		o.LocalGatewayId, o.CarrierGatewayId, o.CoreNetworkArn, o.OdbNetworkArn, o.NetworkInterfaceId, o.InstanceId} {
		if target != nil && made.Target == "" {
			made.Target = *target
		}
	}
	return made
}
