package roster

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"sptr.jp/tenken/findings/inventory"
)

// column is a place in columns.
type column int

const (
	employeeNo column = iota
	name
	email
	aliases
	employmentType
	category
	department
	title
	hireDate
	leaveDate
	onLeave
	departmentChangedAt
	manager
	approver
	approvedAt
	validUntil
	ndaSignedAt
	columnCount
)

// columns are the names of the columns, as people.schema.json documents them.
var columns = [columnCount]string{"employee_no", "name", "email", "aliases", "type", "category", "department", "title", "hire_date",
	"leave_date", "on_leave", "department_changed_at", "manager", "approver", "approved_at", "valid_until", "nda_signed_at"}

// required are the columns without which the file says nothing that could be used.
var required = []column{employeeNo, email, employmentType, leaveDate}

func checkColumns(own map[string]string, ignore []string) error {
	headers := map[string]string{}
	for _, h := range ignore {
		headers[h] = "ignored"
	}
	for _, c := range columns {
		h, ok := own[c]
		if !ok {
			h = c
		}
		if other, taken := headers[h]; taken && (ok || other != "ignored") {
			return fmt.Errorf("columns: header %q stands for %s and is %s too", h, c, other)
		}
		headers[h] = c
	}
	for c := range own {
		if !slices.Contains(columns[:], c) {
			return fmt.Errorf("columns: %q is no column; write one of %s", c, strings.Join(columns[:], ", "))
		}
	}
	return nil
}

// table is a file whose header was understood.
type table struct {
	csv      *csv.Reader
	exported time.Time // zero when the file doesn't say
	at       [columnCount]int
	width    int
	skipped  int // lines before those that csv counts
	lines    int // at most so many rows
}

// open decodes a file and reads its first line of date and its header.
func open(raw []byte, c *Config) (*table, *failure) {
	text, wrong := decoders[c.Encoding](raw)
	if wrong != nil {
		return nil, wrong
	}
	text = endLines(text)
	t := &table{}
	if bytes.HasPrefix(text, []byte("#")) || bytes.HasPrefix(text, []byte(`"#`)) {
		var first []byte
		first, text, _ = bytes.Cut(text, []byte("\n"))
		t.skipped = 1
		if t.exported, wrong = exportDate(string(first)); wrong != nil {
			return nil, wrong
		}
	}
	t.lines = bytes.Count(text, []byte("\n")) + 1
	t.csv = csv.NewReader(bytes.NewReader(text))
	t.csv.FieldsPerRecord = -1
	t.csv.ReuseRecord = true
	header, _, err := t.next()
	if errors.Is(err, io.EOF) {
		return nil, fail(inventory.DecodeError, "it is empty; the first line names the columns")
	}
	if err != nil {
		return nil, fail(inventory.DecodeError, "the header can't be read: %v", err)
	}
	return t, t.place(header, c)
}

// exportDate reads `# exported_at: 2026-11-01`, also as a spreadsheet writes it back.
func exportDate(line string) (time.Time, *failure) {
	value, ok := strings.CutPrefix(strings.Trim(line, `,"# `), "exported_at:")
	value = strings.TrimSpace(value)
	if at, err := time.Parse(time.RFC3339, value); ok && err == nil {
		return at, nil
	}
	if at, err := parseDay(value); ok && err == nil {
		return at, nil
	}
	return time.Time{}, fail(inventory.DecodeError,
		"line 1: it begins with # and does not say when the file was exported; write # exported_at: YYYY-MM-DD")
}

// place finds the columns in the header.
func (t *table) place(header []string, c *Config) *failure {
	for i := range t.at {
		t.at[i] = -1
	}
	for len(header) > 0 && strings.TrimSpace(header[len(header)-1]) == "" {
		header = header[:len(header)-1]
	}
	t.width = len(header)
	var wrong []string
	for i, h := range header {
		h = strings.TrimSpace(h)
		if slices.Contains(c.Ignore, h) {
			continue
		}
		switch at := slices.IndexFunc(columns[:], func(ours string) bool { return c.header(ours) == h }); {
		case at < 0:
			wrong = append(wrong, fmt.Sprintf("column %d %.40q is not known (map it with columns, or ignore it)", i+1, h))
		case t.at[at] >= 0:
			wrong = append(wrong, fmt.Sprintf("column %.40q stands twice", h))
		default:
			t.at[at] = i
		}
	}
	for _, r := range required {
		if t.at[r] < 0 {
			wrong = append(wrong, fmt.Sprintf("column %.40q is missing", c.header(columns[r])))
		}
	}
	if len(wrong) > 0 {
		return fail(inventory.DecodeError, "header: %s", first(wrong, "; "))
	}
	return nil
}

// header is what the file calls a column of ours.
func (c *Config) header(ours string) string {
	if own, ok := c.Columns[ours]; ok {
		return own
	}
	return ours
}

// next gives the next row and its line. Its error is io.EOF or that of one row, after which the next can be read.
func (t *table) next() (cells []string, line int, err error) {
	cells, err = t.csv.Read()
	if broken := (*csv.ParseError)(nil); errors.As(err, &broken) {
		line = broken.StartLine + t.skipped
		if broken.Line != broken.StartLine {
			return nil, line, fmt.Errorf("a quote that opens here is not closed before line %d ends", broken.Line+t.skipped)
		}
		return nil, line, errors.New("a quote is out of place; quote the whole cell and double the quotes in it")
	}
	if err != nil {
		return nil, 0, err
	}
	line, _ = t.csv.FieldPos(0)
	return cells, line + t.skipped, nil
}

// first joins up to ten texts and says how many there are more.
func first(texts []string, between string) string {
	const most = 10
	if len(texts) <= most {
		return strings.Join(texts, between)
	}
	return fmt.Sprintf("%s%sand %d more", strings.Join(texts[:most], between), between, len(texts)-most)
}
