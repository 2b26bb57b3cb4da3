package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"sptr.jp/tenken/fixtures"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"tenken": func() { os.Exit(program(context.Background(), env{os.Stdout, os.Stderr, os.Getenv}, os.Args[1:])) },
	})
}

// Each transcript in testdata/script is a promise made to a user. Besides testscript's own commands they have
//
//	company [deny=OP] [denyall] [throttle=OP:N] [account=ID]   serve the demo company, with its files in $WORK and $ENDPOINT set
//	code N COMMAND…                                            run a command that must exit with N
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("TENKEN_GOLDEN") != "",
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"company": company, "code": code},
	})
}

func company(ts *testscript.TestScript, neg bool, args []string) {
	server := fixtures.New(fixtures.Sptr(), fixtures.DefaultAccount(demoAccount))
	for _, a := range args {
		verb, operand, _ := strings.Cut(a, "=")
		op, n, _ := strings.Cut(operand, "/")
		switch verb {
		case "denyall":
			server.Apply(fixtures.DenyAll())
		case "deny":
			server.Apply(fixtures.Deny(match(op)))
		case "throttle":
			k, err := strconv.Atoi(n)
			ts.Check(err)
			server.Apply(fixtures.Throttle(match(op), k, 0))
		default:
			ts.Fatalf("company: unknown option %s", a)
		}
	}
	url, stop, err := server.Start("127.0.0.1:0")
	ts.Check(err)
	ts.Defer(stop)
	ts.Defer(func() {
		ts.Check(errors.Join(server.Errors()...))
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

// match addresses an operation as needs name it: rds:DescribeDBInstances.
func match(op string) fixtures.Match {
	service, operation, _ := strings.Cut(op, ":")
	return fixtures.Match{Service: service, Operation: operation}
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
