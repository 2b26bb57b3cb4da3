package aws

import (
	"cmp"
	"fmt"
	"slices"

	"sptr.jp/tenken/findings/inventory"
)

// database concludes what may reach a database, and how far the internet gets.
//
// The internet reaches an instance by its public addresses: IPv4, and IPv6 where its network type has both families. RDS
// doesn't say which of them it made public, so that each family counts that the type has. A cluster whose instances have
// the addresses is judged from its groups alone. The instance stands in some subnet of its group, and RDS moves it: one by
// which the way is open is enough. Past all of that leads a gateway of the provider's own, where there is one.
func (w *world) database(u *inventory.Unit, db *inventory.Database) {
	fw := w.firewall(u, db.Region, db.SecurityGroupIDs)
	w.missing(u, fw.why)
	p := listensOn(db)
	public, text := publicly(db)
	gate := accessGateway(db)
	now, steps := w.bySubnets(db, fw, p, public)
	more, moreNow := w.further(db, fw, p, public)
	open := gate.or(p.open(w, fw)).or(more)
	now = gate.or(now).or(moreNow)
	db.Ingress = w.ingress(db, fw, p)
	db.InternetOpen = verdict(u, open, true, false, fw.read.in(u))
	switch far := public.or(open); {
	case now.yes:
		db.InternetReach = inventory.Known(inventory.ReachableNow, fw.read.in(u))
	case now.maybe:
		db.InternetReach = inventory.Unknown[string](now.why.in(u))
	default:
		db.InternetReach = verdict(u, far, inventory.OneChangeAway, inventory.Unreachable, cmp.Or(db.PublicAddress.Read(), fw.read.in(u)))
	}
	db.Proof = append(p.rules(db, fw), inventory.Step{Resource: db.ID, Fact: text})
	if !gate.no() {
		db.Proof = append(db.Proof, gateStep(db, gate))
	}
	db.Proof = append(db.Proof, steps...)
	opened, unread := w.opened(db, fw, p, gate)
	for _, o := range opened {
		w.exposeDatabase(db, unread, o, p, now)
	}
}

func verdict[T any](u *inventory.Unit, t truth, ifYes, ifNo T, r inventory.ReadID) inventory.Val[T] {
	switch {
	case t.yes:
		return inventory.Known(ifYes, r)
	case t.maybe:
		return inventory.Unknown[T](t.why.in(u))
	}
	return inventory.Known(ifNo, r)
}

// listener is the port of a database: all ports and a cause while it is not known.
type listener struct {
	service
	why cause
}

func listensOn(db *inventory.Database) listener {
	if p, ok := db.Port.Get(); ok {
		return listener{service{"tcp", p, p}, cause{}}
	}
	return listener{service{"tcp", 0, 65535}, cause{db.Unit(), db.Port.Read()}}
}

// admits reports whether a rule admits to the port.
func (p listener) admits(r inventory.SecurityRule) truth {
	proto := protocolName(r.Protocol)
	switch {
	case proto == "all" || proto == "tcp" && r.From <= p.from && p.to <= r.To:
		return yes
	case proto == "tcp" && r.From <= p.to && p.from <= r.To:
		return maybe(p.why)
	}
	return truth{}
}

// open reports whether the groups admit the internet to the port, in IPv4 or IPv6.
func (p listener) open(w *world, fw *firewall) truth {
	some, every := truth{}, yes
	for _, port := range ports("tcp", p.service, nil, fw) {
		t := truth{}
		for _, f := range w.families {
			if src := fw.sources("tcp", port, f); f.internet(src.lo) {
				t = yes
			} else if f.internet(src.up) {
				t = t.or(maybe(src.why))
			}
		}
		some, every = some.or(t), every.and(t)
	}
	if some.yes && !every.yes {
		return maybe(p.why)
	}
	return some
}

func publicly(db *inventory.Database) (truth, string) {
	public, ok := db.PublicAddress.Get()
	switch {
	case db.PublicAddress.IsAbsent():
		return truth{}, "its instances have the addresses"
	case !ok:
		return maybe(cause{db.Unit(), db.PublicAddress.Read()}), "PubliclyAccessible not read"
	}
	return truth{yes: public}, fmt.Sprintf("PubliclyAccessible=%t", public)
}

// bySubnets is whether the internet reaches the port now, with the steps by the subnet and family where it gets furthest.
func (w *world) bySubnets(db *inventory.Database, fw *firewall, p listener, public truth) (best truth, steps []inventory.Step) {
	if public.no() {
		return public, nil
	}
	try := func(tr trail) {
		for i, has := range familiesOf(db) {
			if has.no() {
				continue
			}
			t, path := w.reaches(tr, fw, p.service, w.families[i])
			if t = has.and(t); steps == nil || t.yes && !best.yes || t.maybe && best.no() {
				best, steps = t, path
			}
		}
	}
	for _, id := range sorted(db.SubnetIDs.Items) {
		try(w.trail(db.Unit(), db.Region, id))
	}
	if db.SubnetIDs.IsOpen() {
		why := cause{db.Unit(), db.SubnetIDs.Read()}
		try(trail{tableWhy: why, aclWhy: why})
	}
	if p.why.set() && best.yes {
		best = maybe(p.why)
	}
	return public.and(best), steps
}

// familiesOf is whether a database has addresses, in the order of the families.
func familiesOf(db *inventory.Database) [2]truth {
	switch kind, known := db.NetworkType.Get(); {
	case !known:
		return [2]truth{yes, maybe(cause{db.Unit(), db.NetworkType.Read()})}
	case kind == "IPV4":
		return [2]truth{yes, {}}
	}
	return [2]truth{yes, yes}
}

// rules are the steps of the rules that open the port to the internet.
func (p listener) rules(db *inventory.Database, fw *firewall) (steps []inventory.Step) {
	for _, o := range fw.opened {
		if !p.admits(inventory.SecurityRule{Protocol: o.protocol, From: o.from, To: o.to}).no() {
			steps = append(steps, o.rules...)
		}
	}
	if len(steps) == 0 {
		steps = []inventory.Step{{Resource: db.ID, Fact: "no rule in hand admits the internet to " + p.String()}}
	}
	slices.SortFunc(steps, compareSteps)
	return slices.Compact(steps)
}

// exposeDatabase files an exposure of a range that a group opens on a database: only its own port answers.
// Where its options may answer on others too, nobody knows.
func (w *world) exposeDatabase(db *inventory.Database, unread cause, o opening, p listener, now truth) {
	u, x := db.Unit(), exposure{inventory.DatabaseKind, db.ID, &db.Head, cause{}, o.service}
	served := p.admits(inventory.SecurityRule{Protocol: o.protocol, From: o.from, To: o.to})
	if served.no() {
		step := inventory.Step{Resource: db.ID, Fact: "answers on " + p.String() + " only"}
		reach := inventory.Known(inventory.Unreachable, db.Port.Read())
		if why := options(db); why.set() && o.protocol == "tcp" {
			step.Fact, reach = "answers on "+p.String()+", and may on ports of its option groups", inventory.Unknown[string](why.in(u))
		}
		w.found[u] = append(w.found[u], w.newExposure(x, o.sources, unread, reach, append(slices.Clone(o.rules), step)))
		return
	}
	if served.maybe { // the range may be one on which nothing answers
		now = served
	}
	w.expose(x, o.sources, unread, now, db.Proof)
}

// ingress is everything that the groups admit to the port. The list stays open while something that was not read may
// admit more: a group, a rule, the ranges of a prefix list, whose id the reason then names, or the port itself; and where
// something else than groups decides who comes in.
func (w *world) ingress(db *inventory.Database, fw *firewall, p listener) inventory.List[inventory.Source] {
	var list []inventory.Source
	open := firstCause(fw.tail, beyondGroups(db))
	for i := range fw.admissions {
		a := &fw.admissions[i]
		switch t := p.admits(a.rule); {
		case t.no():
		case t.maybe || a.why.set():
			open = firstCause(open, a.why, t.why)
		case a.rule.GroupID != "":
			list = append(list, inventory.Source{Kind: "security_group", Value: a.rule.GroupID, SameEnvironment: w.sameEnvironment(db, a.group, a.rule)})
		default:
			list = append(list, w.source(db.Unit(), a))
		}
	}
	slices.SortFunc(list, func(a, b inventory.Source) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value))
	})
	list = slices.CompactFunc(list, func(a, b inventory.Source) bool { return a.Kind == b.Kind && a.Value == b.Value })
	if open.set() {
		return inventory.Open(list, open.in(db.Unit()))
	}
	return inventory.Closed(list, fw.read.in(db.Unit()))
}

// source is one range of addresses. Whether it counts as the internet is its own width's matter here, so that a source
// reads the same whatever else is in hand; what adds up is InternetOpen's.
func (w *world) source(u *inventory.Unit, a *admission) inventory.Source {
	s := inventory.Source{Kind: "cidr", Value: a.prefix.String(), Single: single(a.prefix), Declared: within(a.prefix, w.sources),
		SameEnvironment: inventory.Absent[bool](cause{a.group.Unit(), a.group.Ingress.Read()}.in(u))}
	for _, f := range w.families {
		if f.has(a.prefix) {
			r, _ := f.span(a.prefix)
			s.Internet = f.internet(ranges{r})
		}
	}
	return s
}
