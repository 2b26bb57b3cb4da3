package aws

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sptr.jp/tenken/findings/inventory"
)

// What the reader of an account may do beyond the needs is told by account and policy, the worst first; what was not read
// is no "nothing".
func TestExcess(t *testing.T) {
	grant := func(principal, id, policy string, role inventory.Val[*inventory.Role]) inventory.Grant {
		return inventory.Grant{PrincipalName: inventory.Known(principal, 1), PrincipalID: inventory.Known(id, 1), RoleName: inventory.Known(policy, 1), Role: role}
	}
	policy := func(r inventory.Role) inventory.Val[*inventory.Role] { return inventory.Known(&r, 1) }
	allows := func(actions ...string) inventory.Val[*inventory.Role] {
		return policy(inventory.Role{Actions: inventory.Closed(actions, 1)})
	}
	everything := policy(inventory.Role{Actions: inventory.Closed([]string{"*"}, 1), AllowsEverything: inventory.Known(true, 1)})
	one := func(role inventory.Val[*inventory.Role]) []inventory.Grant {
		return []inventory.Grant{grant("role/audit", "R", "p", role), grant("role/other", "O", "all", everything)}
	}
	aws := func(arn string) inventory.Val[*inventory.Role] {
		return policy(inventory.Role{Head: inventory.Head{ID: "arn:aws:iam::" + arn}, Actions: inventory.Closed([]string{"a:Get*", "b:List*"}, 1)})
	}
	const audit, refused = "1 role/audit → p: ", "not known, it was not read (iam:Refused: access_denied)"
	for _, c := range []struct {
		name, role, caller string
		whole              bool
		grants             []inventory.Grant
		want               string
	}{
		{"exactly the needs", "audit", "", true, one(allows("rds:DescribeDBInstances", "ec2:describeVPCs", "sts:GetCallerIdentity")), ""},
		{"by a role's ARN", "arn:aws:iam::1:role/x/audit", "", true, one(allows("rds:DescribeDBInstances", "ec2:DescribeHosts")), audit + "reads ec2:DescribeHosts"},
		{"writes, then data, then the rest", "audit", "", true, one(allows("ec2:DescribeHosts", "s3:GetObject", "s3:PutObject")), audit + "may change s3:PutObject; reads data s3:GetObject; reads ec2:DescribeHosts"},
		{"patterns", "audit", "", true, one(allows("*:List*", "iam:*", "rds:Describe*", "s3:Get*")), audit + "may change *:List*, iam:*; reads data s3:Get*; reads rds:Describe*"},
		{"everything but", "audit", "", true, one(allows("!iam:*")), audit + "may change !iam:*"},
		{"data is read by another verb", "audit", "", true, one(allows("dynamodb:Scan", "kms:Decrypt", "rds-data:*")), audit + "reads data dynamodb:Scan, kms:Decrypt, rds-data:*"},
		{"much more", "audit", "", true, one(allows("a:Put1", "a:Put2", "a:Put3", "a:Put4", "a:Put5", "a:Put6", "s3:GetObject", "x:Get1", "x:Get2")), audit + "may change a:Put1, a:Put2, a:Put3, a:Put4, 2 more; reads data s3:GetObject; reads x:Get1, 1 more"},
		{"everything", "audit", "", true, one(everything), audit + "everything"},
		{"AWS's own sets", "audit", "", true, one(aws("aws:policy/SecurityAudit")), audit + "AWS's own set for reading, which is more than is needed"},
		{"the other of them", "audit", "", true, one(aws("aws:policy/job-function/ViewOnlyAccess")), audit + "AWS's own set for reading, which is more than is needed"},
		{"one that bears the name", "audit", "", true, one(aws("1:policy/SecurityAudit")), audit + "reads a:Get*, b:List*"},
		{"a user, and its group", "", "arn:aws:iam::1:user/p/taro", true, []inventory.Grant{grant("group/g", "G", "all", everything), grant("group/h", "H", "all", everything),
			grant("user/taro", "U", "p", allows("s3:*"))}, "1 user/taro by group/g → all: everything\n1 user/taro → p: may change s3:*"},
		{"a user whose groups were not read", "", "arn:aws:iam::1:user/hanako", true, nil, "1 user/hanako, its groups: " + refused},
		{"a session", "", "arn:aws:sts::1:assumed-role/audit/me/too", true, one(allows("s3:PutObject")), audit + "may change s3:PutObject"},
		{"a user that nobody lists", "", "arn:aws:sts::1:user/moto", true, nil, "1 user/moto: not known: IAM lists no such user"},
		{"root", "", "arn:aws:iam::1:root", true, nil, "1 root: everything"},
		{"a federated user", "", "arn:aws:sts::1:federated-user/taro", true, nil, "1: not known: AWS names no user and no role as the owner of these credentials"},
		{"nobody knows who", "", "", true, nil, "1: not known: AWS names no user and no role as the owner of these credentials"},
		{"a policy that was not read", "audit", "", true, one(inventory.Unknown[*inventory.Role](2)), audit + refused},
		{"actions that were not read", "audit", "", true, one(policy(inventory.Role{Actions: inventory.Open[string](nil, 2)})), audit + refused},
		{"grants that were not read", "audit", "", false, one(everything), "1 role/audit: " + refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := inventory.NewUnit(inventory.Scope{System: "s", Type: "aws", Account: "1"}, "iam", inventory.GrantKind)
			u.Note(inventory.Read{Operation: "iam:Answered"})
			u.Note(inventory.Read{Operation: "iam:Refused", Reason: inventory.AccessDenied})
			u.Listings[0].Complete, u.Listings[0].Reads = c.whole, []inventory.ReadID{2}
			u.Facts.Grants = c.grants
			u.Facts.Accounts = []inventory.Account{{Head: inventory.Head{Subtype: "iam:user", Name: "taro"}, GroupIDs: inventory.Closed([]string{"G"}, 1)},
				{Head: inventory.Head{Subtype: "iam:user", Name: "hanako"}, GroupIDs: inventory.Open[string](nil, 2)}}
			s := &Scanner{config: Config{System: "s", Role: c.role}, caller: c.caller}
			other := u // of another system with the same account
			other.Scope.System = "t"
			if got := strings.Join(s.Excess(inventory.New([]inventory.Unit{u, other})), "\n"); got != c.want {
				t.Errorf("it says\n%s, want\n%s", got, c.want)
			}
		})
	}
}

// TestOverlap: two patterns overlap if one text fits both; a text that fits one of them, drawn from it, tells.
func TestOverlap(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"s3:getobject", "s3:getobject*", true}, {"s3:get*", "s3:getobject*", true}, {"s3:get*acl", "s3:getobject*", true}, {"*", "s3:getobject*", true},
		{"s3:getbucket*", "s3:getobject*", false}, {"s3:get?bject", "s3:getobject*", true}, {"s3:get?", "s3:getobject*", false}, {"", "*", true}, {"a", "", false},
	} {
		if overlap(c.a, c.b) != c.want || overlap(c.b, c.a) != c.want {
			t.Errorf("%q and %q overlap: %v, want %v", c.a, c.b, !c.want, c.want)
		}
	}
	stars := strings.Repeat("*a", 200)
	if overlap(stars, "dynamodb:batchgetitem") || !overlap(stars+"*", strings.Repeat("a", 200)) {
		t.Error("many stars are too many")
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 0, 8, -1).Draw(t, "text")
		hide := func(label string) string { // a pattern that the text fits
			p := []byte(text)
			for i := range p {
				p[i] = rapid.SampledFrom([]byte{p[i], p[i], '?', '*'}).Draw(t, label)
			}
			return string(p)
		}
		if a, b := hide("a"), hide("b"); !overlap(a, b) {
			t.Fatalf("%q fits %q and %q, which don't overlap", text, a, b)
		}
	})
}
