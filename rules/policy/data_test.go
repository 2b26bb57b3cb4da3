package policy

import (
	"encoding/hex"
	"regexp"
	"slices"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"sptr.jp/tenken/findings"
)

func loaded(t testing.TB) *Policy {
	t.Helper()
	p, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestClauses(t *testing.T) {
	p := loaded(t)
	count := map[string]int{}
	for _, c := range p.Clauses {
		count[c.Class]++
		if c.Class == Automated && len(c.Rules) == 0 {
			t.Errorf("%s is automated but no rule answers it", c.ID)
		}
		if asks := c.Asks != (findings.Text{}); asks != (c.Class != Automated) {
			t.Errorf("%s is %s; has asks: %v", c.ID, c.Class, asks)
		}
		if p.Clause(c.ID) == nil || p.Clause(c.ID).ID != c.ID {
			t.Errorf("%s is not found by its number", c.ID)
		}
	}
	if diff := cmp.Diff(map[string]int{Automated: 74, Evidence: 60, Manual: 45}, count); diff != "" {
		t.Errorf("classes (-want +got):\n%s", diff)
	}
	if len(p.Clauses) != 179 {
		t.Errorf("%d clauses, want 179", len(p.Clauses))
	}
	for id, under := range map[string]string{"6.2.1": "ソフトウェアの利用", "14.1.5.4": "実施手順", "5.1.L2": "セキュリティ領域の設定", "1.1": "", "13.R": ""} {
		if got := p.Clause(id).Under.JA; got != under {
			t.Errorf("%s stands under %q, want %q", id, got, under)
		}
	}
	if c := p.Clause("NW.3.4"); c.Chapter != "NW" {
		t.Errorf("NW.3.4 is in chapter %q", c.Chapter)
	}
}

func TestAssets(t *testing.T) {
	p := loaded(t)
	defaults := 0
	for _, a := range p.Assets {
		if a.Value != a.Impact*a.Likelihood || a.Impact < 1 || a.Impact > 3 || a.Likelihood < 1 || a.Likelihood > 3 {
			t.Errorf("%s: %d × %d = %d", a.ID, a.Impact, a.Likelihood, a.Value)
		}
		if a.Default != (a.ID[:4] == "DEF-") {
			t.Errorf("%s: default is %v", a.ID, a.Default)
		}
		if a.Default {
			defaults++
		}
		if len(a.KeyRules) == 0 || len(a.SupportingRules) == 0 {
			t.Errorf("%s has no rules", a.ID)
		}
		for _, r := range a.KeyRules {
			if slices.Contains(a.SupportingRules, r) {
				t.Errorf("%s: %s is both a key and a supporting rule", a.ID, r)
			}
		}
	}
	if len(p.Assets) != 11 || defaults != 3 {
		t.Errorf("%d assets, %d of them ours; want 11 and 3", len(p.Assets), defaults)
	}
	want := Formula{LikelihoodIfKeyFails: 3, LikelihoodIfSupportingFails: 2, SupportingRaisesAt: 2, ImpactIfLevel3: 3,
		UnverifiedShare: 0.5, Bands: []Band{{6, findings.Text{JA: "高", EN: "High"}}, {3, findings.Text{JA: "中", EN: "Medium"}},
			{1, findings.Text{JA: "低", EN: "Low"}}}}
	if diff := cmp.Diff(want, p.Formula); diff != "" {
		t.Errorf("formula (-want +got):\n%s", diff)
	}
}

func TestSystems(t *testing.T) {
	p := loaded(t)
	types := []string{"aws", "gcp", "googleworkspace", "entra", "github", "slack", "zoho", "zendesk", "youtrack", "roster"}
	read := map[string]bool{}
	for _, s := range p.Systems {
		for _, sc := range s.Scanners {
			read[sc] = true
			if !slices.Contains(types, sc) {
				t.Errorf("%s: no scanner has the type %q", s.ID, sc)
			}
		}
	}
	if len(p.Systems) != 55 {
		t.Errorf("%d systems, want 55", len(p.Systems))
	}
	if len(read) != len(types) {
		t.Errorf("systems are read by %v only", read)
	}
	if s := p.System("money-forward"); s == nil || !slices.Equal(s.Scanners, []string{"roster"}) {
		t.Errorf("money-forward: %+v", s)
	}
}

// cited lists, by the entry that cites them, every clause number and every rule id of the data.
func cited(p *Policy) (clauses, rules map[string][]string) {
	clauses, rules = map[string][]string{}, map[string][]string{}
	for _, c := range p.Clauses {
		rules[c.ID] = c.Rules
	}
	for _, a := range p.Assets {
		clauses[a.ID], rules[a.ID] = a.Clauses, slices.Concat(a.KeyRules, a.SupportingRules)
	}
	for _, s := range p.Systems {
		clauses[s.ID], rules[s.ID] = s.Clauses, s.Rules
	}
	for _, q := range p.Parameters {
		clauses[q.Key] = q.Clauses
	}
	for _, q := range p.Questions {
		clauses[q.ID] = q.Clauses
	}
	return clauses, rules
}

func TestReferences(t *testing.T) {
	p := loaded(t)
	clauses, rules := cited(p)
	for by, ids := range clauses {
		if len(ids) == 0 {
			t.Errorf("%s cites no clause", by)
		}
		for _, id := range ids {
			if p.Clause(id) == nil {
				t.Errorf("%s cites clause %s, which is not there", by, id)
			}
		}
	}
	kebab := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	for by, ids := range rules {
		for i, id := range ids {
			if !kebab.MatchString(id) || slices.Contains(ids[:i], id) {
				t.Errorf("%s names rule %q, which is no rule id or there twice", by, id)
			}
		}
	}
	seen := map[string]bool{}
	for _, q := range p.Questions {
		if seen[q.ID] || !kebab.MatchString(q.ID) {
			t.Errorf("question %q is there twice or has no proper id", q.ID)
		}
		seen[q.ID] = true
	}
}

func TestBothLanguages(t *testing.T) {
	p := loaded(t)
	texts := map[string]findings.Text{} // prose, in which Japanese has kana or kanji
	names := map[string]findings.Text{} // titles and names, which may be "SaaS" in both languages
	for _, ch := range p.Chapters {
		names["chapter "+ch.ID] = ch.Title
		for _, h := range ch.Headings {
			names["heading "+h.ID] = h.Title
		}
	}
	for _, c := range p.Clauses {
		names["title "+c.ID], texts["why "+c.ID] = c.Title, c.Why
		if c.Class != Automated {
			texts["asks "+c.ID] = c.Asks
		}
	}
	for _, a := range p.Assets {
		texts["name "+a.ID], texts["threat "+a.ID], texts["vulnerability "+a.ID] = a.Name, a.Threat, a.Vulnerability
	}
	for _, s := range p.Systems {
		names["name "+s.ID] = s.Name
		if s.Note != (findings.Text{}) {
			texts["note "+s.ID] = s.Note
		}
	}
	for _, q := range p.Parameters {
		texts["purpose "+q.Key] = q.Purpose
	}
	for _, q := range p.Questions {
		texts["topic "+q.ID], texts["note "+q.ID] = q.Topic, q.Note
	}
	japanese := func(s string) bool {
		return slices.ContainsFunc([]rune(s), func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han) })
	}
	for at, x := range texts {
		names[at] = x
		if !japanese(x.JA) {
			t.Errorf("%s: no Japanese in %q", at, x.JA)
		}
	}
	for at, x := range names {
		if x.JA == "" || x.EN == "" || japanese(x.EN) {
			t.Errorf("%s: %+v", at, x)
		}
	}
}

func TestFingerprintsAreThere(t *testing.T) {
	for _, h := range entries(loaded(t)) {
		if b, err := hex.DecodeString(h.SHA256); err != nil || len(b) != 32 {
			t.Errorf("%s: sha256 is %q", h.ID, h.SHA256)
		}
	}
}

// entries lists all that has a part of the text, in the order of the text.
func entries(p *Policy) (all []Heading) {
	for _, ch := range p.Chapters {
		if ch.Clauses[0].ID != cover {
			all = append(all, Heading{ch.ID, ch.Title, ch.SHA256})
		}
		all = append(all, ch.inOrder()...)
	}
	return all
}
