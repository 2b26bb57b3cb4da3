package scannertest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

// sound holds every unit's outcome to its own books.
func (h *suite) sound(t *testing.T, needs []scanners.Need, units []inventory.Unit) {
	t.Helper()
	for i := range units {
		u := &units[i]
		for _, wrong := range h.faults(needs, u) {
			t.Errorf("%s (%s): %s", u.ID, u.Outcome, wrong)
		}
	}
}

func (h *suite) faults(needs []scanners.Need, u *inventory.Unit) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if !slices.Contains(inventory.Outcomes(), u.Outcome) {
		say("it has no outcome of the list")
	}
	whole := true
	for i := range u.Listings {
		l := &u.Listings[i]
		whole = whole && l.Complete
		failed := slices.ContainsFunc(l.Reads, func(r inventory.ReadID) bool { return u.Read(r).Reason != "" })
		if l.Complete == (failed || len(l.Reads) == 0) {
			say("%s is listed as complete: %v, against its reads", l.Kind, l.Complete)
		}
		if !slices.Contains(h.Kinds, l.Kind) {
			say("it lists %s, which is none of the subject's kinds", l.Kind)
		}
	}
	assessed := u.Outcome == inventory.Complete || u.Outcome == inventory.DisabledUnit
	if assessed && (!whole || len(u.Gaps()) > 0) {
		say("it counts as read and has gaps: %v", u.Gaps())
	}
	if !assessed && len(u.Gaps()) == 0 {
		say("it is not whole and no read says why")
	}
	for _, r := range u.Reads[1:] {
		need := slices.IndexFunc(needs, func(n scanners.Need) bool { return n.Operation == r.Operation })
		if need >= 0 && needs[need].Permission != r.Permission {
			say("%s asks for the permission %q and needs %q", r.Operation, r.Permission, needs[need].Permission)
		}
		if need < 0 {
			say("%s is none of the needed operations (%s)", r.Operation, r.Detail)
		}
		if r.Reason != "" && !slices.Contains(inventory.Reasons(), r.Reason) {
			say("%q is no reason of the list", r.Reason)
		}
		if len(r.Detail) > 300 || strings.ContainsAny(r.Detail, "\n\r\x1b") {
			say("the detail is no short hint: %.80q", r.Detail)
		}
	}
	for _, k := range inventory.Kinds() {
		seen := map[string]bool{}
		for r := range u.Facts.Of(k) {
			head := r.Base()
			if head.ID == "" || seen[head.ID] {
				say("a %s has no id or that of another one: %q", k, head.ID)
			}
			seen[head.ID] = true
		}
		if len(seen) > 0 && u.Listing(k) == nil {
			say("it holds %d %s and does not list them", len(seen), k)
		}
	}
	return wrong
}

// knowsLess holds a disturbed scan to the undisturbed one: nothing appears, nothing differs, and what is missing is
// covered by a listing that says so.
func (h *suite) knowsLess(t *testing.T, got report) {
	t.Helper()
	before, now := byID(h.base), byID(got)
	for id, was := range before {
		is, planned := now[id]
		if !planned {
			for i := range was.Listings {
				if k := was.Listings[i].Kind; !covered(got.units, was.Scope, k) {
					t.Errorf("%s is not planned, and no unit says that %s may be missing there", id, k)
				}
			}
		} else if is.line != was.line {
			for _, wrong := range less(was.Unit, is.Unit) {
				t.Errorf("%s: %s", id, wrong)
			}
		}
	}
	for id, is := range now { // a failed discovery may stand for what it kept from being planned
		if _, ok := before[id]; !ok && (len(is.Gaps()) == 0 || holds(is.Unit)) {
			t.Errorf("%s appears", id)
		}
	}
}

func holds(u *inventory.Unit) bool {
	return slices.ContainsFunc(inventory.Kinds(), func(k inventory.Kind) bool { return u.Facts.Count(k) > 0 })
}

// saved is a unit with the line that a run file holds of it.
type saved struct {
	*inventory.Unit
	line string
}

func byID(r report) map[string]saved {
	m := map[string]saved{}
	for i := range r.units {
		m[r.units[i].ID] = saved{&r.units[i], r.lines[i]}
	}
	return m
}

func covered(units []inventory.Unit, place inventory.Scope, k inventory.Kind) bool {
	return slices.ContainsFunc(units, func(u inventory.Unit) bool {
		l := u.Listing(k)
		return u.Scope.Contains(place) && l != nil && !l.Complete
	})
}

// less compares one unit before and after. Fields are compared as they are saved, so that no kind needs code here.
func less(was, is *inventory.Unit) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for _, k := range inventory.Kinds() {
		old := resources(was, k)
		n := 0
		for r := range is.Facts.Of(k) {
			n++
			id := r.Base().ID
			if old[id] == nil {
				say("%s %s appears", k, id)
				continue
			}
			for field, value := range fields(r) {
				if !weaker(old[id][field], value) {
					say("%s %s: %s was %.80s and is %.80s", k, id, field, old[id][field], value)
				}
			}
		}
		if l := is.Listing(k); l != nil && l.Complete && n != len(old) {
			say("%s is listed as complete with %d of %d", k, n, len(old))
		}
	}
	return wrong
}

func resources(u *inventory.Unit, k inventory.Kind) map[string]map[string]json.RawMessage {
	m := map[string]map[string]json.RawMessage{}
	for r := range u.Facts.Of(k) {
		m[r.Base().ID] = fields(r)
	}
	return m
}

func fields(r inventory.Resource) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	b, err := json.Marshal(r)
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		panic(err) // what a scan saves can be read
	}
	return m
}

// weaker says whether a saved value is the same as before or says less: an unknown one, or the beginning of a list.
func weaker(was, is json.RawMessage) bool {
	if unknown(is) {
		return true
	}
	var open struct{ Items []json.RawMessage }
	if is[0] == '{' && json.Unmarshal(is, &open) == nil {
		old := items(was)
		for _, item := range open.Items {
			if !slices.ContainsFunc(old, func(o json.RawMessage) bool { return string(o) == string(item) }) {
				return false
			}
		}
		return true
	}
	return len(was) > 0 && without(was) == without(is)
}

func unknown(v json.RawMessage) bool {
	return len(v) == 0 || v[0] >= '0' && v[0] <= '9'
}

// without is a saved value without the number of its read.
func without(v json.RawMessage) string {
	var pair []json.RawMessage
	if v[0] != '[' || json.Unmarshal(v, &pair) != nil || len(pair) == 0 {
		return string(v)
	}
	b, _ := json.Marshal(pair[1:]) // raw messages that were read just now
	return string(b)
}

// items are the elements of a saved list, closed or open.
func items(v json.RawMessage) (list []json.RawMessage) {
	if len(v) == 0 {
		return nil
	}
	var open struct{ Items []json.RawMessage }
	if v[0] == '{' {
		_ = json.Unmarshal(v, &open) // nothing in it is nothing to find
		return open.Items
	}
	var pair []json.RawMessage
	if json.Unmarshal(v, &pair) == nil && len(pair) == 2 {
		_ = json.Unmarshal(pair[1], &list) // as above
	}
	return list
}
