package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sptr.jp/tenken/fixtures"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tenken": func() { os.Exit(process()) }})
}

// Each transcript in testdata/script is a promise made to a user. Besides testscript's own commands they have
//
//	company OPTION…            serve the demo company, with its files in $WORK and $ENDPOINT set; see behaviours
//	code N COMMAND…            run a command that must exit with N
//	interrupt OP SIGNAL        wait until the company was asked for OP, then send the signal to the command in the background
//	follow                     keep an eye on the command in the background, for exited after a wait, and peak
//	exited N                   the command that was followed or interrupted has exited with N
//	peak MIB                   watch the followed command to its end: it may hold so much
//	findings FILE              reduce a findings.json to its findings and rules
//	verdicts FILE              reduce a findings.json to a line for each finding: rule, verdict, severity, fingerprint
//	honest WHOLE FAULTY RULE…  a fault turned verdicts of these rules into unknown, and changed nothing else
//	unpacked RUN FILE          write the lines of a run file to FILE
//	damage FILE HOW            cut=N, flip=N (counted from the end if negative), or format=V
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("TENKEN_GOLDEN") != "",
		Condition: func(name string) (bool, error) {
			if name != "root" { // whom no mode of a file keeps out
				return false, errors.New("no such condition: " + name)
			}
			return os.Getuid() == 0, nil
		},
		Setup: func(e *testscript.Env) error {
			e.Values[stage{}] = &stage{t: t}
			// Nothing of the machine's own may reach a transcript: no credential, no metadata service.
			e.Vars = append(e.Vars, "AWS_EC2_METADATA_DISABLED=true", "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_PROFILE=")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"company": company, "code": code, "interrupt": interrupt, "follow": follow, "exited": exited, "peak": peak,
			"findings": reduceToFindings, "verdicts": reduceToVerdicts, "honest": honest, "unpacked": unpacked, "damage": damage,
		},
	})
}

// stage is what the commands of one transcript share.
type stage struct {
	t       *testing.T
	company *fixtures.Server
	cmd     *exec.Cmd
}

func stageOf(ts *testscript.TestScript) *stage { return ts.Value(stage{}).(*stage) }

// company serves the demo company. Its clock stands still, so that two scans of it see the same times.
func company(ts *testscript.TestScript, neg bool, args []string) {
	began := time.Now()
	server := fixtures.New(fixtures.Sptr(), fixtures.DefaultAccount(demoAccount), fixtures.Clock(func() time.Time { return began }))
	stageOf(ts).company = server
	for _, a := range args {
		server.Apply(behaviourOf(ts, a))
	}
	url, stop, err := server.Start("127.0.0.1:0")
	ts.Check(err)
	ts.Defer(stop)
	ts.Defer(func() {
		for _, err := range server.Errors() {
			stageOf(ts).t.Errorf("%s: %v", ts.Name(), err)
		}
	})
	ts.Setenv("ENDPOINT", url)
	for _, name := range []string{"people.csv", "tenken.yaml"} {
		b, err := fs.ReadFile(fixtures.Sptr(), name)
		ts.Check(err)
		if name == "tenken.yaml" {
			b, err = withEndpoints(b, url)
			ts.Check(err)
		}
		ts.Check(os.WriteFile(ts.MkAbs(name), b, 0o600))
	}
}

// behaviourOf is an option of company, written verb=OP/operand; OP is as needs name it: rds:DescribeDBInstances.
//
//	denyall, deny=OP, throttle=OP/TIMES, truncate=OP/BYTES, html=OP, wrong=OP (JSON where XML is due), endless=OP,
//	huge=OP/MIB, stall=OP, latency=DURATION, patch=DOCUMENT:FILE
func behaviourOf(ts *testscript.TestScript, arg string) fixtures.Option {
	verb, operand, _ := strings.Cut(arg, "=")
	op, operand, _ := strings.Cut(operand, "/")
	service, operation, _ := strings.Cut(op, ":")
	m := fixtures.Match{Service: service, Operation: operation}
	number := func() int {
		n, err := strconv.Atoi(operand)
		ts.Check(err)
		return n
	}
	switch verb {
	case "denyall":
		return fixtures.DenyAll()
	case "deny":
		return fixtures.Deny(m)
	case "throttle":
		return fixtures.Throttle(m, number(), 0)
	case "truncate":
		return fixtures.Truncate(m, 0, number())
	case "html":
		return fixtures.Garbage(m, "<!DOCTYPE html><html><title>Sign in to the hotel's network</title></html>", "text/html")
	case "wrong":
		return fixtures.Garbage(m, `{"DBInstances": 3}`, "application/json")
	case "endless":
		return fixtures.Endless(m, false)
	case "huge":
		return fixtures.Huge(m, number()<<20)
	case "stall":
		return fixtures.Stall(m, 0)
	case "latency":
		d, err := time.ParseDuration(op)
		ts.Check(err)
		return fixtures.Latency(d)
	case "patch":
		document, file, _ := strings.Cut(strings.TrimPrefix(arg, "patch="), ":")
		return fixtures.Patch(document, ts.ReadFile(file))
	}
	ts.Fatalf("company: unknown option %s", arg)
	return nil
}

func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit %d, want %d", got, want)
	}
}
