package scanners

import (
	"context"

	"sptr.jp/tenken/findings/inventory"
)

// Scanner reads one system.
type Scanner interface {
	// Needs is everything that the scanner may send, and the truth of least privilege: the door lets nothing else pass,
	// `tenken needs` prints it, and a test holds it equal to the calls really made.
	Needs() []Need

	// Plan discovers what there is to read (accounts, regions) and returns every unit of the run: first the discovery
	// units, which were read just now and have an Outcome, then those that Collect will read. A refused discovery is a
	// unit like any other: denied, and listing every kind that it kept from being planned. Plan therefore has no error.
	Plan(ctx context.Context) []inventory.Unit

	// Collect reads one planned unit: it fills Reads, Listings, Facts and, through a Recorder, Outcome. It is safe to
	// repeat, and returns promptly when ctx ends. It has no error: whatever went wrong is an outcome with its reason.
	Collect(ctx context.Context, u *inventory.Unit)
}

// Need is one operation that a scanner sends.
type Need struct {
	Operation  string // the provider's name with its service: "rds:DescribeDBInstances"
	Permission string // what must be granted for it; empty when nothing is
	For        string // what it is read for, in English
	Optional   bool   // the scan goes on without it, with a named loss
}

// Journal keeps finished units, so that an interrupted run can be resumed.
type Journal interface {
	// Done gives the unit of an earlier attempt of this run, if it was finished and kept.
	Done(id string) (inventory.Unit, bool)
	// Commit keeps a finished unit durably. It may be called from several goroutines.
	Commit(u inventory.Unit) error
}
