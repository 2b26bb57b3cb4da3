package roster

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sptr.jp/tenken/findings/inventory"
)

func TestOnePersonWithEverything(t *testing.T) {
	u := readText(t, fullHeader+
		`E1,佐伯 誠一,Taro.Saeki@SPTR.jp,"saeki@sptr.jp; TARO.SAEKI@sptr.jp",contractor,developer,=1+1,"CTO, 代表",2020/4/1,2026-03-31,TRUE,2025-04-01,B@sptr.jp,E2,2026-01-05,2026-12-31,2020-04-01`+"\n")
	if u.Outcome != inventory.Complete || !u.Listing(inventory.PersonKind).Complete {
		t.Fatalf("outcome %q, gaps %v", u.Outcome, u.Gaps())
	}
	got, err := json.Marshal(u.Facts.People[0])
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"E1","subtype":"roster:person","name":"taro.saeki@sptr.jp","emails":[1,["taro.saeki@sptr.jp","saeki@sptr.jp"]],` +
		`"employment_type":[1,"contractor"],"category":[1,"developer"],"department":[1,"=1+1"],"title":[1,"CTO, 代表"],` +
		`"hire_date":[1,"2020-04-01T00:00:00+09:00"],"leave_date":[1,"2026-03-31T23:59:59+09:00"],"on_leave":[1,true],` +
		`"department_changed_at":[1,"2025-04-01T00:00:00+09:00"],"manager":[1,"b@sptr.jp"],"approver":[1,"E2"],` +
		`"approved_at":[1,"2026-01-05T00:00:00+09:00"],"valid_until":[1,"2026-12-31T23:59:59+09:00"],"nda_signed_at":[1,"2020-04-01T00:00:00+09:00"]}`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	all, _ := json.Marshal(u)
	if strings.Contains(string(all), "佐伯") {
		t.Error("the name is kept")
	}
	if r := u.Reads[1]; r.Operation != "roster:people" || !strings.HasPrefix(r.Detail, "sha256:") || len(r.Detail) != 7+64 {
		t.Errorf("read %+v", r)
	}
}

func TestEmptyCellsAndMissingColumns(t *testing.T) {
	p := readText(t, fullHeader+"E1,,,,employee,,,,,,,,,,,,\n").Facts.People[0]
	if p.Name != "E1" || p.Emails.IsOpen() || len(p.Emails.Items) != 0 {
		t.Errorf("without an address: name %q, addresses %v", p.Name, p.Emails)
	}
	if leave, ok := p.OnLeave.Get(); !ok || leave {
		t.Error("on_leave: an empty cell means false")
	}
	for what, absent := range map[string]bool{"department": p.Department.IsAbsent(), "title": p.Title.IsAbsent(),
		"leave_date": p.LeaveDate.IsAbsent(), "department_changed_at": p.DepartmentChangedAt.IsAbsent(), "manager": p.Manager.IsAbsent(),
		"approver": p.Approver.IsAbsent(), "approved_at": p.ApprovedAt.IsAbsent(), "valid_until": p.ValidUntil.IsAbsent(),
		"nda_signed_at": p.NDASignedAt.IsAbsent()} {
		if !absent {
			t.Errorf("%s: an empty cell means none", what)
		}
	}
	if !p.HireDate.IsUnknown() || !p.Category.IsUnknown() {
		t.Error("everybody has a hire date and a category: an empty cell leaves them unknown")
	}
	p = readText(t, small("E1,a@sptr.jp,employee,")).Facts.People[0]
	for what, unknown := range map[string]bool{"department": p.Department.IsUnknown(), "on_leave": p.OnLeave.IsUnknown(),
		"nda_signed_at": p.NDASignedAt.IsUnknown(), "approved_at": p.ApprovedAt.IsUnknown(), "valid_until": p.ValidUntil.IsUnknown()} {
		if !unknown {
			t.Errorf("%s: the file has no such column", what)
		}
	}
}

func TestBadRowsAreNamedAndLeftOut(t *testing.T) {
	row := func(change ...string) string {
		cells := map[string]string{"employee_no": "E2", "email": "b@sptr.jp", "type": "employee"}
		for i := 0; i < len(change); i += 2 {
			cells[change[i]] = change[i+1]
		}
		line := make([]string, columnCount)
		for i, c := range columns {
			line[i] = cells[c]
		}
		return strings.Join(line, ",")
	}
	for name, c := range map[string]struct{ row, want string }{
		"date":              {row("leave_date", "2026/13/01"), `line 3: leave_date "2026/13/01" is not a date; write YYYY-MM-DD`},
		"day of no month":   {row("hire_date", "2026-02-30"), `line 3: hire_date "2026-02-30" is not a date`},
		"mixed separators":  {row("hire_date", "2026-02/03"), `hire_date "2026-02/03" is not a date`},
		"two-digit year":    {row("hire_date", "26/02/03"), `hire_date "26/02/03" is not a date`},
		"far year":          {row("valid_until", "9999-12-31"), `valid_until "9999-12-31" is not a date`},
		"era":               {row("hire_date", "令和8年4月1日"), `hire_date is not a date`},
		"a name for a date": {row("hire_date", "山田太郎"), `line 3: hire_date is not a date; write YYYY-MM-DD`},
		"type":              {row("type", "正社員"), "line 3: type is none of director, employee, dispatched, part_time, contractor, vendor"},
		"no type":           {row("type", ""), "line 3: type is none of director"},
		"case of a type":    {row("type", "Employee"), "line 3: type is none of director"},
		"category":          {row("category", "x"), "line 3: category is none of general, developer"},
		"on_leave":          {row("on_leave", "yes"), "line 3: on_leave is neither true nor false"},
		"no number":         {row("employee_no", " "), "line 3: employee_no is empty"},
		"address":           {row("email", "b＠sptr.jp"), "line 3: email is not an address"},
		"name and address":  {row("email", "B <b@sptr.jp>"), "line 3: email is not an address"},
		"look-alike letter": {row("email", "\u212a@sptr.jp"), "line 3: email is not an address"},
		"alias":             {row("aliases", "b2@sptr.jp;b3"), "line 3: aliases is not an address"},
		"alias alone":       {row("email", "", "aliases", "b2@sptr.jp"), "line 3: email is empty and aliases is not"},
		"left before hired": {row("hire_date", "2026-04-01", "leave_date", "2026-03-31"), "line 3: leave_date lies before hire_date"},
		"too few cells":     {"E2,,b@sptr.jp", "line 3: it has 3 cells and the header has 17"},
		"too many cells":    {row() + ",x", "line 3: it has 18 cells and the header has 17"},
		"quote":             {`E2,,b"b@sptr.jp,,employee`, "line 3: a quote is out of place"},
		"terminal control":  {row("department", "\x1b[31mred"), "line 3: department holds a character that can't be printed"},
		"wrongly converted": {row("title", "\ufffd"), "line 3: title holds a character that can't be printed"},
		"long cell":         {row("title", strings.Repeat("あ", 400)), "line 3: title is longer than 1000 bytes"},
		"two mistakes":      {row("type", "x", "on_leave", "y"), "vendor, on_leave is neither true nor false"},
	} {
		t.Run(name, func(t *testing.T) {
			good := strings.Repeat(",", int(columnCount)-5)
			u := readText(t, fullHeader+"E1,,a@sptr.jp,,employee"+good+"\n"+c.row+"\n"+"E3,,c@sptr.jp,,employee"+good+"\n")
			got := details(u, inventory.DecodeError)
			if len(got) != 1 || !strings.Contains(got[0], c.want) || !strings.HasPrefix(got[0], "people.csv: 1 bad rows are left out: line 3") {
				t.Fatalf("got %q, want %q", got, c.want)
			}
			if diff := cmp.Diff([]string{"E1", "E3"}, ids(u)); diff != "" {
				t.Error(diff)
			}
			if u.Outcome != inventory.Partial || u.Listing(inventory.PersonKind).Complete {
				t.Errorf("outcome %q, complete %v", u.Outcome, u.Listing(inventory.PersonKind).Complete)
			}
		})
	}
}

func TestDuplicatesMakeBothRowsBad(t *testing.T) {
	for name, c := range map[string]struct {
		rows []string
		want string
		left []string
	}{
		"number":          {[]string{"E1,,a@sptr.jp,,employee", "E1,,b@sptr.jp,,employee"}, "line 2: employee_no is that of line 3 too; line 3: employee_no is that of line 2 too", nil},
		"address":         {[]string{"E1,,a@sptr.jp,,employee", "E2,,b@sptr.jp,,employee", "E3,,A@sptr.jp,,employee"}, "line 2: email is that of line 4 too; line 4: email is that of line 2 too", []string{"E2"}},
		"alias":           {[]string{"E1,,a@sptr.jp,,employee", "E2,,b@sptr.jp,A@sptr.jp,employee"}, "line 3: aliases is that of line 2 too", nil},
		"of a bad row":    {[]string{"E1,,a@sptr.jp,,nonsense", "E1,,b@sptr.jp,,employee"}, "line 3: employee_no is that of line 2 too", nil},
		"own alias twice": {[]string{"E1,,a@sptr.jp,A@sptr.jp a@sptr.jp,employee"}, "", []string{"E1"}},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range c.rows {
				c.rows[i] += strings.Repeat(",", int(columnCount)-5)
			}
			u := readText(t, fullHeader+strings.Join(c.rows, "\n"))
			if got := strings.Join(details(u, inventory.DecodeError), ""); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
				t.Errorf("got %q", got)
			}
			if diff := cmp.Diff(c.left, ids(u)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestManyBadRowsStayShort(t *testing.T) {
	u := readText(t, small(slices.Repeat([]string{"E1,a@sptr.jp,x,"}, 5000)...))
	got := details(u, inventory.DecodeError)
	if len(got) != 1 || !strings.Contains(got[0], "5000 bad rows") || !strings.HasSuffix(got[0], "and 4990 more") || len(got[0]) > 12000 {
		t.Errorf("%d bytes: %.300q", len(got[0]), got[0])
	}
}
