package scannertest

import (
	"testing"
	"time"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

// Subject is a scanner to be tried, and its provider. The world that it serves should be small, for it is read some two
// hundred times, and rich: every operation is called, some list has two pages.
type Subject struct {
	System, Type string
	Kinds        []inventory.Kind // all that the scanner can list

	// New starts a server with faults, and makes a scanner that knows no other server. Pacing of its own, beyond what
	// the server asks for, should be as short as the scanner allows.
	New func(t testing.TB, faults ...Fault) World

	// Secrets are the credentials in use and the canaries laid out in the provider's answers. None may ever come out.
	Secrets []string
	// Oversize is a body larger than the scanner accepts, in bytes.
	Oversize int
	// Bound is the most requests that a scan may send to a pager that never ends.
	Bound int
	// Polled are operations of which an answer may ask for one more: their number is not fixed.
	Polled []string
	// Thorough gives every operation every false answer and every body every cut, and tries each pager in both ways.
	// Without it the operations take turns.
	Thorough bool
}

// World is one server with the scanner before it.
type World struct {
	Scanner scanners.Scanner
	// Journal is every request that the server got, in order of arrival.
	Journal func() []Request
	// Complaints are the mistakes that the server found in what it was asked.
	Complaints func() []error
	// Watched is everything that the scanner told its watchers (hooks, metrics), as text; nil if it has none.
	Watched func() string
	// Close stops the server, when no request is under way any more.
	Close func()
}

// Request is one request as the server saw it.
type Request struct {
	At        time.Time
	Operation string // as in scanners.Need
	// Same is equal for two requests that ask the same: caller, place, parameters, page.
	Same      string
	Throttled bool
	Text      string // all that the journal keeps of it
}

// Fault is one thing that the server does.
type Fault struct {
	Kind      FaultKind
	Operation string        // as in scanners.Need; empty: every one
	N         int           // see the kinds
	After     time.Duration // Throttle: the wait that the answer asks for
	Body      string        // Portal: the page
}

// FaultKind is what a fault does.
type FaultKind int

// The kinds.
const (
	Deny     FaultKind = iota // the provider's own refusal, always
	Throttle                  // the provider's own throttle, for the first N calls
	Stall                     // no answer until the caller hangs up
	Truncate                  // the connection ends after N bytes of the body
	Portal                    // status 200 and an HTML page, as a captive portal answers
	Oversize                  // the right answer, blown up to N bytes
	Endless                   // every page says that one more follows, under a new token if N is 0, under the same if it is 1
	PageSize                  // at most N to a page
)
