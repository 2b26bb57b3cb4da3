package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/findings/run"
	"sptr.jp/tenken/fixtures"
	"sptr.jp/tenken/rules"
	"sptr.jp/tenken/scanners"
	"sptr.jp/tenken/scanners/aws"
)

// worldScan reads a synthetic company through the real SDK.
func worldScan(t testing.TB, accounts, regions, n int, o scanners.Options, options ...fixtures.Option) (scanners.Result, fixtures.Journal, time.Duration) {
	t.Helper()
	server := fixtures.New(fixtures.World(accounts, regions, n), append(options, fixtures.DefaultAccount(fixtures.Account(0)))...)
	url, stop, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	ctx := context.Background()
	s, err := aws.New(ctx, aws.Config{System: "world", Role: "audit", Endpoint: url, RatePerSecond: 10}, aws.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	j := &journal{dir: t.TempDir()}
	o.OnPlan = j.open
	start := time.Now()
	result, err := scanners.Run(ctx, []scanners.System{{Name: "world", Type: "aws", Scanner: s, Kinds: aws.KnownKinds()}}, j, o, nil)
	if err == nil {
		err = j.finish(false, time.Now())
	}
	took := time.Since(start)
	if err != nil || len(server.Errors()) > 0 {
		t.Fatal(err, server.Errors())
	}
	if result.Ledger.Assessed() != result.Ledger.Planned {
		t.Fatalf("assessed %d of %d", result.Ledger.Assessed(), result.Ledger.Planned)
	}
	return result, server.Journal(), took
}

// million saves a run of so many resources: the facts that the scanner read of one account with one region, again and
// again under other accounts and regions. It gives how long it takes to decode the file's own lines.
func million(b *testing.B, path string, resources int) (decode time.Duration) {
	b.Helper()
	const perAccount = 10 // regions
	result, _, _ := worldScan(b, 1, 1, 140, scanners.Options{})
	sg := result.Units[slices.IndexFunc(result.Units, func(u inventory.Unit) bool { return len(u.Facts.SecurityGroups) > 0 })].Facts.SecurityGroups[0].ID
	seed := strings.TrimPrefix(sg[:len(sg)-8], "sg-0")
	lines := make([][]byte, len(result.Units))
	for i := range result.Units {
		line, err := json.Marshal(result.Units[i])
		if err != nil {
			b.Fatal(err)
		}
		lines[i] = line
	}
	var w *run.Writer
	var plan []string
	for pass := range 2 { // the plan first, then the units
		count := 0
		for n := 0; count < resources; n++ {
			account, region := fixtures.Account(n/perAccount), fmt.Sprintf("xx-world-%d", n%perAccount)
			to := strings.NewReplacer(fixtures.Account(0), account, "us-east-1", region, seed, fmt.Sprintf("%07d", n))
			for i := range result.Units {
				if result.Units[i].Scope.Region == "" && n%perAccount > 0 || result.Units[i].Scope.Account == "" && n > 0 {
					continue
				}
				for _, k := range inventory.Kinds() {
					count += result.Units[i].Facts.Count(k)
				}
				if pass == 0 {
					plan = append(plan, to.Replace(result.Units[i].ID))
					continue
				}
				line := []byte(to.Replace(string(lines[i])))
				var u inventory.Unit
				start := processor(b)
				err := json.Unmarshal(line, &u)
				decode += processor(b) - start
				if err == nil {
					err = w.Commit(u)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		if pass == 0 {
			slices.Sort(plan)
			var err error
			if w, err = run.Create(path, run.Head{ID: "bench", Started: time.Now(), Plan: plan}); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := w.Close(time.Now()); err != nil {
		b.Fatal(err)
	}
	return decode
}

// processor is the time that this process has had of the processors: what else runs on the machine doesn't count.
func processor(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestChildJudges is no test: it is the process whose times BenchmarkRatioJudging measures.
func TestChildJudges(t *testing.T) {
	path := os.Getenv("TENKEN_CHILD_RUN")
	if path == "" {
		t.Skip("only as a child of BenchmarkRatioJudging")
	}
	var took [3]time.Duration
	start := processor(t)
	r, err := run.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	took[0] = processor(t) - start
	s, err := sessionOf(env{}, r, path)
	if err != nil {
		t.Fatal(err)
	}
	start = processor(t)
	inv, err := s.derive(r.Units)
	if err != nil {
		t.Fatal(err)
	}
	took[1] = processor(t) - start
	start = processor(t)
	out, err := rules.Judge(inv, rules.Input{Catalog: s.catalog, Policy: s.policy, Params: s.params, Now: r.Finished()})
	if err != nil {
		t.Fatal(err)
	}
	took[2] = processor(t) - start
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	runtime.GC()
	runtime.ReadMemStats(&mem)
	n := 0
	for i := range inv.Units {
		for _, k := range inventory.Kinds() {
			n += inv.Units[i].Facts.Count(k)
		}
	}
	fmt.Printf("CHILD %d %d %d %d %d %d\n", took[0], took[1], took[2], n, len(out.Findings), mem.HeapAlloc)
}

// BenchmarkRatioJudging judges a run of a million resources with all rules, findings built, in a process of its own, and
// sets that beside decoding the file's own lines: ≤ 1.0. `tenken judge` of that run stays within 1.2 GiB.
func BenchmarkRatioJudging(b *testing.B) {
	resources := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("TENKEN_BENCH_RESOURCES")); err == nil {
		resources = n
	}
	path := filepath.Join(b.TempDir(), runFile)
	for b.Loop() {
		lines := million(b, path, resources)
		c := exec.Command(os.Args[0], "-test.run=^TestChildJudges$")
		c.Env = append(os.Environ(), "TENKEN_CHILD_RUN="+path)
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, os.Stderr
		if err := c.Run(); err != nil {
			b.Fatal(err, out.String())
		}
		var load, derive, judge time.Duration
		var n, found, heap int64
		at := strings.Index(out.String(), "CHILD")
		if at < 0 {
			b.Fatal(out.String())
		}
		if _, err := fmt.Sscanf(out.String()[at:], "CHILD %d %d %d %d %d %d", &load, &derive, &judge, &n, &found, &heap); err != nil {
			b.Fatal(err)
		}
		judgeIt := exec.Command("tenken", "judge", path, "--out", b.TempDir())
		if out, err := judgeIt.CombinedOutput(); err != nil && judgeIt.ProcessState.ExitCode() < 3 {
			b.Fatalf("%v\n%s", err, out)
		}
		peak := float64(judgeIt.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / (1 << 20)
		b.ReportMetric(judge.Seconds()/lines.Seconds(), "judge/decode")
		b.ReportMetric((derive+judge).Seconds()/lines.Seconds(), "derive+judge/decode")
		b.ReportMetric(peak, "peak-GiB")
		b.ReportMetric(0, "ns/op")
		fmt.Printf("\n%d resources, %d findings, in seconds of a processor: decoding lines %.1fs (loading the file %.1fs), deriving %.1fs, judging %.1fs; peak %.2f GiB, live %.2f GiB\n",
			n, found, lines.Seconds(), load.Seconds(), derive.Seconds(), judge.Seconds(), peak, float64(heap)/(1<<30))
	}
}

// latency is what a call to AWS takes in the benchmark of a scan.
const latency = 50 * time.Millisecond

// BenchmarkRatioScan scans 100 accounts with 10 regions each at 50 ms a call and sets the time beside what the latency
// alone allows: the longest chain of calls that depend on one another, or all calls by as many as may be under way.
func BenchmarkRatioScan(b *testing.B) {
	for b.Loop() {
		_, journal, took := worldScan(b, 100, 10, 1, scanners.Options{}, fixtures.Latency(latency))
		chain := longestChain(journal)
		bound := max(time.Duration(chain)*latency, time.Duration(len(journal.Requests))*latency/scanners.DefaultWorkers)
		b.ReportMetric(took.Seconds()/bound.Seconds(), "scan/bound")
		b.ReportMetric(0, "ns/op")
		fmt.Printf("\n100 accounts × 10 regions, %d calls at %v: %.1fs; bound %.1fs (%d at once; longest chain %d calls)\n",
			len(journal.Requests), latency, took.Seconds(), bound.Seconds(), scanners.DefaultWorkers, chain)
	}
}

// longestChain bounds the calls that wait for one another: who the caller is, its accounts, signing in, the regions, and
// then the most that one service is asked in one account and region.
func longestChain(j fixtures.Journal) int {
	calls, most := map[[3]string]int{}, 0
	for _, r := range j.Requests {
		k := [3]string{r.Account, r.Region, r.Service}
		if r.Service != "sts" {
			calls[k]++
			most = max(most, calls[k])
		}
	}
	return 4 + most
}

// BenchmarkRatioCalls prints the calls for each account and region by service, with the provider's own page sizes, for a
// small world and for one ten times its size.
func BenchmarkRatioCalls(b *testing.B) {
	for b.Loop() {
		var totals [2]int
		for i, n := range []int{12, 120} {
			result, journal, _ := worldScan(b, 1, 1, n, scanners.Options{})
			totals[i] = len(journal.Requests)
			resources := resourcesOf(result.Units)
			perResource := 0
			calls := map[string]int{}
			for _, r := range journal.Requests {
				calls[r.Region+" "+r.Service]++
				if strings.HasSuffix(r.Operation, "Attribute") || strings.HasSuffix(r.Operation, "Attributes") {
					perResource++
				}
			}
			fmt.Printf("\n1 account × 1 region, %d resources: %d calls, %d of them one for each copy that may be shared\n", resources, totals[i], perResource)
			for _, k := range slices.Sorted(maps.Keys(calls)) {
				fmt.Printf("%8d  %s\n", calls[k], k)
			}
		}
		fmt.Println("\nProwler, as the issue gives it: 439 requests for a world of 116 resources, 3,186 for one ten times its size (with S3)")
		b.ReportMetric(float64(totals[1])/float64(totals[0]), "calls-at-ten-times/calls")
		b.ReportMetric(0, "ns/op")
	}
}
