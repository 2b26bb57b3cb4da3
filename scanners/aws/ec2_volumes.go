package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"sptr.jp/tenken/findings/inventory"
)

// ec2Volumes reads volumes, and the region's own defaults for them and for their snapshots.
func (r *reader) ec2Volumes(ctx context.Context) {
	client := ec2.NewFromConfig(r.config)
	volumes, err := pages(func(v ec2types.Volume) string { return str(v.VolumeId) },
		func(token *string) (*ec2.DescribeVolumesOutput, error) {
			return call(ctx, r, "ec2", client.DescribeVolumes, &ec2.DescribeVolumesInput{MaxResults: ptr(ec2Page), NextToken: token})
		},
		func(out *ec2.DescribeVolumesOutput) ([]ec2types.Volume, *string) { return out.Volumes, out.NextToken })
	read := r.note(describeVolumes, err)
	for i := range volumes {
		v := &volumes[i]
		id := str(v.VolumeId)
		r.facts.Volumes = append(r.facts.Volumes, inventory.Volume{Head: r.head("ec2:volume", id, nameTag(v.Tags, id), "VolumeDetails:volumeId="),
			Encrypted: inventory.Ptr(v.Encrypted, read), KMSKey: inventory.Optional(v.KmsKeyId, read), State: word(v.State, read),
			InstanceIDs: inventory.Closed(mapped(v.Attachments, func(a ec2types.VolumeAttachment) string { return str(a.InstanceId) }), read)})
	}
	r.Listed(inventory.VolumeKind, read)
	r.regionDefaults(ctx, client)
}

// regionDefaults makes the tenant of the region, unless nothing of it could be read.
func (r *reader) regionDefaults(ctx context.Context, client *ec2.Client) {
	id := regionID(r.unit.Scope.Account, r.region)
	t := inventory.Tenant{Head: inventory.Head{ID: id, Subtype: "aws:region", Name: id, Region: r.region,
		URL: r.console("ec2", "Settings:tab=dataProtectionAndSecurity")}}
	encryption, err := call(ctx, r, "ec2", client.GetEbsEncryptionByDefault, &ec2.GetEbsEncryptionByDefaultInput{})
	if err == nil && encryption.EbsEncryptionByDefault == nil {
		err = errMissing
	}
	encrypted := r.note(getDefaultEncryption, err)
	t.VolumeEncryptionByDefault = inventory.Unknown[bool](encrypted)
	if err == nil {
		t.VolumeEncryptionByDefault = inventory.Ptr(encryption.EbsEncryptionByDefault, encrypted)
	}
	sharing, err := call(ctx, r, "ec2", client.GetSnapshotBlockPublicAccessState, &ec2.GetSnapshotBlockPublicAccessStateInput{})
	if err == nil && sharing.State == "" {
		err = errMissing
	}
	blocked := r.note(getSnapshotBlock, err)
	t.SnapshotSharingBlocked = inventory.Unknown[string](blocked)
	if err == nil {
		t.SnapshotSharingBlocked = word(sharing.State, blocked)
	}
	r.keepTenant(t, encrypted, blocked)
}
