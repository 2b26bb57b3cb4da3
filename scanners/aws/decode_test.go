package aws_test

import (
	"slices"
	"testing"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/fixtures"
)

// TestEntryThatSaysNothing: an entry without what it is about is neither a deny nor one of ingress, nor the first.
func TestEntryThatSaysNothing(t *testing.T) {
	for name, entry := range map[string]string{
		"no action":         `{ruleNumber: 50, protocol: "-1", egress: false, cidrBlock: 0.0.0.0/0}`,
		"an unknown action": `{ruleNumber: 50, protocol: "-1", ruleAction: count, egress: false, cidrBlock: 0.0.0.0/0}`,
		"no direction":      `{ruleNumber: 50, protocol: "-1", ruleAction: deny, cidrBlock: 0.0.0.0/0}`,
		"no number":         `{protocol: "-1", ruleAction: deny, egress: false, cidrBlock: 0.0.0.0/0}`,
		"no protocol":       `{ruleNumber: 50, ruleAction: deny, egress: false, cidrBlock: 0.0.0.0/0}`,
		"no addresses":      `{ruleNumber: 50, protocol: "-1", ruleAction: deny, egress: false}`,
	} {
		t.Run(name, func(t *testing.T) {
			u := production(t, fixtures.Patch("aws/333333333333/ap-northeast-1/ec2/DescribeNetworkAcls.yaml",
				"networkAclSet: {item: {networkAclId=acl-00d78e413ab527c86: {entrySet: {item: {+: "+entry+"}}}}}"))[management+"/"+tokyo+"/ec2-network"]
			acl := named(t, u.Facts.NetworkACLs, func(a *inventory.NetworkACL) string { return a.ID }, "acl-00d78e413ab527c86")
			read := u.Read(acl.Entries.Read())
			if !acl.Entries.IsOpen() || read.Operation != "ec2:DescribeNetworkAcls" || read.Reason != inventory.DecodeError {
				t.Errorf("the entries, open %v, by %+v", acl.Entries.IsOpen(), read)
			}
			if slices.ContainsFunc(acl.Entries.Items, func(e inventory.ACLEntry) bool { return e.Number == 50 || e.Number == 0 }) || len(acl.Entries.Items) == 0 {
				t.Errorf("the entries in hand: %+v", acl.Entries.Items)
			}
			if u.Outcome != inventory.Partial || !u.Listing(inventory.NetworkACLKind).Complete {
				t.Errorf("%s, listed whole: %v", u.Outcome, u.Listing(inventory.NetworkACLKind).Complete)
			}
		})
	}
}

// TestSharerWhoCannotBeTold: whom a copy is shared with is open where one of them is not understood; the others stay.
func TestSharerWhoCannotBeTold(t *testing.T) {
	const place, snapshot, image = "aws/333333333333/ap-northeast-1/ec2/", "snap-0f74a3644620f112b", "ami-0e1cf2ac5621938db"
	id := func(b *inventory.Backup) string { return b.ID }
	for name, c := range map[string]struct {
		element string
		public  bool
	}{
		"an unknown group":         {"{group: organisation}", false},
		"nobody":                   {"{}", false},
		"an unknown group and all": {"{group: organisation}, {group: all}", true},
	} {
		t.Run(name, func(t *testing.T) {
			item := "{item: [{userId: '999988887777'}, " + c.element + "]}"
			u := production(t,
				fixtures.Patch(place+"DescribeSnapshotAttribute/"+snapshot+".yaml", "createVolumePermission: "+item),
				fixtures.Patch(place+"DescribeImageAttribute/"+image+".yaml", "launchPermission: "+item))[management+"/"+tokyo+"/ec2-snapshots"]
			for copied, operation := range map[string]string{snapshot: "ec2:DescribeSnapshotAttribute", image: "ec2:DescribeImageAttribute"} {
				b := named(t, u.Facts.Backups, id, copied)
				read := u.Read(b.SharedWith.Read())
				if !b.SharedWith.IsOpen() || read.Operation != operation || read.Reason != inventory.DecodeError || !slices.Equal(b.SharedWith.Items, []string{"999988887777"}) {
					t.Errorf("%s is shared with %+v, by %+v", copied, b.SharedWith, read)
				}
				switch {
				case c.public:
					wantVal(t, copied+" is public", b.Public, true)
				case copied == snapshot:
					wantWhy(t, u, "whether it is public", b.Public, operation, inventory.DecodeError)
				}
			}
		})
	}
}

func TestAnswerThatIsCutSaysSo(t *testing.T) {
	units := production(t, fixtures.Truncate(operation("DescribeVolumes"), 0, 300), fixtures.Truncate(operation("DescribeDBInstances"), 0, 1200))
	for unit, kind := range map[string]inventory.Kind{tokyo + "/ec2-volumes": inventory.VolumeKind, tokyo + "/rds": inventory.DatabaseKind} {
		u := units[management+"/"+unit]
		if read := u.Read(u.Listing(kind).Why(u)); read.Reason != inventory.DecodeError || read.Detail != "the answer was cut short" {
			t.Errorf("%s: %+v", unit, read)
		}
	}
}
