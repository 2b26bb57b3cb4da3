package aws

import (
	"fmt"
	"slices"
	"strings"

	"sptr.jp/tenken/findings/inventory"
)

// body is what answers behind some interfaces: a machine, or an interface that a service has attached to something or that nothing uses.
type body struct {
	kind inventory.Kind
	id   string
	head *inventory.Head // whose environment, asset and unit the exposures take
	up   truth           // something is there to answer
	lost cause           // set when the head is not its own, which is not in hand
	nics []*inventory.NetworkInterface
}

// interfaces gives an exposure to every service that a rule opens to the internet on something with interfaces. That it
// exists rests on facts in hand alone: the interface, what it belongs to, the group and the rule.
func (w *world) interfaces() {
	for _, b := range w.bodies() {
		opened := map[service][]opening{}
		unread := w.unseen(b).why
		for _, n := range b.nics {
			fw := w.firewall(n.Unit(), n.Region, n.SecurityGroupIDs)
			unread = firstCause(unread, fw.why)
			for _, o := range fw.opened {
				opened[o.service] = append(opened[o.service], o)
			}
		}
		for s, list := range opened {
			var sources []string
			var proof []inventory.Step
			for _, o := range list {
				sources, proof = append(sources, o.sources...), append(proof, o.rules...)
			}
			slices.SortFunc(proof, compareSteps)
			way, steps := w.nearest(b, s)
			w.expose(exposure{b.kind, b.id, b.head, b.lost, s}, sources, unread, b.up.and(way.or(w.unseen(b))), append(slices.Compact(proof), steps...))
		}
	}
}

// bodies groups the interfaces by what they belong to. Those of databases are left out: the Database stands for them.
// Where it is not known what an interface belongs to, or what its groups admit, an exposure may be missing.
func (w *world) bodies() []*body {
	var list []*body
	machines := map[spot]*body{}
	for _, u := range w.units {
		for i := range u.Facts.NetworkInterfaces {
			n := &u.Facts.NetworkInterfaces[i]
			w.missing(u, w.firewall(u, n.Region, n.SecurityGroupIDs).why)
			w.missing(u, unfiltered(n))
			id, attached := n.InstanceID.Get()
			if attached {
				at := spot{u.Scope.Account, n.Region, id}
				if machines[at] == nil {
					machines[at] = &body{kind: inventory.InstanceKind, id: id}
					list = append(list, machines[at])
				}
				machines[at].nics = append(machines[at].nics, n)
				continue
			}
			manager, _ := n.Service.Get()
			switch {
			case n.InstanceID.IsUnknown():
				w.missing(u, cause{u, n.InstanceID.Read()})
			case n.Service.IsUnknown():
				w.missing(u, cause{u, n.Service.Read()})
			case manager != "amazon-rds":
				list = append(list, &body{kind: inventory.NetworkInterfaceKind, id: n.ID, head: &n.Head, up: used(n), nics: []*inventory.NetworkInterface{n}})
			}
		}
	}
	for _, b := range machines {
		slices.SortFunc(b.nics, func(x, y *inventory.NetworkInterface) int { return strings.Compare(x.ID, y.ID) })
		w.machine(b)
	}
	return list
}

// machine fills in what is known of a body's machine; one that is not in hand is represented by its first interface.
func (w *world) machine(b *body) {
	n := b.nics[0]
	i, ok, r := w.instances.Find(n.Unit(), n.Unit().Scope.Account, n.Region, b.id)
	if !ok {
		b.lost = cause{n.Unit(), r}
		b.head, b.up = &n.Head, maybe(b.lost)
		return
	}
	state, ok := i.State.Get()
	b.head, b.up = &i.Head, truth{yes: state == "running"}
	if !ok {
		b.up = maybe(cause{i.Unit(), i.State.Read()})
	}
}

// unseen is maybe where a machine may have an interface that is not in hand.
func (w *world) unseen(b *body) truth {
	if b.kind != inventory.InstanceKind {
		return truth{}
	}
	u, region := b.nics[0].Unit(), b.nics[0].Region
	if whole, r := w.nics.Whole(u, u.Scope.Account, region); !whole {
		return maybe(cause{u, r})
	}
	if why := w.strays[spot{account: u.Scope.Account, region: region}]; why.set() {
		return maybe(why)
	}
	return truth{}
}

// nearest is how far the internet gets by any of the interfaces, with the steps of the one by which it gets furthest.
func (w *world) nearest(b *body, s service) (best truth, steps []inventory.Step) {
	for i, n := range b.nics {
		if t, st := w.byInterface(n, s); i == 0 || t.yes && !best.yes || t.maybe && best.no() {
			best, steps = t, st
		}
	}
	return best, steps
}

func (w *world) byInterface(n *inventory.NetworkInterface, s service) (best truth, steps []inventory.Step) {
	fw := w.firewall(n.Unit(), n.Region, n.SecurityGroupIDs)
	for i, addr := range facing(n) {
		steps = append(steps, inventory.Step{Resource: n.ID, Fact: addr.text})
		if addr.has.no() {
			continue
		}
		tr := trail{tableWhy: cause{n.Unit(), n.SubnetID.Read()}, aclWhy: cause{n.Unit(), n.SubnetID.Read()}}
		if subnet, ok := n.SubnetID.Get(); ok {
			tr = w.trail(n.Unit(), n.Region, subnet)
		}
		way, path := w.reaches(tr, fw, s, w.families[i])
		best = best.or(addr.has.and(way))
		steps = append(steps, path...)
	}
	return best, steps
}

// unattached gives an exposure to every service that a group opens to the internet although nothing has the group. That
// is known only where all interfaces and databases of the account and region are in hand, with all their groups.
func (w *world) unattached() {
	for _, u := range w.units {
		for i := range u.Facts.SecurityGroups {
			g := &u.Facts.SecurityGroups[i]
			fw := w.firewall(u, g.Region, inventory.Closed([]string{g.ID}, g.Ingress.Read()))
			w.missing(u, fw.why)
			if len(fw.opened) == 0 || !w.alone(u, spotOf(&g.Head)) {
				continue
			}
			for _, o := range fw.opened {
				proof := append(slices.Clone(o.rules), inventory.Step{Resource: g.ID, Fact: "attached to nothing"})
				w.found[u] = append(w.found[u], w.newExposure(exposure{inventory.SecurityGroupKind, g.ID, &g.Head, cause{}, o.service}, o.sources, fw.why,
					inventory.Known(inventory.Unreachable, g.Ingress.Read()), proof))
			}
		}
	}
}

func (w *world) alone(u *inventory.Unit, group spot) bool {
	if w.attached[group] || w.doubts[group.area()].set() {
		return false
	}
	for _, l := range []*inventory.Listings{w.nics, w.databases} {
		if whole, _ := l.Whole(u, group.account, group.region); !whole {
			return false
		}
	}
	return true
}

// exposure is what an Exposure is about.
type exposure struct {
	kind  inventory.Kind
	asset string
	head  *inventory.Head
	lost  cause // set when the head is another's, since the asset itself is not in hand
	service
}

// expose files an exposure of something that a group is attached to: a rule admits the internet, so it is reachable now
// or one change away.
func (w *world) expose(x exposure, sources []string, unread cause, now truth, proof []inventory.Step) {
	u := x.head.Unit()
	reach := inventory.Known(inventory.OneChangeAway, w.evidence(x.head))
	switch {
	case now.yes:
		reach = inventory.Known(inventory.ReachableNow, w.evidence(x.head))
	case now.maybe:
		reach = inventory.Unknown[string](now.why.in(u))
	}
	w.found[u] = append(w.found[u], w.newExposure(x, sources, unread, reach, proof))
}

// evidence is the read that stands behind what was concluded of a thing: that of the rules of its groups.
func (w *world) evidence(h *inventory.Head) inventory.ReadID {
	return w.read[spotOf(h).area()].in(h.Unit())
}

func (w *world) newExposure(x exposure, sources []string, unread cause, reach inventory.Val[string], proof []inventory.Step) inventory.Exposure {
	u, h := x.head.Unit(), x.head
	e := inventory.Exposure{
		Head: inventory.Head{
			ID: fmt.Sprintf("%s|%s/%d-%d", x.asset, x.protocol, x.from, x.to), Subtype: "exposure", Name: name(x), Region: h.Region, URL: h.URL,
		},
		AssetKind: x.kind, AssetID: x.asset, Protocol: x.protocol, From: x.from, To: x.to,
		Sources: inventory.Closed(sorted(sources), w.evidence(h)), Reach: reach,
		Attached: inventory.Known(x.kind != inventory.SecurityGroupKind, w.evidence(h)), Proof: proof,
	}
	if unread.set() {
		e.Sources = inventory.Open(e.Sources.Items, unread.in(u))
	}
	u.Adopt(&e.Head)
	if e.Inherit(h); x.lost.set() {
		e.Doubt(x.lost.in(u))
	}
	return e
}

func name(x exposure) string {
	n := x.head.Name
	if n == "" || x.head.ID != x.asset {
		n = x.asset
	}
	return n + " " + x.service.String()
}

// String is the service as people write it.
func (s service) String() string {
	switch {
	case s.protocol == "all":
		return "all"
	case s.from == s.to && hasPorts(s.protocol):
		return fmt.Sprintf("%s/%d", s.protocol, s.from)
	case hasPorts(s.protocol):
		return fmt.Sprintf("%s/%d-%d", s.protocol, s.from, s.to)
	}
	return s.protocol
}
