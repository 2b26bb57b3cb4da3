package main

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
)

// TestABalancerWithoutGroupsLeavesPortsUnknown: nothing that is read says what a public network load balancer without
// security groups lets in, so the account can't be said to have its ports closed. Nobody need be granted anything for it.
func TestABalancerWithoutGroupsLeavesPortsUnknown(t *testing.T) {
	t.Parallel()
	c := wireCase{Patch: map[string]yaml.Node{}}
	if err := yaml.Unmarshal([]byte(`aws/222222222222/ap-northeast-1/ec2/DescribeNetworkInterfaces.yaml:
  networkInterfaceSet: {item: {networkInterfaceId=eni-0a182242176a86f8a: {interfaceType: network_load_balancer, groupSet: {item: []}}}}`), &c.Patch); err != nil {
		t.Fatal(err)
	}
	r := c.scan(t)
	for account, want := range map[string]string{"222222222222": "unknown", "333333333333": "none"} {
		f := r.finding(t, "admin-ports-closed", "spartraining/"+account)
		if verdict(f) != want {
			t.Fatalf("%s is %s, want %s", account, verdict(f), want)
		}
		if want == "unknown" && (len(f.Unknown) != 1 || f.Unknown[0].Reason != inventory.NotConnected || !strings.Contains(f.Unknown[0].Detail, "elasticloadbalancing") || f.Unknown[0].Permission != "") {
			t.Errorf("because of %+v", f.Unknown)
		}
	}
	for _, f := range r.Findings {
		if f.Rule == "database-not-public" && f.Verdict == findings.Unknown {
			t.Errorf("a database behind it is judged by its own groups: %s", describe(&f))
		}
	}
}
