package inventory

import "strings"

// Scope is where something lives: a system of the configuration, the provider's account (project, tenant) and region.
type Scope struct {
	System  string `json:"system"`            // the name in tenken.yaml
	Type    string `json:"type"`              // the scanner: aws, roster, …
	Account string `json:"account,omitempty"` // the provider's own id; empty for a whole system
	Region  string `json:"region,omitempty"`  // empty for what is global
}

// String is the scope as people write it: system/account/region.
func (s Scope) String() string {
	return strings.TrimRight(s.System+"/"+s.Account+"/"+s.Region, "/")
}

// AccountScope is the scope without its region.
func (s Scope) AccountScope() Scope { s.Region = ""; return s }

// Contains reports that other lies within s.
func (s Scope) Contains(other Scope) bool {
	return s.System == other.System && (s.Account == "" || s.Account == other.Account) &&
		(s.Region == "" || s.Region == other.Region)
}

// Unit is one small, independent piece of reading, safe to repeat: what the plan counts, a worker takes, a run file
// holds in a line and a resumed run keeps or does again.
type Unit struct {
	ID        string    `json:"id"` // Scope and Collector; unique in a run, the same in every run
	Scope     Scope     `json:"scope"`
	Collector string    `json:"collector"` // the scanner's name for what it reads: rds, iam, people
	Outcome   Outcome   `json:"outcome"`   // empty until it was read
	Listings  []Listing `json:"listings,omitempty"`
	Reads     []Read    `json:"reads"` // [0] is NotInAnswer
	Facts     Facts     `json:"facts"`

	index int32           // in Inventory.Units
	seen  map[Read]ReadID // interned reads
}

// Listing says that this unit lists a kind, and whether it did so whole. A rule over a kind is answered for an account
// only where every listing of the kind in that account is complete.
type Listing struct {
	Kind     Kind `json:"kind"`
	Complete bool `json:"complete"`
	// Reads are the calls that make up the listing; those with a reason say why it is not complete.
	Reads []ReadID `json:"reads,omitempty"`
}

// Outcome is how a unit ended. planned = the sum of all outcomes, or the books don't balance.
type Outcome string

// The outcomes.
const (
	Complete       Outcome = "complete"  // everything was read
	Partial        Outcome = "partial"   // some of it was
	Denied         Outcome = "denied"    // the provider refused all of it
	ThrottledOut   Outcome = "throttled" // the provider slowed it down until its time was up
	DisabledUnit   Outcome = "disabled"  // off, and off proves that nothing can exist
	Skipped        Outcome = "skipped"   // not read on purpose: not connected, not configured
	Failed         Outcome = "failed"    // anything else: time-out, decode error, cancelled
	notYetFinished Outcome = ""
)

// Outcomes lists every outcome in the order in which they are reported.
func Outcomes() []Outcome {
	return []Outcome{Complete, Partial, Denied, ThrottledOut, DisabledUnit, Skipped, Failed}
}

// NewUnit plans a unit that will list the given kinds. Nothing is read yet, so every listing is incomplete.
func NewUnit(s Scope, collector string, lists ...Kind) Unit {
	u := Unit{ID: s.String() + "/" + collector, Scope: s, Collector: collector, Reads: []Read{NotInAnswer}}
	for _, k := range lists {
		u.Listings = append(u.Listings, Listing{Kind: k})
	}
	return u
}

// Note gives the id of a read, adding it if it is new.
func (u *Unit) Note(r Read) ReadID {
	if len(u.Reads) == 0 {
		u.Reads = []Read{NotInAnswer}
	}
	if u.seen == nil {
		u.seen = make(map[Read]ReadID, len(u.Reads))
		for i, old := range u.Reads {
			u.seen[old] = ReadID(i)
		}
	}
	id, ok := u.seen[r]
	if !ok {
		if len(u.Reads) == 1<<16 {
			return 0
		}
		id = ReadID(len(u.Reads))
		u.Reads = append(u.Reads, r)
		u.seen[r] = id
	}
	return id
}

// Carry notes in u the read r of another unit, so that a value of u can be unknown for that unit's reason.
func (u *Unit) Carry(from *Unit, r ReadID) ReadID {
	if from == u {
		return r
	}
	read := from.Read(r)
	if read.Where == "" {
		read.Where = from.ID
	}
	return u.Note(read)
}

// Read gives the read behind an id.
func (u *Unit) Read(r ReadID) Read {
	if int(r) >= len(u.Reads) {
		return NotInAnswer
	}
	return u.Reads[r]
}

// Listing gives the unit's listing of a kind, or nil.
func (u *Unit) Listing(k Kind) *Listing {
	for i := range u.Listings {
		if u.Listings[i].Kind == k {
			return &u.Listings[i]
		}
	}
	return nil
}

// Gaps are the reads that failed.
func (u *Unit) Gaps() []Read {
	var gaps []Read
	for _, r := range u.Reads[min(1, len(u.Reads)):] {
		if r.Reason != "" && r.Where == "" {
			gaps = append(gaps, r)
		}
	}
	return gaps
}
