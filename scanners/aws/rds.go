package aws

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"

	"sptr.jp/tenken/findings/inventory"
)

const rdsPage = int32(100)

// rdsData is what one unit reads, before it is put together.
type rdsData struct {
	instances []rdstypes.DBInstance
	clusters  map[string]*rdstypes.DBCluster // by identifier
	order     []string
	read      inventory.ReadID // of the instances
	clustered inventory.ReadID // of the clusters
	tls       map[tlsQuestion]inventory.Val[bool]
	subnets   map[string]*rdstypes.DBSubnetGroup
	grouped   inventory.ReadID // of the subnet groups
	backups   map[string]*time.Time
	backed    inventory.ReadID // of the automated backups
}

// rds reads databases: RDS, Aurora, and Neptune and DocumentDB, which come through the same calls.
func (r *reader) rds(ctx context.Context) {
	client := rds.NewFromConfig(r.config)
	d := rdsData{clusters: map[string]*rdstypes.DBCluster{}}
	instances, err := pages(func(i rdstypes.DBInstance) string { return str(i.DBInstanceArn) },
		func(token *string) (*rds.DescribeDBInstancesOutput, error) {
			return call(ctx, r, "rds", client.DescribeDBInstances, &rds.DescribeDBInstancesInput{MaxRecords: ptr(rdsPage), Marker: token})
		},
		func(out *rds.DescribeDBInstancesOutput) ([]rdstypes.DBInstance, *string) {
			return out.DBInstances, out.Marker
		})
	d.instances, d.read = instances, r.note(describeDBInstances, err)
	clusters, err := pages(func(c rdstypes.DBCluster) string { return str(c.DBClusterArn) },
		func(token *string) (*rds.DescribeDBClustersOutput, error) {
			return call(ctx, r, "rds", client.DescribeDBClusters, &rds.DescribeDBClustersInput{MaxRecords: ptr(rdsPage), Marker: token})
		},
		func(out *rds.DescribeDBClustersOutput) ([]rdstypes.DBCluster, *string) {
			return out.DBClusters, out.Marker
		})
	d.clustered = r.note(describeDBClusters, err)
	for i := range clusters {
		id := str(clusters[i].DBClusterIdentifier)
		d.clusters[id], d.order = &clusters[i], append(d.order, id)
	}
	r.subnetGroups(ctx, client, &d)
	r.automatedBackups(ctx, client, &d)
	r.forcedTLS(ctx, client, &d)
	for i := range d.instances {
		r.facts.Databases = append(r.facts.Databases, r.instance(&d.instances[i], &d))
	}
	for _, id := range d.order {
		r.facts.Databases = append(r.facts.Databases, r.cluster(d.clusters[id], &d))
	}
	r.Listed(inventory.DatabaseKind, d.read, d.clustered)
}

// subnetGroups: an instance carries its own, a cluster only names it.
func (r *reader) subnetGroups(ctx context.Context, client *rds.Client, d *rdsData) {
	if len(d.clusters) == 0 {
		return
	}
	groups, err := pages(func(g rdstypes.DBSubnetGroup) string { return str(g.DBSubnetGroupName) },
		func(token *string) (*rds.DescribeDBSubnetGroupsOutput, error) {
			return call(ctx, r, "rds", client.DescribeDBSubnetGroups, &rds.DescribeDBSubnetGroupsInput{MaxRecords: ptr(rdsPage), Marker: token})
		},
		func(out *rds.DescribeDBSubnetGroupsOutput) ([]rdstypes.DBSubnetGroup, *string) {
			return out.DBSubnetGroups, out.Marker
		})
	d.grouped, d.subnets = r.note(describeDBSubnetGroups, err), map[string]*rdstypes.DBSubnetGroup{}
	for i := range groups {
		d.subnets[str(groups[i].DBSubnetGroupName)] = &groups[i]
	}
}

// automatedBackups are asked for only where an instance does not itself say how far it can be restored. They are told
// apart by the resource id: a deleted instance's backups may bear the name of the one that took its place.
func (r *reader) automatedBackups(ctx context.Context, client *rds.Client, d *rdsData) {
	asked := false
	for i := range d.instances {
		asked = asked || d.instances[i].DBClusterIdentifier == nil && d.instances[i].LatestRestorableTime == nil
	}
	if !asked {
		return
	}
	backups, err := pages(func(b rdstypes.DBInstanceAutomatedBackup) string {
		return strings.TrimSpace(str(b.DbiResourceId) + " " + str(b.DBInstanceArn))
	},
		func(token *string) (*rds.DescribeDBInstanceAutomatedBackupsOutput, error) {
			return call(ctx, r, "rds", client.DescribeDBInstanceAutomatedBackups, &rds.DescribeDBInstanceAutomatedBackupsInput{MaxRecords: ptr(rdsPage), Marker: token})
		},
		func(out *rds.DescribeDBInstanceAutomatedBackupsOutput) ([]rdstypes.DBInstanceAutomatedBackup, *string) {
			return out.DBInstanceAutomatedBackups, out.Marker
		})
	d.backed, d.backups = r.note(describeDBBackups, err), map[string]*time.Time{}
	for _, b := range backups {
		if b.RestoreWindow != nil && b.RestoreWindow.LatestTime != nil {
			d.backups[str(b.DbiResourceId)] = b.RestoreWindow.LatestTime
		}
	}
}

// restorable is how far an instance can be restored. What belongs to a cluster is restored with it.
func (r *reader) restorable(i *rdstypes.DBInstance, d *rdsData) inventory.Val[time.Time] {
	if i.DBClusterIdentifier != nil {
		if c := d.clusters[*i.DBClusterIdentifier]; c != nil {
			return inventory.Ptr(c.LatestRestorableTime, d.clustered)
		}
		return inventory.Unknown[time.Time](d.clustered)
	}
	latest := i.LatestRestorableTime
	switch days := i.BackupRetentionPeriod; {
	case days != nil && *days == 0: // backups are off, whatever was there before
		return inventory.Absent[time.Time](d.read)
	case latest != nil:
		return inventory.Known(*latest, d.read)
	case d.backups[str(i.DbiResourceId)] != nil:
		return inventory.Known(*d.backups[str(i.DbiResourceId)], d.backed)
	case r.unit.Read(d.backed).Reason == "":
		return inventory.Absent[time.Time](d.backed)
	}
	return inventory.Unknown[time.Time](d.backed)
}

func pointInTime(latest inventory.Val[time.Time]) inventory.Val[bool] {
	if latest.IsUnknown() {
		return inventory.Unknown[bool](latest.Read())
	}
	return inventory.Known(!latest.IsAbsent(), latest.Read())
}

func (r *reader) instance(i *rdstypes.DBInstance, d *rdsData) inventory.Database {
	name := str(i.DBInstanceIdentifier)
	db := inventory.Database{
		Head: inventory.Head{ID: str(i.DBInstanceArn), Subtype: family(i.Engine) + ":db", Name: name, Region: r.region,
			URL: r.console("rds", "database:id="+url.PathEscape(name)+";is-cluster=false")},
		Engine: inventory.Ptr(i.Engine, d.read), EngineVersion: inventory.Ptr(i.EngineVersion, d.read),
		Status: inventory.Ptr(i.DBInstanceStatus, d.read), Port: portOf(i, d.read),
		ClusterID: inventory.Absent[string](d.read), ReplicaOf: inventory.Absent[string](d.read),
		PublicAddress: inventory.Ptr(i.PubliclyAccessible, d.read), Encrypted: inventory.Ptr(i.StorageEncrypted, d.read),
		KMSKey: inventory.Optional(i.KmsKeyId, d.read), BackupRetentionDays: number(i.BackupRetentionPeriod, d.read),
		LatestRestorableAt: r.restorable(i, d), DeletionProtection: inventory.Ptr(i.DeletionProtection, d.read),
		MultiZone: inventory.Ptr(i.MultiAZ, d.read), AutoMinorUpgrade: inventory.Ptr(i.AutoMinorVersionUpgrade, d.read),
		TLSRequired: r.tlsOf(i, d), NetworkType: networkType(i, d),
		SecurityGroupIDs: list(i.VpcSecurityGroups, d.read, groupID),
		OptionGroups:     list(i.OptionGroupMemberships, d.read, optionGroup),
		LogExports:       list(i.EnabledCloudwatchLogsExports, d.read, strings.Clone),
	}
	db.PointInTimeRecovery = pointInTime(db.LatestRestorableAt)
	if i.DBClusterIdentifier != nil {
		db.ClusterID = inventory.Known(r.arn("cluster:"+*i.DBClusterIdentifier), d.read)
	}
	if i.ReadReplicaSourceDBInstanceIdentifier != nil {
		db.ReplicaOf = inventory.Known(r.source("db:", *i.ReadReplicaSourceDBInstanceIdentifier), d.read)
	} else if i.ReadReplicaSourceDBClusterIdentifier != nil {
		db.ReplicaOf = inventory.Known(r.source("cluster:", *i.ReadReplicaSourceDBClusterIdentifier), d.read)
	}
	db.InternetGateway = gatewayOf(i, d)
	db.PublicAddress = throughGateway(db.PublicAddress, db.InternetGateway)
	if g := i.DBSubnetGroup; g != nil {
		db.NetworkID, db.SubnetIDs = inventory.Ptr(g.VpcId, d.read), list(g.Subnets, d.read, subnetID)
	}
	return db
}

func (r *reader) cluster(c *rdstypes.DBCluster, d *rdsData) inventory.Database {
	name, read := str(c.DBClusterIdentifier), d.clustered
	db := inventory.Database{
		Head: inventory.Head{ID: str(c.DBClusterArn), Subtype: family(c.Engine) + ":cluster", Name: name, Region: r.region,
			URL: r.console("rds", "database:id="+url.PathEscape(name)+";is-cluster=true")},
		Engine: inventory.Ptr(c.Engine, read), EngineVersion: inventory.Ptr(c.EngineVersion, read),
		Status: inventory.Ptr(c.Status, read), Port: number(c.Port, read),
		ClusterID: inventory.Absent[string](read), ReplicaOf: inventory.Absent[string](read),
		PublicAddress: inventory.Optional(c.PubliclyAccessible, read), // given for Multi-AZ clusters only
		Encrypted:     inventory.Ptr(c.StorageEncrypted, read), KMSKey: inventory.Optional(c.KmsKeyId, read),
		BackupRetentionDays: number(c.BackupRetentionPeriod, read), LatestRestorableAt: inventory.Ptr(c.LatestRestorableTime, read),
		DeletionProtection: inventory.Ptr(c.DeletionProtection, read), MultiZone: inventory.Ptr(c.MultiAZ, read),
		AutoMinorUpgrade: inventory.Ptr(c.AutoMinorVersionUpgrade, read), TLSRequired: d.tls[clusterQuestion(c)],
		NetworkType:      inventory.Ptr(c.NetworkType, read), // given for Aurora only
		SecurityGroupIDs: list(c.VpcSecurityGroups, read, groupID),
		OptionGroups:     list(c.DBClusterOptionGroupMemberships, read, clusterOptionGroup),
		LogExports:       list(c.EnabledCloudwatchLogsExports, read, strings.Clone),
	}
	db.PointInTimeRecovery = pointInTime(db.LatestRestorableAt)
	if c.ReplicationSourceIdentifier != nil {
		db.ReplicaOf = inventory.Known(r.source("cluster:", *c.ReplicationSourceIdentifier), read)
	}
	db.InternetGateway = inventory.Optional(c.InternetAccessGatewayEnabled, read)
	db.PublicAddress = throughGateway(db.PublicAddress, db.InternetGateway)
	if g := d.subnets[str(c.DBSubnetGroup)]; g != nil {
		db.NetworkID, db.SubnetIDs = inventory.Ptr(g.VpcId, d.grouped), list(g.Subnets, d.grouped, subnetID)
	} else {
		db.NetworkID, db.SubnetIDs = inventory.Unknown[string](d.grouped), inventory.Open[string](nil, d.grouped)
	}
	return db
}

// gatewayOf: what belongs to a cluster is reached by the cluster's gateway. AWS says that there is such a thing only for
// Aurora PostgreSQL clusters of the express configuration; everywhere else a missing field means that there is none.
func gatewayOf(i *rdstypes.DBInstance, d *rdsData) inventory.Val[bool] {
	if i.DBClusterIdentifier == nil {
		return inventory.Absent[bool](d.read)
	}
	if c := d.clusters[*i.DBClusterIdentifier]; c != nil {
		return inventory.Optional(c.InternetAccessGatewayEnabled, d.clustered)
	}
	if e := i.Engine; e != nil && *e != "aurora-postgresql" {
		return inventory.Absent[bool](d.read)
	}
	return inventory.Unknown[bool](d.clustered)
}

// networkType: an instance that doesn't say has that of its cluster, whose subnets it is in.
func networkType(i *rdstypes.DBInstance, d *rdsData) inventory.Val[string] {
	if i.NetworkType != nil || i.DBClusterIdentifier == nil {
		return inventory.Ptr(i.NetworkType, d.read)
	}
	if c := d.clusters[*i.DBClusterIdentifier]; c != nil {
		return inventory.Ptr(c.NetworkType, d.clustered)
	}
	return inventory.Unknown[string](d.clustered)
}

// throughGateway is an address with the gateway in mind: its endpoint resolves publicly, whatever the instance says.
func throughGateway(address, gateway inventory.Val[bool]) inventory.Val[bool] {
	if public, _ := address.Get(); public {
		return address
	}
	if open, _ := gateway.Get(); open || gateway.IsUnknown() {
		return gateway
	}
	return address
}

// source is the ARN of a replica's source, which AWS gives as a name within the region and as an ARN beyond it.
func (r *reader) source(kind, id string) string {
	if strings.HasPrefix(id, "arn:") {
		return id
	}
	return r.arn(kind + id)
}

func family(engine *string) string {
	switch e := str(engine); e {
	case "neptune", "docdb":
		return e
	}
	return "rds"
}

// portOf: the endpoint is not there while an instance is being made.
func portOf(i *rdstypes.DBInstance, read inventory.ReadID) inventory.Val[int64] {
	if i.Endpoint != nil && i.Endpoint.Port != nil {
		return number(i.Endpoint.Port, read)
	}
	if p := i.DbInstancePort; p != nil && *p > 0 {
		return number(p, read)
	}
	return inventory.Unknown[int64](read)
}

func groupID(g rdstypes.VpcSecurityGroupMembership) string { return str(g.VpcSecurityGroupId) }

func subnetID(s rdstypes.Subnet) string { return str(s.SubnetIdentifier) }

func optionGroup(g rdstypes.OptionGroupMembership) string { return str(g.OptionGroupName) }

func clusterOptionGroup(g rdstypes.DBClusterOptionGroupStatus) string {
	return str(g.DBClusterOptionGroupName)
}
