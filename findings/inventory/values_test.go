package inventory

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestZeroValueIsUnknown: what a scanner forgot can't look like an answer.
func TestZeroValueIsUnknown(t *testing.T) {
	var v Val[bool]
	if _, ok := v.Get(); ok || !v.IsUnknown() || v.IsAbsent() || !v.IsZero() {
		t.Errorf("zero Val: %+v", v)
	}
	var l List[string]
	if !l.IsOpen() || !l.IsZero() {
		t.Errorf("zero List: %+v", l)
	}
	var u Unit
	if got := u.Read(v.Read()); got != NotInAnswer {
		t.Errorf("the reason of what nobody filled: %+v", got)
	}
}

func TestPtrAndOptional(t *testing.T) {
	five := int64(5)
	for name, c := range map[string]struct {
		v              Val[int64]
		known, unknown bool
	}{
		"Ptr":          {Ptr(&five, 3), true, false},
		"Ptr nil":      {Ptr[int64](nil, 3), false, true},
		"Optional":     {Optional(&five, 3), true, false},
		"Optional nil": {Optional[int64](nil, 3), false, false},
	} {
		if _, ok := c.v.Get(); ok != c.known || c.v.IsUnknown() != c.unknown || c.v.IsAbsent() == (c.known || c.unknown) {
			t.Errorf("%s: %+v", name, c.v)
		}
	}
	if Ptr(&five, 3).Or(1) != 5 || Ptr[int64](nil, 3).Or(1) != 1 || Optional[int64](nil, 3).Or(1) != 1 {
		t.Error("Or gives the value, or else its default")
	}
}

// TestWireForm fixes the form in run files: a later version must read it.
func TestWireForm(t *testing.T) {
	type sample struct {
		K  Val[string]    `json:"k,omitzero"`
		A  Val[string]    `json:"a,omitzero"`
		U  Val[string]    `json:"u,omitzero"`
		N  Val[string]    `json:"n,omitzero"`
		T  Val[time.Time] `json:"t,omitzero"`
		C  List[string]   `json:"c,omitzero"`
		CE List[string]   `json:"ce,omitzero"`
		O  List[string]   `json:"o,omitzero"`
		ON List[string]   `json:"on,omitzero"`
	}
	s := sample{K: Known("a,[b]", 1), A: Absent[string](2), U: Unknown[string](3), T: Known(time.Unix(0, 0).UTC(), 65535),
		C: Closed([]string{"x"}, 1), CE: Closed[string](nil, 1), O: Open([]string{"x"}, 4)}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"k":[1,"a,[b]"],"a":[2],"u":3,"t":[65535,"1970-01-01T00:00:00Z"],"c":[1,["x"]],"ce":[1,[]],"o":{"read":4,"items":["x"]}}`
	if string(b) != want {
		t.Fatalf("got  %s\nwant %s", b, want)
	}
	var back sample
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	back.CE.Items = nil // an empty list has no items either way
	if d := cmp.Diff(s, back, cmp.Exporter(func(reflect.Type) bool { return true })); d != "" {
		t.Error(d)
	}
}

func TestDecodersRefuse(t *testing.T) {
	for _, bad := range []string{`"x"`, `-1`, `65536`, `1.5`, `[]`, `["a"]`, `[1,]`, `[1,"x"]`, `null`, `true`, `[1,2,3]`, `{"read":1}`} {
		var v Val[int64]
		if err := json.Unmarshal([]byte(bad), &v); err == nil {
			t.Errorf("Val from %s: %+v", bad, v)
		}
	}
	for _, bad := range []string{`"x"`, `1`, `[1]`, `[]`, `[1,2]`, `{"read":-1}`, `{"read":70000}`, `{"items":7}`, `null`, `[1,["x"]]`, `[65536,[]]`} {
		var l List[int64]
		if err := json.Unmarshal([]byte(bad), &l); err == nil {
			t.Errorf("List from %s: %+v", bad, l)
		}
	}
}

// TestRoundTrip: what was written is read back, whatever it holds, and derived fields never reach the file.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		val := func(name string) Val[string] {
			r := ReadID(rapid.Uint16().Draw(t, name))
			switch rapid.IntRange(0, 2).Draw(t, name) {
			case 0:
				return Known(rapid.String().Draw(t, name), r)
			case 1:
				return Absent[string](r)
			}
			return Unknown[string](r)
		}
		list := Closed(rapid.SliceOfN(rapid.String(), 1, 3).Draw(t, "items"), ReadID(rapid.Uint16().Draw(t, "read")))
		if rapid.Bool().Draw(t, "open") {
			list = Open(list.Items, list.r)
		}
		u := NewUnit(Scope{System: "s", Type: "aws", Account: "a", Region: "r"}, "c", DatabaseKind)
		u.Facts.Databases = []Database{{Head: Head{ID: "db", Asset: "IA-001", Environment: "production"}, Engine: val("engine"), Status: val("status"), SubnetIDs: list,
			InternetReach: Known("derived", 1), Proof: []Step{{"a", "b"}}}}
		u.Facts.Exposures = []Exposure{{Head: Head{ID: "x"}}}
		b, err := json.Marshal(u)
		if err != nil {
			t.Fatal(err)
		}
		var back Unit
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		want := u
		want.Facts.Exposures, want.Facts.Databases = nil, []Database{u.Facts.Databases[0]}
		db := &want.Facts.Databases[0]
		db.Asset, db.Environment, db.InternetReach, db.Proof = "", "", Val[string]{}, nil
		if !reflect.DeepEqual(valid(want), valid(back)) {
			t.Fatalf("%s", cmp.Diff(want, back, cmp.Exporter(func(reflect.Type) bool { return true })))
		}
	})
}

// valid replaces what JSON can't hold: it is made of valid UTF-8.
func valid(u Unit) Unit {
	db := u.Facts.Databases[0]
	fix := func(v Val[string]) Val[string] { v.v = strings.ToValidUTF8(v.v, "\ufffd"); return v }
	db.Engine, db.Status = fix(db.Engine), fix(db.Status)
	db.SubnetIDs.Items = append([]string(nil), db.SubnetIDs.Items...)
	for i, s := range db.SubnetIDs.Items {
		db.SubnetIDs.Items[i] = strings.ToValidUTF8(s, "\ufffd")
	}
	u.Facts.Databases = []Database{db}
	return u
}

func FuzzVal(f *testing.F) {
	for _, s := range []string{`7`, `[7]`, `[7,"x"]`, `[7,[1]]`, `[`, `{"read":1,"items":["a"]}`, `[1,["a"]]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		again(t, b, func() json.Marshaler { return &Val[string]{} })
		again(t, b, func() json.Marshaler { return &List[string]{} })
	})
}

// again checks that whatever a decoder accepts is written and read back the same.
func again(t *testing.T, b []byte, fresh func() json.Marshaler) {
	v, w := fresh(), fresh()
	if json.Unmarshal(b, v) != nil {
		return
	}
	once, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%q was read and can't be written: %v", b, err)
	}
	if err := json.Unmarshal(once, w); err != nil {
		t.Fatalf("%s was written and can't be read: %v", once, err)
	}
	if twice, err := json.Marshal(w); err != nil || string(once) != string(twice) {
		t.Fatalf("%s became %s (%v)", once, twice, err)
	}
}

func FuzzUnit(f *testing.F) {
	f.Add([]byte(`{"id":"a","scope":{"system":"s","type":"aws"},"reads":[],"facts":{"databases":[{"id":"x","port":[1,5432]}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var u Unit
		if json.Unmarshal(b, &u) != nil {
			return
		}
		inv := New([]Unit{u})
		if err := Derive(inv, Declared{}); err != nil {
			t.Fatal(err)
		}
		for _, k := range Kinds() {
			for r := range inv.Units[0].Facts.Of(k) {
				if r.Base().Unit() != &inv.Units[0] {
					t.Fatalf("%s of no unit", k)
				}
			}
		}
	})
}
