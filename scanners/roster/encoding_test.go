package roster

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"

	"sptr.jp/tenken/findings/inventory"
)

func shiftJISOf(t testing.TB, text string) string {
	t.Helper()
	b, err := japanese.ShiftJIS.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEncodings(t *testing.T) {
	// ① and 髙 are not in JIS X 0208; ソ and 表 have a backslash as their second byte; ﾀﾅｶ is half-width.
	const text = "employee_no,email,type,leave_date,department,title\r\nE①,a@sptr.jp,employee,,髙橋ソ表部,ﾀﾅｶ\r\n"
	for name, c := range map[string]struct{ raw, encoding string }{
		"UTF-8":               {text, ""},
		"UTF-8 told":          {text, "utf-8"},
		"UTF-8 with mark":     {"\ufeff" + text, "auto"},
		"Shift_JIS":           {shiftJISOf(t, text), ""},
		"Shift_JIS told":      {shiftJISOf(t, text), "shift_jis"},
		"mixed ends of lines": {strings.Replace(text, "\r\n", "\n", 1), ""},
		"old ends of lines":   {strings.ReplaceAll(text, "\r\n", "\r"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			u := readText(t, c.raw, func(cfg *Config) { cfg.Encoding = c.encoding })
			if u.Outcome != inventory.Complete {
				t.Fatalf("%q %v", u.Outcome, u.Gaps())
			}
			p := u.Facts.People[0]
			if p.ID != "E①" || p.Department.Or("") != "髙橋ソ表部" || p.Title.Or("") != "ﾀﾅｶ" {
				t.Errorf("%q %q %q", p.ID, p.Department.Or(""), p.Title.Or(""))
			}
		})
	}
}

func TestEncodingsThatAreRefused(t *testing.T) {
	kana := shiftJISOf(t, "ﾃｱ") // the bytes of ñ in UTF-8
	row := func(department string) string {
		return "employee_no,email,type,leave_date,department\nE1,a@sptr.jp,employee,," + department + "\n"
	}
	for name, c := range map[string]struct{ raw, encoding, want string }{
		"UTF-16":              {"\xff\xfeE\x00", "", "it is UTF-16; save it as CSV UTF-8"},
		"neither":             {row("\xe3\x81\x82\x80\xff"), "", "neither UTF-8 (line 2: byte 0x80 is not UTF-8) nor Shift_JIS (line 2"},
		"either":              {row(kana), "", "it may be UTF-8 or Shift_JIS; say which with encoding"},
		"Shift_JIS as UTF-8":  {row(shiftJISOf(t, "開発")), "utf-8", "line 2: byte 0x8a is not UTF-8"},
		"mark and then worse": {"\ufeff" + row("\x80"), "", "line 2: byte 0x80 is not UTF-8"},
		"UTF-8 as Shift_JIS":  {row("\u00ff\xa0\xff"), "shift_jis", "line 2: a byte is not Shift_JIS"},
		"cut character":       {row("開発") + "\xe9\x96", "utf-8", "line 3: byte 0xe9"},
	} {
		t.Run(name, func(t *testing.T) {
			u := readText(t, c.raw, func(cfg *Config) { cfg.Encoding = c.encoding })
			got := details(u, inventory.DecodeError)
			if u.Outcome != inventory.Failed || len(got) != 1 || !strings.Contains(got[0], c.want) {
				t.Errorf("%q %q", u.Outcome, got)
			}
		})
	}
	for encoding, want := range map[string]string{"utf-8": "ñ", "shift_jis": "ﾃｱ"} {
		u := readText(t, row(kana), func(cfg *Config) { cfg.Encoding = encoding })
		if got := u.Facts.People[0].Department.Or(""); got != want {
			t.Errorf("as %s: %q", encoding, got)
		}
	}
}

func TestQuotedCells(t *testing.T) {
	u := readText(t, "employee_no,email,type,leave_date,department\n"+
		"\"E1\",a@sptr.jp,employee,,\"開発, \"\"基盤\"\"\"\n"+ // two quotes are one
		"E2,b@sptr.jp,employee,,\"two\nlines\"\n"+ // line 3 to 4: a line feed is not printable
		"E3,c@sptr.jp,employee,,x\n"+
		"E4,d@sptr.jp,employee,,\"never closed\nE5,e@sptr.jp,employee,,y\n")
	if got := fmt.Sprint(ids(u)); got != "[E1 E3]" {
		t.Errorf("kept %s", got)
	}
	if got := u.Facts.People[0].Department.Or(""); got != `開発, "基盤"` {
		t.Errorf("%q", got)
	}
	got := strings.Join(details(u, inventory.DecodeError), "")
	if !strings.Contains(got, "line 3: department holds") || !strings.Contains(got, "line 6: a quote that opens here is not closed") {
		t.Errorf("%q", got)
	}
}

func TestThreeHundredThousandRows(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(fullHeader)
	for i := range 300_000 {
		fmt.Fprintf(&b, "E%06d,山田 太郎,p%06d@sptr.jp,q%06d@sptr.jp,employee,developer,開発部,担当,2020-04-01,,,,E000001,,,,2020-04-01\n", i, i, i)
	}
	file := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	began := processorTime(t)
	u := readPath(t, file, func(c *Config) { c.Now = time.Now })
	took := processorTime(t) - began
	if u.Outcome != inventory.Complete || len(u.Facts.People) != 300_000 {
		t.Fatalf("%q with %d people %v", u.Outcome, len(u.Facts.People), u.Gaps())
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	t.Logf("%s for %d MiB; %d MiB held", took, b.Len()>>20, m.HeapAlloc>>20)
	if took > 30*time.Second { // it is 2 s, and the race detector's ten times that
		t.Errorf("took %s", took)
	}
	runtime.KeepAlive(u)
}

// processorTime doesn't mind what else the machine does.
func processorTime(t *testing.T) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		t.Fatal(err)
	}
	return time.Duration(use.Utime.Nano())
}

// Whatever the file holds: no panic, a settled outcome, no person twice, and nothing left out of a list that is complete.
func FuzzCollect(f *testing.F) {
	for _, text := range []string{small("E1,a@sptr.jp,employee,2026-01-01"), fullHeader + "E1,,a@sptr.jp,,vendor,,,,,,,,,,,,\n", "\ufeff# exported_at: 2026-11-01\r\n",
		"employee_no,email,type,leave_date\nE1,\"a\"b,employee,\n\"", "\x83\x5c,\xff", "#", "\"#\n"} {
		f.Add([]byte(text))
	}
	f.Add([]byte(shiftJISOf(f, small("E①,a@sptr.jp,employee,", "髙,b@sptr.jp,dispatched,2026/1/5"))))
	f.Fuzz(func(t *testing.T, raw []byte) {
		u := readText(t, string(raw))
		l := u.Listing(inventory.PersonKind)
		if u.Outcome == "" || l == nil || l.Complete != (u.Outcome == inventory.Complete) {
			t.Fatalf("outcome %q, listing %+v", u.Outcome, l)
		}
		seen := map[string]bool{}
		for _, p := range u.Facts.People {
			for _, key := range append([]string{"#" + p.ID}, p.Emails.Items...) {
				if seen[key] || key == "#" {
					t.Fatalf("%q stands twice or is empty", key)
				}
				seen[key] = true
			}
		}
		for _, g := range u.Gaps() {
			if !utf8.ValidString(g.Detail) || len(g.Detail) > 20_000 || g.Reason == "" {
				t.Fatalf("gap %+v", g)
			}
		}
		if l.Complete && len(u.Facts.People) == 0 {
			t.Fatal("a complete list of nobody")
		}
	})
}
