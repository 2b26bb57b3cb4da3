package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/run"
	"sptr.jp/tenken/fixtures"
)

func follow(ts *testscript.TestScript, neg bool, args []string) {
	running := ts.BackgroundCmds()
	if len(running) != 1 {
		ts.Fatalf("%d commands are in the background", len(running))
	}
	stageOf(ts).cmd = running[0]
}

func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	follow(ts, neg, nil)
	s := stageOf(ts)
	service, operation, _ := strings.Cut(args[0], ":")
	for began := time.Now(); len(s.company.Journal().Matching(fixtures.Match{Service: service, Operation: operation})) == 0; time.Sleep(time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			ts.Fatalf("nobody asked for %s", args[0])
		}
	}
	ts.Check(s.cmd.Process.Signal(map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "KILL": os.Kill}[args[1]]))
}

func exited(ts *testscript.TestScript, neg bool, args []string) {
	if got := fmt.Sprint(stageOf(ts).cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit %s, want %s", got, args[0])
	}
}

// peak watches the followed command to its end. The maximum that the kernel counts for a process that has ended won't do:
// it begins with the memory of the process that started it, which is the server's here.
func peak(ts *testscript.TestScript, neg bool, args []string) {
	most, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	status, held := fmt.Sprintf("/proc/%d/status", stageOf(ts).cmd.Process.Pid), int64(0)
	for ; ; time.Sleep(2 * time.Millisecond) {
		b, err := os.ReadFile(status)
		_, mark, running := strings.Cut(string(b), "VmHWM:")
		if err != nil || !running {
			break
		}
		_, err = fmt.Sscan(mark, &held)
		ts.Check(err)
	}
	if ts.Logf("%d MiB", held>>10); held == 0 || held>>10 > most {
		ts.Fatalf("it held %d MiB", held>>10)
	}
}

func documentOf(ts *testscript.TestScript, file string) (d findings.Document) {
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &d))
	return d
}

func reduceToFindings(ts *testscript.TestScript, neg bool, args []string) {
	var d struct{ Findings, Rules json.RawMessage }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &d))
	if len(d.Findings) < 100 {
		ts.Fatalf("%s holds no findings", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), slices.Concat(d.Findings, d.Rules), 0o600))
}

func reduceToVerdicts(ts *testscript.TestScript, neg bool, args []string) {
	var b bytes.Buffer
	for _, f := range documentOf(ts, args[0]).Findings {
		fmt.Fprintln(&b, f.Rule, f.Verdict, f.Severity, f.Resource.Name, f.Fingerprint)
	}
	if b.Len() == 0 {
		ts.Fatalf("%s holds no findings", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}

// honest compares two documents that hold everything. A verdict of the faulty one is that of the whole one or unknown; a
// subject of the whole one is still there or its rule has an unknown more; and all of that only in the rules named, and
// in each of them (any: wherever the fault happens to fall).
func honest(ts *testscript.TestScript, neg bool, args []string) {
	ranks := findings.Severities() // the worst first; what is unknown may only make it worse
	whole, faulty := map[string]findings.Finding{}, map[string]findings.Finding{}
	for _, f := range documentOf(ts, args[0]).Findings {
		whole[f.Fingerprint] = f
	}
	unknown, changed := map[string]bool{}, map[string]bool{}
	for _, f := range documentOf(ts, args[1]).Findings {
		faulty[f.Fingerprint] = f
		before, known := whole[f.Fingerprint]
		if f.Verdict == findings.Unknown && before.Verdict != findings.Unknown {
			unknown[f.Rule], changed[f.Rule] = true, true
		} else if !known || f.Verdict != before.Verdict || slices.Index(ranks, f.Severity) > slices.Index(ranks, before.Severity) {
			ts.Fatalf("%s %s: %s %s became %s %s", f.Rule, f.Resource.Name, before.Verdict, before.Severity, f.Verdict, f.Severity)
		}
	}
	for print, f := range whole {
		if _, there := faulty[print]; there {
			continue
		}
		if changed[f.Rule] = true; !unknown[f.Rule] {
			ts.Fatalf("%s %s: %q is gone, and nothing is unknown instead", f.Rule, f.Resource.Name, f.Verdict)
		}
	}
	if len(args) == 3 && args[2] == "any" && len(changed) > 0 {
		return
	}
	for rule := range changed {
		if !slices.Contains(args[2:], rule) {
			ts.Fatalf("%s changed", rule)
		}
	}
	for _, rule := range args[2:] {
		if !changed[rule] {
			ts.Fatalf("%s did not change", rule)
		}
	}
}

func unpacked(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), unpackedRun(ts, args[0]), 0o600))
}

func unpackedRun(ts *testscript.TestScript, file string) []byte {
	zr, err := zstd.NewReader(nil)
	ts.Check(err)
	defer zr.Close()
	b, err := zr.DecodeAll([]byte(ts.ReadFile(file)), nil)
	ts.Check(err)
	return b
}

func damage(ts *testscript.TestScript, neg bool, args []string) {
	b := []byte(ts.ReadFile(args[0]))
	how, value, _ := strings.Cut(args[1], "=")
	at := func() int {
		n, err := strconv.Atoi(value)
		ts.Check(err)
		if n < 0 {
			n += len(b)
		}
		return n
	}
	switch how {
	case "cut":
		b = b[:at()]
	case "flip":
		b[at()] ^= 0x10
	case "format":
		zw, err := zstd.NewWriter(nil)
		ts.Check(err)
		b = zw.EncodeAll(bytes.Replace(unpackedRun(ts, args[0]), []byte(`"tenken_run":"`+run.Version+`"`), []byte(`"tenken_run":"`+value+`"`), 1), nil)
	default:
		ts.Fatalf("damage: %s", args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}
