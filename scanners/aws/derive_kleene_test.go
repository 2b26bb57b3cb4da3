package aws

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sptr.jp/tenken/findings/inventory"
)

// soak checks a property few times, or often under TENKEN_SOAK. rapid prints the seed of what fails.
func soak(t *testing.T, few, many int, property func(*rapid.T)) {
	t.Helper()
	n := few
	if os.Getenv("TENKEN_SOAK") != "" {
		n = many
	}
	f := flag.Lookup("rapid.checks")
	old := f.Value.String()
	t.Cleanup(func() { _ = f.Value.Set(old) })
	if err := f.Value.Set(strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, property)
}

// mask hides something that a scanner may fail to read: a field, the tail of a list, a resource with the end of its
// listing, or a whole unit.
func mask(t *rapid.T, units []inventory.Unit) string {
	u := &units[rapid.IntRange(0, len(units)-1).Draw(t, "unit")]
	gap := u.Note(inventory.Read{Operation: "ec2:Masked", Reason: inventory.AccessDenied})
	if rapid.IntRange(0, 9).Draw(t, "whole unit") == 0 {
		u.Facts = inventory.Facts{}
		for i := range u.Listings {
			u.Listings[i].Complete, u.Listings[i].Reads = false, []inventory.ReadID{gap}
		}
		return "unit " + u.ID
	}
	k := u.Listings[rapid.IntRange(0, len(u.Listings)-1).Draw(t, "kind")].Kind
	if u.Facts.Count(k) == 0 {
		return "nothing of " + string(k)
	}
	which := rapid.IntRange(0, u.Facts.Count(k)-1).Draw(t, "resource")
	if rapid.IntRange(0, 3).Draw(t, "drop") == 0 {
		dropResource(u, k, which)
		*u.Listing(k) = inventory.Listing{Kind: k, Reads: []inventory.ReadID{gap}}
		return fmt.Sprintf("%s %d", k, which)
	}
	return maskField(t, slices.Collect(u.Facts.Of(k))[which])
}

func dropResource(u *inventory.Unit, k inventory.Kind, which int) {
	facts := reflect.ValueOf(&u.Facts).Elem()
	for i := range facts.NumField() {
		if list := facts.Field(i); list.Len() > 0 && list.Index(0).Addr().Interface().(inventory.Resource).Kind() == k {
			list.Set(reflect.AppendSlice(list.Slice3(0, which, which), list.Slice(which+1, list.Len())))
		}
	}
}

func maskField(t *rapid.T, r inventory.Resource) string {
	v := reflect.ValueOf(r).Elem()
	var fields []int
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Tag.Get("json") != "-" && (strings.HasPrefix(f.Type.Name(), "Val[") || strings.HasPrefix(f.Type.Name(), "List[")) {
			fields = append(fields, i)
		}
	}
	i := fields[rapid.IntRange(0, len(fields)-1).Draw(t, "field")]
	f := v.Field(i)
	name := r.Base().ID + "." + v.Type().Field(i).Name
	if strings.HasPrefix(f.Type().Name(), "Val[") {
		f.SetZero()
		return name
	}
	items := f.FieldByName("Items")
	keep := reflect.MakeSlice(items.Type(), 0, items.Len())
	for i := range items.Len() {
		if rapid.Bool().Draw(t, "keep") {
			keep = reflect.Append(keep, items.Index(i))
		}
	}
	f.SetZero()
	f.FieldByName("Items").Set(keep)
	return name + " tail"
}

// TestSoakMaskingNeverFlips: whatever is hidden of a world, a conclusion is the same or unknown, a list holds no more than
// it did, no exposure appears, and where one disappears the listing says so.
func TestSoakMaskingNeverFlips(t *testing.T) {
	kept, lost := 0, 0
	soak(t, 2000, 100_000, func(t *rapid.T) {
		l := randomLab(t)
		d := inventory.Declared{DatabaseSources: []string{"203.0.113.0/24"}}
		if rapid.Bool().Draw(t, "divided") {
			d.Environments = []inventory.EnvironmentDecl{{Product: "p", Name: "prod", Class: inventory.Production, Account: "111111111111", Network: "vpc-1"}}
			d.Assets = []inventory.AssetDecl{{Asset: "IA-001", Level: 3, Resources: []string{"i-1", "db-1"}}}
		}
		before := derived(t, d, l.units()...)
		units := copies(t, l.units())
		var masked []string
		for range rapid.IntRange(1, 3).Draw(t, "masks") {
			masked = append(masked, mask(t, units))
		}
		after := derived(t, d, units...)
		checkDatabases(t, masked, databases(before), databases(after))
		was, is := exposures(before), exposures(after)
		for id, e := range is {
			if was[id] == nil {
				t.Fatalf("%v: exposure %s appears", masked, id)
			}
			notFlipped(t, masked, id+" reach", was[id].Reach, e.Reach)
			notFlipped(t, masked, id+" attached", was[id].Attached, e.Attached)
			noMore(t, masked, id+" sources", was[id].Sources, e.Sources)
			notFlipped(t, masked, id+" environment", placed(was[id]), placed(e))
			notFlipped(t, masked, id+" asset", holds(was[id]), holds(e))
			kept++
		}
		if whole(after) && !whole(before) {
			t.Fatalf("%v: every listing of exposures becomes complete", masked)
		}
		for id := range was {
			if is[id] == nil {
				lost++
				if whole(after) {
					t.Fatalf("%v: exposure %s disappears and every listing of exposures is complete", masked, id)
				}
			}
		}
	})
	t.Logf("%d exposures kept, %d lost", kept, lost)
	if kept == 0 || lost == 0 {
		t.Error("the masks hid nothing, or everything")
	}
}

// whole reports that no listing of exposures says that one may be missing.
func whole(inv *inventory.Inventory) bool {
	for i := range inv.Units {
		if l := inv.Units[i].Listing(inventory.ExposureKind); l != nil && !l.Complete {
			return false
		}
	}
	return true
}

func placed(e *inventory.Exposure) inventory.Val[string] {
	if r, doubt := e.EnvironmentGap(); doubt {
		return inventory.Unknown[string](r)
	}
	return inventory.Known(e.Product+e.Environment+e.EnvironmentClass, 0)
}

func holds(e *inventory.Exposure) inventory.Val[string] {
	if r, doubt := e.AssetGap(); doubt {
		return inventory.Unknown[string](r)
	}
	return inventory.Known(fmt.Sprint(e.Asset, e.Level), 0)
}

func checkDatabases(t *rapid.T, masked []string, was, is map[string]*inventory.Database) {
	for id, db := range is {
		notFlipped(t, masked, id+" open", was[id].InternetOpen, db.InternetOpen)
		notFlipped(t, masked, id+" reach", was[id].InternetReach, db.InternetReach)
		values := func(l inventory.List[inventory.Source]) inventory.List[string] {
			var out []string
			for _, s := range l.Items {
				out = append(out, fmt.Sprint(s.Kind, s.Value, s.Internet, s.Single, s.Declared))
			}
			if l.IsOpen() {
				return inventory.Open(out, l.Read())
			}
			return inventory.Closed(out, l.Read())
		}
		noMore(t, masked, id+" ingress", values(was[id].Ingress), values(db.Ingress))
		for _, s := range db.Ingress.Items {
			i := slices.IndexFunc(was[id].Ingress.Items, func(o inventory.Source) bool { return o.Kind == s.Kind && o.Value == s.Value })
			notFlipped(t, masked, id+" same environment "+s.Value, was[id].Ingress.Items[i].SameEnvironment, s.SameEnvironment)
		}
	}
}

func notFlipped[T comparable](t *rapid.T, masked []string, what string, was, is inventory.Val[T]) {
	if !is.IsUnknown() && say(was) != say(is) {
		t.Fatalf("%v: %s was %s and is %s", masked, what, say(was), say(is))
	}
}

func noMore(t *rapid.T, masked []string, what string, was, is inventory.List[string]) {
	for _, s := range is.Items {
		if !slices.Contains(was.Items, s) {
			t.Fatalf("%v: %s holds %s, which it did not", masked, what, s)
		}
	}
	if !is.IsOpen() && (was.IsOpen() || len(was.Items) != len(is.Items)) {
		t.Fatalf("%v: %s is closed with %d of %d", masked, what, len(is.Items), len(was.Items))
	}
}

// TestDeriveIsOrderIndependentAndIdempotent: the order of units and resources shows nowhere, and doing it again changes
// nothing.
func TestDeriveIsOrderIndependentAndIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := randomLab(t)
		inv := derived(t, inventory.Declared{}, l.units()...)
		want := picture(inv)
		Derive(inv, inventory.Declared{})
		if got := picture(inv); got != want {
			t.Fatalf("a second time differs:\n%s\n%s", want, got)
		}
		units := copies(t, l.units())
		slices.Reverse(units)
		for i := range units {
			slices.Reverse(units[i].Facts.SecurityGroups)
			slices.Reverse(units[i].Facts.RouteTables)
			slices.Reverse(units[i].Facts.NetworkACLs)
			slices.Reverse(units[i].Facts.NetworkInterfaces)
			slices.Reverse(units[i].Facts.Databases)
			for g := range units[i].Facts.SecurityGroups {
				slices.Reverse(units[i].Facts.SecurityGroups[g].Ingress.Items)
			}
		}
		if got := picture(derived(t, inventory.Declared{}, units...)); got != want {
			t.Fatalf("another order differs:\n%s\n%s", want, got)
		}
	})
}

func picture(inv *inventory.Inventory) string {
	var lines []string
	for id, e := range exposures(inv) {
		lines = append(lines, fmt.Sprint(id, say(e.Reach), e.Sources.Items, e.Sources.IsOpen(), e.Proof, e.Unit().ID))
	}
	for id, db := range databases(inv) {
		lines = append(lines, fmt.Sprint(id, say(db.InternetReach), say(db.InternetOpen), db.Ingress.IsOpen(), db.Proof))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
