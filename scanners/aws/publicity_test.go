package aws

import (
	"testing"

	"sptr.jp/tenken/findings/inventory"
)

// A snapshot is public when it is shared with everybody and its region does not block that: in three values, whatever
// of the two was not read.
func TestPublicity(t *testing.T) {
	const account, region = "111111111111", "ap-northeast-1"
	scope := inventory.Scope{System: "s", Type: "aws", Account: account, Region: region}
	yes, no, denied := inventory.Known(true, 1), inventory.Known(false, 1), inventory.Unknown[bool](2)
	all, fresh, none, hidden := inventory.Known("block-all-sharing", 1), inventory.Known("block-new-sharing", 1), inventory.Known("unblocked", 1), inventory.Unknown[string](2)
	for _, c := range []struct {
		name    string
		subtype string
		public  inventory.Val[bool]
		blocked *inventory.Val[string] // nil: the region's settings were not read
		want    string
	}{
		{"public and blocked", "ec2:snapshot", yes, &all, "no"},
		{"public and only new sharing blocked", "ec2:snapshot", yes, &fresh, "yes"},
		{"public and not blocked", "ec2:snapshot", yes, &none, "yes"},
		{"public and the block denied", "ec2:snapshot", yes, &hidden, "unknown"},
		{"public and the settings not in hand", "ec2:snapshot", yes, nil, "unknown"},
		{"denied and blocked", "ec2:snapshot", denied, &all, "no"},
		{"denied and not blocked", "ec2:snapshot", denied, &none, "unknown"},
		{"both denied", "ec2:snapshot", denied, &hidden, "unknown"},
		{"private, whatever is blocked", "ec2:snapshot", no, nil, "no"},
		{"a database's snapshot has no block", "rds:snapshot", yes, &all, "yes"},
		{"an image stays public under a block", "ec2:image", yes, &all, "yes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings := inventory.NewUnit(scope, "ec2-volumes", inventory.TenantKind, inventory.VolumeKind)
			backups := inventory.NewUnit(scope, "ec2-snapshots", inventory.BackupKind)
			for _, u := range []*inventory.Unit{&settings, &backups} {
				u.Note(inventory.Read{Operation: "ec2:Answered"})
				u.Note(inventory.Read{Operation: "ec2:Refused", Reason: inventory.AccessDenied})
			}
			settings.Listings[0].Reads = []inventory.ReadID{2}
			if c.blocked != nil {
				settings.Facts.Tenants = []inventory.Tenant{{Head: inventory.Head{ID: regionID(account, region), Region: region}, SnapshotSharingBlocked: *c.blocked}}
			}
			backups.Facts.Backups = []inventory.Backup{{Head: inventory.Head{ID: "snap-1", Subtype: c.subtype, Region: region}, Public: c.public}}
			inv := inventory.New([]inventory.Unit{settings, backups})
			Derive(inv, inventory.Declared{})
			var u *inventory.Unit
			for i := range inv.Units {
				if len(inv.Units[i].Facts.Backups) > 0 {
					u = &inv.Units[i]
				}
			}
			got := u.Facts.Backups[0].EffectivelyPublic
			switch public, known := got.Get(); {
			case known && public != (c.want == "yes"), known == (c.want == "unknown"):
				t.Errorf("it is %v (known: %v), want %s", public, known, c.want)
			case !known && u.Read(got.Read()).Reason != inventory.AccessDenied:
				t.Errorf("it is unknown for %+v", u.Read(got.Read()))
			}
		})
	}
}
