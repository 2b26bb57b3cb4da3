package roster

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sptr.jp/tenken/findings/inventory"
)

var (
	employmentTypes = []string{"director", "employee", "dispatched", "part_time", "contractor", "vendor"}
	categories      = []string{"general", "developer"}

	// address is what mail systems really use. It is ASCII, so that no letter that only looks alike can match.
	address = regexp.MustCompile(`^[a-z0-9.!#$%&'*+/=?^_{|}~\x60-]+@[a-z0-9-]+(\.[a-z0-9-]+)+$`)
	day     = regexp.MustCompile(`^(\d{4})([-/])(\d{1,2})([-/])(\d{1,2})$`)
	// dateLike is what may be quoted in a complaint: nothing that names anybody.
	dateLike = regexp.MustCompile(`^[0-9/.:年月日 TZ-]{1,25}$`)

	tokyo = time.FixedZone("JST", 9*60*60)
)

const longestCell = 1000

// row turns the cells of one line into a person and keeps what is wrong with them.
type row struct {
	table *table
	cells []string
	read  inventory.ReadID
	wrong []string
}

func (r *row) complain(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

func blank(cells []string) bool {
	return !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" })
}

func (r *row) person() (p inventory.Person) {
	if width := len(r.cells); width < r.table.width || !blank(r.cells[r.table.width:]) {
		r.complain("it has %d cells and the header has %d", width, r.table.width)
		return p
	}
	p.ID, _ = r.cell(employeeNo)
	if p.ID == "" {
		r.complain("employee_no is empty; write the number that never changes")
	}
	p.Subtype = "roster:person"
	p.Emails = r.addresses()
	p.Name = p.ID
	if len(p.Emails.Items) > 0 {
		p.Name = p.Emails.Items[0]
	}
	p.EmploymentType = r.choice(employmentType, employmentTypes, true)
	p.Category = r.choice(category, categories, false)
	p.Department, p.Title = r.text(department), r.text(title)
	p.Manager, p.Approver = r.reference(manager), r.reference(approver)
	p.OnLeave = r.yesNo(onLeave)
	p.HireDate = r.startOf(hireDate)
	if p.HireDate.IsAbsent() {
		p.HireDate = inventory.Val[time.Time]{} // everybody was hired one day
	}
	p.LeaveDate = r.endOf(leaveDate)
	p.DepartmentChangedAt, p.ApprovedAt = r.startOf(departmentChangedAt), r.startOf(approvedAt)
	p.NDASignedAt, p.ValidUntil = r.startOf(ndaSignedAt), r.endOf(validUntil)
	hired, known := p.HireDate.Get()
	if left, leaves := p.LeaveDate.Get(); known && leaves && left.Before(hired) {
		r.complain("leave_date lies before hire_date")
	}
	return p
}

// cell is the text of a column; has is false when the file has no such column or the cell can't be used.
func (r *row) cell(c column) (text string, has bool) {
	at := r.table.at[c]
	if at < 0 {
		return "", false
	}
	text = strings.TrimSpace(r.cells[at])
	switch {
	case len(text) > longestCell:
		r.complain("%s is longer than %d bytes", columns[c], longestCell)
	case strings.ContainsFunc(text, func(x rune) bool { return unicode.IsControl(x) || x == utf8.RuneError }):
		r.complain("%s holds a character that can't be printed", columns[c])
	default:
		// A clone, or each cell would keep its whole line.
		return strings.Clone(text), true
	}
	return "", false
}

// text is a column in which an empty cell means none.
func (r *row) text(c column) inventory.Val[string] {
	text, has := r.cell(c)
	switch {
	case !has:
		return inventory.Val[string]{}
	case text == "":
		return inventory.Absent[string](r.read)
	}
	return inventory.Known(text, r.read)
}

// reference is an employee number, or an address in lower case.
func (r *row) reference(c column) inventory.Val[string] {
	v := r.text(c)
	if text, ok := v.Get(); ok && strings.Contains(text, "@") {
		return inventory.Known(strings.ToLower(text), r.read)
	}
	return v
}

// choice is one of a closed list; an empty cell leaves it unknown, or is wrong where it must be known.
func (r *row) choice(c column, list []string, must bool) inventory.Val[string] {
	text, has := r.cell(c)
	if !has || text == "" && !must {
		return inventory.Val[string]{}
	}
	at := slices.Index(list, text)
	if at < 0 {
		r.complain("%s is none of %s", columns[c], strings.Join(list, ", "))
		return inventory.Val[string]{}
	}
	return inventory.Known(list[at], r.read)
}

func (r *row) yesNo(c column) inventory.Val[bool] {
	text, has := r.cell(c)
	if !has {
		return inventory.Val[bool]{}
	}
	switch strings.ToLower(text) {
	case "true":
		return inventory.Known(true, r.read)
	case "false", "":
		return inventory.Known(false, r.read)
	}
	r.complain("%s is neither true nor false", columns[c])
	return inventory.Val[bool]{}
}

func (r *row) startOf(c column) inventory.Val[time.Time] {
	text, has := r.cell(c)
	switch {
	case !has:
		return inventory.Val[time.Time]{}
	case text == "":
		return inventory.Absent[time.Time](r.read)
	}
	at, err := parseDay(text)
	if err != nil {
		quoted := ""
		if dateLike.MatchString(text) {
			quoted = fmt.Sprintf(" %q", text)
		}
		r.complain("%s%s is not a date; write YYYY-MM-DD", columns[c], quoted)
		return inventory.Val[time.Time]{}
	}
	return inventory.Known(at, r.read)
}

func (r *row) endOf(c column) inventory.Val[time.Time] {
	v := r.startOf(c)
	if at, ok := v.Get(); ok {
		return inventory.Known(at.AddDate(0, 0, 1).Add(-time.Second), r.read)
	}
	return v
}

// addresses are the primary address and the aliases, each once, in lower case.
func (r *row) addresses() inventory.List[string] {
	primary, _ := r.cell(email)
	more, _ := r.cell(aliases)
	others := strings.FieldsFunc(more, func(x rune) bool { return x == ';' || x == ',' || unicode.IsSpace(x) })
	if primary == "" {
		if len(others) > 0 {
			r.complain("email is empty and aliases is not; write the main address into email")
		}
		return inventory.Closed[string](nil, r.read)
	}
	var list []string
	for i, a := range append([]string{primary}, others...) {
		a = strings.Map(asciiLower, a)
		if !address.MatchString(a) {
			r.complain("%s is not an address; write name@example.jp", columns[[]column{email, aliases}[min(i, 1)]])
		} else if !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return inventory.Closed(list, r.read)
}

func asciiLower(x rune) rune {
	if 'A' <= x && x <= 'Z' {
		return x + 'a' - 'A'
	}
	return x
}

// parseDay reads YYYY-MM-DD or YYYY/MM/DD as the start of that day in Asia/Tokyo. Spreadsheets drop leading zeros, which
// leaves no doubt.
func parseDay(text string) (time.Time, error) {
	part := day.FindStringSubmatch(text)
	if part == nil || part[2] != part[4] {
		return time.Time{}, errors.New("not a date")
	}
	at, err := time.ParseInLocation("2006-1-2", part[1]+"-"+part[3]+"-"+part[5], tokyo)
	if err != nil || at.Year() < 1900 || at.Year() > 2200 {
		return time.Time{}, errors.New("not a day of 1900 to 2200")
	}
	return at, nil
}
