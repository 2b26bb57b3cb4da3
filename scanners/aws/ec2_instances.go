package aws

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"sptr.jp/tenken/findings/inventory"
)

// ec2Instances reads virtual machines and network interfaces, those of services included.
func (r *reader) ec2Instances(ctx context.Context) {
	client := ec2.NewFromConfig(r.config)
	instances, err := pages(func(i ec2types.Instance) string { return str(i.InstanceId) },
		func(token *string) (*ec2.DescribeInstancesOutput, error) {
			return call(ctx, r, "ec2", client.DescribeInstances, &ec2.DescribeInstancesInput{MaxResults: ptr(ec2Page), NextToken: token})
		}, machines)
	read := r.note(describeInstances, err)
	for i := range instances {
		r.virtualMachine(&instances[i], read)
	}
	r.Listed(inventory.InstanceKind, read)

	interfaces, err := pages(func(n ec2types.NetworkInterface) string { return str(n.NetworkInterfaceId) },
		func(token *string) (*ec2.DescribeNetworkInterfacesOutput, error) {
			return call(ctx, r, "ec2", client.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{MaxResults: ptr(ec2Page), NextToken: token})
		},
		func(out *ec2.DescribeNetworkInterfacesOutput) ([]ec2types.NetworkInterface, *string) {
			return out.NetworkInterfaces, out.NextToken
		})
	read = r.note(describeInterfaces, err)
	for i := range interfaces {
		r.networkInterface(&interfaces[i], read)
	}
	r.Listed(inventory.NetworkInterfaceKind, read)
}

// machines of a page. Several pages may hold parts of one reservation.
func machines(out *ec2.DescribeInstancesOutput) (all []ec2types.Instance, next *string) {
	if out.Reservations == nil {
		return nil, nil
	}
	all = []ec2types.Instance{}
	for _, reservation := range out.Reservations {
		all = append(all, reservation.Instances...)
	}
	return all, out.NextToken
}

// virtualMachine adds an instance. A terminated one is shown for an hour, but it does not exist any more.
func (r *reader) virtualMachine(i *ec2types.Instance, read inventory.ReadID) {
	vm := inventory.Instance{Head: r.head("ec2:instance", str(i.InstanceId), nameTag(i.Tags, str(i.InstanceId)), "InstanceDetails:instanceId="),
		PublicIP: inventory.Optional(i.PublicIpAddress, read), SubnetID: inventory.Ptr(i.SubnetId, read), NetworkID: inventory.Ptr(i.VpcId, read),
		Profile: inventory.Absent[string](read)}
	if i.State != nil {
		vm.State = word(i.State.Name, read)
		if i.State.Name == ec2types.InstanceStateNameTerminated {
			return
		}
	}
	if i.IamInstanceProfile != nil {
		vm.Profile = inventory.Ptr(i.IamInstanceProfile.Arn, read)
	}
	if m := i.MetadataOptions; m != nil {
		switch {
		case m.HttpTokens == ec2types.HttpTokensStateRequired, m.HttpEndpoint == ec2types.InstanceMetadataEndpointStateDisabled:
			vm.IMDSv2 = inventory.Known(true, read)
		case m.HttpTokens == ec2types.HttpTokensStateOptional:
			vm.IMDSv2 = inventory.Known(false, read)
		}
	}
	r.facts.Instances = append(r.facts.Instances, vm)
}

func (r *reader) networkInterface(n *ec2types.NetworkInterface, read inventory.ReadID) {
	id := str(n.NetworkInterfaceId)
	made := inventory.NetworkInterface{Head: r.head("ec2:network-interface", id, nameTag(n.TagSet, id), "NIC:networkInterfaceId="),
		InstanceID: inventory.Absent[string](read), SubnetID: inventory.Ptr(n.SubnetId, read), PublicIP: inventory.Absent[string](read),
		SecurityGroupIDs: list(n.Groups, read, func(g ec2types.GroupIdentifier) string { return str(g.GroupId) })}
	if n.Attachment != nil {
		made.InstanceID = inventory.Optional(n.Attachment.InstanceId, read)
	}
	if n.RequesterManaged != nil {
		made.Service = inventory.Absent[string](read)
		if *n.RequesterManaged {
			made.Service = inventory.Ptr(n.RequesterId, read)
		}
	}
	for _, a := range n.PrivateIpAddresses { // any of them may have an address of its own
		if a.Association != nil && a.Association.PublicIp != nil {
			made.PublicIP = inventory.Known(*a.Association.PublicIp, read)
		}
	}
	if n.Association != nil {
		made.PublicIP = inventory.Ptr(n.Association.PublicIp, read)
	}
	made.IPv6, made.InUse, made.InterfaceType = ipv6Of(n, read), inUse(n, read), word(n.InterfaceType, read)
	r.facts.NetworkInterfaces = append(r.facts.NetworkInterfaces, made)
}

// ipv6Of gives the IPv6 addresses. AWS's description promises neither of their elements, unlike groupSet, which every
// interface of a VPC has: one that is missing means that there are none.
func ipv6Of(n *ec2types.NetworkInterface, read inventory.ReadID) inventory.List[string] {
	found := mapped(n.Ipv6Addresses, func(a ec2types.NetworkInterfaceIpv6Address) string { return str(a.Ipv6Address) })
	for _, p := range n.Ipv6Prefixes {
		found = append(found, str(p.Ipv6Prefix))
	}
	if whole := slices.DeleteFunc(slices.Clone(found), func(a string) bool { return a == "" }); len(whole) < len(found) {
		return inventory.Open(whole, read)
	}
	return inventory.Closed(found, read)
}

// inUse: an interface is free only when it is available; on its way to something or from it, it counts as in use.
func inUse(n *ec2types.NetworkInterface, read inventory.ReadID) inventory.Val[bool] {
	attached := n.Attachment != nil && n.Attachment.Status == ec2types.AttachmentStatusAttached
	if n.Status == "" && !attached {
		return inventory.Unknown[bool](read)
	}
	return inventory.Known(attached || n.Status != ec2types.NetworkInterfaceStatusAvailable, read)
}
