package scanners_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPlanIsFixedBeforeAnythingIsRead(t *testing.T) {
	var fixed atomic.Bool
	var announced []string
	f := fake{plan: planned("b", 2, 2), collect: func(ctx context.Context, u *inventory.Unit) {
		if !fixed.Load() {
			t.Errorf("%s was read before the plan was fixed", u.ID)
		}
		complete(ctx, u)
	}}
	j := newJournal()
	res := mustRun(t.Context(), t, []scanners.System{system("b", f), system("a", fake{planned("a", 1, 1), complete})}, j,
		scanners.Options{OnPlan: func(ids []string) error { announced = ids; fixed.Store(true); return nil }})
	want := []string{"a/account-000/c0", "b/account-000/c0", "b/account-000/c1", "b/account-001/c0", "b/account-001/c1"}
	if diff := cmp.Diff(want, announced); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, res.Plan); diff != "" {
		t.Error(diff)
	}
	for i, id := range want {
		if res.Units[i].ID != id || res.Units[i].Outcome != inventory.Complete || j.kept[id].Outcome != inventory.Complete {
			t.Errorf("unit %d is %s, %q, kept %q", i, res.Units[i].ID, res.Units[i].Outcome, j.kept[id].Outcome)
		}
	}
	if res.Ledger.Planned != 5 || res.Ledger.Assessed() != 5 {
		t.Errorf("ledger %+v", res.Ledger)
	}
}

func TestCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		ctx, cancel := context.WithCancel(t.Context())
		var calls atomic.Int32
		f := fake{planned("s", 10, 10), func(ctx context.Context, u *inventory.Unit) {
			switch n := calls.Add(1); {
			case n <= 20:
				complete(ctx, u)
			case n <= 30:
				hangs(ctx, u)
			case n <= 33:
				ends(inventory.Throttled)(ctx, u)
			default:
				<-release
			}
		}}
		j := newJournal()
		go func() { time.Sleep(7 * time.Second); cancel() }()
		began := time.Now()
		p := &watcher{}
		res, err := scanners.Run(ctx, []scanners.System{system("s", f)}, j, scanners.Options{}, p)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 17*time.Second {
			t.Errorf("cancelled after 7 s, ended after %s", took)
		}
		want := map[inventory.Outcome]int{inventory.Complete: 20, inventory.ThrottledOut: 3, inventory.Failed: 77}
		if diff := cmp.Diff(want, outcomes(res)); diff != "" {
			t.Error(diff)
		}
		for i := range res.Units {
			if u := &res.Units[i]; u.Outcome == inventory.Failed && gap(t, u).Reason != inventory.Cancelled {
				t.Errorf("%s: %+v", u.ID, gap(t, u))
			}
		}
		if len(j.kept) != 20 {
			t.Errorf("%d units were kept: a resumed run would not read what the cancellation cut", len(j.kept))
		}
		if p.done != 100 {
			t.Errorf("the display was told of %d ends", p.done)
		}
	})
}

func TestCancelledWhilePlanning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		defer close(release)
		f := fake{plan: func(context.Context) []inventory.Unit { <-release; return nil }}
		go func() { time.Sleep(time.Second); cancel() }()
		began := time.Now()
		_, err := scanners.Run(ctx, []scanners.System{system("s", f)}, newJournal(), scanners.Options{
			OnPlan: func([]string) error { t.Error("half a plan was recorded"); return nil }}, nil)
		if !errors.Is(err, context.Canceled) || time.Since(began) > 11*time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

func TestThrottledUnitsAreReadOnceMoreAtTheEnd(t *testing.T) {
	partial := func(_ context.Context, u *inventory.Unit) {
		rec := scanners.NewRecorder(u)
		rec.Listed(inventory.DatabaseKind, rec.OK(listNeed))
		rec.Gap(scanners.Need{Operation: "fake:Detail"}, inventory.Throttled, "")
		rec.Finish()
	}
	for name, c := range map[string]struct {
		first, second func(context.Context, *inventory.Unit)
		want          inventory.Outcome
		calls         int
	}{
		"better":        {ends(inventory.Throttled), complete, inventory.Complete, 2},
		"again":         {ends(inventory.Throttled), ends(inventory.Throttled), inventory.ThrottledOut, 2},
		"worse":         {partial, ends(inventory.AccessDenied), inventory.Partial, 2},
		"part of it":    {partial, complete, inventory.Complete, 2},
		"not throttled": {ends(inventory.AccessDenied), complete, inventory.Denied, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var order []string
			f := fake{planned("s", 1, 3), func(ctx context.Context, u *inventory.Unit) {
				order = append(order, u.Collector) // one worker: no lock
				switch {
				case u.Collector != "c0":
					complete(ctx, u)
				case slices.Index(order, "c0") == len(order)-1:
					c.first(ctx, u)
				default:
					c.second(ctx, u)
				}
			}}
			j := newJournal()
			res := mustRun(t.Context(), t, []scanners.System{system("s", f)}, j, scanners.Options{Workers: 1})
			if got := res.Units[0].Outcome; got != c.want {
				t.Errorf("outcome %q, want %q", got, c.want)
			}
			if len(order) != 2+c.calls || order[len(order)-1] != "c0" && c.calls == 2 {
				t.Errorf("read in the order %v", order)
			}
			got, _ := json.Marshal(j.kept[res.Units[0].ID])
			want, _ := json.Marshal(res.Units[0])
			if string(got) != string(want) {
				t.Errorf("kept\n%s\nreported\n%s", got, want)
			}
		})
	}
}

func TestDoneUnitsAreNotReadAgain(t *testing.T) {
	j := newJournal()
	f := fake{planned("s", 2, 2), complete}
	first := mustRun(t.Context(), t, []scanners.System{system("s", f)}, j, scanners.Options{})
	delete(j.kept, "s/account-001/c0")
	var read []string
	f.collect = func(ctx context.Context, u *inventory.Unit) { read = append(read, u.ID); complete(ctx, u) }
	second := mustRun(t.Context(), t, []scanners.System{system("s", f)}, j, scanners.Options{})
	if diff := cmp.Diff([]string{"s/account-001/c0"}, read); diff != "" {
		t.Error(diff)
	}
	a, _ := json.Marshal(first.Units)
	b, _ := json.Marshal(second.Units)
	if string(a) != string(b) {
		t.Error("the resumed run differs")
	}
}

func TestWhatIsFatal(t *testing.T) {
	full := errors.New("disk full")
	discovered := func(context.Context) []inventory.Unit {
		u := inventory.NewUnit(inventory.Scope{System: "s", Type: "fake"}, "discovery")
		scanners.Fail(&u, listNeed, inventory.AccessDenied, "")
		return append(planned("s", 5, 5)(nil), u)
	}
	for _, failAt := range []int{1, 2, 13} {
		j := &journal{kept: map[string]inventory.Unit{}, broken: full, failAt: failAt}
		_, err := scanners.Run(t.Context(), []scanners.System{system("s", fake{discovered, complete})}, j, scanners.Options{}, nil)
		if !errors.Is(err, full) || !strings.Contains(err.Error(), "keeping s/") {
			t.Errorf("commit %d failed: %v", failAt, err)
		}
	}
	_, err := scanners.Run(t.Context(), []scanners.System{system("s", fake{discovered, complete})}, newJournal(),
		scanners.Options{OnPlan: func([]string) error { return full }}, nil)
	if !errors.Is(err, full) {
		t.Errorf("the plan could not be recorded: %v", err)
	}
	same := system("s", fake{planned("s", 1, 1), complete})
	if _, err := scanners.Run(t.Context(), []scanners.System{same, same}, newJournal(), scanners.Options{}, nil); err == nil ||
		!strings.Contains(err.Error(), "give each system its own name") {
		t.Errorf("two systems of one name: %v", err)
	}
}

func TestUnitThatNobodyReads(t *testing.T) {
	o := scanners.Options{Ended: planned("s", 1, 1)(t.Context())}
	if _, err := scanners.Run(t.Context(), nil, newJournal(), o, nil); err == nil || !strings.Contains(err.Error(), "no system reads it") {
		t.Error(err)
	}
}

func TestOnlyKeepsWhatIsWider(t *testing.T) {
	unit := func(account, region, collector string) *inventory.Unit {
		u := inventory.NewUnit(inventory.Scope{System: "s", Account: account, Region: region}, collector)
		return &u
	}
	keep := scanners.Only([]string{"1"}, []string{"tokyo"}, []string{"rds"})
	discovery := unit("1", "", "discovery")
	discovery.Outcome = inventory.Denied
	for u, want := range map[*inventory.Unit]bool{
		unit("1", "tokyo", "rds"): true, unit("1", "", "rds"): true, unit("", "", "rds"): true, discovery: true,
		unit("2", "tokyo", "rds"): false, unit("1", "osaka", "rds"): false, unit("1", "tokyo", "iam"): false,
	} {
		if keep(u) != want {
			t.Errorf("%s: kept is %v", u.ID, !want)
		}
	}
	f := fake{planned("s", 3, 2), complete}
	res := mustRun(t.Context(), t, []scanners.System{system("s", f)}, newJournal(),
		scanners.Options{Keep: scanners.Only([]string{"account-001"}, nil, []string{"c1"})})
	if diff := cmp.Diff([]string{"s/account-001/c1"}, res.Plan); diff != "" {
		t.Error(diff)
	}
}

func TestNotConnected(t *testing.T) {
	u := scanners.NotConnected("slack", "slack", inventory.AccountKind, inventory.TenantKind)
	res := mustRun(t.Context(), t, nil, newJournal(), scanners.Options{Ended: []inventory.Unit{u}})
	got := &res.Units[0]
	if got.Outcome != inventory.Skipped || gap(t, got).Reason != inventory.NotConnected || len(got.Listings) != 2 ||
		got.Listings[0].Complete || res.Ledger.Assessed() != 0 || res.Ledger.Planned != 1 {
		t.Errorf("%+v", got)
	}
}

// The result is a function of what the scanners return: neither workers nor the order in which units end show in it.
func TestResultDoesNotDependOnTiming(t *testing.T) {
	behaviours := []func(context.Context, *inventory.Unit){complete, ends(inventory.AccessDenied), ends(inventory.Throttled),
		ends(inventory.Timeout), func(context.Context, *inventory.Unit) { panic(1) }}
	var want string
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 1))
		delays := make([]time.Duration, 60)
		for i := range delays {
			delays[i] = time.Duration(random.IntN(9000)) * time.Millisecond
		}
		synctest.Test(t, func(t *testing.T) {
			f := fake{planned("s", 6, 10), func(ctx context.Context, u *inventory.Unit) {
				var a, c int
				fmt.Sscanf(u.ID, "s/account-%d/c%d", &a, &c)
				time.Sleep(delays[a*10+c])
				behaviours[(a+c)%len(behaviours)](ctx, u)
			}}
			res := mustRun(t.Context(), t, []scanners.System{system("s", f)}, newJournal(), scanners.Options{Workers: 1 + int(seed)*3})
			b, err := json.Marshal(res.Units)
			if err != nil {
				t.Fatal(err)
			}
			if want == "" {
				want = string(b)
			} else if string(b) != want {
				t.Errorf("seed %d: the units differ", seed)
			}
		})
	}
}

// watcher counts what a display is told.
type watcher struct{ planned, started, done int }

func (w *watcher) Planned(units []inventory.Unit) { w.planned = len(units) }
func (w *watcher) Started(*inventory.Unit)        { w.started++ }
func (w *watcher) Done(*inventory.Unit)           { w.done++ }

func TestProgress(t *testing.T) {
	var calls atomic.Int32
	f := fake{planned("s", 4, 5), func(ctx context.Context, u *inventory.Unit) {
		if calls.Add(1) == 1 {
			ends(inventory.Throttled)(ctx, u)
			return
		}
		complete(ctx, u)
	}}
	j := newJournal()
	j.kept["s/account-000/c0"] = func() inventory.Unit { u := planned("s", 1, 1)(t.Context())[0]; complete(t.Context(), &u); return u }()
	p := &watcher{}
	if _, err := scanners.Run(t.Context(), []scanners.System{system("s", f)}, j, scanners.Options{}, p); err != nil {
		t.Fatal(err)
	}
	if *p != (watcher{planned: 20, started: 20, done: 19}) { // 19 to read, one of them twice
		t.Errorf("%+v", *p)
	}
}
