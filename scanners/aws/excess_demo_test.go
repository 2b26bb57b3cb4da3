package aws_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners/aws"
)

// TestDemoReaderHasTheNeedsAlone keeps the demo company's production the example of how it should be: a new need belongs
// into the policy of its reader, in fixtures/sptr.
func TestDemoReaderHasTheNeedsAlone(t *testing.T) {
	var needs []string
	for _, n := range aws.Needs() {
		if n.Permission != "" {
			needs = append(needs, n.Permission)
		}
	}
	slices.Sort(needs)
	u := production(t)[management+"/iam"]
	policy := named(t, u.Facts.Roles, func(r *inventory.Role) string { return r.Name }, "role/tenken-audit/TenkenAudit")
	if diff := cmp.Diff(slices.Compact(needs), policy.Actions.Items); diff != "" {
		t.Errorf("the policy of role/tenken-audit (-needs +has):\n%s", diff)
	}
}
