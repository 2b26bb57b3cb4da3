package aws_test

import (
	"slices"
	"strconv"
	"testing"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/fixtures"
)

// What AWS never answers and an emulator does (moto 5.2, against which the scanner was tried): none of it may become a
// fact of the account.

// TestOthersSnapshotsAreNotOurs: moto answers DescribeSnapshots for the owner "self" with everybody's.
func TestOthersSnapshotsAreNotOurs(t *testing.T) {
	const place, snapshot = "aws/333333333333/ap-northeast-1/ec2/", "snap-0f74a3644620f112b"
	unit := management + "/" + tokyo + "/ec2-snapshots"
	before := production(t)[unit]
	id := func(b inventory.Backup) bool { return b.ID == snapshot }
	if !slices.ContainsFunc(before.Facts.Backups, id) {
		t.Fatalf("%s is not read even when it is ours", snapshot)
	}
	after := production(t, fixtures.Patch(place+"DescribeSnapshots.yaml", "snapshotSet: {item: {snapshotId="+snapshot+": {ownerId: '801119661308'}}}"))[unit]
	if slices.ContainsFunc(after.Facts.Backups, id) || len(after.Facts.Backups) != len(before.Facts.Backups)-1 {
		t.Errorf("%d backups with another's snapshot, %d with ours alone", len(after.Facts.Backups), len(before.Facts.Backups))
	}
	after = production(t, fixtures.Patch(place+"DescribeImages.yaml", "imagesSet: {item: {'*': {imageOwnerId: amazon}}}"))[unit]
	for _, b := range after.Facts.Backups {
		if b.Subtype == "ec2:image" {
			t.Errorf("another's image %s is taken for ours", b.Name)
		}
	}
}

// TestActiveCertificateWithoutDate: moto's credential report says N/A for when any certificate was made.
func TestActiveCertificateWithoutDate(t *testing.T) {
	const report = "aws/333333333333/global/iam/GetCredentialReport.yaml"
	content := "user,arn,user_creation_time,password_enabled,password_last_used,mfa_active,access_key_1_active,access_key_1_last_rotated," +
		"access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,cert_1_active,cert_1_last_rotated," +
		"cert_2_active,cert_2_last_rotated\n" +
		"ci-deploy,arn:aws:iam::333333333333:user/ci-deploy,2024-02-28T12:00:00+00:00,false,N/A,false,true,N/A,N/A,false,N/A,N/A,true,N/A,false,N/A\n"
	u := production(t, fixtures.Patch(report, "Content: !base64 "+strconv.Quote(content)))[management+"/iam"]
	user := named(t, u.Facts.Accounts, accountName, "ci-deploy")
	var owned []string
	for i := range u.Facts.Credentials {
		c := &u.Facts.Credentials[i]
		if c.OwnerID.Or("") != user.ID {
			continue
		}
		owned = append(owned, c.Subtype)
		if on, _ := c.Enabled.Get(); !on || !c.CreatedAt.IsUnknown() {
			t.Errorf("%s: enabled %v, made %v; it is there, so it was made some time", c.Name, on, c.CreatedAt)
		}
	}
	if !slices.Equal(owned, []string{"iam:access-key", "iam:signing-certificate"}) {
		t.Errorf("ci-deploy has %v", owned)
	}
}

// TestMissingFieldNamesItsCall: moto leaves fields out; whoever asks why a value is unknown must learn which answer lacks it.
func TestMissingFieldNamesItsCall(t *testing.T) {
	const place = "aws/333333333333/ap-northeast-1/"
	units := production(t,
		fixtures.Patch(place+"ec2/DescribeImages.yaml", "imagesSet: {item: {'*': {blockDeviceMapping: {item: {'*': {ebs: {encrypted: null}}}}}}}"),
		fixtures.Patch(place+"rds/DescribeDBInstances.yaml", "DBInstances: {DBInstance: {DBInstanceIdentifier=spartraining-production-reporting: {PubliclyAccessible: null, BackupRetentionPeriod: null, VpcSecurityGroups: null}}}"))
	u := units[management+"/"+tokyo+"/ec2-snapshots"]
	images := 0
	for i := range u.Facts.Backups {
		if b := &u.Facts.Backups[i]; b.Subtype == "ec2:image" {
			images++
			wantWhy(t, u, b.Name, b.Encrypted, "ec2:DescribeImages", "")
		}
	}
	if images == 0 {
		t.Error("no image is read")
	}
	u = units[management+"/"+tokyo+"/rds"]
	db := named(t, u.Facts.Databases, databaseName, "spartraining-production-reporting")
	wantWhy(t, u, "public", db.PublicAddress, "rds:DescribeDBInstances", "")
	wantWhy(t, u, "retention", db.BackupRetentionDays, "rds:DescribeDBInstances", "")
	if read := u.Read(db.SecurityGroupIDs.Read()); !db.SecurityGroupIDs.IsOpen() || read.Operation != "rds:DescribeDBInstances" {
		t.Errorf("groups are open %v for %s", db.SecurityGroupIDs.IsOpen(), read.Operation)
	}
}

// TestNoBackupsNoPointInTime: moto gives a time to restore to even where backups are off.
func TestNoBackupsNoPointInTime(t *testing.T) {
	u := production(t, fixtures.Patch("aws/333333333333/ap-northeast-1/rds/DescribeDBInstances.yaml",
		"DBInstances: {DBInstance: {DBInstanceIdentifier=spartraining-production-batch: {BackupRetentionPeriod: 0}}}"))[management+"/"+tokyo+"/rds"]
	db := named(t, u.Facts.Databases, databaseName, "spartraining-production-batch")
	wantVal(t, "point in time recovery", db.PointInTimeRecovery, false)
	if !db.LatestRestorableAt.IsAbsent() {
		t.Errorf("restorable to %v", db.LatestRestorableAt)
	}
}
