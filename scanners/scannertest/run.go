package scannertest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

// Run tries a subject. Each subtest names the promise that it holds the scanner to.
func Run(t *testing.T, s Subject) {
	h := &suite{Subject: s, logs: capture(t)}
	if !t.Run("BooksBalance", h.books) {
		return // nothing to compare with
	}
	t.Run("OnlyNeededOperations", h.needs)
	t.Run("SameBytesInAnyOrder", h.order)
	t.Run("SameBytesPageByPage", h.pages)
	t.Run("DeniedOneByOne", h.denied)
	t.Run("DeniedEverything", h.deniedAll)
	t.Run("ThrottlesCostTheirNumber", h.throttled)
	t.Run("NoAnswerInTime", h.stalled)
	t.Run("CancelledPromptly", h.cancelled)
	t.Run("CaptivePortal", h.portal)
	t.Run("BodyCutShort", h.truncated)
	t.Run("BodyTooLarge", h.oversize)
	t.Run("EndlessPager", h.endless)
}

type suite struct {
	Subject
	logs *logs

	base     report    // of an undisturbed scan
	requests []Request // that it took
	planned  []string  // operations that Plan sends
	optional map[string]bool
}

// report is what a scan brought.
type report struct {
	units  []inventory.Unit
	ledger inventory.Ledger
	lines  []string // each unit as it is saved
	bytes  string   // all of them
}

// scan reads a fresh world through the runner, and checks what holds for every scan whatever goes wrong in it.
func (h *suite) scan(t *testing.T, o scanners.Options, faults ...Fault) (report, []Request) {
	t.Helper()
	return h.scanUntil(t, func([]Request) bool { return false }, o, faults...)
}

// scanUntil is a scan that is cancelled as soon as enough is true of what was requested.
func (h *suite) scanUntil(t *testing.T, enough func([]Request) bool, o scanners.Options, faults ...Fault) (report, []Request) {
	t.Helper()
	defer h.leakless(t)()
	w := h.New(t, faults...)
	ctx, stop := watch(t.Context(), w, enough)
	r := h.read(ctx, t, w, o)
	stop()
	requests := w.Journal()
	for _, complaint := range w.Complaints() {
		t.Errorf("the server complains: %v", complaint)
	}
	w.Close()
	h.keptSecret(t, w, r, requests)
	return r, requests
}

// watch gives a context that ends when enough is true of a world's journal. stop ends the watching and says when that was.
func watch(parent context.Context, w World, enough func([]Request) bool) (ctx context.Context, stop func() time.Time) {
	ctx, cancel := context.WithCancel(parent)
	ended := make(chan time.Time, 1)
	go func() {
		for ctx.Err() == nil && !enough(w.Journal()) {
			time.Sleep(2 * time.Millisecond)
		}
		ended <- time.Now()
		cancel()
	}()
	return ctx, func() time.Time { cancel(); return <-ended }
}

// leakless gives a check that no goroutine is there that wasn't there before.
func (h *suite) leakless(t *testing.T) (check func()) {
	running := goleak.IgnoreCurrent()
	return func() {
		if err := goleak.Find(running); err != nil {
			t.Errorf("the scanner leaves goroutines behind: %v", err)
		}
	}
}

// read runs a scan and checks its books.
func (h *suite) read(ctx context.Context, t *testing.T, w World, o scanners.Options) report {
	t.Helper()
	system := scanners.System{Name: h.System, Type: h.Type, Kinds: h.Kinds, Scanner: w.Scanner}
	result, err := scanners.Run(ctx, []scanners.System{system}, forgetful{}, o, nil)
	if err != nil {
		t.Fatalf("the run failed: %v", err)
	}
	h.sound(t, w.Scanner.Needs(), result.Units)
	lines := make([]string, len(result.Units))
	for i := range result.Units {
		b, err := json.Marshal(&result.Units[i])
		if err != nil {
			t.Fatal(err)
		}
		lines[i] = string(b)
	}
	return report{units: result.Units, ledger: result.Ledger, lines: lines, bytes: strings.Join(lines, "\n")}
}

// used are the operations of the undisturbed scan, sorted.
func (h *suite) used() []string { return operations(h.requests) }

func operations(requests []Request) []string {
	var ops []string
	for _, r := range requests {
		ops = append(ops, r.Operation)
	}
	slices.Sort(ops)
	return slices.Compact(ops)
}

// counted are the requests whose number is fixed.
func (h *suite) counted(requests []Request) int {
	n := 0
	for _, r := range requests {
		if !slices.Contains(h.Polled, r.Operation) {
			n++
		}
	}
	return n
}

func count(requests []Request, operation string) (n int) {
	for _, r := range requests {
		if r.Operation == operation {
			n++
		}
	}
	return n
}

// paged are the operations that take more requests when there is one item to a page.
func (h *suite) paged(t *testing.T) []string {
	t.Helper()
	_, requests := h.scan(t, scanners.Options{}, Fault{Kind: PageSize, N: 1})
	var ops []string
	for _, op := range h.used() {
		if count(requests, op) > count(h.requests, op) && !slices.Contains(h.Polled, op) {
			ops = append(ops, op)
		}
	}
	return ops
}

// forgetful is a journal of a run that nobody will resume.
type forgetful struct{}

func (forgetful) Done(string) (inventory.Unit, bool) { return inventory.Unit{}, false }
func (forgetful) Commit(inventory.Unit) error        { return nil }
