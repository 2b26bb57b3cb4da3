package aws_test

import (
	"testing"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/fixtures"
)

const entitiesFile = "aws/333333333333/global/iam/GetAccountAuthorizationDetails.yaml"

// TestServiceRoleByItsPath: anybody may give a role AWS's name for one, nobody else its path.
func TestServiceRoleByItsPath(t *testing.T) {
	policy := "AttachedManagedPolicies: {member: [{PolicyName: x, PolicyArn: 'arn:aws:iam::aws:policy/x'}]}"
	u := production(t, fixtures.Patch(entitiesFile, `RoleDetailList: {member: {+: [
  {RoleId: AROANAMED, RoleName: AWSServiceRoleForMe, Path: /, Arn: "arn:aws:iam::333333333333:role/AWSServiceRoleForMe", `+policy+`},
  {RoleId: AROAPATH, RoleName: other, Path: /aws-service-role/x.amazonaws.com/, Arn: "arn:aws:iam::333333333333:role/aws-service-role/x.amazonaws.com/other", `+policy+`}]}}`))[management+"/iam"]
	for id, want := range map[string]string{"AROANAMED": "role", "AROAPATH": "service_role"} {
		g := named(t, u.Facts.Grants, func(g *inventory.Grant) string { return g.PrincipalID.Or("") }, id)
		wantVal(t, "what "+id+" is", g.PrincipalType, want)
	}
}
