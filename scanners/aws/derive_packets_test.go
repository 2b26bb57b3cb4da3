package aws

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sptr.jp/tenken/findings/inventory"
)

// opens lists the ranges that the rules in hand of some groups open to the internet.
func (o *oracle) opens(groups []string) map[string][3]any {
	type key struct {
		proto    string
		from, to int64
	}
	found := map[string][3]any{}
	rules := map[key][]string{}
	for _, g := range o.l.net.Facts.SecurityGroups {
		for _, r := range g.Ingress.Items {
			if !slices.Contains(groups, g.ID) || r.GroupID != "" {
				continue
			}
			k := key{spelled(r.Protocol), r.From, r.To}
			if k.proto == "all" {
				k.from, k.to = 0, 65535
			}
			if cidrs, ok := o.listed(r.PrefixListID); ok {
				rules[k] = append(rules[k], cidrs...)
			} else if r.CIDR != "" {
				rules[k] = append(rules[k], r.CIDR)
			}
		}
	}
	for k, cidrs := range rules {
		for v6 := range 2 {
			for _, block := range o.clients[v6] {
				if !slices.ContainsFunc(block, func(a netip.Addr) bool {
					return !slices.ContainsFunc(cidrs, func(c string) bool { return parsed(c).Contains(a) })
				}) {
					found[fmt.Sprintf("%s/%d-%d", k.proto, k.from, k.to)] = [3]any{k.proto, k.from, k.to}
				}
			}
		}
	}
	return found
}

// openPort is whether the groups admit the internet to a port.
func (o *oracle) openPort(groups []string, port int64) state {
	answer := no
	for v6 := range 2 {
		for _, block := range o.clients[v6] {
			all := sure
			for _, a := range block {
				all = min(all, o.letIn(groups, packet{a, "tcp", port, 0}))
			}
			answer = max(answer, all)
		}
	}
	return answer
}

func said(s state, ifSure, ifNo string) string { return [...]string{ifNo, "unknown", ifSure}[s] }

// expected is every exposure with its reach.
func (o *oracle) expected() map[string]string {
	want := map[string]string{}
	byMachine := map[string]map[string]state{}
	for _, n := range o.l.machines.Facts.NetworkInterfaces {
		owner, attached := n.InstanceID.Get()
		service := n.Service.Or("")
		if !attached && service == "amazon-rds" {
			continue
		}
		up := no
		if attached {
			up = unsure
			for _, i := range o.l.machines.Facts.Instances {
				if i.ID == owner {
					up = no
					if i.State.Or("") == "running" {
						up = sure
					}
				}
			}
		} else if owner = n.ID; n.InUse.Or(false) {
			up = sure
		}
		for id := range o.opens(n.SecurityGroupIDs.Items) {
			if byMachine[owner] == nil {
				byMachine[owner] = map[string]state{}
			}
			byMachine[owner][id] = up
		}
	}
	for owner, ids := range byMachine {
		for id, up := range ids {
			way := no
			var proto string
			var from, to int64
			name := strings.ReplaceAll(id, "/", " ")
			if _, err := fmt.Sscanf(name, "%s %d-%d", &proto, &from, &to); err != nil {
				panic(err)
			}
			for _, n := range o.l.machines.Facts.NetworkInterfaces {
				if n.InstanceID.Or(n.ID) != owner {
					continue
				}
				subnet, groups := n.SubnetID.Or(""), n.SecurityGroupIDs.Items
				if n.PublicIP.Or("") != "" {
					way = max(way, o.reach(groups, subnet, proto, from, to, 0))
				}
				if slices.Contains(n.IPv6.Items, "2001:db8::5") { // the other is unique local
					way = max(way, o.reach(groups, subnet, proto, from, to, 1))
				}
			}
			want[owner+"|"+id] = said(min(up, way), inventory.ReachableNow, inventory.OneChangeAway)
		}
	}
	o.expectedOfOthers(want)
	return want
}

func (o *oracle) expectedOfOthers(want map[string]string) {
	used := map[string]bool{}
	for _, n := range o.l.machines.Facts.NetworkInterfaces {
		for _, g := range n.SecurityGroupIDs.Items {
			used[g] = true
		}
	}
	for _, db := range o.l.rds.Facts.Databases {
		port := db.Port.Or(0)
		for _, g := range db.SecurityGroupIDs.Items {
			used[g] = true
		}
		opened := o.opens(db.SecurityGroupIDs.Items)
		if db.InternetGateway.Or(false) {
			opened[fmt.Sprintf("tcp/%d-%d", port, port)] = [3]any{"tcp", port, port}
		}
		for id, s := range opened {
			switch {
			case about(s[0].(string), s[1].(int64), s[2].(int64), "tcp", port):
				want[db.ID+"|"+id] = said(o.databaseNow(db), inventory.ReachableNow, inventory.OneChangeAway)
			case s[0] == "tcp" && withOptions(db):
				want[db.ID+"|"+id] = "unknown"
			default:
				want[db.ID+"|"+id] = inventory.Unreachable
			}
		}
	}
	for _, g := range o.l.net.Facts.SecurityGroups {
		if !used[g.ID] {
			for id := range o.opens([]string{g.ID}) {
				want[g.ID+"|"+id] = inventory.Unreachable
			}
		}
	}
}

// withOptions is whether something of a database may listen beside it.
func withOptions(db inventory.Database) bool {
	return slices.Contains(db.OptionGroups.Items, "memcached")
}

func (o *oracle) databaseNow(db inventory.Database) state {
	if db.InternetGateway.Or(false) {
		return sure
	}
	way := no
	for _, s := range db.SubnetIDs.Items {
		for v6, has := range []bool{true, db.NetworkType.Or("") != "IPV4"} {
			if !has || !db.PublicAddress.Or(false) {
				continue
			}
			for _, port := range o.ports {
				if port == db.Port.Or(0) {
					way = max(way, o.reach(db.SecurityGroupIDs.Items, s, "tcp", port, port, v6))
				} else if withOptions(db) && way == no {
					way = min(unsure, o.reach(db.SecurityGroupIDs.Items, s, "tcp", port, port, v6))
				}
			}
		}
	}
	return way
}

func (o *oracle) databaseOpen(db inventory.Database) state {
	if db.InternetGateway.Or(false) {
		return sure
	}
	open := o.openPort(db.SecurityGroupIDs.Items, db.Port.Or(0))
	for _, port := range o.ports {
		if withOptions(db) && open == no && port != db.Port.Or(0) {
			open = min(unsure, o.openPort(db.SecurityGroupIDs.Items, port))
		}
	}
	return open
}

func (o *oracle) databaseReach(db inventory.Database) string {
	now := o.databaseNow(db)
	switch {
	case now == sure:
		return inventory.ReachableNow
	case now == unsure:
		return "unknown"
	case db.PublicAddress.Or(false):
		return inventory.OneChangeAway
	}
	return said(o.databaseOpen(db), inventory.OneChangeAway, inventory.Unreachable)
}

// TestSoakReachAgainstPackets compares what Derive concludes on random small networks with what packets meet there.
func TestSoakReachAgainstPackets(t *testing.T) {
	seen := map[string]int{}
	soak(t, 1000, 100_000, func(t *rapid.T) {
		l := randomLab(t)
		o := newOracle(l)
		inv := derived(t, inventory.Declared{}, l.units()...)
		want, got := o.expected(), map[string]string{}
		for id, e := range exposures(inv) {
			got[id] = say(e.Reach)
			seen[say(e.Reach)]++
		}
		for id, reach := range want {
			if got[id] != reach {
				t.Fatalf("%s: derived %q, packets say %q", id, got[id], reach)
			}
		}
		for id := range got {
			if _, ok := want[id]; !ok {
				t.Fatalf("%s: derived, and nothing opens it", id)
			}
		}
		for id, db := range databases(inv) {
			i := slices.IndexFunc(l.rds.Facts.Databases, func(d inventory.Database) bool { return d.ID == id })
			if want := o.databaseReach(l.rds.Facts.Databases[i]); say(db.InternetReach) != want {
				t.Fatalf("%s: derived %s, packets say %s", id, say(db.InternetReach), want)
			}
			seen["db "+say(db.InternetReach)]++
			open := said(o.databaseOpen(l.rds.Facts.Databases[i]), "true", "false")
			if say(db.InternetOpen) != open {
				t.Fatalf("%s: derived open %s, packets say %s", id, say(db.InternetOpen), open)
			}
		}
	})
	t.Logf("seen: %v", seen)
	for _, s := range []string{inventory.ReachableNow, inventory.OneChangeAway, inventory.Unreachable, "unknown", "db " + inventory.ReachableNow} {
		if seen[s] == 0 {
			t.Errorf("no world had an answer %q: the trial proves nothing about it", s)
		}
	}
}
