package aws

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

// TestRightShape: the head of an answer tells whether it is the one of the operation, before any of its fields do.
func TestRightShape(t *testing.T) {
	for _, c := range []struct {
		name, body string
		right      bool
	}{
		{"the answer", `<?xml version="1.0"?><DescribeVpcsResponse xmlns="x"><vpcSet/></DescribeVpcsResponse>`, true},
		{"behind a lot of white space", strings.Repeat(" \n", 9000) + "<DescribeVpcsResponse/>", true},
		{"JSON", `{"Accounts": []}`, true},
		{"another operation's", "<DescribeSubnetsResponse/>", false},
		{"a web page", "<!DOCTYPE html><html><body/></html>", false},
		{"an error that says 200", "<ErrorResponse/>", false},
		{"nothing", "", false},
		{"white space", " \n", false},
		{"words", "Sign in", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := bufio.NewReader(strings.NewReader(c.body))
			if err := checkShape(body, "DescribeVpcs"); (err == nil) != c.right {
				t.Fatalf("%v", err)
			}
			if rest, _ := io.ReadAll(body); c.right && string(rest) != strings.TrimSpace(c.body) {
				t.Errorf("the check ate of the answer: %.60q", rest)
			}
		})
	}
}
