package aws

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"sptr.jp/tenken/findings/inventory"
)

// firewall is what several security groups admit together: each rule that any of them has admits on its own.
type firewall struct {
	admissions []admission
	// tail is set while a group, or a rule of one, was not read: any port may be open to anybody.
	tail cause
	// opened are the services that the rules in hand open to the internet.
	opened []opening
	// why is set while something unread may open another: tail, or a rule whose source is not known.
	why cause
	// read is of a group that the firewall is made of; it stands behind what all of them together conclude.
	read cause
}

// admission is a rule with one of its sources.
type admission struct {
	group  *inventory.SecurityGroup
	rule   inventory.SecurityRule
	prefix netip.Prefix // invalid when the source is a group, or not known
	why    cause        // set when the source is not known: it may be anybody
}

// opening is a service that rules open to the internet, and the sources that together count as it.
type opening struct {
	service
	sources []string
	rules   []inventory.Step
}

type firewallKey struct{ account, region, groups string }

// firewall gives what the groups of a resource of unit u admit.
func (w *world) firewall(u *inventory.Unit, region string, ids inventory.List[string]) *firewall {
	names := sorted(ids.Items)
	key := firewallKey{u.Scope.Account, region, strings.Join(names, " ")}
	if fw := w.firewalls[key]; fw != nil && !ids.IsOpen() {
		return fw
	}
	fw := &firewall{}
	for _, id := range names {
		w.join(fw, u, region, id)
	}
	if ids.IsOpen() {
		fw.tail = cause{u, ids.Read()}
	} else {
		w.firewalls[key] = fw
	}
	fw.why = fw.tail
	for i := range fw.admissions {
		fw.why = firstCause(fw.why, fw.admissions[i].why)
	}
	if !fw.read.set() {
		fw.read = cause{u, ids.Read()}
	}
	fw.opened = w.openings(fw)
	return fw
}

func (w *world) join(fw *firewall, u *inventory.Unit, region, id string) {
	g, ok, r := w.groups.Find(u, u.Scope.Account, region, id)
	if !ok {
		fw.tail = firstCause(fw.tail, cause{u, r})
		return
	}
	fw.read = firstCause(fw.read, cause{g.Unit(), g.Ingress.Read()})
	if g.Ingress.IsOpen() {
		fw.tail = firstCause(fw.tail, cause{g.Unit(), g.Ingress.Read()})
	}
	for _, rule := range g.Ingress.Items {
		switch {
		case rule.GroupID != "":
			fw.admissions = append(fw.admissions, admission{group: g, rule: rule})
		case rule.PrefixListID != "":
			list, why := w.prefixes(g.Unit(), g.Region, rule.PrefixListID)
			for _, p := range list {
				fw.admissions = append(fw.admissions, admission{group: g, rule: rule, prefix: p})
			}
			if why.set() {
				fw.admissions = append(fw.admissions, admission{group: g, rule: rule, why: why})
			}
		default:
			p, err := netip.ParsePrefix(rule.CIDR)
			a := admission{group: g, rule: rule, prefix: p.Masked()}
			if err != nil {
				a.why = garbled(g.Unit(), g.ID+" admits what is no address range")
			}
			fw.admissions = append(fw.admissions, a)
		}
	}
}

// admitAll is a rule for everything from everywhere.
func admitAll(cidr string) admission {
	return admission{rule: inventory.SecurityRule{Protocol: "all", From: 0, To: 65535}, prefix: netip.MustParsePrefix(cidr)}
}

// sources gives the addresses from which a packet is let in.
func (fw *firewall) sources(proto string, port int64, f *ipFamily) part {
	var in []span
	why := fw.tail
	for i := range fw.admissions {
		a := &fw.admissions[i]
		if !matches(a.rule.Protocol, a.rule.From, a.rule.To, proto, port) {
			continue
		}
		why = firstCause(why, a.why)
		if a.prefix.IsValid() && f.has(a.prefix) {
			if s, whole := f.span(a.prefix); whole {
				in = append(in, s)
			}
		}
	}
	set := union(in)
	if why.set() {
		return part{set, f.everything(), why}
	}
	return part{set, set, cause{}}
}

// openings finds the services that rules open to the internet. What several rules admit to the very same service adds
// up; what they admit to overlapping ranges of ports does not: each range is its own exposure.
func (w *world) openings(fw *firewall) []opening {
	by := map[service][]*admission{}
	for i := range fw.admissions {
		if a := &fw.admissions[i]; a.prefix.IsValid() {
			s := serviceOf(a.rule)
			by[s] = append(by[s], a)
		}
	}
	var out []opening
	for s, list := range by {
		o := opening{service: s}
		for _, f := range w.families {
			o.add(f, list)
		}
		if len(o.sources) > 0 {
			slices.Sort(o.sources)
			o.sources = slices.Compact(o.sources)
			slices.SortFunc(o.rules, compareSteps)
			o.rules = slices.Compact(o.rules)
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b opening) int { return a.compare(b.service) })
	return out
}

// add takes up the sources of one family if together they count as the internet: those without which that would not
// be so any less narrow, that is all which lie in a run of addresses that counts by itself.
func (o *opening) add(f *ipFamily, list []*admission) {
	var spans []span
	for _, a := range list {
		if f.has(a.prefix) {
			if s, whole := f.span(a.prefix); whole {
				spans = append(spans, s)
			}
		}
	}
	for _, run := range union(append(spans, f.private...)) {
		if !f.internet(ranges{run}) {
			continue
		}
		for _, a := range list {
			if !f.has(a.prefix) {
				continue
			}
			if s, whole := f.span(a.prefix); whole && run.lo <= s.lo && s.hi <= run.hi {
				o.sources = append(o.sources, a.prefix.String())
				o.rules = append(o.rules, a.step())
			}
		}
	}
}

// serviceOf is a rule's service, in one spelling for each.
func serviceOf(r inventory.SecurityRule) service {
	s := service{protocolName(r.Protocol), r.From, r.To}
	if s.protocol == "all" {
		s.from, s.to = 0, 65535
	}
	return s
}

func (s service) compare(o service) int {
	return cmp.Or(cmp.Compare(s.protocol, o.protocol), cmp.Compare(s.from, o.from), cmp.Compare(s.to, o.to))
}

func compareSteps(a, b inventory.Step) int {
	return cmp.Or(cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Fact, b.Fact))
}
