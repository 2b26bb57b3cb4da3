package policy

import (
	"bytes"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// broken is the data with one replacement in one file.
func broken(t *testing.T, file, old, repl string) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{}
	names, err := fs.Glob(data, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := data.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == file {
			if !bytes.Contains(b, []byte(old)) {
				t.Fatalf("%s has no %q to replace", file, old)
			}
			b = bytes.Replace(b, []byte(old), []byte(repl), 1)
		}
		fsys[name] = &fstest.MapFile{Data: b}
	}
	return fsys
}

// A clause about certain systems names some that a scanner can read, or nothing could ever answer it.
func TestClausesOfSystems(t *testing.T) {
	p, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for i := range p.Clauses {
		if c := &p.Clauses[i]; c.OfSystems {
			found++
			if len(p.ScannersOf(c.ID)) == 0 {
				t.Errorf("%s names no system that is read", c.ID)
			}
		}
	}
	if gcp := p.ScannersOf("NW.3.5"); found == 0 || len(gcp) != 1 || gcp[0] != "gcp" {
		t.Errorf("%d clauses; NW.3.5 is read by %v", found, gcp)
	}
}

func TestLoadNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ file, old, repl, want string }{
		{"clauses.yaml", "why:", "wy:", `clauses\.yaml: .*line \d+: field wy not found`},
		{"clauses.yaml", `id: "1.2"`, `id: "1.1"`, `clauses\.yaml: 1\.1 is there twice`},
		{"assets.yaml", "impact: 3", "impact: three", `assets\.yaml: .*line \d+: cannot unmarshal .*three`},
		{"assets.yaml", "id: IA-002", "id: IA-001", `assets\.yaml: IA-001 is there twice`},
		{"systems.yaml", "- id: entra-id", "- id:", `systems\.yaml: entry 1 has no id`},
		{"questions.yaml", "note:", "notes:", `questions\.yaml: .*line \d+: field notes not found`},
		{"parameters.yaml", "default: 24h", "default: soon", `parameters\.yaml: line \d+: leaver_grace: want a duration`},
		{"parameters.yaml", "type: duration", "type: span", `parameters\.yaml: line \d+: leaver_grace: no value has the type "span"`},
		{"parameters.yaml", "source: proposal", "source: us", `parameters\.yaml: roster_max_age_days: source "us"`},
		{"parameters.yaml", "    set_in: environments\n", "", `parameters\.yaml: .*own_accounts`},
		{"parameters.yaml", "default: 365", "default: 0", `parameters\.yaml: line \d+: snapshot_max_age_days: must be at least 1, not 0`},
	} {
		_, err := load(broken(t, c.file, c.old, c.repl))
		if err == nil || !regexp.MustCompile(`(?s)`+c.want).MatchString(err.Error()) {
			t.Errorf("%s with %q: got %v, want %s", c.file, c.repl, err, c.want)
		}
	}
	if _, err := load(fstest.MapFS{}); err == nil {
		t.Error("no files, no error")
	}
}

func TestVersion(t *testing.T) {
	v := Version()
	if !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(v) {
		t.Errorf("version %q", v)
	}
	if same := version(broken(t, "assets.yaml", "value: 6", "value: 6")); same != v {
		t.Errorf("the same data has versions %s and %s", v, same)
	}
	for _, file := range []string{"assets.yaml", "clauses.yaml", "parameters.yaml", "questions.yaml", "systems.yaml"} {
		if version(broken(t, file, "# ", "#  ")) == v {
			t.Errorf("a change of %s does not change the version", file)
		}
	}
}

// TestSplit writes a regulation of random bodies in which some headings were renamed. Not a character may be lost, and
// while the chapters keep their names each part must be that of the nearest heading before it.
func TestSplit(t *testing.T) {
	p := loaded(t)
	all := entries(p)
	chapters := map[string]string{}
	for _, ch := range p.Chapters {
		chapters[ch.ID] = ch.Title.JA
	}
	body := rapid.SliceOfN(rapid.StringMatching(`本文[あ-ん 　]{0,9}[0-9]\. [ア-ン]{1,5}`), 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]string{}
		var text strings.Builder
		at, moved := cover, false
		for _, h := range all {
			line := printed(h)
			title, opens := chapters[h.ID]
			if opens {
				line = title
			}
			switch {
			case h.ID == cover:
				line = ""
			case rapid.IntRange(0, 19).Draw(t, "rename") == 0:
				line = "新しい見出し"
				moved = moved || opens
			default:
				at = h.ID
			}
			lines := append([]string{line}, body.Draw(t, "body")...)
			want[at] += squeeze(strings.Join(lines, ""))
			text.WriteString(strings.Join(lines, "\r\n\n ") + "\n")
		}
		got := p.split(text.String())
		if diff := cmp.Diff(want, got); diff != "" && !moved {
			t.Fatalf("parts (-want +got):\n%s", diff)
		}
		var whole string
		for _, h := range all {
			whole += got[h.ID]
		}
		if whole != squeeze(text.String()) {
			t.Fatal("the parts together are not the text")
		}
	})
}

func TestFingerprint(t *testing.T) {
	p := loaded(t)
	old := "1. 組織的対策\n\n1. 情報セキュリティのための組織\n\n責任を負う。\n2. 情報セキュリティ取組みの監査・点検\n年1回。\n"
	reflowed := strings.ReplaceAll(old, "責任を負う。", "責任を\n 負　う。")
	changed := strings.ReplaceAll(old, "年1回", "年2回")
	a, b, c := p.split(old), p.split(reflowed), p.split(changed)
	for _, id := range []string{"1", "1.1", "1.2"} {
		if a[id] == "" || fingerprint(a[id]) != fingerprint(b[id]) {
			t.Errorf("%s: new line breaks changed %q to %q", id, a[id], b[id])
		}
		if same := fingerprint(a[id]) == fingerprint(c[id]); same != (id != "1.2") {
			t.Errorf("%s: same %v after a change of 1.2", id, same)
		}
	}
	swapped := p.split("1. 組織的対策\n2. 情報セキュリティ取組みの監査・点検\n年1回。\n1. 情報セキュリティのための組織\n")
	if _, ok := swapped["1.2"]; ok || swapped["1.1"] != "1.情報セキュリティのための組織" {
		t.Errorf("a heading out of order was taken: %q", swapped)
	}
	swapped = p.split("2. 人的対策\n本文\n1. 組織的対策\n")
	if _, ok := swapped["2"]; ok || swapped[cover] != "2.人的対策本文" {
		t.Errorf("a chapter out of order was taken: %q", swapped)
	}
}
