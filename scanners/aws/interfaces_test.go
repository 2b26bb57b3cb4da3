package aws

import (
	"slices"
	"strings"
	"testing"

	"sptr.jp/tenken/findings/inventory"
)

// balancer adds an interface without security groups.
func balancer(kind, ip string) func(*lab) {
	return func(l *lab) {
		l.nic("eni-nlb", "", "amazon-elb", "subnet-a", ip, nil, nil)
		l.machines.Facts.NetworkInterfaces[2].InterfaceType = is(l, kind)
	}
}

// TestWhatBalancersForwardIsSaidToBeUnread: the reason names the service.
func TestWhatBalancersForwardIsSaidToBeUnread(t *testing.T) {
	l := openPlace().build()
	l.nic("eni-lb", "", "amazon-elb", "subnet-a", "", nil, []string{"sg-1"})
	balancer("network_load_balancer", "198.51.100.9")(l)
	inv := derived(t, inventory.Declared{}, l.units()...)
	i := slices.IndexFunc(inv.Units, func(u inventory.Unit) bool { return u.Listing(inventory.NetworkInterfaceKind) != nil })
	u := &inv.Units[i]
	if r := u.Read(u.Listing(inventory.ExposureKind).Why(u)); r.Reason != inventory.NotConnected || !strings.Contains(r.Detail, "elasticloadbalancing") {
		t.Errorf("%+v", r)
	}
	if db := databases(inv)["db-1"]; say(db.InternetReach) != inventory.ReachableNow {
		t.Errorf("the database is judged by its own groups: %s", say(db.InternetReach))
	}
}
