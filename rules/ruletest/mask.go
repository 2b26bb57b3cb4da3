package ruletest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"

	"sptr.jp/tenken/findings/inventory"
)

// Masker hides parts of an inventory's units. The same seed hides the same.
type Masker struct {
	rng *rand.Rand
	// prefer are fields, as Kind.GoName, that half of the masks choose among where there are any: those that a rule reads.
	prefer []string
}

// NewMasker makes a masker from a seed.
func NewMasker(seed uint64) *Masker { return &Masker{rng: rand.New(rand.NewPCG(seed, 0x7e4ce4))} }

// Prefer makes half of the masks of fields choose among these, as "Kind.field" with the field's name in Go.
func (m *Masker) Prefer(fields ...string) { m.prefer = fields }

// Copy gives units that share nothing with the originals that a mask or Derive would change.
func Copy(units []inventory.Unit) []inventory.Unit {
	out := make([]inventory.Unit, len(units))
	for i := range units {
		u := &units[i]
		out[i] = inventory.Unit{ID: u.ID, Scope: u.Scope, Collector: u.Collector, Outcome: u.Outcome, Reads: slices.Clone(u.Reads), Facts: u.Facts}
		for _, l := range u.Listings {
			l.Reads = slices.Clone(l.Reads)
			out[i].Listings = append(out[i].Listings, l)
		}
		facts := reflect.ValueOf(&out[i].Facts).Elem()
		for f := range facts.NumField() {
			s := facts.Field(f)
			fresh := reflect.MakeSlice(s.Type(), s.Len(), s.Len())
			reflect.Copy(fresh, s)
			s.Set(fresh)
		}
	}
	return out
}

// Mask hides one to five parts of a copy of the units and says which.
func (m *Masker) Mask(units []inventory.Unit) (masked []inventory.Unit, hidden []string) {
	masked = Copy(units)
	for range 1 + m.rng.IntN(5) {
		u := &masked[m.rng.IntN(len(masked))]
		var what string
		switch n := m.rng.IntN(20); {
		case n == 0:
			what = m.unit(u)
		case n <= 3:
			what = m.listing(u)
		default:
			what = m.field(masked)
		}
		if what != "" {
			hidden = append(hidden, what)
		}
	}
	return masked, hidden
}

// unit hides all that a unit read.
func (m *Masker) unit(u *inventory.Unit) string {
	u.Facts, u.Outcome = inventory.Facts{}, inventory.Denied
	read := m.refuse(u)
	for i := range u.Listings {
		u.Listings[i].Complete, u.Listings[i].Reads = false, []inventory.ReadID{read}
	}
	return "unit " + u.ID
}

// listing cuts one listing of a unit short: some of its resources are not in hand.
func (m *Masker) listing(u *inventory.Unit) string {
	if len(u.Listings) == 0 {
		return ""
	}
	l := &u.Listings[m.rng.IntN(len(u.Listings))]
	l.Complete, l.Reads, u.Outcome = false, append(l.Reads, m.refuse(u)), inventory.Partial
	s := factsOf(u, l.Kind)
	keep := m.rng.IntN(s.Len() + 1)
	order := m.rng.Perm(s.Len())[:keep]
	slices.Sort(order)
	fresh := reflect.MakeSlice(s.Type(), 0, keep)
	for _, i := range order {
		fresh = reflect.Append(fresh, s.Index(i))
	}
	s.Set(fresh)
	return fmt.Sprintf("listing of %s in %s (%d left)", l.Kind, u.ID, keep)
}

func factsOf(u *inventory.Unit, k inventory.Kind) reflect.Value {
	facts := reflect.ValueOf(&u.Facts).Elem()
	for f := range facts.NumField() {
		if facts.Field(f).Type().Elem().Name() == string(k) {
			return facts.Field(f)
		}
	}
	panic("no facts of " + string(k))
}

func (m *Masker) refuse(u *inventory.Unit) inventory.ReadID {
	reasons := inventory.Reasons()
	return u.Note(inventory.Read{Operation: "mask:Read", Permission: "mask:Read", Reason: reasons[m.rng.IntN(len(reasons))]})
}

// spot is one field of one resource.
type spot struct {
	unit  *inventory.Unit
	value reflect.Value
	name  string // Kind.GoName
	id    string
}

// field hides a field, an edge, or the tail or the whole of a list of one resource.
func (m *Masker) field(units []inventory.Unit) string {
	total := 0
	for i := range units {
		total += resources(&units[i], nil)
	}
	if total == 0 {
		return ""
	}
	nth := m.rng.IntN(total)
	var fields, preferred []spot
	for i := range units {
		resources(&units[i], func(r reflect.Value) {
			if nth == 0 {
				fields = fieldsOf(nil, &units[i], r)
			}
			nth--
		})
	}
	for _, s := range fields {
		if slices.Contains(m.prefer, s.name) {
			preferred = append(preferred, s)
		}
	}
	if len(preferred) > 0 && m.rng.IntN(2) == 0 {
		fields = preferred
	}
	if len(fields) == 0 {
		return ""
	}
	s := fields[m.rng.IntN(len(fields))]
	s.unit.Outcome = inventory.Partial
	return m.hide(s)
}

// resources counts the resources of a unit, and shows each.
func resources(u *inventory.Unit, show func(reflect.Value)) (n int) {
	facts := reflect.ValueOf(&u.Facts).Elem()
	for f := range facts.NumField() {
		s := facts.Field(f)
		n += s.Len()
		for i := 0; show != nil && i < s.Len(); i++ {
			show(s.Index(i))
		}
	}
	return n
}

func fieldsOf(out []spot, u *inventory.Unit, r reflect.Value) []spot {
	id := r.FieldByName("ID").String()
	for i := range r.NumField() {
		t := r.Field(i).Type().Name()
		if strings.HasPrefix(t, "Val[") || strings.HasPrefix(t, "List[") {
			out = append(out, spot{u, r.Field(i), r.Type().Name() + "." + r.Type().Field(i).Name, id})
		}
	}
	return out
}

// hide writes a field through its JSON form, which has a place for every state: a bare read is an unknown value, and a
// list with "read" and "items" is an open one.
func (m *Masker) hide(s spot) string {
	read := m.refuse(s.unit)
	dst := s.value.Addr().Interface().(json.Unmarshaler)
	if strings.HasPrefix(s.value.Type().Name(), "Val[") {
		must(dst.UnmarshalJSON(fmt.Append(nil, read)))
		return fmt.Sprintf("%s of %s", s.name, s.id)
	}
	items := s.value.FieldByName("Items")
	keep := m.rng.IntN(items.Len() + 1)
	kept := items.Slice(0, keep)
	must(dst.UnmarshalJSON(fmt.Appendf(nil, `{"read":%d}`, read)))
	s.value.FieldByName("Items").Set(kept)
	return fmt.Sprintf("%s of %s (%d of %d left)", s.name, s.id, keep, items.Len())
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
