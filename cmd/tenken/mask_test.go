package main

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners/aws"
)

// mask hides what a scanner may fail to read. It names what it hides by id, so that it means the same in a smaller world.
type mask struct {
	Op    string         // field, tail, vanish, unit, stale, account, regions
	Unit  string         // its id
	Kind  inventory.Kind // field, tail, vanish
	IDs   []string       // of the resources
	Field string         // field, tail: its name in Go
	Keep  uint64         // tail: the items that stay in hand, as bits
}

// randomMask draws one. A column of fields is an operation that was refused, one field is one answer that lacked it; what
// vanishes is one resource that some edge may lead to, the end of a listing, or all of it.
func randomMask(rng *rand.Rand, units []inventory.Unit) mask {
	u := &units[rng.IntN(len(units))]
	for try := 0; try < 3 && reflect.ValueOf(u.Facts).IsZero(); try++ { // there is more to hide elsewhere
		u = &units[rng.IntN(len(units))]
	}
	m := mask{Op: "unit", Unit: u.ID}
	switch n := rng.IntN(100); {
	case u.Scope.Type == "roster" && n < 20:
		m.Op = "stale"
		return m
	case u.Scope.Type == "aws" && n < 2 && u.Scope.Account != "":
		m.Op = "account"
		return m
	case u.Scope.Type == "aws" && n < 4 && u.Scope.Account != "":
		m.Op = "regions"
		return m
	case n < 6:
		return m
	}
	var kinds []inventory.Kind
	for _, k := range inventory.Kinds() {
		if u.Facts.Count(k) > 0 {
			kinds = append(kinds, k)
		}
	}
	if len(kinds) == 0 {
		return m
	}
	m.Kind = kinds[rng.IntN(len(kinds))]
	all := slices.Collect(u.Facts.Of(m.Kind))
	from, to := 0, len(all)
	if rng.IntN(4) > 0 {
		from = rng.IntN(len(all))
		to = from + 1
	}
	for _, r := range all[from:to] {
		m.IDs = append(m.IDs, r.Base().ID)
	}
	if rng.IntN(4) == 0 {
		m.Op = "vanish"
		return m
	}
	fields := maskable(reflect.TypeOf(all[0]).Elem())
	f := fields[rng.IntN(len(fields))]
	m.Op, m.Field = "field", f.Name
	if strings.HasPrefix(f.Type.Name(), "List[") {
		m.Op = "tail"
		switch {
		case rng.IntN(3) == 0: // all of it
		case f.Name == "Emails" || rng.IntN(2) == 0: // its end; addresses are in an order that counts
			m.Keep = 1<<rng.IntN(6) - 1
		default: // a page that was lost on the way counts as unread too
			m.Keep = rng.Uint64()
		}
	}
	return m
}

// maskable gives the facts of a kind that may be unknown.
func maskable(t reflect.Type) (fields []reflect.StructField) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Tag.Get("json") != "-" && (strings.HasPrefix(f.Type.Name(), "Val[") || strings.HasPrefix(f.Type.Name(), "List[")) {
			fields = append(fields, f)
		}
	}
	return fields
}

// copyUnits gives units that share no list of resources, reads or listings with the given ones, and no conclusion.
func copyUnits(units []inventory.Unit) []inventory.Unit {
	out := make([]inventory.Unit, len(units))
	for i := range units {
		u := &units[i]
		out[i] = inventory.Unit{ID: u.ID, Scope: u.Scope, Collector: u.Collector, Outcome: u.Outcome,
			Listings: slices.Clone(u.Listings), Reads: slices.Clone(u.Reads), Facts: u.Facts}
		facts := reflect.ValueOf(&out[i].Facts).Elem()
		for n := range facts.NumField() {
			if f := facts.Field(n); f.Len() > 0 {
				f.Set(reflect.AppendSlice(reflect.MakeSlice(f.Type(), 0, f.Len()), f))
			}
		}
	}
	return out
}

// masked gives a copy of the units without what the masks hide.
func masked(units []inventory.Unit, masks ...mask) []inventory.Unit {
	out := copyUnits(units)
	for _, m := range masks {
		out = m.apply(out)
	}
	return out
}

func (m mask) apply(units []inventory.Unit) []inventory.Unit {
	i := slices.IndexFunc(units, func(u inventory.Unit) bool { return u.ID == m.Unit })
	if i < 0 {
		return units
	}
	u, scope := &units[i], units[i].Scope
	gap := u.Note(inventory.Read{Operation: "test:Masked", Permission: "test:Masked", Reason: inventory.AccessDenied})
	switch m.Op {
	case "unit":
		if len(u.Listings) == 0 { // a discovery: without it nothing below it is planned
			return m.unplan(units, u.Collector, scope.Contains)
		}
		u.Facts, u.Outcome = inventory.Facts{}, inventory.Denied
		for l := range u.Listings {
			u.Listings[l].Complete, u.Listings[l].Reads = false, []inventory.ReadID{gap}
		}
	case "stale":
		old := u.Note(inventory.Read{Operation: "test:Masked", Reason: inventory.Stale})
		u.Outcome = inventory.Partial
		for l := range u.Listings {
			u.Listings[l].Complete, u.Listings[l].Reads = false, append(slices.Clone(u.Listings[l].Reads), old)
		}
	case "account": // the organisation's list was cut short before it
		return m.unplan(units, "discovery", scope.AccountScope().Contains)
	case "regions": // the list of regions was refused
		return m.unplan(units, "regions", func(o inventory.Scope) bool { return scope.AccountScope().Contains(o) && o.Region != "" })
	case "vanish":
		m.vanish(u, gap)
	default:
		u.Outcome = inventory.Partial
		for r := range u.Facts.Of(m.Kind) {
			if slices.Contains(m.IDs, r.Base().ID) {
				m.hide(reflect.ValueOf(r).Elem().FieldByName(m.Field), gap)
			}
		}
	}
	return units
}

// hide makes a value unknown, or leaves some items of a list with an unread tail.
func (m mask) hide(f reflect.Value, gap inventory.ReadID) {
	text := fmt.Sprint(gap)
	var kept reflect.Value
	if m.Op == "tail" {
		text = fmt.Sprintf(`{"read":%d}`, gap)
		items := f.FieldByName("Items")
		kept = reflect.MakeSlice(items.Type(), 0, items.Len())
		for i := range items.Len() {
			if m.Keep>>(i%64)&1 == 1 {
				kept = reflect.Append(kept, items.Index(i))
			}
		}
	}
	if err := f.Addr().Interface().(interface{ UnmarshalJSON([]byte) error }).UnmarshalJSON([]byte(text)); err != nil {
		panic(err)
	}
	if m.Op == "tail" {
		f.FieldByName("Items").Set(kept)
	}
}

// vanish takes resources out of a unit and opens their listing.
func (m mask) vanish(u *inventory.Unit, gap inventory.ReadID) {
	facts := reflect.ValueOf(&u.Facts).Elem()
	for i := range facts.NumField() {
		f := facts.Field(i)
		if f.Len() == 0 || f.Index(0).Addr().Interface().(inventory.Resource).Kind() != m.Kind {
			continue
		}
		kept := reflect.MakeSlice(f.Type(), 0, f.Len())
		for n := range f.Len() {
			if !slices.Contains(m.IDs, f.Index(n).Addr().Interface().(inventory.Resource).Base().ID) {
				kept = reflect.Append(kept, f.Index(n))
			}
		}
		f.Set(kept)
	}
	u.Outcome = inventory.Partial
	if l := u.Listing(m.Kind); l != nil {
		l.Complete, l.Reads = false, append(slices.Clone(l.Reads), gap)
	}
}

// unplan takes units out of the plan, as a discovery does that could not list what they are of: its own unit then lists
// every kind that they might have brought as incomplete.
func (m mask) unplan(units []inventory.Unit, discovery string, gone func(inventory.Scope) bool) []inventory.Unit {
	at := slices.IndexFunc(units, func(u inventory.Unit) bool { return u.ID == m.Unit })
	d := slices.IndexFunc(units, func(u inventory.Unit) bool {
		return u.Collector == discovery && u.Scope.Contains(units[at].Scope)
	})
	if d < 0 {
		return units
	}
	u := &units[d]
	gap := u.Note(inventory.Read{Operation: "test:Discover", Reason: inventory.AccessDenied})
	u.Outcome = inventory.Partial
	for _, k := range aws.KnownKinds() {
		u.Listings = append(u.Listings, inventory.Listing{Kind: k, Reads: []inventory.ReadID{gap}})
	}
	stays := u.ID
	return slices.DeleteFunc(units, func(o inventory.Unit) bool { return o.ID != stays && gone(o.Scope) })
}
