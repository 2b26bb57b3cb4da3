package aws_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/fixtures"
	"sptr.jp/tenken/scanners"
	"sptr.jp/tenken/scanners/aws"
	"sptr.jp/tenken/scanners/scannertest"
)

const suiteSecret = "canary/Secret+Access=Key0123456789abcdefg"

var suiteNow = time.Now()

func suiteClock() time.Time { return suiteNow } // the company's dates count from it: it must not move

// TestSuite holds the scanner to the contract, over the demo company: two accounts, of which one is reached by a role.
func TestSuite(t *testing.T) { scannertest.Run(t, suiteSubject(t)) }

// TestSoakSuite does so with every body cut at every place.
func TestSoakSuite(t *testing.T) {
	if os.Getenv("TENKEN_SOAK") == "" {
		t.Skip("TENKEN_SOAK is not set")
	}
	s := suiteSubject(t)
	s.Thorough = true
	scannertest.Run(t, s)
}

func suiteSubject(t *testing.T) scannertest.Subject {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIA333333333333TEST")
	t.Setenv("AWS_SECRET_ACCESS_KEY", suiteSecret)
	t.Setenv("AWS_SESSION_TOKEN", "")
	return scannertest.Subject{
		System: "spartraining", Type: "aws", Kinds: aws.KnownKinds(), New: suiteWorld,
		Secrets:  []string{suiteSecret},
		Oversize: 80 << 20,
		Bound:    5000,
		Polled:   []string{"iam:GenerateCredentialReport", "iam:GetCredentialReport"},
	}
}

// Without a role there is one account, the caller's, and AWS tells everybody which one that is: knowing it is no look
// at anything.
func TestOwnAccountDeniedEverything(t *testing.T) {
	s := suiteSubject(t)
	server := fixtures.New(fixtures.Sptr(), fixtures.DenyAll())
	url, stop, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	scanner, err := aws.New(t.Context(), aws.Config{System: s.System, Endpoint: url, RatePerSecond: 1e6}, aws.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	systems := []scanners.System{{Name: s.System, Type: s.Type, Kinds: s.Kinds, Scanner: scanner}}
	res, err := scanners.Run(t.Context(), systems, forgetful{}, scanners.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.Ledger.Assessed() != 0 || res.Ledger.Planned == 0 {
		t.Errorf("assessed %d of %d where everything is refused", res.Ledger.Assessed(), res.Ledger.Planned)
	}
}

type forgetful struct{}

func (forgetful) Done(string) (inventory.Unit, bool) { return inventory.Unit{}, false }
func (forgetful) Commit(inventory.Unit) error        { return nil }

func suiteWorld(t testing.TB, faults ...scannertest.Fault) scannertest.World {
	t.Helper()
	server := fixtures.New(fixtures.Sptr(), fixtures.Clock(suiteClock))
	for _, f := range faults {
		server.Apply(suiteFault(f))
	}
	url, stop, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var calls strings.Builder
	scanner, err := aws.New(t.Context(), aws.Config{
		System: "spartraining", Regions: []string{"ap-northeast-1"}, Role: "tenken-audit", Accounts: []string{"all"},
		Endpoint: url, RatePerSecond: 1e6, Concurrency: 64, Now: suiteClock,
	}, aws.Hooks{Call: func(c aws.Call) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(&calls, "%+v\n", c)
	}})
	if err != nil {
		stop()
		t.Fatal(err)
	}
	return scannertest.World{
		Scanner: scanner, Complaints: server.Errors, Close: stop,
		Journal: func() []scannertest.Request { return suiteJournal(server.Journal()) },
		Watched: func() string {
			mu.Lock()
			defer mu.Unlock()
			return calls.String()
		},
	}
}

func suiteJournal(j fixtures.Journal) []scannertest.Request {
	list := make([]scannertest.Request, len(j.Requests))
	for i, r := range j.Requests {
		var same strings.Builder
		fmt.Fprint(&same, r.Account, r.Region, r.Key, r.Token)
		for _, k := range slices.Sorted(maps.Keys(r.Params)) {
			fmt.Fprint(&same, k, r.Params[k])
		}
		list[i] = scannertest.Request{At: r.At, Operation: r.Service + ":" + r.Operation, Same: same.String(),
			Throttled: r.Outcome == "throttled", Text: fmt.Sprintf("%+v", r)}
	}
	return list
}

func suiteFault(f scannertest.Fault) fixtures.Option {
	var m fixtures.Match
	if f.Operation != "" {
		m.Service, m.Operation, _ = strings.Cut(f.Operation, ":")
	}
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
		return fixtures.Garbage(m, f.Body, "text/html; charset=utf-8")
	case scannertest.Oversize:
		return fixtures.Huge(m, f.N)
	case scannertest.Endless:
		return fixtures.Endless(m, f.N == 1)
	case scannertest.PageSize:
		return fixtures.PageSize(f.N)
	}
	panic(fmt.Sprintf("fault %d", f.Kind))
}
