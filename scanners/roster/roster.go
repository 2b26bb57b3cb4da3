package roster

import (
	"context"
	"crypto/sha256"
	_ "embed" // for people.schema.json
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

// PeopleSchema is the published schema of the file of people: a table description of CSV on the Web.
//
//go:embed people.schema.json
var PeopleSchema []byte

// Config is one system of type roster.
type Config struct {
	System string // the name in tenken.yaml
	File   string
	Kind   string // what the file lists: "people"
	// Encoding is auto (or empty), utf-8 or shift_jis.
	Encoding string
	// Columns maps our columns to the file's own headers, as {email: メールアドレス}. What isn't named has our name.
	Columns map[string]string
	// Ignore are headers of columns that are not read.
	Ignore []string
	// MaxAge is how old an export may be; 31 days unless told.
	MaxAge time.Duration
	// Now is the clock; time.Now unless told.
	Now func() time.Time
}

// Scanner reads one file.
type Scanner struct {
	config Config
	limits limits
}

// limits are variables of the scanner so that tests need no 64 MiB.
type limits struct{ bytes, rows int }

const collector = "people"

// New checks the configuration; it does not look at the file.
func New(c Config) (*Scanner, error) {
	switch {
	case c.File == "":
		return nil, fmt.Errorf("system %s: file is missing; name the CSV file", c.System)
	case c.Kind != "people":
		return nil, fmt.Errorf("system %s: kind %q is not known; write people", c.System, c.Kind)
	case c.MaxAge < 0:
		return nil, fmt.Errorf("system %s: the greatest age of an export can't be negative", c.System)
	}
	if _, ok := decoders[c.Encoding]; !ok {
		return nil, fmt.Errorf("system %s: encoding %q is not known; write auto, utf-8 or shift_jis", c.System, c.Encoding)
	}
	if err := checkColumns(c.Columns, c.Ignore); err != nil {
		return nil, fmt.Errorf("system %s: %w", c.System, err)
	}
	if c.MaxAge == 0 {
		c.MaxAge = 31 * 24 * time.Hour
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Scanner{config: c, limits: limits{bytes: 64 << 20, rows: 1_000_000}}, nil
}

// Plan plans the one unit that there is. There is nothing to discover.
func (s *Scanner) Plan(context.Context) []inventory.Unit {
	scope := inventory.Scope{System: s.config.System, Type: "roster"}
	return []inventory.Unit{inventory.NewUnit(scope, collector, inventory.PersonKind)}
}

// Collect reads the file.
func (s *Scanner) Collect(ctx context.Context, u *inventory.Unit) {
	base := filepath.Base(s.config.File)
	raw, modified, wrong := readFile(s.config.File, s.limits.bytes)
	var t *table
	if wrong == nil {
		t, wrong = open(raw, &s.config)
	}
	var list people
	sum := sha256.Sum256(raw)
	rec := scanners.NewRecorder(u)
	ok := u.Note(inventory.Read{Operation: peopleNeed.Operation, Detail: "sha256:" + hex.EncodeToString(sum[:])})
	if wrong == nil {
		list, wrong = readPeople(ctx, t, ok, s.limits.rows)
	}
	if wrong != nil {
		scanners.Fail(u, peopleNeed, wrong.why, base+": "+wrong.detail)
		return
	}
	reads := []inventory.ReadID{ok}
	if text := s.staleness(t.exported, modified); text != "" {
		reads = append(reads, rec.Gap(peopleNeed, inventory.Stale, base+": "+text))
	}
	if text := list.complaint(); text != "" {
		reads = append(reads, rec.Gap(peopleNeed, inventory.DecodeError, base+": "+text))
	}
	u.Facts.People = list.good()
	rec.Listed(inventory.PersonKind, reads...)
	rec.Finish()
}

// staleness says why the file's date proves nothing about today; empty when it does.
func (s *Scanner) staleness(exported, modified time.Time) string {
	date, what := exported, "exported_at"
	if date.IsZero() {
		date, what = modified, "the file's own date"
	}
	now := s.config.Now()
	day := date.In(tokyo).Format(time.DateOnly)
	switch {
	case date.After(now.Add(24 * time.Hour)):
		return fmt.Sprintf("%s %s lies in the future; correct it", what, day)
	case now.Sub(date) > s.config.MaxAge:
		return fmt.Sprintf("%s %s is older than the %d days that are allowed; export the list again", what, day,
			int(s.config.MaxAge.Hours()/24))
	}
	return ""
}

// failure is why nothing of the file could be used.
type failure struct {
	why    inventory.Reason
	detail string
}

func fail(why inventory.Reason, format string, args ...any) *failure {
	return &failure{why, fmt.Sprintf(format, args...)}
}

func stopped(ctx context.Context) *failure {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fail(inventory.Timeout, "the time was up before the file was read")
	}
	return fail(inventory.Cancelled, "the run was stopped before the file was read")
}
