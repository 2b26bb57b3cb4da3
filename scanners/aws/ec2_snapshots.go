package aws

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

// noVolume stands for the volume of a copied snapshot; AWS says that it means nothing.
const noVolume = "vol-ffffffff"

// ec2Snapshots reads the account's own volume snapshots and machine images, and who may use each.
func (r *reader) ec2Snapshots(ctx context.Context) {
	client := ec2.NewFromConfig(r.config)
	snapshots, err := pages(func(s ec2types.Snapshot) string { return str(s.SnapshotId) },
		func(token *string) (*ec2.DescribeSnapshotsOutput, error) {
			return call(ctx, r, "ec2", client.DescribeSnapshots,
				&ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}, MaxResults: ptr(ec2Page), NextToken: token})
		},
		func(out *ec2.DescribeSnapshotsOutput) ([]ec2types.Snapshot, *string) {
			return out.Snapshots, out.NextToken
		})
	read := r.note(describeSnapshots, err)
	images, err := pages(func(i ec2types.Image) string { return str(i.ImageId) },
		func(token *string) (*ec2.DescribeImagesOutput, error) {
			return call(ctx, r, "ec2", client.DescribeImages, &ec2.DescribeImagesInput{Owners: []string{"self"},
				IncludeDeprecated: ptr(true), IncludeDisabled: ptr(true), MaxResults: ptr(ec2Page), NextToken: token})
		},
		func(out *ec2.DescribeImagesOutput) ([]ec2types.Image, *string) { return out.Images, out.NextToken })
	imaged := r.note(describeImages, err)

	r.facts.Backups = make([]inventory.Backup, 0, len(snapshots)+len(images))
	for i := range snapshots {
		if r.own(snapshots[i].OwnerId) {
			r.facts.Backups = append(r.facts.Backups, r.volumeSnapshot(&snapshots[i], read))
		}
	}
	for i := range images {
		if r.own(images[i].OwnerId) {
			r.facts.Backups = append(r.facts.Backups, r.image(&images[i], imaged))
		}
	}
	r.sharing(ctx, client)
	r.Listed(inventory.BackupKind, read, imaged)
}

// own: only the account's own were asked for. A server that answers with everybody's (moto does) must not make the account
// answer for theirs.
func (r *reader) own(owner *string) bool { return str(owner) == "" || *owner == r.unit.Scope.Account }

func (r *reader) volumeSnapshot(s *ec2types.Snapshot, read inventory.ReadID) inventory.Backup {
	b := inventory.Backup{Head: r.head("ec2:snapshot", str(s.SnapshotId), nameTag(s.Tags, str(s.SnapshotId)), "SnapshotDetails:snapshotId="),
		SourceID: inventory.Ptr(s.VolumeId, read), CreatedAt: inventory.Ptr(s.StartTime, read), Status: word(s.State, read),
		Encrypted: inventory.Ptr(s.Encrypted, read), Automated: inventory.Absent[bool](read)} // EC2 has no such word
	if str(s.VolumeId) == noVolume {
		b.SourceID = inventory.Absent[string](read)
	}
	return b
}

func (r *reader) image(i *ec2types.Image, read inventory.ReadID) inventory.Backup {
	id := str(i.ImageId)
	b := inventory.Backup{Head: r.head("ec2:image", id, nameTag(i.Tags, str(i.Name)), "ImageDetails:imageId="),
		SourceID: inventory.Optional(i.SourceInstanceId, read), Status: word(i.State, read), Encrypted: imageEncrypted(i, read),
		Automated: inventory.Absent[bool](read), Public: inventory.Ptr(i.Public, read)}
	if made, err := time.Parse(time.RFC3339, str(i.CreationDate)); err == nil {
		b.CreatedAt = inventory.Known(made, read)
	}
	return b
}

// imageEncrypted: an image is as encrypted as the least of its volumes. One without volumes has nothing to encrypt.
func imageEncrypted(i *ec2types.Image, read inventory.ReadID) inventory.Val[bool] {
	encrypted := inventory.Absent[bool](read)
	for _, d := range i.BlockDeviceMappings {
		if d.Ebs == nil {
			continue
		}
		switch on := d.Ebs.Encrypted; {
		case on == nil:
			encrypted = inventory.Unknown[bool](read)
		case !*on:
			return inventory.Known(false, read)
		case encrypted.IsAbsent():
			encrypted = inventory.Known(true, read)
		}
	}
	return encrypted
}

// sharing asks of every snapshot and image who may use it.
func (r *reader) sharing(ctx context.Context, client *ec2.Client) {
	type answer struct {
		public bool
		shared []string
		err    error
	}
	answers := make([]answer, len(r.facts.Backups))
	scanners.Each(ctx, r.s.config.Concurrency, r.facts.Backups, func(ctx context.Context, i int, b inventory.Backup) {
		ask := r.volumeUsers
		if b.Subtype == "ec2:image" {
			ask = r.imageUsers
		}
		a := &answers[i]
		a.public, a.shared, a.err = ask(ctx, client, b.ID)
	})
	for i := range r.facts.Backups {
		b, a, n := &r.facts.Backups[i], &answers[i], describeSnapshotAttr
		if b.Subtype == "ec2:image" {
			n = describeImageAttr
		}
		read := r.note(n, a.err)
		if a.err == nil {
			b.Public, b.SharedWith = inventory.Known(a.public, read), inventory.Closed(a.shared, read)
			continue
		}
		if a.public {
			b.Public = inventory.Known(true, read)
		} else if b.Public.IsUnknown() { // of an image the listing has said it already
			b.Public = inventory.Unknown[bool](read)
		}
		b.SharedWith = inventory.Open(a.shared, read)
	}
}

// errSharer is what somebody is who may use a copy and can't be told: others may be told beside him.
var errSharer = errShape{"who may use it could not be understood"}

func (r *reader) volumeUsers(ctx context.Context, client *ec2.Client, id string) (public bool, shared []string, err error) {
	out, err := call(ctx, r, "ec2", client.DescribeSnapshotAttribute, &ec2.DescribeSnapshotAttributeInput{
		SnapshotId: &id, Attribute: ec2types.SnapshotAttributeNameCreateVolumePermission})
	if err != nil {
		return false, nil, err
	}
	if out.CreateVolumePermissions == nil {
		return false, nil, errShape{"createVolumePermission is missing"}
	}
	for _, p := range out.CreateVolumePermissions {
		switch {
		case p.Group == ec2types.PermissionGroupAll:
			public = true
		case p.Group != "" || str(p.UserId) == "":
			err = errSharer
		}
		if str(p.UserId) != "" {
			shared = append(shared, *p.UserId)
		}
	}
	return public, shared, err
}

func (r *reader) imageUsers(ctx context.Context, client *ec2.Client, id string) (public bool, shared []string, err error) {
	out, err := call(ctx, r, "ec2", client.DescribeImageAttribute, &ec2.DescribeImageAttributeInput{
		ImageId: &id, Attribute: ec2types.ImageAttributeNameLaunchPermission})
	if err != nil {
		return false, nil, err
	}
	if out.LaunchPermissions == nil {
		return false, nil, errShape{"launchPermission is missing"}
	}
	for _, p := range out.LaunchPermissions {
		who := slices.DeleteFunc([]string{str(p.UserId), str(p.OrganizationArn), str(p.OrganizationalUnitArn)},
			func(w string) bool { return w == "" })
		switch {
		case p.Group == ec2types.PermissionGroupAll:
			public = true
		case p.Group != "" || len(who) == 0:
			err = errSharer
		}
		shared = append(shared, who...)
	}
	return public, shared, err
}
