package scanners_test

import (
	"context"
	"sync/atomic"
	"testing"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

func TestRecorderDecidesTheOutcome(t *testing.T) {
	detail := scanners.Need{Operation: "fake:Detail"}
	one := []inventory.Database{{Head: inventory.Head{ID: "db"}}}
	for name, c := range map[string]struct {
		do   func(*scanners.Recorder, *inventory.Unit)
		want inventory.Outcome
	}{
		"both listed": {func(r *scanners.Recorder, u *inventory.Unit) {
			ok := r.OK(listNeed)
			r.Listed(inventory.DatabaseKind, ok)
			r.Listed(inventory.BackupKind, ok)
		}, inventory.Complete},
		"a detail denied": {func(r *scanners.Recorder, u *inventory.Unit) {
			ok := r.OK(listNeed)
			r.Listed(inventory.DatabaseKind, ok)
			r.Listed(inventory.BackupKind, ok)
			r.Gap(detail, inventory.AccessDenied, "")
		}, inventory.Partial},
		"one listing forgotten": {func(r *scanners.Recorder, u *inventory.Unit) {
			r.Listed(inventory.DatabaseKind, r.OK(listNeed))
		}, inventory.Partial},
		"one listing denied": {func(r *scanners.Recorder, u *inventory.Unit) {
			r.Listed(inventory.DatabaseKind, r.OK(listNeed))
			r.Listed(inventory.BackupKind, r.Gap(detail, inventory.AccessDenied, ""))
		}, inventory.Partial},
		"first page, then cut": {func(r *scanners.Recorder, u *inventory.Unit) {
			u.Facts.Databases = one
			gap := r.Gap(listNeed, inventory.PartialList, "")
			r.Listed(inventory.DatabaseKind, r.OK(listNeed), gap)
			r.Listed(inventory.BackupKind, gap)
		}, inventory.Partial},
		"listed by no call": {func(r *scanners.Recorder, u *inventory.Unit) {
			r.Listed(inventory.DatabaseKind)
			r.Listed(inventory.BackupKind)
		}, inventory.Failed},
		"nothing said": {func(*scanners.Recorder, *inventory.Unit) {}, inventory.Failed},
		"all denied":   {all(inventory.AccessDenied), inventory.Denied},
		"no scope":     {all(inventory.MissingScope), inventory.Denied},
		"throttled":    {all(inventory.Throttled), inventory.ThrottledOut},
		"timeout":      {all(inventory.Timeout), inventory.Failed},
		"off":          {all(inventory.Disabled), inventory.Failed},
		"proven off":   {func(r *scanners.Recorder, u *inventory.Unit) { r.Disabled(listNeed) }, inventory.DisabledUnit},
	} {
		t.Run(name, func(t *testing.T) {
			u := inventory.NewUnit(inventory.Scope{System: "s"}, "c", inventory.DatabaseKind, inventory.BackupKind)
			u.Facts.Backups = []inventory.Backup{{}} // left by an earlier attempt
			r := scanners.NewRecorder(&u)
			c.do(r, &u)
			r.Finish()
			if u.Outcome != c.want {
				t.Errorf("outcome %q, want %q", u.Outcome, c.want)
			}
			if len(u.Facts.Backups) != 0 {
				t.Error("the earlier attempt's facts are still there")
			}
			whole := u.Listings[0].Complete && u.Listings[1].Complete
			if (u.Outcome == inventory.Complete || u.Outcome == inventory.DisabledUnit) && !whole {
				t.Error("an outcome that counts as assessed with a listing that is not complete")
			}
		})
	}
}

func all(why inventory.Reason) func(*scanners.Recorder, *inventory.Unit) {
	return func(r *scanners.Recorder, u *inventory.Unit) {
		gap := r.Gap(listNeed, why, "")
		r.Listed(inventory.DatabaseKind, gap)
		r.Listed(inventory.BackupKind, gap)
	}
}

func TestEachLeavesNothingBehindAndNothingOut(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	items := make([]int, 100)
	var now, most, calls atomic.Int32
	seen := make([]bool, len(items))
	scanners.Each(ctx, 7, items, func(ctx context.Context, i int, _ int) {
		if n := now.Add(1); n > 7 {
			most.Store(n)
		}
		if calls.Add(1) == 10 {
			cancel()
		}
		seen[i] = true
		now.Add(-1)
	})
	if now.Load() != 0 || most.Load() != 0 {
		t.Errorf("%d still run, %d ran at once", now.Load(), most.Load())
	}
	for i, s := range seen {
		if !s {
			t.Errorf("item %d was left out when the context ended", i)
		}
	}
	scanners.Each(ctx, 0, []int{}, func(context.Context, int, int) { t.Error("called for nothing") })
}
