package scanners_test

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

// clock runs systems in a bubble and gives the time at which the last unit for which counts is true ended.
func clock(t *testing.T, o scanners.Options, counts func(*inventory.Unit) bool, systems ...scanners.System) (last time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &lastEnd{began: time.Now(), counts: counts}
		if _, err := scanners.Run(t.Context(), systems, newJournal(), o, p); err != nil {
			t.Fatal(err)
		}
		last = p.last
	})
	return last
}

type lastEnd struct {
	began  time.Time
	counts func(*inventory.Unit) bool
	last   time.Duration
}

func (p *lastEnd) Planned([]inventory.Unit) {}
func (p *lastEnd) Started(*inventory.Unit)  {}
func (p *lastEnd) Done(u *inventory.Unit) {
	if p.counts(u) {
		p.last = time.Since(p.began)
	}
}

func takes(d time.Duration, then func(context.Context, *inventory.Unit)) func(context.Context, *inventory.Unit) {
	return func(ctx context.Context, u *inventory.Unit) { time.Sleep(d); then(ctx, u) }
}

func number(u *inventory.Unit) (account int) {
	fmt.Sscanf(u.Scope.Account, "account-%d", &account)
	return account
}

func TestHangingAccountsStarveNobody(t *testing.T) { hangingAccounts(t, 300) }

func TestSoakHangingAccountsStarveNobody(t *testing.T) {
	if os.Getenv("TENKEN_SOAK") == "" {
		t.Skip("TENKEN_SOAK is not set")
	}
	hangingAccounts(t, 1000)
}

// Accounts of 40 units, 25 % hanging, 10 % denied: the healthy are done within 1.2 times the time that they need when
// they are alone.
func hangingAccounts(t *testing.T, accounts int) {
	hanging := func(u *inventory.Unit) bool { return number(u)%4 == 0 }
	healthy := func(u *inventory.Unit) bool { return !hanging(u) }
	deny := func(u *inventory.Unit) bool { return number(u)%10 == 1 }
	mixed := func(hang func(context.Context, *inventory.Unit)) func(context.Context, *inventory.Unit) {
		return func(ctx context.Context, u *inventory.Unit) {
			switch {
			case hanging(u):
				hang(ctx, u)
			case deny(u):
				takes(300*time.Millisecond, ends(inventory.AccessDenied))(ctx, u)
			default:
				takes(time.Second, complete)(ctx, u)
			}
		}
	}
	const each = 40
	alone := scanners.Options{Keep: healthy}
	solo := clock(t, alone, healthy, system("s", fake{planned("s", accounts, each), mixed(hangs)}))
	both := clock(t, scanners.Options{}, healthy, system("s", fake{planned("s", accounts, each), mixed(hangs)}))
	if ratio := both.Seconds() / solo.Seconds(); ratio > 1.2 {
		t.Errorf("alone %s, beside hanging accounts %s: %.2f times", solo, both, ratio)
	}
}

func TestOnePermanentlyThrottledTenant(t *testing.T) {
	collect := func(ctx context.Context, u *inventory.Unit) {
		if number(u) == 7 {
			<-ctx.Done()
			ends(inventory.Throttled)(ctx, u)
			return
		}
		takes(time.Second, complete)(ctx, u)
	}
	others := func(u *inventory.Unit) bool { return number(u) != 7 }
	f := fake{planned("s", 50, 20), collect}
	solo := clock(t, scanners.Options{Keep: others}, others, system("s", f))
	both := clock(t, scanners.Options{}, others, system("s", f))
	if ratio := both.Seconds() / solo.Seconds(); ratio > 1.1 {
		t.Errorf("alone %s, beside the throttled tenant %s: %.2f times", solo, both, ratio)
	}
}

// A system of one account has its half of the places beside a system of five hundred.
func TestSmallSystemBesideALargeOne(t *testing.T) {
	small := func(u *inventory.Unit) bool { return u.Scope.System == "small" }
	one := system("small", fake{planned("small", 1, 64), takes(time.Second, complete)})
	many := system("large", fake{planned("large", 500, 10), takes(time.Second, complete)})
	solo := clock(t, scanners.Options{}, small, one)
	both := clock(t, scanners.Options{}, small, one, many)
	if solo != 64/scanners.DefaultWorkers*time.Second || both > 2*solo+time.Second {
		t.Errorf("alone %s, beside the large system %s", solo, both)
	}
}

// What is left alone uses every place, and never more than there are.
func TestPlacesAreUsedAndBounded(t *testing.T) {
	var now, most atomic.Int32
	collect := func(ctx context.Context, u *inventory.Unit) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n) // one bubble, and nothing sleeps in between
		}
		time.Sleep(time.Second)
		now.Add(-1)
		complete(ctx, u)
	}
	all := func(*inventory.Unit) bool { return true }
	took := clock(t, scanners.Options{Workers: 5}, all, system("s", fake{planned("s", 1, 50), collect}))
	if took != 10*time.Second || most.Load() > 5 {
		t.Errorf("took %s, at most %d at once", took, most.Load())
	}
}
