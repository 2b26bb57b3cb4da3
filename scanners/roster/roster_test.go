package roster

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sptr.jp/tenken/findings/inventory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 11, 24, 2, 0, 0, 0, tokyo)

const fullHeader = "employee_no,name,email,aliases,type,category,department,title,hire_date,leave_date,on_leave," +
	"department_changed_at,manager,approver,approved_at,valid_until,nda_signed_at\n"

// readText scans a text as a file that was written today.
func readText(t testing.TB, text string, change ...func(*Config)) *inventory.Unit {
	t.Helper()
	file := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, now, now); err != nil {
		t.Fatal(err)
	}
	return readPath(t, file, change...)
}

func readPath(t testing.TB, file string, change ...func(*Config)) *inventory.Unit {
	t.Helper()
	c := Config{System: "people", File: file, Kind: "people", Now: func() time.Time { return now }}
	for _, do := range change {
		do(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	plan := s.Plan(t.Context())
	s.Collect(t.Context(), &plan[0])
	return &plan[0]
}

// small makes a file of the four required columns.
func small(rows ...string) string {
	return "employee_no,email,type,leave_date\n" + strings.Join(rows, "\n") + "\n"
}

func ids(u *inventory.Unit) (ids []string) {
	for _, p := range u.Facts.People {
		ids = append(ids, p.ID)
	}
	return ids
}

func details(u *inventory.Unit, why inventory.Reason) (all []string) {
	for _, g := range u.Gaps() {
		if g.Reason == why {
			all = append(all, g.Detail)
		}
	}
	return all
}

func TestHeader(t *testing.T) {
	for name, c := range map[string]struct {
		text, want string
		change     func(*Config)
	}{
		"empty file":  {"", "it is empty; the first line names the columns", nil},
		"no people":   {small(), "it names nobody", nil},
		"blank rows":  {small(",,,", "  ,,,"), "it names nobody", nil},
		"unknown":     {"employee_no,email,type,leave_dat\n", `column 4 "leave_dat" is not known (map it with columns, or ignore it); column "leave_date" is missing`, nil},
		"twice":       {"employee_no,email,email,type,leave_date\n", `column "email" stands twice`, nil},
		"nameless":    {"employee_no,,email,type,leave_date\n", `column 2 "" is not known`, nil},
		"own missing": {"employee_no,email,type,leave_date\n", `column "メール" is missing`, func(c *Config) { c.Columns = map[string]string{"email": "メール"} }},
		"quote":       {"\"employee_no,email\n", "the header can't be read: a quote", nil},
		"comment":     {"# hello\n" + small("E1,a@sptr.jp,employee,"), "line 1: it begins with # and does not say when", nil},
	} {
		t.Run(name, func(t *testing.T) {
			change := c.change
			if change == nil {
				change = func(*Config) {}
			}
			u := readText(t, c.text, change)
			got := details(u, inventory.DecodeError)
			if u.Outcome != inventory.Failed || len(got) != 1 || !strings.Contains(got[0], c.want) {
				t.Errorf("%q %q", u.Outcome, got)
			}
		})
	}
	u := readText(t, "番号,メール,type,給与,leave_date,,\nE1,a@sptr.jp,vendor,1000,,,\n", func(c *Config) {
		c.Columns, c.Ignore = map[string]string{"employee_no": "番号", "email": "メール"}, []string{"給与"}
	})
	if u.Outcome != inventory.Complete || u.Facts.People[0].Name != "a@sptr.jp" {
		t.Errorf("own headers: %q %v", u.Outcome, u.Gaps())
	}
}

func TestFreshness(t *testing.T) {
	row := small("E1,a@sptr.jp,employee,")
	written := func(age time.Duration) func(*Config) {
		return func(c *Config) { c.Now = func() time.Time { return now.Add(age) } }
	}
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		text   string
		change func(*Config)
		want   string
	}{
		"fresh":           {row, written(31 * day), ""},
		"old file":        {row, written(31*day + time.Second), "the file's own date 2026-11-24 is older than the 31 days that are allowed; export the list again"},
		"own limit":       {row, func(c *Config) { written(3 * day)(c); c.MaxAge = 2 * day }, "older than the 2 days"},
		"says so":         {"# exported_at: 2026-10-01\n" + row, written(0), "exported_at 2026-10-01 is older than"},
		"fresh export":    {"# exported_at: 2026-11-20T09:00:00+09:00\n" + row, written(20 * day), ""},
		"by spreadsheet":  {"# exported_at: 2026/10/1,,,\n" + row, written(0), "exported_at 2026-10-01 is older than"},
		"quoted":          {"\"# exported_at: 2026-10-01\"\n" + row, written(0), "exported_at 2026-10-01 is older than"},
		"from the future": {"# exported_at: 2027-11-20\n" + row, written(0), "exported_at 2027-11-20 lies in the future; correct it"},
	} {
		t.Run(name, func(t *testing.T) {
			u := readText(t, c.text, c.change)
			if got := strings.Join(details(u, inventory.Stale), ""); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
				t.Errorf("got %q", got)
			}
			if stale := c.want != ""; u.Listing(inventory.PersonKind).Complete == stale || len(u.Facts.People) != 1 {
				t.Errorf("complete %v with %d people", !stale, len(u.Facts.People))
			}
		})
	}
	u := readText(t, "# exported_at: 2026-11-20\n"+small("E1,a@sptr.jp,x,"))
	if got := details(u, inventory.DecodeError); len(got) != 1 || !strings.Contains(got[0], "line 3: type") {
		t.Errorf("lines are counted without the first: %q", got)
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := syscall.Mkfifo(path("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, link := range [][2]string{{"loop", "loop"}, {"people.csv", "link"}} {
		if err := os.Symlink(link[0], path(link[1])); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"none.csv": "there is no such file; put the export there", ".": "no regular file",
		"pipe": "no regular file", "loop": "too many levels", "none.csv/x": "there is no such file"} {
		u := readPath(t, path(name))
		g := u.Gaps()
		if u.Outcome != inventory.Skipped || len(g) != 1 || g[0].Reason != inventory.NotConfigured || !strings.Contains(g[0].Detail, want) {
			t.Errorf("%s: %q %v", name, u.Outcome, g)
		}
		if strings.Contains(g[0].Detail, dir) {
			t.Errorf("%s: the folder is in %q", name, g[0].Detail)
		}
	}
	if err := os.WriteFile(path("people.csv"), []byte(small("E1,a@sptr.jp,employee,")), 0o000); err != nil {
		t.Fatal(err)
	}
	if u := readPath(t, path("link"), func(c *Config) { c.Now = time.Now }); os.Geteuid() == 0 && u.Outcome != inventory.Complete {
		t.Errorf("through a link: %v", u.Gaps())
	} else if os.Geteuid() != 0 && u.Outcome != inventory.Denied {
		t.Errorf("unreadable: %q %v", u.Outcome, u.Gaps())
	}
}

func TestCaps(t *testing.T) {
	file := filepath.Join(t.TempDir(), "people.csv")
	text := small("E1,a@sptr.jp,employee,", "E2,b@sptr.jp,employee,", "E3,c@sptr.jp,employee,")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		limits limits
		want   inventory.Outcome
	}{
		"exactly":  {limits{len(text), 3}, inventory.Complete},
		"one byte": {limits{len(text) - 1, 3}, inventory.Failed},
		"one row":  {limits{len(text), 2}, inventory.Failed},
	} {
		s, err := New(Config{System: "people", File: file, Kind: "people"})
		if err != nil {
			t.Fatal(err)
		}
		s.limits = c.limits
		u := s.Plan(t.Context())[0]
		s.Collect(t.Context(), &u)
		if u.Outcome != c.want || c.want == inventory.Failed && (u.Gaps()[0].Reason != inventory.TooLarge || len(u.Facts.People) != 0) {
			t.Errorf("%s: %q %v", name, u.Outcome, u.Gaps())
		}
	}
}

func TestCancelled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(file, []byte(small("E1,a@sptr.jp,employee,")), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{System: "people", File: file, Kind: "people"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	u := s.Plan(ctx)[0]
	s.Collect(ctx, &u)
	if u.Outcome != inventory.Failed || u.Gaps()[0].Reason != inventory.Cancelled {
		t.Errorf("%q %v", u.Outcome, u.Gaps())
	}
}

func TestConfig(t *testing.T) {
	for want, c := range map[string]Config{
		"system hr: file is missing":               {Kind: "people"},
		`system hr: kind "accounts" is not known`:  {File: "x", Kind: "accounts"},
		`encoding "latin1" is not known; write`:    {File: "x", Kind: "people", Encoding: "latin1"},
		"can't be negative":                        {File: "x", Kind: "people", MaxAge: -1},
		`columns: "mail" is no column; write one`:  {File: "x", Kind: "people", Columns: map[string]string{"mail": "x"}},
		`header "x" stands for leave_date and`:     {File: "x", Kind: "people", Columns: map[string]string{"hire_date": "x", "leave_date": "x"}},
		`header "email" stands for manager and is`: {File: "x", Kind: "people", Columns: map[string]string{"manager": "email"}},
	} {
		c.System = "hr"
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestSchemaIsWhatIsRead(t *testing.T) {
	var schema struct {
		TableSchema struct {
			PrimaryKey string
			Columns    []struct {
				Name, Titles string
				Description  string `json:"dc:description"`
				Required     bool
				Datatype     struct{ Base, Format string }
			}
		}
	}
	if err := json.Unmarshal(PeopleSchema, &schema); err != nil {
		t.Fatal(err)
	}
	if len(schema.TableSchema.Columns) != int(columnCount) || schema.TableSchema.PrimaryKey != columns[employeeNo] {
		t.Fatalf("%d columns, key %q", len(schema.TableSchema.Columns), schema.TableSchema.PrimaryKey)
	}
	for i, c := range schema.TableSchema.Columns {
		if c.Name != columns[i] || c.Titles != columns[i] || c.Description == "" {
			t.Errorf("column %d is %q, want %q", i, c.Name, columns[i])
		}
		needed := slices.Contains(required, column(i))
		if needed != strings.Contains(c.Description, "column") || c.Required && !needed {
			if i != int(aliases) { // which speaks of a column that need not be there
				t.Errorf("%s: required is %v, its text says %q", c.Name, needed, c.Description)
			}
		}
		switch column(i) {
		case employmentType:
			if c.Datatype.Format != strings.Join(employmentTypes, "|") {
				t.Errorf("types %q", c.Datatype.Format)
			}
		case category:
			if c.Datatype.Format != strings.Join(categories, "|") {
				t.Errorf("categories %q", c.Datatype.Format)
			}
		case hireDate, leaveDate, departmentChangedAt, approvedAt, validUntil, ndaSignedAt:
			if c.Datatype.Base != "date" {
				t.Errorf("%s is %q", c.Name, c.Datatype.Base)
			}
		}
	}
}

func TestDemoCompanyReadsWell(t *testing.T) {
	u := readPath(t, "../../fixtures/sptr/people.csv", func(c *Config) { c.Now = time.Now; c.MaxAge = 1 << 62 })
	if u.Outcome != inventory.Complete || len(u.Facts.People) < 20 {
		t.Errorf("%q with %d people, gaps %v", u.Outcome, len(u.Facts.People), u.Gaps())
	}
}
