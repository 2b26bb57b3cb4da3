package aws_test

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"sptr.jp/tenken/fixtures"
	"sptr.jp/tenken/scanners/aws"
	"sptr.jp/tenken/scanners/scannertest"
)

const (
	management = "333333333333"
	member     = "222222222222"
	tokyo      = "ap-northeast-1"
	canary     = "canary-secret-key-9d41c07e"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// serve starts a server over a tree and makes a scanner before it. The server's complaints fail the test.
func serve(t testing.TB, files fs.FS, c aws.Config, options ...fixtures.Option) (*fixtures.Server, *aws.Scanner) {
	t.Helper()
	server := fixtures.New(files, append([]fixtures.Option{fixtures.DefaultAccount(management), fixtures.Clock(func() time.Time { return noon })}, options...)...)
	url, stop, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		for _, err := range server.Errors() {
			t.Errorf("the server complains: %v", err)
		}
	})
	c.System, c.Endpoint, c.Now = "sp", url, func() time.Time { return noon }
	s, err := aws.New(context.Background(), c, aws.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	return server, s
}

// TestContract holds the scanner to what every scanner promises, in front of the demo company.
func TestContract(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIA"+management+"TENK")
	t.Setenv("AWS_SECRET_ACCESS_KEY", canary)
	scannertest.Run(t, scannertest.Subject{
		System: "sp", Type: "aws", Kinds: aws.KnownKinds(), New: contractWorld,
		Secrets:  []string{canary, "fixture-secret-of-no-value"},
		Oversize: 65 << 20, Bound: 3000,
		Polled: []string{"iam:GenerateCredentialReport"},
	})
}

func contractWorld(t testing.TB, faults ...scannertest.Fault) scannertest.World {
	options := []fixtures.Option{fixtures.Clock(func() time.Time { return noon })}
	for _, f := range faults {
		options = append(options, faultOption(f))
	}
	server := fixtures.New(fixtures.Sptr(), options...)
	url, stop, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var watched strings.Builder
	s, err := aws.New(t.Context(), aws.Config{System: "sp", Endpoint: url, Regions: []string{tokyo}, Role: "tenken-audit",
		RatePerSecond: 5000, Concurrency: 16, Now: func() time.Time { return noon }},
		aws.Hooks{Call: func(c aws.Call) {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(&watched, "%+v\n", c)
		}})
	if err != nil {
		t.Fatal(err)
	}
	return scannertest.World{
		Scanner: s, Journal: func() []scannertest.Request { return journal(server) }, Complaints: server.Errors, Close: func() { s.Close(); stop() },
		Watched: func() string { mu.Lock(); defer mu.Unlock(); return watched.String() },
	}
}

func faultOption(f scannertest.Fault) fixtures.Option {
	service, operation, _ := strings.Cut(f.Operation, ":")
	m := fixtures.Match{Service: service, Operation: operation}
	switch f.Kind {
	case scannertest.Deny:
		return fixtures.Deny(m)
	case scannertest.Throttle:
		return fixtures.Throttle(m, f.N, f.After)
	case scannertest.Stall:
		return fixtures.Stall(m, 0)
	case scannertest.Truncate:
		return fixtures.Truncate(m, 0, f.N)
	case scannertest.Portal:
		return fixtures.Garbage(m, f.Body, "text/html")
	case scannertest.Oversize:
		return fixtures.Huge(m, f.N)
	case scannertest.Endless:
		return fixtures.Endless(m, f.N == 1)
	case scannertest.PageSize:
		return fixtures.PageSize(f.N)
	}
	panic("a fault that this test does not know")
}

func journal(server *fixtures.Server) (requests []scannertest.Request) {
	for _, r := range server.Journal().Requests {
		requests = append(requests, scannertest.Request{At: r.At, Operation: r.Service + ":" + r.Operation, Throttled: r.Outcome == "throttled",
			Same: fmt.Sprint(r.Account, r.Region, r.Key, r.Params), Text: fmt.Sprintf("%+v", r)})
	}
	return requests
}
