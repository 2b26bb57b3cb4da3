package scanners_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

func TestBrokenPlanIsAFailedDiscovery(t *testing.T) {
	unit := func(system string) inventory.Unit {
		return inventory.NewUnit(inventory.Scope{System: system, Type: "fake"}, "x", inventory.RoleKind)
	}
	odd := unit("bad")
	odd.ID = "bad/else"
	release := make(chan struct{})
	defer close(release)
	for name, c := range map[string]struct {
		plan   func(context.Context) []inventory.Unit
		why    inventory.Reason
		detail string
	}{
		"panics":     {func(context.Context) []inventory.Unit { panic("hunter2") }, inventory.DecodeError, "panicked: string in scanners_test."},
		"hangs":      {func(ctx context.Context) []inventory.Unit { <-release; return nil }, inventory.Timeout, "did not stop"},
		"nothing":    {func(context.Context) []inventory.Unit { return nil }, inventory.DecodeError, "planned nothing"},
		"twice":      {func(context.Context) []inventory.Unit { return []inventory.Unit{unit("bad"), unit("bad")} }, inventory.DecodeError, "bad/x"},
		"odd id":     {func(context.Context) []inventory.Unit { return []inventory.Unit{odd} }, inventory.DecodeError, "bad/else"},
		"other name": {func(context.Context) []inventory.Unit { return []inventory.Unit{unit("good")} }, inventory.DecodeError, "good/x"},
	} {
		t.Run(name, func(t *testing.T) {
			systems := []scanners.System{
				system("bad", fake{plan: c.plan, collect: complete}, inventory.RoleKind, inventory.AccountKind),
				system("good", fake{planned("good", 1, 1), complete}),
			}
			res := mustRun(t.Context(), t, systems, newJournal(),
				scanners.Options{PlanTimeout: 20 * time.Millisecond, Grace: 10 * time.Millisecond})
			u := &res.Units[0]
			if u.ID != "bad/discovery" || u.Outcome != inventory.Failed {
				t.Fatalf("%s ended %q", u.ID, u.Outcome)
			}
			if g := gap(t, u); g.Reason != c.why || !strings.Contains(g.Detail, c.detail) || strings.Contains(g.Detail, "hunter2") {
				t.Errorf("gap %+v", g)
			}
			if u.Listing(inventory.RoleKind) == nil || u.Listing(inventory.AccountKind) == nil || len(u.Listings) != 2 {
				t.Errorf("listings %+v", u.Listings)
			}
			if res.Ledger.Assessed() != 1 || res.Ledger.Planned != 2 {
				t.Errorf("ledger %+v", res.Ledger)
			}
		})
	}
}

func TestPlanWithoutKnownKindsLeavesEveryKindUnknown(t *testing.T) {
	f := fake{plan: func(context.Context) []inventory.Unit { panic(1) }}
	res := mustRun(t.Context(), t, []scanners.System{system("s", f)}, newJournal(), scanners.Options{})
	if got := len(res.Units[0].Listings); got != len(inventory.Kinds()) {
		t.Errorf("%d kinds are listed", got)
	}
}

func TestCollectThatBreaksItsContract(t *testing.T) {
	for name, c := range map[string]struct {
		collect func(context.Context, *inventory.Unit)
		detail  string
	}{
		"panic":         {func(context.Context, *inventory.Unit) { panic(errors.New("hunter2")) }, "panicked: *errors.errorString in scanners_test."},
		"runtime error": {func(_ context.Context, u *inventory.Unit) { u.Reads[len(u.ID)+9].Detail = "" }, "panicked: runtime.boundsError in scanners_test."},
		"panic in Each": {func(ctx context.Context, _ *inventory.Unit) {
			scanners.Each(ctx, 2, []int{1, 2, 3}, func(context.Context, int, int) { panic("hunter2") })
		}, "panicked: string in scanners_test."},
		"no outcome":   {func(context.Context, *inventory.Unit) {}, "without an outcome"},
		"another unit": {func(ctx context.Context, u *inventory.Unit) { u.Scope.Account = "x"; complete(ctx, u) }, "another unit"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fake{planned("s", 1, 2), func(ctx context.Context, u *inventory.Unit) {
				if u.Collector == "c1" {
					complete(ctx, u)
				} else {
					c.collect(ctx, u)
				}
			}}
			res := mustRun(t.Context(), t, []scanners.System{system("s", f)}, newJournal(), scanners.Options{})
			u := &res.Units[0]
			g := gap(t, u)
			if u.Outcome != inventory.Failed || g.Reason != inventory.DecodeError || !strings.Contains(g.Detail, c.detail) {
				t.Errorf("outcome %q, gap %+v", u.Outcome, g)
			}
			if b, _ := json.Marshal(res.Units); strings.Contains(string(b), "hunter2") {
				t.Errorf("the panic's text is in the unit: %s", b)
			}
			if res.Units[1].Outcome != inventory.Complete {
				t.Error("the neighbour was not read")
			}
		})
	}
}

func TestUnitDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		for name, collect := range map[string]func(context.Context, *inventory.Unit){
			"good scanner": hangs,
			"deaf scanner": func(context.Context, *inventory.Unit) { <-release },
		} {
			began := time.Now()
			res := mustRun(t.Context(), t, []scanners.System{system("s", fake{planned("s", 1, 1), collect})}, newJournal(), scanners.Options{})
			if g := gap(t, &res.Units[0]); g.Reason != inventory.Timeout || res.Units[0].Outcome != inventory.Failed {
				t.Errorf("%s: %q, gap %+v", name, res.Units[0].Outcome, g)
			}
			if took := time.Since(began); took < 10*time.Minute || took > 10*time.Minute+5*time.Second {
				t.Errorf("%s: took %s", name, took)
			}
		}
	})
}
