package aws_test

import (
	"strings"
	"testing"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/fixtures"
)

// TestRowOfAnEarlierUser: a user who was deleted and made anew has the name, ARN and row of another, who is gone. What
// the row says (no password, an old key) is not of the one who is there.
func TestRowOfAnEarlierUser(t *testing.T) {
	for made, stale := range map[string]bool{"2024-02-28T12:00:00Z": false, "2024-02-28T12:00:01Z": true, "2026-11-24T11:00:00Z": true} {
		u := production(t, fixtures.Patch(entitiesFile, "UserDetailList: {member: {UserName=ci-deploy: {CreateDate: '"+made+"'}}}"))[management+"/iam"]
		user := named(t, u.Facts.Accounts, accountName, "ci-deploy")
		keys := 0
		for i := range u.Facts.Credentials {
			if strings.HasPrefix(u.Facts.Credentials[i].ID, user.ID+"/") {
				keys++
			}
		}
		if !stale {
			wantVal(t, "the keys of the row's own user", user.ActiveKeys, 1)
			continue
		}
		wantWhy(t, u, "how a user made at "+made+" signs in", user.ConsolePassword, "iam:GetCredentialReport", inventory.Stale)
		wantWhy(t, u, "and whether he does", user.State, "iam:GetCredentialReport", inventory.Stale)
		if keys > 0 || u.Listing(inventory.CredentialKind).Complete {
			t.Errorf("%d keys of an earlier user, listed whole: %v", keys, u.Listing(inventory.CredentialKind).Complete)
		}
	}
}
