package inventory

import "time"

// Database is a managed database: an instance or a cluster. What is decided on a cluster (encryption, backups) is read
// there; what is decided on an instance (its address) is read on the instance.
type Database struct {
	Head
	Engine              Val[string]    `json:"engine,omitzero"`
	EngineVersion       Val[string]    `json:"engine_version,omitzero"`
	Status              Val[string]    `json:"status,omitzero"`
	Port                Val[int64]     `json:"port,omitzero"`
	ClusterID           Val[string]    `json:"cluster_id,omitzero"`       // id of the cluster it belongs to; absent when it stands alone
	ReplicaOf           Val[string]    `json:"replica_of,omitzero"`       // id of its source; absent when it is none
	PublicAddress       Val[bool]      `json:"public_address,omitzero"`   // the provider gives it an address that resolves publicly; absent on a cluster whose instances have the addresses
	InternetGateway     Val[bool]      `json:"internet_gateway,omitzero"` // the provider's own gateway lets the whole internet connect, past networks and security groups; absent where there is no such thing
	Encrypted           Val[bool]      `json:"encrypted,omitzero"`
	KMSKey              Val[string]    `json:"kms_key,omitzero"`
	BackupRetentionDays Val[int64]     `json:"backup_retention_days,omitzero"` // 0: automated backups are off
	LatestRestorableAt  Val[time.Time] `json:"latest_restorable_at,omitzero"`  // newest point in time it can be restored to; absent: none
	PointInTimeRecovery Val[bool]      `json:"point_in_time_recovery,omitzero"`
	DeletionProtection  Val[bool]      `json:"deletion_protection,omitzero"`
	MultiZone           Val[bool]      `json:"multi_zone,omitzero"`
	AutoMinorUpgrade    Val[bool]      `json:"auto_minor_upgrade,omitzero"`
	TLSRequired         Val[bool]      `json:"tls_required,omitzero"`
	NetworkID           Val[string]    `json:"network_id,omitzero"`
	NetworkType         Val[string]    `json:"network_type,omitzero"` // IPV4|DUAL|IPV6: the families of its addresses
	SubnetIDs           List[string]   `json:"subnet_ids,omitzero"`
	SecurityGroupIDs    List[string]   `json:"security_group_ids,omitzero"`
	OptionGroups        List[string]   `json:"option_groups,omitzero"` // names; an option may open a port of its own
	LogExports          List[string]   `json:"log_exports,omitzero"`

	// InternetReach is how far the internet gets: Unreachable, OneChangeAway or ReachableNow.
	InternetReach Val[string] `json:"-"`
	// InternetOpen: some rule of its security groups admits the internet to its port, or a gateway lets it past them.
	InternetOpen Val[bool] `json:"-"`
	Proof        []Step    `json:"-"`
	// Ingress is everything that its security groups admit to its port; open too where not they alone decide who comes in.
	Ingress List[Source] `json:"-"`
}

// How far the internet gets.
const (
	Unreachable   = "unreachable"
	OneChangeAway = "one_change_away" // a rule admits it, and another fact still stands in the way, or the reverse
	ReachableNow  = "reachable_now"
)

// Source is one source that an ingress rule admits.
type Source struct {
	Kind  string `json:"kind"`  // cidr|security_group|prefix_list
	Value string `json:"value"` // the CIDR, or an id
	// Internet: the CIDR is public and /8 or wider (IPv6: /16 or wider); narrower ranges name somebody.
	Internet bool `json:"internet"`
	// Single: the CIDR is one address.
	Single bool `json:"single"`
	// SameEnvironment: the security group belongs to an account of the same declared environment, or to the same account.
	SameEnvironment Val[bool] `json:"same_environment,omitzero"`
	// Declared: the configuration allows this range to reach databases.
	Declared bool `json:"declared"`
}

// Step is one link of a proof chain: a resource and the fact about it that counts, in the provider's own terms.
type Step struct {
	Resource string `json:"resource"`
	Fact     string `json:"fact"`
}

// Backup is a copy to restore from: a database snapshot, a disk snapshot, a machine image.
type Backup struct {
	Head
	SourceID   Val[string]    `json:"source_id,omitzero"` // id of what it is a copy of
	CreatedAt  Val[time.Time] `json:"created_at,omitzero"`
	Status     Val[string]    `json:"status,omitzero"`
	Encrypted  Val[bool]      `json:"encrypted,omitzero"`
	Automated  Val[bool]      `json:"automated,omitzero"`
	Public     Val[bool]      `json:"public,omitzero"`      // anybody may restore it
	SharedWith List[string]   `json:"shared_with,omitzero"` // accounts, organisations that may restore it

	// EffectivelyPublic is Public unless something wider keeps it from having effect, such as a block of the region.
	EffectivelyPublic Val[bool] `json:"-"`
	// SharedOutside are those of SharedWith that are neither scanned nor declared as the company's own.
	SharedOutside List[string] `json:"-"`
}

// Volume is a block device.
type Volume struct {
	Head
	Encrypted   Val[bool]    `json:"encrypted,omitzero"`
	KMSKey      Val[string]  `json:"kms_key,omitzero"`
	State       Val[string]  `json:"state,omitzero"`
	InstanceIDs List[string] `json:"instance_ids,omitzero"`
}
