package aws

import (
	"strings"
	"testing"
)

// TestWhatAllowsEverything: each document is its statements, of Effect Allow unless they say otherwise.
func TestWhatAllowsEverything(t *testing.T) {
	const iamAll = `"Action":"iam:*","Resource":"*"`
	const powerUser = `"NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"`
	for _, c := range []struct {
		name       string
		everything bool
		statements []string
	}{
		{"a letter and anything", true, []string{`"Action":"?*","Resource":"*"`}},
		{"of any service any action that has a letter", true, []string{`"Action":"*:?*","Resource":"?*"`}},
		{"both with letters", true, []string{`"Action":"?*:??*","Resource":"*?"`}},
		{"an ARN of any resource with a letter", true, []string{`"Action":"*","Resource":"arn:aws:*:*:*:?*"`}},
		{"an ARN cut short", true, []string{`"Action":"*","Resource":"arn:aws*"`, `"Action":"s3:*","Resource":"x"`}},
		{"an ARN of any partition", true, []string{`"Action":"*","Resource":"arn:*"`}},
		{"an ARN that wants an account, which IAM's have and S3's lack", false, []string{`"Action":"*","Resource":"arn:aws:*:*:?*:*"`}},
		{"an ARN of seven parts", false, []string{`"Action":"*","Resource":"arn:aws:*:*:*:*:*"`}},
		{"the partition alone", false, []string{`"Action":"*","Resource":"arn:aws"`}},
		{"words of three letters", false, []string{`"Action":"???","Resource":"*"`}},
		{"long words only", false, []string{`"Action":"?????????????*","Resource":"*"`}},
		{"everything but a bucket's objects", true, []string{`"Action":"*","NotResource":["arn:aws:s3:::log","arn:aws:s3:::log/*"]`}},
		{"everything but one role", true, []string{`"Action":"*","NotResource":"arn:aws:iam::333333333333:role/audit"`}},
		{"everything but IAM's resources", false, []string{`"Action":"*","NotResource":"arn:aws:iam::*:*"`}},
		{"everything but IAM's resources, kind by kind", false, []string{`"Action":"*","NotResource":["arn:aws:iam::1:user/*","arn:aws:iam::1:group/*","arn:aws:iam::1:role/*","arn:aws:iam::1:policy/*"]`}},
		{"everything but all", false, []string{`"Action":"*","NotResource":"*"`}},
		{"some actions on everything but one", false, []string{`"Action":"s3:*","NotResource":"arn:aws:s3:::log"`}},
		{"everything but another service", true, []string{`"NotAction":["organizations:*","s3:DeleteBucket"],"Resource":"*"`}},
		{"everything but one action of IAM", false, []string{`"NotAction":"IAM:CreateUser","Resource":"*"`}},
		{"everything but what a pattern finds in IAM", false, []string{`"NotAction":"i*","Resource":"*"`}},
		{"everything but the creating of any service", false, []string{`"NotAction":"*:Create*","Resource":"*"`}},
		{"everything but another service, on one resource", false, []string{`"NotAction":"s3:*","Resource":"arn:aws:s3:::log"`}},
		{"power user", false, []string{powerUser}},
		{"power user as AWS writes it", false, []string{powerUser, `"Action":["account:GetAccountInformation","iam:CreateServiceLinkedRole","iam:DeleteServiceLinkedRole","iam:ListRoles","organizations:DescribeOrganization"],"Resource":"*"`}},
		{"power user, and IAM beside it", true, []string{powerUser, iamAll}},
		{"power user, and IAM on its own resources", true, []string{powerUser, `"Action":"iam:*","Resource":"arn:aws:iam::*:*"`}},
		{"power user, and all on IAM's resources", true, []string{powerUser, `"Action":"*","Resource":["arn:aws:iam::1:*","x"]`}},
		{"power user, and IAM on one role", false, []string{powerUser, `"Action":"iam:*","Resource":"arn:aws:iam::1:role/x"`}},
		{"power user, and the reading of IAM", false, []string{powerUser, `"Action":["iam:Get*","iam:List*"],"Resource":"*"`}},
		{"two that leave out something else each", true, []string{powerUser, `"NotAction":"s3:*","Resource":"*"`}},
		{"two that leave out IAM", false, []string{powerUser, `"NotAction":["iam:*","s3:*"],"Resource":"*"`}},
		{"all but IAM's resources, and IAM", true, []string{`"Action":"*","NotResource":"arn:aws:iam::*:*"`, iamAll}},
		{"IAM alone", false, []string{iamAll}},
		{"reading everything", false, []string{`"Action":["*:Get*","*:List*","*:Describe*"],"Resource":"*"`}},
		{"a Deny beside it, which is not subtracted", true, []string{`"Action":"*","Resource":"*"`, `"Effect":"Deny","Action":"iam:*","Resource":"*"`}},
		{"a Deny that brings nothing back", false, []string{powerUser, `"Effect":"Deny","Action":"iam:*","Resource":"*"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i, s := range c.statements {
				if !strings.Contains(s, "Effect") {
					s = `"Effect":"Allow",` + s
				}
				c.statements[i] = "{" + s + "}"
			}
			_, everything, err := parsePolicy(`{"Statement":[` + strings.Join(c.statements, ",") + "]}")
			if err != nil || everything != c.everything {
				t.Errorf("%v, %v", everything, err)
			}
		})
	}
}
