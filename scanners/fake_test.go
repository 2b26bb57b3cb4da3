package scanners_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

var listNeed = scanners.Need{Operation: "fake:List", Permission: "fake.list", For: "tests"}

// fake is a scanner made of two functions.
type fake struct {
	plan    func(context.Context) []inventory.Unit
	collect func(context.Context, *inventory.Unit)
}

func (f fake) Needs() []scanners.Need                         { return []scanners.Need{listNeed} }
func (f fake) Plan(ctx context.Context) []inventory.Unit      { return f.plan(ctx) }
func (f fake) Collect(ctx context.Context, u *inventory.Unit) { f.collect(ctx, u) }
func system(name string, f fake, kinds ...inventory.Kind) scanners.System {
	return scanners.System{Name: name, Type: "fake", Kinds: kinds, Scanner: f}
}

// planned plans units of one system: account-0/c0, account-0/c1, …
func planned(system string, accounts, each int) func(context.Context) []inventory.Unit {
	return func(context.Context) []inventory.Unit {
		var units []inventory.Unit
		for a := range accounts {
			for c := range each {
				s := inventory.Scope{System: system, Type: "fake", Account: fmt.Sprintf("account-%03d", a)}
				units = append(units, inventory.NewUnit(s, fmt.Sprintf("c%d", c), inventory.DatabaseKind))
			}
		}
		return units
	}
}

func complete(_ context.Context, u *inventory.Unit) {
	rec := scanners.NewRecorder(u)
	ok := rec.OK(listNeed)
	u.Facts.Databases = []inventory.Database{{Head: inventory.Head{ID: u.ID + "/db"}, Engine: inventory.Known("mysql", ok)}}
	rec.Listed(inventory.DatabaseKind, ok)
	rec.Finish()
}

func ends(why inventory.Reason) func(context.Context, *inventory.Unit) {
	return func(_ context.Context, u *inventory.Unit) { scanners.Fail(u, listNeed, why, "told to") }
}

// hangs waits for its context, as a good scanner does.
func hangs(ctx context.Context, u *inventory.Unit) {
	<-ctx.Done()
	why := inventory.Cancelled
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		why = inventory.Timeout
	}
	scanners.Fail(u, listNeed, why, "")
}

// journal keeps units in memory.
type journal struct {
	mu     sync.Mutex
	kept   map[string]inventory.Unit
	broken error
	failAt int // the commit that fails with broken
	count  int
}

func newJournal() *journal { return &journal{kept: map[string]inventory.Unit{}} }

func (j *journal) Done(id string) (inventory.Unit, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	u, ok := j.kept[id]
	return u, ok
}

func (j *journal) Commit(u inventory.Unit) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.count++
	if j.broken != nil && j.count >= j.failAt {
		return j.broken
	}
	if _, twice := j.kept[u.ID]; twice {
		return errors.New(u.ID + " was kept already")
	}
	j.kept[u.ID] = u
	return nil
}

func mustRun(ctx context.Context, t *testing.T, systems []scanners.System, j scanners.Journal, o scanners.Options) scanners.Result {
	t.Helper()
	res, err := scanners.Run(ctx, systems, j, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func outcomes(res scanners.Result) map[inventory.Outcome]int { return res.Ledger.Outcomes }

func gap(t *testing.T, u *inventory.Unit) inventory.Read {
	t.Helper()
	gaps := u.Gaps()
	if len(gaps) != 1 {
		t.Fatalf("%s: gaps %v, want one", u.ID, gaps)
	}
	return gaps[0]
}
