package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"sptr.jp/tenken/findings/inventory"
)

var at = time.Date(2026, 8, 1, 17, 0, 0, 0, time.UTC)

func unit(i int) inventory.Unit {
	u := inventory.NewUnit(inventory.Scope{System: "s", Type: "aws", Account: "333333333333", Region: fmt.Sprintf("r-%d", i)}, "rds", inventory.DatabaseKind)
	r := u.Note(inventory.Read{Operation: "rds:DescribeDBInstances", Permission: "rds:DescribeDBInstances"})
	denied := u.Note(inventory.Read{Operation: "rds:DescribeDBParameters", Reason: inventory.AccessDenied})
	u.Facts.Databases = []inventory.Database{{
		Head: inventory.Head{ID: fmt.Sprintf("arn:%d", i), Name: "本番\n\"db\""}, Engine: inventory.Known("mysql", r), Port: inventory.Known[int64](3306, r),
		ClusterID: inventory.Absent[string](r), TLSRequired: inventory.Unknown[bool](denied), LatestRestorableAt: inventory.Known(at, r),
		SecurityGroupIDs: inventory.Closed([]string{"sg-1"}, r), SubnetIDs: inventory.Open([]string{"subnet-1"}, denied), LogExports: inventory.Closed[string](nil, r),
	}}
	u.Listings[0] = inventory.Listing{Kind: inventory.DatabaseKind, Complete: true, Reads: []inventory.ReadID{r}}
	u.Outcome = inventory.Partial
	return u
}

func head(n int) Head {
	h := Head{ID: "run-1", Started: at, Tool: "test"}
	for i := range n {
		u := unit(i)
		h.Plan = append(h.Plan, u.ID)
	}
	return h
}

func write(t *testing.T, path string, n int) {
	t.Helper()
	w, err := Create(path, head(n))
	for i := 0; err == nil && i < n; i++ {
		err = w.Commit(unit(i))
	}
	if err == nil {
		err = w.Close(at.Add(time.Minute))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.tenken")
	write(t, path, 3)
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Foot == nil || got.Foot.Units != 3 || got.Foot.Resources != 3 || !got.Finished().Equal(at.Add(time.Minute)) {
		t.Fatalf("foot: %+v", got.Foot)
	}
	for i := range got.Units {
		a, _ := jsonOf(got.Units[i])
		b, _ := jsonOf(unit(i))
		if a != b {
			t.Errorf("unit %d:\n%s\n%s", i, a, b)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v: a run holds the company's configuration and is for its owner only", info.Mode(), err)
	}
}

// Cut anywhere, a run is either refused by name or interrupted with exactly the units that stood whole before the cut.
func TestTruncatedAnywhere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run.tenken")
	write(t, path, 3)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut")
	kept := map[int]int{}
	for n := range len(whole) {
		if err := os.WriteFile(cut, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Load(cut)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Line != 1 {
				t.Fatalf("cut at %d: %v", n, err)
			}
			continue
		}
		if r.Foot != nil {
			t.Fatalf("cut at %d of %d: taken for a finished run", n, len(whole))
		}
		kept[len(r.Units)]++
	}
	for units := range 4 {
		if kept[units] == 0 {
			t.Errorf("no cut left %d units: %v", units, kept)
		}
	}
}

// A flipped byte is found wherever it is: no byte of a unit can change unseen.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run.tenken")
	write(t, path, 2)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := Load(path)
	bad := filepath.Join(dir, "bad")
	for n := range len(whole) {
		b := bytes.Clone(whole)
		b[n] ^= 0x10
		if err := os.WriteFile(bad, b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Load(bad)
		if err != nil || got.Foot == nil {
			continue
		}
		a, _ := jsonOf(got)
		w, _ := jsonOf(want)
		if a != w {
			t.Fatalf("a flip at byte %d changed the run unseen", n)
		}
	}
}

func TestDamageIsNamed(t *testing.T) {
	good := func() []string {
		path := filepath.Join(t.TempDir(), "run.tenken")
		write(t, path, 2)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		zr, _ := zstd.NewReader(nil)
		text, err := zr.DecodeAll(b, nil)
		if err != nil {
			t.Fatal(err)
		}
		l := strings.SplitAfter(string(text), "\n")
		return l[:len(l)-1]
	}
	for name, c := range map[string]struct {
		edit func(l []string) []string
		want string
	}{
		"changed unit": {func(l []string) []string { l[1] = strings.Replace(l[1], "mysql", "mysqI", 1); return l }, "line 2: the unit's hash does not fit"},
		"no unit":      {func(l []string) []string { l[2] = "{}\n"; return l }, "line 3: this is no unit"},
		"dropped unit": {func(l []string) []string { return append(l[:1], l[2:]...) }, "line 3: the foot counts 2 units and 1 stand here"},
		"doubled unit": {func(l []string) []string { return append(l[:2], l[1:]...) }, "line 3: unit s/333333333333/r-0/rds stands here a second time"},
		"newer format": {func(l []string) []string { l[0] = strings.Replace(l[0], `"`+Version+`"`, `"2.0"`, 1); return l }, `line 1: the run has format "2.0"`},
		"alien key":    {func(l []string) []string { l[0] = strings.Replace(l[0], `"tool"`, `"toool"`, 1); return l }, `line 1: the head: json: unknown field "toool"`},
		"after foot":   {func(l []string) []string { return append(l, l[1]) }, "line 5: something follows the foot"},
		"other head":   {func(l []string) []string { l[0] = strings.Replace(l[0], `"tenken_run"`, `"other_run"`, 1); return l }, "line 1: this is not a run of tenken"},
		"no head":      {func(l []string) []string { return append([]string{"id,email\n"}, l...) }, "line 1: this is not a run of tenken"},
		"not a run":    {func([]string) []string { return nil }, "line 1: there is no whole head"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x")
			zw, _ := zstd.NewWriter(nil)
			if err := os.WriteFile(path, zw.EncodeAll([]byte(strings.Join(c.edit(good()), "")), nil), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Load(path)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// A run of the first minor version, whose head names no language, is still read.
func TestEarlierMinor(t *testing.T) {
	line := `{"tenken_run":"1.0","id":"run-0","started":"2026-08-01T17:00:00Z","tool":"test","plan":["s/a/rds"],"declared":{}}` + "\n"
	zw, _ := zstd.NewWriter(nil)
	path := filepath.Join(t.TempDir(), "run.tenken")
	if err := os.WriteFile(path, zw.EncodeAll([]byte(line), nil), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := Load(path); err != nil || r.Head.ID != "run-0" || r.Head.Language != "" || r.Foot != nil {
		t.Errorf("%+v, %v", r, err)
	}
}

// A file of something else is called that, and not a damaged run.
func TestForeignFile(t *testing.T) {
	for _, content := range []string{"{}", "PK", "organization: {name: x}\n", "\x1f\x8b\x08\x00\x00"} {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "x: line 1: this is not a run of tenken: name a file") {
			t.Errorf("%q: %v", content, err)
		}
	}
}

func TestResume(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.tenken")
	write(t, path, 1) // the last finished run stands until the new one is whole
	w, err := Create(path, head(3))
	if err == nil {
		err = errors.Join(w.Commit(unit(0)), w.Commit(unit(1)), w.Abandon())
	}
	if err != nil {
		t.Fatal(err)
	}
	if old, err := Load(path); err != nil || len(old.Units) != 1 {
		t.Fatalf("the finished run was touched: %v, %v", old, err)
	}
	h := head(3)
	h.ID, h.Started = "run-2", at.Add(time.Hour)
	if _, _, err := Resume(path, Head{Plan: h.Plan[:2]}); err == nil || !strings.Contains(err.Error(), h.Plan[2]+" is gone") {
		t.Errorf("another plan was resumed: %v", err)
	}
	w, h, err = Resume(path, h)
	if err != nil || h.ID != "run-1" || !h.Started.Equal(at) {
		t.Fatalf("%+v, %v", h, err)
	}
	if _, ok := w.Done(h.Plan[2]); ok {
		t.Error("an unread unit counts as done")
	}
	if u, ok := w.Done(h.Plan[1]); !ok || u.Outcome != inventory.Partial {
		t.Error("a whole unit was lost")
	}
	if err := errors.Join(w.Commit(unit(2)), w.Close(at)); err != nil {
		t.Fatal(err)
	}
	if r, err := Load(path); err != nil || len(r.Units) != 3 || r.Foot == nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := os.Stat(path + partSuffix); !errors.Is(err, os.ErrNotExist) {
		t.Error("the part stayed behind")
	}
}

// A run that was lost before its head was whole holds nothing: it is begun afresh. A file of something else is left alone.
func TestResumeWithoutAHead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.tenken")
	w, err := Create(path, head(1))
	if err == nil {
		err = w.Abandon()
	}
	whole, readErr := os.ReadFile(path + partSuffix)
	if err := errors.Join(err, readErr); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 3, len(whole) / 2, len(whole) - 1} {
		if err := os.WriteFile(path+partSuffix, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		w, _, err := Resume(path, head(1))
		if err == nil {
			err = errors.Join(w.Commit(unit(0)), w.Close(at))
		}
		if err != nil {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	if err := os.WriteFile(path+partSuffix, []byte("id,email\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Resume(path, head(1)); err == nil || !strings.Contains(err.Error(), "this is not a run of tenken") {
		t.Errorf("a file of something else: %v", err)
	}
}

func jsonOf(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}
