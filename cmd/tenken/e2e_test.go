package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/fixtures"
	"sptr.jp/tenken/fixtures/awsspec"
)

// A demoRun is what `tenken scan --only all` made of the demo company, and what the company's server saw of it.
type demoRun struct {
	findings.Document
	code    int
	server  *fixtures.Server
	answers []answer
	config  string // its tenken.yaml
	byPrint map[string]*findings.Finding
}

// scanDemo runs the program itself on the demo company: real SDK, real HTTP, real files. systems narrows it.
func scanDemo(t testing.TB, systems string, options ...fixtures.Option) *demoRun {
	t.Helper()
	r := &demoRun{}
	var mu sync.Mutex
	watch := fixtures.Watch(func(q fixtures.Request, status int, body []byte) {
		mu.Lock()
		defer mu.Unlock()
		r.answers = append(r.answers, answer{q, status, body})
	})
	r.server, r.config = served(t, t.TempDir(), append(options, watch)...)
	r.scan(t, systems)
	return r
}

// An answer is what went out to a request.
type answer struct {
	fixtures.Request
	status int
	body   []byte
}

// speaksAWS holds every request and every answer of a run against AWS's own descriptions, where they are at hand. It
// gives the number of answers that were held against them.
func (r *demoRun) speaksAWS(t *testing.T) (held int) {
	t.Helper()
	specs := models(t)
	if specs == nil {
		return 0
	}
	for _, a := range r.answers {
		for _, err := range specs.CheckRequest(a.Service, a.Operation, a.Params) {
			t.Errorf("request: %v", err)
		}
		if a.status == http.StatusOK {
			held++
			for _, err := range specs.CheckAnswer(a.Service, a.Operation, a.body) {
				t.Errorf("answer to %s in %s %s: %v", a.Operation, a.Account, a.Region, err)
			}
		}
	}
	return held
}

func (r *demoRun) scan(t testing.TB, systems string) {
	t.Helper()
	dir := filepath.Dir(r.config)
	args := []string{"scan", "--config", r.config, "--out", dir, "--only", "all", "--log-format", "json"}
	if systems != "" {
		args = append(args, systems)
	}
	var said string
	said, r.code = tenken(t, args...)
	b, err := os.ReadFile(filepath.Join(dir, "findings.json"))
	if err != nil {
		t.Fatalf("exit %d: %v\n%s", r.code, err, said)
	}
	if err := json.Unmarshal(b, &r.Document); err != nil {
		t.Fatal(err)
	}
	r.byPrint = map[string]*findings.Finding{}
	for i := range r.Findings {
		f := &r.Findings[i]
		if other := r.byPrint[f.Fingerprint]; other != nil {
			t.Errorf("%s and %s of %s have one fingerprint", describe(f), describe(other), f.Rule)
		}
		r.byPrint[f.Fingerprint] = f
	}
}

// kept are scans that several tests look at, by the operation that is denied in them.
var kept sync.Map

type keptRun struct {
	once sync.Once
	run  *demoRun
}

// undisturbed is the demo company as it is.
func undisturbed(t testing.TB) *demoRun {
	t.Helper()
	return keep(t, "")
}

// deniedDemo is the demo company with one operation denied everywhere.
func deniedDemo(t testing.TB, op string) *demoRun {
	t.Helper()
	return keep(t, op, deny(op))
}

func keep(t testing.TB, key string, options ...fixtures.Option) *demoRun {
	t.Helper()
	v, _ := kept.LoadOrStore(key, &keptRun{})
	k := v.(*keptRun)
	k.once.Do(func() { k.run = scanDemo(t, "", options...) })
	if k.run == nil {
		t.Fatal("the demo company could not be scanned: another test says why")
	}
	return k.run
}

// tenken runs the program and gives what it wrote to both ends, and its exit code.
func tenken(t testing.TB, args ...string) (said string, code int) {
	t.Helper()
	var out bytes.Buffer
	code = program(context.Background(), env{&out, &out, func(string) string { return "" }}, args)
	return out.String(), code
}

// unread are the gaps that made a finding unknown and that an undisturbed scan does not have.
func (r *demoRun) unread(base *demoRun, f *findings.Finding) []findings.Gap {
	known := map[findings.Gap]bool{}
	if before := base.byPrint[f.Fingerprint]; before != nil {
		for _, g := range before.Unknown {
			known[g] = true
		}
	}
	var gaps []findings.Gap
	for _, g := range f.Unknown {
		if !known[g] {
			gaps = append(gaps, g)
		}
	}
	return gaps
}

// isScope says whether a finding is about an account or a system as a whole.
func isScope(f *findings.Finding) bool {
	return f.Resource.Kind == findings.ScopeKind
}

// contains says whether a finding on a scope speaks for another finding of its rule.
func contains(scope, f *findings.Finding) bool {
	return isScope(scope) && scope.Rule == f.Rule && scope.Resource.System == f.Resource.System &&
		(scope.Resource.Account == "" || scope.Resource.Account == f.Resource.Account)
}

func describe(f *findings.Finding) string {
	return f.Rule + " " + string(f.Verdict) + " on " + f.Resource.Kind + " " + f.Resource.ID + " (" + f.Resource.Name + ")"
}

var apiModels = sync.OnceValues(func() (*awsspec.Specs, error) { return awsspec.Load(os.Getenv("TENKEN_APISPECS")) })

// models are AWS's own descriptions of its operations; nil, and said so, where they are not at hand.
func models(t testing.TB) *awsspec.Specs {
	t.Helper()
	if os.Getenv("TENKEN_APISPECS") == "" {
		t.Log("TENKEN_APISPECS is not set: nothing here is held against AWS's own descriptions")
		return nil
	}
	m, err := apiModels()
	if err != nil {
		t.Fatal(err)
	}
	return m
}
