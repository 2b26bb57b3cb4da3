package aws_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/fixtures"
	"sptr.jp/tenken/scanners/aws"
)

// scan reads everything and gives the units by what follows the system in their id: "222222222222/ap-northeast-1/rds".
func scan(t testing.TB, c aws.Config, options ...fixtures.Option) map[string]*inventory.Unit {
	t.Helper()
	if c.Regions == nil {
		c.Regions = []string{tokyo}
	}
	_, s := serve(t, fixtures.Sptr(), c, options...)
	units := s.Plan(t.Context())
	byID := map[string]*inventory.Unit{}
	for i := range units {
		if units[i].Outcome == "" {
			s.Collect(t.Context(), &units[i])
		}
		byID[strings.TrimPrefix(units[i].ID, "sp/")] = &units[i]
	}
	return byID
}

// production is the demo company's management account with the caller's own credentials.
func production(t testing.TB, options ...fixtures.Option) map[string]*inventory.Unit {
	return scan(t, aws.Config{}, options...)
}

func named[T any](t *testing.T, items []T, id func(*T) string, want string) *T {
	t.Helper()
	i := slices.IndexFunc(items, func(item T) bool { return id(&item) == want })
	if i < 0 {
		t.Fatalf("%s was not read", want)
	}
	return &items[i]
}

func accountName(a *inventory.Account) string   { return a.Name }
func databaseName(d *inventory.Database) string { return d.Name }
func backupName(b *inventory.Backup) string     { return b.Name }

func wantVal[T comparable](t *testing.T, what string, v inventory.Val[T], want T) {
	t.Helper()
	if got, known := v.Get(); !known || got != want {
		t.Errorf("%s: known %v, %v; want %v", what, known, got, want)
	}
}

// wantWhy wants an unknown value and the read that says why.
func wantWhy[T any](t *testing.T, u *inventory.Unit, what string, v inventory.Val[T], operation string, why inventory.Reason) {
	t.Helper()
	if read := u.Read(v.Read()); !v.IsUnknown() || read.Operation != operation || read.Reason != why {
		t.Errorf("%s: unknown %v, for %s of %s; want %s of %s", what, v.IsUnknown(), read.Reason, read.Operation, why, operation)
	}
}

func TestUsersAndHowTheySignIn(t *testing.T) {
	u := scan(t, aws.Config{Role: "tenken-audit"})[member+"/iam"]
	root := named(t, u.Facts.Accounts, accountName, "root")
	wantVal(t, "root's keys", root.ActiveKeys, 1)
	wantVal(t, "root's MFA", root.MFA, false)
	wantVal(t, "root's password, of which the report says not_supported", root.ConsolePassword, true)
	wantVal(t, "root's last use", root.LastLoginAt, noon.Add(-5*24*time.Hour))
	if root.ID != member+":root" || root.Subtype != "iam:root" {
		t.Errorf("root is %s, %s", root.ID, root.Subtype)
	}

	left := named(t, u.Facts.Accounts, accountName, "kaito.shimizu@sptr.jp")
	wantVal(t, "a user whose key is off", left.State, "suspended")
	if !slices.Equal(left.Emails.Items, []string{"kaito.shimizu@sptr.jp"}) || !strings.HasPrefix(left.ID, "AIDA") {
		t.Errorf("%s with %v", left.ID, left.Emails.Items)
	}
	fresh := named(t, u.Facts.Accounts, accountName, "daiki.mori@sptr.jp")
	wantWhy(t, u, "a user made after the report", fresh.ConsolePassword, "iam:GetCredentialReport", inventory.Stale)
	wantWhy(t, u, "its state", fresh.State, "iam:GetCredentialReport", inventory.Stale)
	if u.Listing(inventory.CredentialKind).Complete || !u.Listing(inventory.AccountKind).Complete || u.Outcome != inventory.Partial {
		t.Errorf("a user made after the report may have keys, and is listed itself: %+v, %s", u.Listings, u.Outcome)
	}
	if fresh.CreatedAt.IsUnknown() {
		t.Error("when the user was made is not in the report alone")
	}

	two := named(t, u.Facts.Accounts, accountName, "kenta.matsumoto@sptr.jp")
	wantVal(t, "two keys", two.ActiveKeys, 2)
	key := named(t, u.Facts.Credentials, func(c *inventory.Credential) string { return c.ID }, two.ID+"/access-key-2")
	wantVal(t, "the key's owner", key.OwnerID, two.ID)
	wantVal(t, "the key's age", key.CreatedAt, noon.Add(-20*24*time.Hour))
	tag := named(t, production(t)[management+"/iam"].Facts.Accounts, accountName, "dev-tanaka")
	if !slices.Equal(tag.Emails.Items, []string{"misaki.tanaka@sptr.jp"}) {
		t.Errorf("the address of a tag: %v", tag.Emails.Items)
	}
}

func TestGrantsAndWhatTheyGive(t *testing.T) {
	const entities = "aws/333333333333/global/iam/GetAccountAuthorizationDetails.yaml"
	u := production(t)[management+"/iam"]
	policies := map[string]*inventory.Role{}
	for i := range u.Facts.Roles {
		policies[u.Facts.Roles[i].ID] = &u.Facts.Roles[i]
	}
	kinds := map[string]int{}
	for i := range u.Facts.Grants {
		g := &u.Facts.Grants[i]
		kinds[g.PrincipalType.Or("")]++
		if role := policies[g.RoleID.Or("")]; role == nil || g.ID != g.PrincipalID.Or("")+"|"+role.ID+"|*" {
			t.Errorf("%s leads to no policy", g.ID)
		}
		if everything, _ := policies[g.RoleID.Or("")].AllowsEverything.Get(); everything != (g.RoleName.Or("") == "AdministratorAccess") &&
			policies[g.RoleID.Or("")].Managed.Or("") == "provider" {
			t.Errorf("%s allows everything: %v", g.Name, everything)
		}
	}
	for _, kind := range []string{"group", "role", "service_role"} {
		if kinds[kind] == 0 {
			t.Errorf("no grant to a %s among %v", kind, kinds)
		}
	}

	u = production(t, fixtures.Patch(entities, "Policies: {member: {+: {PolicyName: unused, Arn: 'arn:aws:iam::333333333333:policy/unused', AttachmentCount: 0}}}"))[management+"/iam"]
	if slices.ContainsFunc(u.Facts.Roles, func(r inventory.Role) bool { return r.Name == "unused" }) {
		t.Error("a policy that nobody has gives nothing")
	}
	u = production(t, fixtures.Patch(entities, "Policies: {member: {PolicyName=AdministratorAccess: {PolicyVersionList: {member: {\"*\": {Document: '%7B'}}}}}}"))[management+"/iam"]
	unread := 0
	for i := range u.Facts.Roles {
		if r := &u.Facts.Roles[i]; r.AllowsEverything.IsUnknown() {
			unread++
			wantWhy(t, u, r.Name, r.AllowsEverything, "iam:GetAccountAuthorizationDetails", inventory.DecodeError)
		}
	}
	if unread != 1 || !u.Listing(inventory.RoleKind).Complete {
		t.Errorf("%d policies are unknown for one broken document, listed whole: %v", unread, u.Listing(inventory.RoleKind).Complete)
	}
}

func TestCredentialReportThatCannotBeMade(t *testing.T) {
	iam := func(operation string) fixtures.Match { return fixtures.Match{Service: "iam", Operation: operation} }
	const report = "aws/333333333333/global/iam/GetCredentialReport.yaml"
	deny := fixtures.Deny(iam("GenerateCredentialReport"))

	u := production(t, deny)[management+"/iam"]
	if u.Outcome != inventory.Complete {
		t.Errorf("somebody else's fresh report is as good: %s, %v", u.Outcome, u.Gaps())
	}
	u = production(t, deny, fixtures.Patch(report, "GeneratedTime: 2026-11-24T06:00:00Z"))[management+"/iam"]
	user := named(t, u.Facts.Accounts, accountName, "ci-deploy")
	wantWhy(t, u, "a report of six hours ago", user.ActiveKeys, "iam:GetCredentialReport", inventory.Stale)
	if !slices.ContainsFunc(u.Gaps(), func(r inventory.Read) bool {
		return r.Permission == "iam:GenerateCredentialReport" && r.Reason == inventory.AccessDenied
	}) {
		t.Errorf("nobody is told what to permit: %v", u.Gaps())
	}
	u = production(t, deny, fixtures.Patch(report, "null"))[management+"/iam"]
	user = named(t, u.Facts.Accounts, accountName, "ci-deploy")
	wantWhy(t, u, "no report at all", user.MFA, "iam:GenerateCredentialReport", inventory.AccessDenied)

	u = production(t, fixtures.Deny(iam("GetCredentialReport")))[management+"/iam"]
	user, root := named(t, u.Facts.Accounts, accountName, "ci-deploy"), named(t, u.Facts.Accounts, accountName, "root")
	wantWhy(t, u, "a refused report", user.ConsolePassword, "iam:GetCredentialReport", inventory.AccessDenied)
	wantWhy(t, u, "root's last use", root.LastLoginAt, "iam:GetCredentialReport", inventory.AccessDenied)
	wantVal(t, "root's MFA, from the summary", root.MFA, true)
	wantVal(t, "root's keys, from the summary", root.ActiveKeys, 0)
	if u.Listing(inventory.CredentialKind).Complete || !u.Listing(inventory.AccountKind).Complete || len(u.Facts.Credentials) > 0 {
		t.Errorf("without the report nobody knows the keys: %+v", u.Listings)
	}
}

func TestDatabases(t *testing.T) {
	u := production(t)[management+"/"+tokyo+"/rds"]
	reporting := named(t, u.Facts.Databases, databaseName, "spartraining-production-reporting")
	wantVal(t, "public", reporting.PublicAddress, true)
	wantVal(t, "engine", reporting.Engine, "postgres")
	wantVal(t, "forced TLS", reporting.TLSRequired, true)
	wantVal(t, "restorable until", reporting.LatestRestorableAt, noon.Add(-5*time.Minute))
	replica := named(t, u.Facts.Databases, databaseName, "spartraining-production-billing-replica")
	wantVal(t, "its source", replica.ReplicaOf, "arn:aws:rds:ap-northeast-1:333333333333:db:spartraining-production-billing")
	wantVal(t, "no backups, so no point in time", replica.PointInTimeRecovery, false)
	if !replica.LatestRestorableAt.IsAbsent() {
		t.Error("without backups there is nothing to restore to")
	}
	cluster := named(t, u.Facts.Databases, databaseName, "spartraining-production")
	member := named(t, u.Facts.Databases, databaseName, "spartraining-production-1")
	wantVal(t, "the member's cluster", member.ClusterID, cluster.ID)
	wantVal(t, "TLS of a member is the cluster's", member.TLSRequired, true)
	if !cluster.PublicAddress.IsAbsent() || len(cluster.SubnetIDs.Items) != 2 || cluster.SubnetIDs.IsOpen() {
		t.Errorf("the cluster's address %v and subnets %v", cluster.PublicAddress, cluster.SubnetIDs.Items)
	}
	for name, subtype := range map[string]string{"spartraining-production-graph": "neptune:cluster", "spartraining-production-graph-1": "neptune:db",
		"spartraining-production": "rds:cluster", "spartraining-production-1": "rds:db"} {
		if d := named(t, u.Facts.Databases, databaseName, name); d.Subtype != subtype {
			t.Errorf("%s is %s, want %s", name, d.Subtype, subtype)
		}
	}
}

// TestMissingFieldIsUnknown: what an answer lacks is no proof of anything.
func TestMissingFieldIsUnknown(t *testing.T) {
	const place = "aws/333333333333/ap-northeast-1/"
	units := production(t,
		fixtures.Patch(place+"rds/DescribeDBInstances.yaml", "DBInstances: {DBInstance: {DBInstanceIdentifier=spartraining-production-reporting: {PubliclyAccessible: null, StorageEncrypted: null, VpcSecurityGroups: null}}}"),
		fixtures.Patch(place+"ec2/DescribeVolumes.yaml", "volumeSet: null"))
	db := named(t, units[management+"/"+tokyo+"/rds"].Facts.Databases, databaseName, "spartraining-production-reporting")
	if !db.PublicAddress.IsUnknown() || !db.Encrypted.IsUnknown() || !db.SecurityGroupIDs.IsOpen() {
		t.Errorf("missing fields became %v, %v, %v", db.PublicAddress, db.Encrypted, db.SecurityGroupIDs)
	}
	volumes := units[management+"/"+tokyo+"/ec2-volumes"]
	if l := volumes.Listing(inventory.VolumeKind); l.Complete || volumes.Read(l.Why(volumes)).Reason != inventory.DecodeError {
		t.Errorf("an answer without its list is listed as complete: %v, %v", l.Complete, volumes.Gaps())
	}
}

// TestWhoMayRestore: that automated snapshots are not asked about, the server sees to, which has no answer for them.
func TestWhoMayRestore(t *testing.T) {
	units := production(t)
	u := units[management+"/"+tokyo+"/rds-snapshots"]
	public, shared, automated := 0, 0, 0
	for i := range u.Facts.Backups {
		b := &u.Facts.Backups[i]
		open, known := b.Public.Get()
		if !known || b.SharedWith.IsOpen() || slices.Contains(b.SharedWith.Items, "all") {
			t.Errorf("%s: public %v, shared with %v", b.Name, b.Public, b.SharedWith.Items)
		}
		if auto, _ := b.Automated.Get(); auto {
			automated++
		}
		if open {
			public++
		}
		if len(b.SharedWith.Items) > 0 {
			shared++
		}
	}
	if public == 0 || shared == 0 || automated == 0 {
		t.Errorf("%d public, %d shared, %d automated snapshots", public, shared, automated)
	}
	u = production(t, fixtures.Deny(fixtures.Match{Operation: "DescribeDBSnapshotAttributes"}))[management+"/"+tokyo+"/rds-snapshots"]
	if !u.Listing(inventory.BackupKind).Complete || u.Outcome != inventory.Partial {
		t.Errorf("a refused detail keeps the listing whole and the unit partial: %s", u.Outcome)
	}
	b := named(t, u.Facts.Backups, backupName, "spartraining-production-for-vendor")
	wantWhy(t, u, "who may restore it", b.Public, "rds:DescribeDBSnapshotAttributes", inventory.AccessDenied)
	if !b.SharedWith.IsOpen() || b.Encrypted.IsUnknown() {
		t.Errorf("only the sharing was refused: %v, %v", b.SharedWith, b.Encrypted)
	}
}

func TestWhoMayUseVolumesAndImages(t *testing.T) {
	const place, snapshot, image = "aws/333333333333/ap-northeast-1/ec2/", "snap-0f74a3644620f112b", "ami-0e1cf2ac5621938db"
	unit := management + "/" + tokyo + "/ec2-snapshots"
	id := func(b *inventory.Backup) string { return b.ID }
	u := production(t,
		fixtures.Patch(place+"DescribeSnapshotAttribute/"+snapshot+".yaml", "createVolumePermission: {item: [{group: all}, {userId: '999988887777'}]}"),
		fixtures.Patch(place+"DescribeImageAttribute/"+image+".yaml", "launchPermission: {item: [{group: all}, {userId: '999988887777'}, {organizationalUnitArn: 'arn:aws:organizations::9:ou/o-x/ou-y'}]}"))[unit]
	for name, want := range map[string][]string{snapshot: {"999988887777"}, image: {"999988887777", "arn:aws:organizations::9:ou/o-x/ou-y"}} {
		b := named(t, u.Facts.Backups, id, name)
		wantVal(t, name+" is public", b.Public, true)
		if !slices.Equal(b.SharedWith.Items, want) || b.SharedWith.IsOpen() {
			t.Errorf("%s is shared with %v", name, b.SharedWith.Items)
		}
	}
	u = production(t, fixtures.Deny(fixtures.Match{Operation: "DescribeImageAttribute"}))[unit]
	b := named(t, u.Facts.Backups, id, image)
	wantVal(t, "an image's publicity, which the listing tells too", b.Public, false)
	if read := u.Read(b.SharedWith.Read()); !b.SharedWith.IsOpen() || read.Operation != "ec2:DescribeImageAttribute" {
		t.Errorf("with whom it is shared was refused: %+v", read)
	}
	u = production(t, fixtures.Deny(fixtures.Match{Operation: "DescribeSnapshotAttribute"}))[unit]
	wantWhy(t, u, snapshot, named(t, u.Facts.Backups, id, snapshot).Public, "ec2:DescribeSnapshotAttribute", inventory.AccessDenied)
	if !u.Listing(inventory.BackupKind).Complete {
		t.Error("a refused detail keeps the listing whole")
	}
}

func TestRefusedRoutesLeaveGroupsWhole(t *testing.T) {
	u := production(t, fixtures.Deny(fixtures.Match{Operation: "DescribeRouteTables"}))[management+"/"+tokyo+"/ec2-network"]
	for kind, complete := range map[inventory.Kind]bool{inventory.RouteTableKind: false, inventory.PrefixListKind: false,
		inventory.SecurityGroupKind: true, inventory.SubnetKind: true, inventory.NetworkKind: true, inventory.NetworkACLKind: true} {
		if l := u.Listing(kind); l.Complete != complete {
			t.Errorf("%s is listed as complete: %v", kind, l.Complete)
		}
	}
	if len(u.Facts.PrefixLists) == 0 {
		t.Error("the prefix lists that groups name are read without the routes")
	}
}
