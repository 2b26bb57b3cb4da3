package aws

import (
	"strings"

	"sptr.jp/tenken/findings/inventory"
)

// accessGateway is whether anybody may come in by the internet access gateway that Aurora gives to clusters outside the
// customer's networks: no group, route or ACL stands before it.
func accessGateway(db *inventory.Database) truth {
	open, known := db.InternetGateway.Get()
	if !known && !db.InternetGateway.IsAbsent() {
		return maybe(cause{db.Unit(), db.InternetGateway.Read()})
	}
	return truth{yes: open}
}

func gateStep(db *inventory.Database, gate truth) inventory.Step {
	if gate.yes {
		return inventory.Step{Resource: db.ID, Fact: "InternetAccessGatewayEnabled=true"}
	}
	return inventory.Step{Resource: db.ID, Fact: "InternetAccessGatewayEnabled not read"}
}

// opened are the services that rules and the gateway open on a database, and what may hide another or more sources of one.
func (w *world) opened(db *inventory.Database, fw *firewall, p listener, gate truth) ([]opening, cause) {
	if gate.no() {
		return fw.opened, fw.why
	}
	if unread := firstCause(gate.why, p.why); unread.set() {
		w.missing(db.Unit(), unread)
		return fw.opened, firstCause(fw.why, unread)
	}
	own := opening{service: p.service, sources: []string{"0.0.0.0/0", "::/0"}}
	var list []opening
	for _, o := range fw.opened {
		if o.service == own.service {
			own.sources = append(own.sources, o.sources...)
			continue
		}
		list = append(list, o)
	}
	return append(list, own), fw.why
}

// beyondGroups is set where it is not, or may not be, security groups that decide who comes in to a database.
func beyondGroups(db *inventory.Database) cause {
	u, gate := db.Unit(), accessGateway(db)
	switch {
	case gate.maybe:
		return gate.why
	case gate.yes:
		return cause{u, u.Note(inventory.Read{Reason: inventory.Unmatched, Where: "derive",
			Detail: "security groups don't decide who comes in by an internet access gateway"})}
	case len(db.SecurityGroupIDs.Items) == 0 && !db.SecurityGroupIDs.IsOpen():
		return cause{u, u.Note(inventory.Read{Reason: inventory.Unmatched, Where: "derive",
			Detail: "a database without security groups: what decides who comes in was not read"})}
	}
	return cause{}
}

// options is set where an option of a database may listen on a port of its own (Enterprise Manager, memcached, reporting
// services): what options a group holds is not read, and only those that AWS makes by default hold none. Aurora, Neptune
// and DocumentDB have no options.
func options(db *inventory.Database) cause {
	engine := db.Engine.Or("")
	if strings.HasPrefix(engine, "aurora") || engine == "neptune" || engine == "docdb" {
		return cause{}
	}
	u := db.Unit()
	for _, name := range sorted(db.OptionGroups.Items) {
		if !strings.HasPrefix(name, "default:") {
			return cause{u, u.Note(inventory.Read{Reason: inventory.Unmatched, Where: "derive",
				Detail: "the options of option group " + name + " are not read, and may listen on ports of their own"})}
		}
	}
	if db.OptionGroups.IsOpen() {
		return cause{u, db.OptionGroups.Read()}
	}
	return cause{}
}

// further is whether the groups admit the internet to another port on which an option may listen, and whether it gets
// there now: never more than maybe.
func (w *world) further(db *inventory.Database, fw *firewall, p listener, public truth) (open, now truth) {
	why := options(db)
	if !why.set() || p.why.set() { // a port that is not known may be any: it counts already
		return open, now
	}
	for _, s := range []service{{"tcp", 0, p.from - 1}, {"tcp", p.to + 1, 65535}} {
		other := listener{service: s}
		if s.from > s.to {
			continue
		}
		if !other.open(w, fw).no() {
			open = maybe(why)
		}
		if t, _ := w.bySubnets(db, fw, other, public); !t.no() {
			now = maybe(why)
		}
	}
	return open, now
}
