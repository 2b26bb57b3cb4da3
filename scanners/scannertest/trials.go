package scannertest

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

// books scans the undisturbed world, with which everything else is compared.
func (h *suite) books(t *testing.T) {
	h.base, h.requests = h.scan(t, scanners.Options{})
	facts := 0
	for i := range h.base.units {
		for _, k := range inventory.Kinds() {
			facts += h.base.units[i].Facts.Count(k)
		}
	}
	if h.base.ledger.Outcomes[inventory.Complete] == 0 || facts == 0 {
		t.Fatalf("the undisturbed world gives nothing to compare with: %v, %d facts", h.base.ledger.Outcomes, facts)
	}
	w := h.New(t)
	defer w.Close()
	w.Scanner.Plan(t.Context())
	h.planned = operations(w.Journal())
	h.optional = map[string]bool{}
	for _, n := range w.Scanner.Needs() {
		h.optional[n.Operation] = n.Optional
	}
}

// needs holds Needs equal to what is sent.
func (h *suite) needs(t *testing.T) {
	w := h.New(t)
	defer w.Close()
	var all []string
	for _, n := range w.Scanner.Needs() {
		if slices.Contains(all, n.Operation) {
			t.Errorf("%s is needed twice", n.Operation)
		}
		all = append(all, n.Operation)
		if n.For == "" {
			t.Errorf("%s: nothing says what it is needed for", n.Operation)
		}
		if !n.Optional && count(h.requests, n.Operation) == 0 {
			t.Errorf("%s is needed and never used", n.Operation)
		}
	}
	for _, op := range h.used() {
		if !slices.Contains(all, op) {
			t.Errorf("%s is sent and not needed", op)
		}
	}
}

func (h *suite) order(t *testing.T) {
	for i, workers := range []int{1, 3, 32} {
		cores := runtime.GOMAXPROCS(1 + 3*(i%2))
		r, requests := h.scan(t, scanners.Options{Workers: workers})
		runtime.GOMAXPROCS(cores)
		h.same(t, r)
		if got, want := h.counted(requests), h.counted(h.requests); got != want {
			t.Errorf("%d workers send %d requests instead of %d", workers, got, want)
		}
	}
}

func (h *suite) pages(t *testing.T) {
	r, requests := h.scan(t, scanners.Options{}, Fault{Kind: PageSize, N: 1})
	h.same(t, r)
	if len(requests) <= len(h.requests) {
		t.Errorf("%d requests with one item to a page, %d without: nothing was paged", len(requests), len(h.requests))
	}
}

// same holds a scan to the bytes of the undisturbed one.
func (h *suite) same(t *testing.T, r report) {
	t.Helper()
	if r.bytes == h.base.bytes {
		return
	}
	at := 0
	for at < min(len(r.bytes), len(h.base.bytes)) && r.bytes[at] == h.base.bytes[at] {
		at++
	}
	around := func(s string) string { return s[max(0, min(at-60, len(s))):min(at+60, len(s))] }
	t.Errorf("the same world gives other bytes: …%s… instead of …%s…", around(r.bytes), around(h.base.bytes))
}

func (h *suite) denied(t *testing.T) {
	for _, op := range h.used() {
		t.Run(op, func(t *testing.T) {
			r, _ := h.scan(t, scanners.Options{}, Fault{Kind: Deny, Operation: op})
			h.knowsLess(t, r)
			h.gap(t, r, op, inventory.AccessDenied, inventory.MissingScope)
			if r.bytes != h.base.bytes && r.ledger.Assessed() >= h.base.ledger.Assessed() {
				t.Errorf("assessed %d of %d, as if nothing had been refused", r.ledger.Assessed(), r.ledger.Planned)
			}
		})
	}
}

// gap looks for a gap of an operation, and that every one it has is for one of the reasons. An optional operation may
// fail without a gap where nothing is lost with it.
func (h *suite) gap(t *testing.T, r report, op string, reasons ...inventory.Reason) {
	t.Helper()
	found := false
	for i := range r.units {
		for _, g := range r.units[i].Gaps() {
			if g.Operation != op {
				continue
			}
			found = true
			if !slices.Contains(reasons, g.Reason) {
				t.Errorf("%s: %s is a gap for the reason %s (%s) instead of %v", r.units[i].ID, op, g.Reason, g.Detail, reasons)
			}
		}
	}
	if !found && !(h.optional[op] && r.bytes == h.base.bytes) {
		t.Errorf("no unit has a gap of %s", op)
	}
}

func (h *suite) deniedAll(t *testing.T) {
	r, _ := h.scan(t, scanners.Options{}, Fault{Kind: Deny})
	h.knowsLess(t, r)
	if n := r.ledger.Assessed(); n != 0 {
		t.Errorf("assessed %d of %d where everything is refused", n, r.ledger.Planned)
	}
	for i := range r.units {
		for _, k := range inventory.Kinds() {
			if n := r.units[i].Facts.Count(k); n > 0 {
				t.Errorf("%s holds %d %s where everything is refused", r.units[i].ID, n, k)
			}
		}
	}
}

func (h *suite) throttled(t *testing.T) {
	const each = 2
	var faults []Fault
	expected := h.counted(h.requests)
	for _, op := range h.used() {
		n := min(each, count(h.requests, op))
		faults = append(faults, Fault{Kind: Throttle, Operation: op, N: n, After: 50 * time.Millisecond})
		if !slices.Contains(h.Polled, op) {
			expected += n
		}
	}
	r, requests := h.scan(t, scanners.Options{Workers: 64}, faults...)
	h.same(t, r)
	if got := h.counted(requests); got != expected {
		t.Errorf("%d requests, want %d: one for each throttle more than the %d without", got, expected, h.counted(h.requests))
	}
	for i, q := range requests {
		if !q.Throttled {
			continue
		}
		next := slices.IndexFunc(requests[i+1:], func(n Request) bool { return n.Same == q.Same && n.Operation == q.Operation })
		if next >= 0 && requests[i+1+next].At.Sub(q.At) < faults[0].After {
			t.Errorf("%s was sent again %s after its throttle", q.Operation, requests[i+1+next].At.Sub(q.At))
		}
	}
}

// stalled lets one unit after another run into its deadline.
func (h *suite) stalled(t *testing.T) {
	at := slices.IndexFunc(h.used(), func(op string) bool { return !slices.Contains(h.planned, op) })
	op := h.used()[at]
	began := time.Now()
	r, _ := h.scan(t, scanners.Options{Workers: 64, UnitTimeout: time.Second}, Fault{Kind: Stall, Operation: op})
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("units of a second each take %s", took)
	}
	h.knowsLess(t, r)
	h.gap(t, r, op, inventory.Timeout)
}

func (h *suite) cancelled(t *testing.T) {
	const promptly = 2 * time.Second
	for _, op := range h.used() {
		t.Run(op, func(t *testing.T) {
			defer h.leakless(t)()
			w := h.New(t, Fault{Kind: Stall, Operation: op})
			defer w.Close()
			ctx, stop := watch(t.Context(), w, func(r []Request) bool { return count(r, op) > 0 })
			system := scanners.System{Name: h.System, Type: h.Type, Kinds: h.Kinds, Scanner: w.Scanner}
			res, err := scanners.Run(ctx, []scanners.System{system}, forgetful{}, scanners.Options{}, nil)
			returned := time.Now()
			if took := returned.Sub(stop()); took > promptly {
				t.Errorf("returned %s after it was cancelled", took)
			}
			switch {
			case errors.Is(err, context.Canceled) && slices.Contains(h.planned, op): // it was stopped while it planned
			case err != nil:
				t.Errorf("the run ended with %v", err)
			case !slices.ContainsFunc(res.Units, h.cancelledIn(op)):
				t.Errorf("no unit has a gap of %s for the reason cancelled", op)
			}
		})
	}
}

func (h *suite) cancelledIn(op string) func(inventory.Unit) bool {
	return func(u inventory.Unit) bool {
		return slices.ContainsFunc(u.Gaps(), func(g inventory.Read) bool {
			return g.Reason == inventory.Cancelled && (g.Operation == op || h.optional[op])
		})
	}
}
