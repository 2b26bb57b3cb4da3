package aws

import "sptr.jp/tenken/findings/inventory"

// blocksAll is the state of a region in which AWS treats public snapshots as private. The other block is for new ones
// alone: what is public stays so.
const blocksAll = "block-all-sharing"

// publicity concludes which backups anybody may restore. A region can block the public sharing of volume snapshots;
// nothing of that kind takes back what databases' snapshots and images are shared with.
func (w *world) publicity(u *inventory.Unit) {
	for i := range u.Facts.Backups {
		b := &u.Facts.Backups[i]
		b.EffectivelyPublic = b.Public
		public, known := b.Public.Get()
		if b.Subtype != "ec2:snapshot" || known && !public || b.Public.IsAbsent() {
			continue
		}
		account := u.Scope.Account
		region, found, why := w.tenants.Find(u, account, b.Region, regionID(account, b.Region))
		blocked := inventory.Unknown[string](why)
		if found {
			blocked, why = region.SnapshotSharingBlocked, cause{region.Unit(), region.SnapshotSharingBlocked.Read()}.in(u)
		}
		switch state, sure := blocked.Get(); {
		case sure && state == blocksAll:
			b.EffectivelyPublic = inventory.Known(false, why)
		case blocked.IsUnknown() && known:
			b.EffectivelyPublic = inventory.Unknown[bool](why)
		}
	}
}

// regionID is the id of the settings of a region.
func regionID(account, region string) string { return account + "/" + region }
