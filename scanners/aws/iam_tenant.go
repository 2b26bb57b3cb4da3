package aws

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"sptr.jp/tenken/findings/inventory"
)

// tenant makes the account's own settings.
func (r *reader) tenant(ctx context.Context, client *iam.Client) {
	id := r.unit.Scope.Account
	t := inventory.Tenant{Head: inventory.Head{ID: id, Subtype: "aws:account", Name: id, URL: r.console("iam", "/account_settings")}}
	policy, err := call(ctx, r, "iam", client.GetAccountPasswordPolicy, &iam.GetAccountPasswordPolicyInput{})
	unset := codeOf(err) == "NoSuchEntity"
	if unset {
		err = nil
	}
	if err == nil && !unset && policy.PasswordPolicy == nil {
		err = errMissing
	}
	passwords := r.note(getPasswordPolicy, err)
	t.PasswordMinLength, t.PasswordReusePrevented = inventory.Unknown[int64](passwords), inventory.Unknown[int64](passwords)
	switch {
	case unset:
		t.PasswordMinLength, t.PasswordReusePrevented = inventory.Absent[int64](passwords), inventory.Absent[int64](passwords)
	case err == nil:
		t.PasswordMinLength = number(policy.PasswordPolicy.MinimumPasswordLength, passwords)
		t.PasswordReusePrevented = inventory.Absent[int64](passwords) // missing: none is remembered
		if n := policy.PasswordPolicy.PasswordReusePrevention; n != nil {
			t.PasswordReusePrevented = number(n, passwords)
		}
	}
	belongs := r.organizationOf(ctx, &t)
	r.keepTenant(t, passwords, belongs)
}

// keepTenant keeps the settings of an account or a region if anything of them was read. They exist whatever fails, so
// that one answer is enough to list them.
func (r *reader) keepTenant(t inventory.Tenant, reads ...inventory.ReadID) {
	answered := slices.DeleteFunc(slices.Clone(reads), func(read inventory.ReadID) bool { return r.unit.Read(read).Reason != "" })
	if len(answered) == 0 {
		r.Listed(inventory.TenantKind, reads...)
		return
	}
	r.facts.Tenants = append(r.facts.Tenants, t)
	r.Listed(inventory.TenantKind, answered...)
}

func (r *reader) organizationOf(ctx context.Context, t *inventory.Tenant) inventory.ReadID {
	client := organizations.NewFromConfig(r.config)
	out, err := call(ctx, r, "organizations", client.DescribeOrganization, &organizations.DescribeOrganizationInput{})
	none := codeOf(err) == notInUse
	switch {
	case none:
		err = nil
	case err == nil && out.Organization == nil:
		err = errMissing
	}
	read := r.note(describeOrg, err)
	t.OrganizationID, t.OrganizationOwnerID = inventory.Unknown[string](read), inventory.Unknown[string](read)
	switch {
	case none:
		t.OrganizationID, t.OrganizationOwnerID = inventory.Absent[string](read), inventory.Absent[string](read)
	case err == nil:
		t.OrganizationID = inventory.Ptr(out.Organization.Id, read)
		t.OrganizationOwnerID = inventory.Ptr(out.Organization.MasterAccountId, read)
	}
	return read
}
