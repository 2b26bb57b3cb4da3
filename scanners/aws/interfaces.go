package aws

import (
	"net/netip"
	"slices"
	"strings"

	"sptr.jp/tenken/findings/inventory"
)

// address is whether an interface can be addressed from the internet in one family.
type address struct {
	has  truth
	text string
}

// facing gives those of IPv4 and IPv6, in the order of the families.
func facing(n *inventory.NetworkInterface) [2]address {
	v4 := address{truth{}, "no public IPv4 address"}
	if ip, ok := n.PublicIP.Get(); ok && ip != "" {
		v4 = address{yes, "public IPv4 address " + ip}
	} else if n.PublicIP.IsUnknown() {
		v4 = address{maybe(cause{n.Unit(), n.PublicIP.Read()}), "public IPv4 address not read"}
	}
	v6 := address{truth{}, "no IPv6 address of the internet"}
	if i := slices.IndexFunc(sorted(n.IPv6.Items), global); i >= 0 {
		v6 = address{yes, "IPv6 address " + sorted(n.IPv6.Items)[i]}
	} else if n.IPv6.IsOpen() {
		v6 = address{maybe(cause{n.Unit(), n.IPv6.Read()}), "IPv6 addresses not read"}
	}
	return [2]address{v4, v6}
}

// global reports that an IPv6 address or prefix is the internet's: a unique local one (fc00::/7) is routed nowhere.
func global(ip string) bool {
	ip, _, _ = strings.Cut(ip, "/")
	a, err := netip.ParseAddr(ip)
	return err != nil || !a.IsPrivate()
}

// unfiltered is set where the internet may address a load balancer without security groups, which lets in whatever it
// has a listener for: that is told by elasticloadbalancing, which is not read. What it may hide are exposures. A database
// behind it is judged all the same: its own groups must admit the balancer, or the clients whose addresses it keeps, and
// database-ingress-restricted looks at them.
func unfiltered(n *inventory.NetworkInterface) cause {
	if len(n.SecurityGroupIDs.Items) > 0 || n.SecurityGroupIDs.IsOpen() {
		return cause{}
	}
	var balancer truth
	switch kind, known := n.InterfaceType.Get(); {
	case !known:
		balancer = maybe(cause{n.Unit(), n.InterfaceType.Read()})
	case strings.HasPrefix(kind, "network_load_balancer"), strings.HasPrefix(kind, "gateway_load_balancer"):
		balancer = maybe(cause{n.Unit(), n.Unit().Note(inventory.Read{Reason: inventory.NotConnected, Where: "derive",
			Detail: "load balancers without security groups: elasticloadbalancing, which tells what they forward, is not read"})})
	}
	ip := facing(n)
	return ip[0].has.or(ip[1].has).and(balancer).why
}

// used is whether something is attached to an interface that is no machine's: what a service puts there, whether or not
// it says that it manages the interface (a container's is the account's own), answers like any machine.
func used(n *inventory.NetworkInterface) truth {
	in, known := n.InUse.Get()
	if !known {
		return maybe(cause{n.Unit(), n.InUse.Read()})
	}
	return truth{yes: in}
}
