package aws

import (
	"context"
	"net/url"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

// rdsSnapshots reads the snapshots of databases and clusters, and who may restore each.
func (r *reader) rdsSnapshots(ctx context.Context) {
	client := rds.NewFromConfig(r.config)
	snapshots, err := pages(func(s rdstypes.DBSnapshot) string { return str(s.DBSnapshotArn) },
		func(token *string) (*rds.DescribeDBSnapshotsOutput, error) {
			return call(ctx, r, "rds", client.DescribeDBSnapshots, &rds.DescribeDBSnapshotsInput{MaxRecords: ptr(rdsPage), Marker: token})
		},
		func(out *rds.DescribeDBSnapshotsOutput) ([]rdstypes.DBSnapshot, *string) {
			return out.DBSnapshots, out.Marker
		})
	read := r.note(describeDBSnapshots, err)
	clusters, err := pages(func(s rdstypes.DBClusterSnapshot) string { return str(s.DBClusterSnapshotArn) },
		func(token *string) (*rds.DescribeDBClusterSnapshotsOutput, error) {
			return call(ctx, r, "rds", client.DescribeDBClusterSnapshots, &rds.DescribeDBClusterSnapshotsInput{MaxRecords: ptr(rdsPage), Marker: token})
		},
		func(out *rds.DescribeDBClusterSnapshotsOutput) ([]rdstypes.DBClusterSnapshot, *string) {
			return out.DBClusterSnapshots, out.Marker
		})
	clustered := r.note(describeDBClusterSnaps, err)
	r.facts.Backups = make([]inventory.Backup, 0, len(snapshots)+len(clusters))
	for i := range snapshots {
		r.facts.Backups = append(r.facts.Backups, r.snapshot(&snapshots[i], read))
	}
	for i := range clusters {
		r.facts.Backups = append(r.facts.Backups, r.clusterSnapshot(&clusters[i], clustered))
	}
	r.restorers(ctx, client)
	r.Listed(inventory.BackupKind, read, clustered)
}

func (r *reader) snapshot(s *rdstypes.DBSnapshot, read inventory.ReadID) inventory.Backup {
	b := r.databaseBackup("rds:snapshot", str(s.DBSnapshotArn), str(s.DBSnapshotIdentifier), s.SnapshotType, read)
	b.CreatedAt, b.Status, b.Encrypted = inventory.Ptr(s.SnapshotCreateTime, read), inventory.Ptr(s.Status, read), inventory.Ptr(s.Encrypted, read)
	if s.DBInstanceIdentifier != nil {
		b.SourceID = inventory.Known(r.arn("db:"+*s.DBInstanceIdentifier), read)
	}
	return b
}

func (r *reader) clusterSnapshot(s *rdstypes.DBClusterSnapshot, read inventory.ReadID) inventory.Backup {
	b := r.databaseBackup("rds:cluster-snapshot", str(s.DBClusterSnapshotArn), str(s.DBClusterSnapshotIdentifier), s.SnapshotType, read)
	b.CreatedAt, b.Status, b.Encrypted = inventory.Ptr(s.SnapshotCreateTime, read), inventory.Ptr(s.Status, read), inventory.Ptr(s.StorageEncrypted, read)
	if s.DBClusterIdentifier != nil {
		b.SourceID = inventory.Known(r.arn("cluster:"+*s.DBClusterIdentifier), read)
	}
	return b
}

// databaseBackup fills what both sorts of snapshot have. An automated one can't be shared (it must be copied first), so
// that nobody needs to ask.
func (r *reader) databaseBackup(subtype, arn, name string, typ *string, read inventory.ReadID) inventory.Backup {
	b := inventory.Backup{Head: inventory.Head{ID: arn, Subtype: subtype, Name: name, Region: r.region,
		URL: r.console("rds", "db-snapshot:id="+url.PathEscape(name))}}
	if typ == nil {
		return b
	}
	b.Automated = inventory.Known(*typ == "automated", read)
	if *typ == "automated" {
		b.Public, b.SharedWith = inventory.Known(false, read), inventory.Closed[string](nil, read)
	}
	return b
}

// restorers asks for every snapshot that can be shared who may restore it.
func (r *reader) restorers(ctx context.Context, client *rds.Client) {
	var shareable []*inventory.Backup
	for i := range r.facts.Backups {
		if automated, known := r.facts.Backups[i].Automated.Get(); !automated || !known {
			shareable = append(shareable, &r.facts.Backups[i])
		}
	}
	values, errs := make([][]string, len(shareable)), make([]error, len(shareable))
	scanners.Each(ctx, r.s.config.Concurrency, shareable, func(ctx context.Context, i int, b *inventory.Backup) {
		values[i], errs[i] = r.restoreAttribute(ctx, client, b)
	})
	for i, b := range shareable {
		n := describeDBSnapshotAttrs
		if b.Subtype == "rds:cluster-snapshot" {
			n = describeDBClusterAttrs
		}
		read := r.note(n, errs[i])
		if errs[i] != nil {
			b.Public, b.SharedWith = inventory.Unknown[bool](read), inventory.Open[string](nil, read)
			continue
		}
		b.Public = inventory.Known(slices.Contains(values[i], "all"), read)
		b.SharedWith = inventory.Closed(slices.DeleteFunc(values[i], func(v string) bool { return v == "all" }), read)
	}
}

// restoreAttribute gives the accounts that may restore a snapshot, with "all" for anybody.
func (r *reader) restoreAttribute(ctx context.Context, client *rds.Client, b *inventory.Backup) ([]string, error) {
	missing := errShape{"the attribute restore is missing"}
	if b.Subtype == "rds:cluster-snapshot" {
		out, err := call(ctx, r, "rds", client.DescribeDBClusterSnapshotAttributes,
			&rds.DescribeDBClusterSnapshotAttributesInput{DBClusterSnapshotIdentifier: &b.Name})
		if err != nil {
			return nil, err
		}
		if out.DBClusterSnapshotAttributesResult != nil {
			for _, a := range out.DBClusterSnapshotAttributesResult.DBClusterSnapshotAttributes {
				if str(a.AttributeName) == "restore" {
					return a.AttributeValues, nil
				}
			}
		}
		return nil, missing
	}
	out, err := call(ctx, r, "rds", client.DescribeDBSnapshotAttributes, &rds.DescribeDBSnapshotAttributesInput{DBSnapshotIdentifier: &b.Name})
	if err != nil {
		return nil, err
	}
	if out.DBSnapshotAttributesResult != nil {
		for _, a := range out.DBSnapshotAttributesResult.DBSnapshotAttributes {
			if str(a.AttributeName) == "restore" {
				return a.AttributeValues, nil
			}
		}
	}
	return nil, missing
}
