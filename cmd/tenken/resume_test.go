package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/findings/run"
	"sptr.jp/tenken/fixtures"
)

// document is all of a findings.json that must be the same whenever the same was read: everything but times and ids of the run.
type document struct {
	Coverage, Summary, Rules, Clauses, Findings json.RawMessage
}

func readDocument(t testing.TB, dir string) document {
	t.Helper()
	var d document
	b, err := os.ReadFile(filepath.Join(dir, "findings.json"))
	if err == nil {
		err = json.Unmarshal(b, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// differs names the first part in which two documents differ, byte for byte.
func (d document) differs(o document) string {
	for _, part := range []struct {
		name string
		a, b json.RawMessage
	}{{"findings", d.Findings, o.Findings}, {"coverage", d.Coverage, o.Coverage}, {"summary", d.Summary, o.Summary}, {"rules", d.Rules, o.Rules}, {"clauses", d.Clauses, o.Clauses}} {
		if !bytes.Equal(part.a, part.b) {
			at := 0
			for at < min(len(part.a), len(part.b)) && part.a[at] == part.b[at] {
				at++
			}
			return fmt.Sprintf("%s at byte %d: …%.200s\nand …%.200s", part.name, at, part.a[max(at-80, 0):], part.b[max(at-80, 0):])
		}
	}
	return ""
}

// victim scans the demo company in a process of its own that can be killed.
type victim struct {
	config, out string
}

func (v victim) command(resume bool) *exec.Cmd {
	args := []string{"scan", "--config", v.config, "--out", v.out, "--only", "all", "--log-format", "json"}
	if resume {
		args = append(args, "--resume")
	}
	return exec.Command("tenken", args...)
}

// scan runs to the end and gives the exit code.
func (v victim) scan(t testing.TB, resume bool) int {
	c := v.command(resume)
	out, err := c.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Error(err)
	}
	code := c.ProcessState.ExitCode()
	if code != exitComplete && code < 3 {
		t.Errorf("scan ends with %d:\n%s", code, out)
	}
	return code
}

// kill starts a scan and kills it without warning: after so long, or, when moment is a file, so long after that file was
// there. It says how far the scan had come.
func (v victim) kill(t testing.TB, resume bool, after time.Duration, moment string) string {
	c := v.command(resume)
	if err := c.Start(); err != nil {
		t.Error(err)
		return "not begun"
	}
	for deadline := time.Now().Add(time.Minute); moment != "" && time.Now().Before(deadline); {
		if _, err := os.Stat(filepath.Join(v.out, moment)); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	time.Sleep(after)
	_ = c.Process.Kill() // it may have ended
	_ = c.Wait()         // killed
	return v.stage(c.ProcessState.ExitCode() == -1)
}

func (v victim) stage(killed bool) string {
	exists := func(name string) bool {
		_, err := os.Stat(filepath.Join(v.out, name))
		return err == nil
	}
	switch {
	case !killed:
		return "after the end"
	case exists(runFile):
		return "judging and writing"
	case exists(runFile + ".part"):
		if r, err := run.Load(filepath.Join(v.out, runFile+".part")); err == nil && len(r.Units) == len(r.Head.Plan) {
			return "all units in the file"
		}
		return "within the units"
	}
	return "discovery and plan"
}

// tear cuts the end off an interrupted run, as a machine does that loses its power.
func (v victim) tear(rng *rand.Rand) {
	path := filepath.Join(v.out, runFile+".part")
	if b, err := os.ReadFile(path); err == nil && len(b) > 0 {
		_ = os.Truncate(path, int64(len(b)-rng.IntN(min(len(b), 2000)))) // if it can't, nothing is torn
	}
}

// TestSoakKills kills scans at random points, some of them several times, and resumes them: the document is that of an
// undisturbed run, byte for byte, and the books balance. 10 kills, and 200 in the soak.
func TestSoakKills(t *testing.T) {
	trials, seed := soakOr(10, 200), seedOf(t)
	_, config := served(t, t.TempDir(), fixtures.Latency(15*time.Millisecond))
	whole := victim{config, t.TempDir()}
	start := time.Now()
	code := whole.scan(t, false)
	took := time.Since(start)
	want := readDocument(t, whole.out)
	var mu sync.Mutex
	stages := map[string]int{}
	var wg sync.WaitGroup
	places := make(chan struct{}, 4)
	for n := range trials {
		places <- struct{}{}
		v := victim{config, t.TempDir()}
		wg.Go(func() {
			defer func() { <-places }()
			rng := rand.New(rand.NewPCG(seed, uint64(n)))
			for k := range []int{1, 1, 1, 2, 4}[rng.IntN(5)] {
				after, moment := time.Duration(rng.Int64N(int64(took))), ""
				switch rng.IntN(4) {
				case 0:
					after, moment = time.Duration(rng.Int64N(int64(100*time.Millisecond))), runFile
				case 1:
					after, moment = time.Duration(rng.Int64N(int64(took/2))), runFile+".part"
				}
				if k > 0 && moment == runFile {
					moment = ""
				}
				stage := v.kill(t, k > 0, after, moment)
				mu.Lock()
				stages[stage]++
				mu.Unlock()
				if rng.IntN(4) == 0 {
					v.tear(rng)
				}
			}
			again := v.scan(t, true)
			if again != code {
				t.Errorf("kill %d: the resumed run exits with %d, want %d", n, again, code)
			}
			if diff := want.differs(readDocument(t, v.out)); diff != "" {
				t.Errorf("kill %d: %s", n, diff)
			}
			v.balances(t)
		})
	}
	wg.Wait()
	t.Logf("%d scans killed and resumed; killed while: %v", trials, stages)
	if os.Getenv("TENKEN_SOAK") != "" && (stages["discovery and plan"] == 0 || stages["within the units"] == 0 || stages["judging and writing"] == 0) {
		t.Error("the kills did not fall everywhere")
	}
}

// balances checks the books of a finished run: what was planned has ended, once, and the file has a foot.
func (v victim) balances(t testing.TB) {
	r, err := run.Load(filepath.Join(v.out, runFile))
	if err != nil {
		t.Error(err)
		return
	}
	if _, err := inventory.NewLedger(r.Head.Plan, r.Units); err != nil {
		t.Error(err)
	}
	if r.Foot == nil || !slices.IsSorted(r.Head.Plan) {
		t.Errorf("%s: no foot, or the plan is out of order", v.out)
	}
	if _, err := os.Stat(filepath.Join(v.out, runFile+".part")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: an interrupted run is left beside the finished one", v.out)
	}
}
