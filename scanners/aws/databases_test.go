package aws

import (
	"strings"
	"testing"

	"sptr.jp/tenken/findings/inventory"
)

// TestFamiliesOfDatabases: a type with IPv6 is as reachable by it as by IPv4; a type that is not read counts where it
// decides.
func TestFamiliesOfDatabases(t *testing.T) {
	const now, near, unknown = inventory.ReachableNow, inventory.OneChangeAway, "unknown"
	for _, c := range []struct {
		kind, v4, v6 string
	}{{"IPV4", now, near}, {"DUAL", now, now}, {"IPV6", now, now}, {"", now, unknown}} {
		for cidr, want := range map[string]string{"0.0.0.0/0": c.v4, "::/0": c.v6} {
			p := openPlace()
			p.rules = []inventory.SecurityRule{tcp(5432, 5432, cidr)}
			p.main[0].Destination, p.entries[0].CIDR, p.entries[1].CIDR = cidr, cidr, cidr
			l := p.build()
			if l.rds.Facts.Databases[0].NetworkType = is(l, c.kind); c.kind == "" {
				l.rds.Facts.Databases[0].NetworkType = inventory.Val[string]{}
			}
			db := databases(derived(t, inventory.Declared{}, l.units()...))["db-1"]
			if say(db.InternetReach) != want {
				t.Errorf("%q and a way of %s: %s, want %s\n%v", c.kind, cidr, say(db.InternetReach), want, db.Proof)
			}
		}
	}
}

// TestInternetAccessGateways: past one leads a way that no group, route or private subnet closes.
func TestInternetAccessGateways(t *testing.T) {
	for name, c := range map[string]struct {
		gateway           inventory.Val[bool]
		reach, open, port string // port: of the exposure
		complete, closed  bool
	}{
		"open":     {inventory.Known(true, 1), inventory.ReachableNow, "true", inventory.ReachableNow, true, false},
		"shut":     {inventory.Known(false, 1), inventory.Unreachable, "false", "", true, true},
		"none":     {inventory.Absent[bool](1), inventory.Unreachable, "false", "", true, true},
		"not read": {inventory.Unknown[bool](1), "unknown", "unknown", "", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, groups := range [][]string{{"sg-1"}, nil} {
				p := openPlace()
				p.rules, p.main, p.public = []inventory.SecurityRule{tcp(5432, 5432, "203.0.113.7/32")}, nil, false
				l := p.build()
				db := &l.rds.Facts.Databases[0]
				db.InternetGateway, db.SecurityGroupIDs, db.Engine = c.gateway, all(l, groups...), is(l, "aurora-postgresql")
				inv := derived(t, inventory.Declared{}, l.units()...)
				db = databases(inv)["db-1"]
				if say(db.InternetReach) != c.reach || say(db.InternetOpen) != c.open {
					t.Errorf("reach %s, open %s", say(db.InternetReach), say(db.InternetOpen))
				}
				if closed := !db.Ingress.IsOpen(); closed != (c.closed && groups != nil) {
					t.Errorf("groups %v: the list of what may come in is closed: %t", groups, closed)
				}
				if said := strings.Contains(text(db.Proof), "InternetAccessGatewayEnabled=true"); said != (name == "open") {
					t.Errorf("proof: %v", db.Proof)
				}
				got := ""
				if e := exposures(inv)["db-1|tcp/5432-5432"]; e != nil {
					got = say(e.Reach)
				}
				if got != c.port || whole(inv) != c.complete {
					t.Errorf("exposure %q, every listing of exposures complete: %t", got, whole(inv))
				}
			}
		})
	}
}

func text(proof []inventory.Step) string {
	var lines []string
	for _, s := range proof {
		lines = append(lines, s.Resource+" "+s.Fact)
	}
	return strings.Join(lines, "\n")
}

// TestOptionsMayListen: an open port on which a database itself doesn't answer is nobody's only where no option may.
func TestOptionsMayListen(t *testing.T) {
	const near, far, unknown = inventory.OneChangeAway, inventory.Unreachable, "unknown"
	custom := func(l *lab) inventory.List[string] { return all(l, "default:oracle-ee-19", "with-memcached") }
	plain := func(l *lab) inventory.List[string] { return all(l, "default:mysql-8-0") }
	unread := func(*lab) inventory.List[string] { return inventory.List[string]{} }
	for _, c := range []struct {
		name              string
		options           func(*lab) inventory.List[string]
		engine            string
		from              int64
		public            bool
		reach, open, port string
	}{
		{"default", plain, "mysql", 11211, true, near, "false", far},
		{"custom", custom, "mysql", 11211, true, unknown, "unknown", unknown},
		{"custom, private", custom, "mysql", 11211, false, unknown, "unknown", unknown},
		{"not read", unread, "mysql", 11211, true, unknown, "unknown", unknown},
		{"not read, and the engine has none", unread, "aurora-mysql", 11211, true, near, "false", far},
		{"custom, and nothing open", custom, "mysql", 0, true, near, "false", ""},
		{"custom, and its own port open", custom, "mysql", 5432, true, inventory.ReachableNow, "true", inventory.ReachableNow},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := openPlace()
			p.public, p.rules = c.public, nil
			if c.from > 0 {
				p.rules = []inventory.SecurityRule{tcp(c.from, c.from, "0.0.0.0/0")}
			}
			l := p.build()
			l.rds.Facts.Databases[0].OptionGroups, l.rds.Facts.Databases[0].Engine = c.options(l), is(l, c.engine)
			inv := derived(t, inventory.Declared{}, l.units()...)
			db := databases(inv)["db-1"]
			if say(db.InternetReach) != c.reach || say(db.InternetOpen) != c.open {
				t.Errorf("reach %s, open %s", say(db.InternetReach), say(db.InternetOpen))
			}
			if r := db.Unit().Read(db.InternetOpen.Read()); strings.HasPrefix(c.name, "custom") && c.open == unknown && !strings.Contains(r.Detail, "with-memcached") {
				t.Errorf("because of %+v", r)
			}
			got := ""
			for id, e := range exposures(inv) {
				if strings.HasPrefix(id, "db-1|") {
					got = say(e.Reach)
				}
			}
			if got != c.port {
				t.Errorf("exposure %q, want %q", got, c.port)
			}
		})
	}
}
