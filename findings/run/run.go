// Package run is the saved run: the file run.tenken, which holds what was read and nothing of what was concluded.
//
// Format, version 1: JSON lines, each compressed as a zstd frame of its own (so `zstd -dc run.tenken` prints them). The
// first line is the head, with the plan; then one line for each unit, in the order in which they ended, with the SHA-256
// of the unit's JSON; the last line is the foot, with counts and a root hash over all lines before it. A file without a
// foot is an interrupted run: what is whole in it is kept and a torn end is cut off. Readers accept every earlier minor
// version of their major one.
//
// Findings are not in it: judging is cheap and is done again on every load. Neither rules nor verdicts may enter here.
package run

import (
	"fmt"
	"time"

	"sptr.jp/tenken/findings/inventory"
)

// Version of the format, major.minor.
const Version = "1.1"

// Head is the first line: by what, when and of what the run was made, and the plan that its books must balance with.
type Head struct {
	Format     string             `json:"tenken_run"` // Version
	ID         string             `json:"id"`
	Started    time.Time          `json:"started"`
	Tool       string             `json:"tool"`
	Plan       []string           `json:"plan"` // unit ids, sorted; fixed before anything was collected
	Narrowed   []string           `json:"narrowed,omitempty"`
	Declared   inventory.Declared `json:"declared"`             // what the company declared, so that the run can be judged alone
	Parameters string             `json:"parameters,omitempty"` // YAML, as the company wrote it
	Gaps       []GapDeclared      `json:"gaps,omitempty"`       // gaps that the officer knows about
	NotBuilt   []string           `json:"not_built,omitempty"`
	Language   string             `json:"language,omitempty"` // that the run was told in, since 1.1; empty means ja
}

// GapDeclared is a gap that the officer declared: it is kept from the exit code, and from nothing else.
type GapDeclared struct {
	System    string `yaml:"system" json:"system"`
	Collector string `yaml:"collector" json:"collector"`
	Reason    string `yaml:"reason" json:"reason"`
	Approver  string `yaml:"approver" json:"approver"`
	Expires   string `yaml:"expires" json:"expires"` // YYYY-MM-DD
}

// Foot is the last line of a finished run.
type Foot struct {
	Finished  time.Time `json:"finished"`
	Units     int       `json:"units"`
	Resources int       `json:"resources"`
	Root      string    `json:"root"` // hex SHA-256 over all lines before the foot, newlines included
}

// Run is a loaded run.
type Run struct {
	Head  Head
	Units []inventory.Unit
	Foot  *Foot // nil: the run was interrupted
}

// Finished is when the run ended; an interrupted run has no such time and gives its start.
func (r *Run) Finished() time.Time {
	if r.Foot == nil {
		return r.Head.Started
	}
	return r.Foot.Finished
}

// Error says what is wrong with a run file, and where.
type Error struct {
	File string
	Line int // 1 is the head
	What string

	headless bool // it ended before its head did: nothing is in it
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: line %d: %s", e.File, e.Line, e.What)
}

func count(f *inventory.Facts) int {
	n := 0
	for _, k := range inventory.Kinds() {
		n += f.Count(k)
	}
	return n
}
