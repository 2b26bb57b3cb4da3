package inventory

// Network is a virtual network (VPC).
type Network struct {
	Head
	CIDRs   List[string] `json:"cidrs,omitzero"` // IPv4 and IPv6
	Default Val[bool]    `json:"default,omitzero"`
}

// Subnet is a fact that no rule judges.
type Subnet struct {
	Head
	NetworkID   Val[string]  `json:"network_id,omitzero"`
	CIDRs       List[string] `json:"cidrs,omitzero"`
	MapPublicIP Val[bool]    `json:"map_public_ip,omitzero"`
}

// RouteTable is a fact that no rule judges.
type RouteTable struct {
	Head
	NetworkID Val[string]  `json:"network_id,omitzero"`
	Main      Val[bool]    `json:"main,omitzero"` // serves every subnet of the network without a table of its own
	SubnetIDs List[string] `json:"subnet_ids,omitzero"`
	Routes    List[Route]  `json:"routes,omitzero"`
}

// Route is one line of a route table.
type Route struct {
	Destination string `json:"destination"` // CIDR or prefix list id
	Target      string `json:"target"`      // igw-…, nat-…, eigw-…, local
	State       string `json:"state"`       // active|blackhole
}

// NetworkACL is a stateless filter before subnets; a fact that no rule judges.
type NetworkACL struct {
	Head
	NetworkID Val[string]    `json:"network_id,omitzero"`
	SubnetIDs List[string]   `json:"subnet_ids,omitzero"`
	Entries   List[ACLEntry] `json:"entries,omitzero"`
}

// ACLEntry is one numbered entry; the lowest number that matches decides.
type ACLEntry struct {
	Number   int64  `json:"number"`
	Egress   bool   `json:"egress,omitempty"`
	Allow    bool   `json:"allow,omitempty"`
	Protocol string `json:"protocol"` // tcp|udp|icmp|icmpv6|all or the number
	From     int64  `json:"from"`     // 0–65535 for tcp and udp
	To       int64  `json:"to"`
	CIDR     string `json:"cidr"`
}

// PrefixList is a named list of address ranges that rules refer to; a fact that no rule judges.
type PrefixList struct {
	Head
	CIDRs List[string] `json:"cidrs,omitzero"`
}

// SecurityGroup is a stateful filter; a fact that no rule judges.
type SecurityGroup struct {
	Head
	NetworkID Val[string]        `json:"network_id,omitzero"`
	Ingress   List[SecurityRule] `json:"ingress,omitzero"`
	Egress    List[SecurityRule] `json:"egress,omitzero"`
}

// SecurityRule admits one source on a range of ports.
type SecurityRule struct {
	Protocol     string `json:"protocol"` // tcp|udp|icmp|icmpv6|all or the number
	From         int64  `json:"from"`     // 0–65535 for tcp and udp and all
	To           int64  `json:"to"`
	CIDR         string `json:"cidr,omitempty"`          // IPv4 or IPv6
	GroupID      string `json:"group_id,omitempty"`      // security group
	GroupAccount string `json:"group_account,omitempty"` // its account when it is another's
	PrefixListID string `json:"prefix_list_id,omitempty"`
}

// NetworkInterface is what an address and security groups are attached to; a fact that no rule judges.
type NetworkInterface struct {
	Head
	InstanceID       Val[string]  `json:"instance_id,omitzero"` // absent when it belongs to a service
	Service          Val[string]  `json:"service,omitzero"`     // "amazon-rds", "amazon-elb" …: who manages it; absent when the account does
	SubnetID         Val[string]  `json:"subnet_id,omitzero"`
	PublicIP         Val[string]  `json:"public_ip,omitzero"` // absent: none
	IPv6             List[string] `json:"ipv6,omitzero"`      // addresses, and the prefixes (CIDRs) that it holds whole
	InUse            Val[bool]    `json:"in_use,omitzero"`    // attached to something, or on its way
	InterfaceType    Val[string]  `json:"interface_type,omitzero"`
	SecurityGroupIDs List[string] `json:"security_group_ids,omitzero"`
}

// Instance is a virtual machine.
type Instance struct {
	Head
	State     Val[string] `json:"state,omitzero"` // running|stopped|…
	PublicIP  Val[string] `json:"public_ip,omitzero"`
	SubnetID  Val[string] `json:"subnet_id,omitzero"`
	NetworkID Val[string] `json:"network_id,omitzero"`
	IMDSv2    Val[bool]   `json:"imdsv2,omitzero"`  // metadata needs a session token
	Profile   Val[string] `json:"profile,omitzero"` // instance profile ARN; absent: none
}

// Exposure is a range of ports of something that a rule opens to the internet: a conclusion, one per asset, protocol
// and range. ID: asset uid + protocol/ports. It stands whenever a rule (or, of a database, its gateway) opens the range;
// Reach says how far that goes.
type Exposure struct {
	Head
	AssetKind Kind         `json:"-"` // Instance, Database, NetworkInterface; SecurityGroup when nothing is attached to it
	AssetID   string       `json:"-"`
	Protocol  string       `json:"-"` // tcp|udp|all …
	From      int64        `json:"-"`
	To        int64        `json:"-"`
	Sources   List[string] `json:"-"` // CIDRs that count as the internet
	Reach     Val[string]  `json:"-"` // Unreachable (nothing attached, or the way is closed), OneChangeAway, ReachableNow
	Attached  Val[bool]    `json:"-"`
	Proof     []Step       `json:"-"`
}

// Environment is a declared environment of a product: a conclusion from the configuration, held by the account that it
// names.
type Environment struct {
	Head
	Accounts List[string] `json:"-"` // provider accounts that bound it
}
