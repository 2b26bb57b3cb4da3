package main

import (
	"context"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"sptr.jp/tenken/findings/run"
	"sptr.jp/tenken/fixtures"
	"sptr.jp/tenken/scanners"
	"sptr.jp/tenken/scanners/aws"
)

// reading is a way to read the demo company; none of it may show in what is found.
type reading struct {
	procs, workers, concurrency, pageSize int
}

// rig is the demo company with the session that reads it.
type rig struct {
	s      *session
	server *fixtures.Server
}

func newRig(t testing.TB) *rig {
	t.Helper()
	server, path := served(t, t.TempDir())
	cfg, err := loadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSession(env{stdout: io.Discard, stderr: io.Discard, getenv: os.Getenv}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{s, server}
}

// scan reads the company into dir in one way, and gives the run.
func (g *rig) scan(t testing.TB, dir string, how reading) *run.Run {
	t.Helper()
	g.server.Apply(fixtures.PageSize(how.pageSize))
	if how.procs > 0 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(how.procs))
	}
	ctx := context.Background()
	systems, err := g.s.open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range g.s.cfg.Systems {
		if c.Type != "aws" {
			continue
		}
		systems[i].Scanner, err = aws.New(ctx, aws.Config{System: c.Name, Regions: c.Regions, Role: c.Role, Accounts: c.Accounts, Endpoint: c.Endpoint,
			Concurrency: how.concurrency, AccountsAtOnce: how.workers, RatePerSecond: 1000}, aws.Hooks{})
		if err != nil {
			t.Fatal(err)
		}
	}
	head, err := g.s.head(time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	j := &journal{dir: dir, head: head}
	result, err := scanners.Run(ctx, systems, j, scanners.Options{OnPlan: j.open, Workers: how.workers}, nil)
	if err != nil {
		t.Fatal(err)
	}
	finished := time.Now().UTC()
	if err := j.finish(false, finished); err != nil {
		t.Fatal(err)
	}
	return &run.Run{Head: j.head, Units: result.Units, Foot: &run.Foot{Finished: finished}}
}

// TestSoakSameBytes reads the demo company in many ways (processors, workers, concurrency, sizes of pages) and judges the
// saved run once more from its file: one document, byte for byte. 6 runs, and 200 in the soak.
func TestSoakSameBytes(t *testing.T) {
	runs, seed := soakOr(6, 200), seedOf(t)
	g := newRig(t)
	rng := rand.New(rand.NewPCG(seed, 0))
	var want *document
	for n := range runs {
		how := reading{procs: n%8 + 1, workers: 1 + rng.IntN(40), concurrency: 1 + rng.IntN(8), pageSize: []int{0, 5, 6, 9}[rng.IntN(4)]}
		dir := t.TempDir()
		r := g.scan(t, dir, how)
		if _, err := g.s.tell(r, scanFlags{out: dir, only: []string{"all"}, formats: []string{"json"}, failOn: "low"}, r.Finished(), nil); err != nil {
			t.Fatal(err)
		}
		again := t.TempDir()
		program(context.Background(), env{stdout: io.Discard, stderr: io.Discard, getenv: os.Getenv},
			[]string{"judge", filepath.Join(dir, runFile), "--out", again, "--only", "all"})
		got := readDocument(t, dir)
		if want == nil {
			want = &got
		}
		if diff := want.differs(got); diff != "" {
			t.Fatalf("run %d, %+v: %s", n, how, diff)
		}
		if diff := got.differs(readDocument(t, again)); diff != "" {
			t.Fatalf("run %d, judged from its file: %s", n, diff)
		}
	}
	t.Logf("%d runs, each judged twice: one document", runs)
}

// TestSoakRefusals is the property of design §4 through the scanner: several operations at once are refused or answered
// with something else, some of them once, and some on their second page. 12 scans, and 400 in the soak.
func TestSoakRefusals(t *testing.T) {
	scans, seed := soakOr(12, 400), seedOf(t)
	g := newRig(t)
	how, now := reading{workers: 16, concurrency: 4, pageSize: 5}, time.Now()
	g.server.Apply(fixtures.Clock(func() time.Time { return now }))
	whole := g.scan(t, t.TempDir(), how)
	tr := &trial{g.s, g.s.declared, whole.Units, whole.Finished()}
	before, err := tr.judge(copyUnits(whole.Units))
	if err != nil {
		t.Fatal(err)
	}
	needs := aws.Needs()
	for n := range scans {
		rng := rand.New(rand.NewPCG(seed, uint64(n)))
		faulty := newRig(t)
		faulty.server.Apply(fixtures.Clock(func() time.Time { return now }))
		var said []string
		first := rng.IntN(len(needs))
		for range 1 + rng.IntN(6) {
			need := needs[rng.IntN(len(needs))]
			if rng.IntN(2) == 0 { // what is needed for the same thing stands side by side
				need = needs[(first+rng.IntN(6))%len(needs)]
			}
			service, operation, _ := strings.Cut(need.Operation, ":")
			m, what := fixtures.Match{Service: service, Operation: operation}, rng.IntN(4)
			if rng.IntN(2) == 0 {
				m.Account = []string{"222222222222", demoAccount}[rng.IntN(2)]
			}
			faulty.server.Apply([]fixtures.Option{fixtures.Deny(m), fixtures.Fail(m, 2, 400, "InvalidParameterValue"),
				fixtures.Garbage(m, "<html><body>Sign in</body></html>", "text/html"), fixtures.Fail(m, 1, 403, "OptInRequired")}[what])
			said = append(said, []string{"deny ", "fail the second ", "garbage for ", "fail the first "}[what]+m.Operation+" "+m.Account)
		}
		r := faulty.scan(t, t.TempDir(), how)
		after, err := tr.judge(r.Units)
		if err != nil {
			t.Fatal(err)
		}
		if found := flips(before, after); len(found) > 0 {
			t.Errorf("scan %d: %q:\n%+v", n, said, found)
		}
	}
}
