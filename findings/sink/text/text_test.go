package text

import (
	"bytes"
	"strings"
	"testing"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"本番 db-1 🙂":                      "本番 db-1 🙂",
		"a\x1b[31mred":                   `a\u{1b}[31mred`,
		"a\rb\nc\td":                     `a\u{d}b\u{a}c\u{9}d`,
		"x\u202eexe.gpj":                 `x\u{202e}exe.gpj`,
		"c1\u009b31m":                    `c1\u{9b}31m`,
		"\u2028\u2066":                   `\u{2028}\u{2066}`,
		"bad\xffutf8":                    `bad\u{fffd}utf8`,
		"\x1b]8;;http://x\x07link\x1b\\": `\u{1b}]8;;http://x\u{7}link\u{1b}\`,
	} {
		if got := Clean(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1b[0m\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range Clean(s) {
			if r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
				t.Fatalf("%q lets %U through", s, r)
			}
		}
	})
}

func finding(rule string, sev findings.Severity, incident int, name string) findings.Finding {
	return findings.Finding{Rule: rule, Verdict: findings.Fail, Severity: sev, IncidentLevel: &incident,
		Message: findings.Text{JA: "理由\x1b", EN: "reason\x1b"}, Resource: findings.Resource{ID: "arn", Name: name, System: "spartraining", Account: "333"}}
}

func document() *findings.Document {
	d := &findings.Document{
		Coverage: findings.Coverage{Assessed: 7, Planned: 9, Gaps: []findings.CoverageGap{
			{Permission: "rds:DescribeDBInstances", Reason: inventory.AccessDenied}, {Permission: "iam:GetCredentialReport", Reason: inventory.AccessDenied},
			{Permission: "iam:GetCredentialReport", Reason: inventory.AccessDenied}, {Permission: "ec2:DescribeVolumes", Reason: inventory.Throttled}}},
		Summary: findings.Summary{Fail: 6, Unknown: 2, Severities: map[findings.Severity]int{findings.Critical: 1, findings.Low: 5}},
		Rules:   map[string]findings.Rule{"low-rule": {Title: findings.Text{JA: "低い規則", EN: "low claim"}}, "public": {Title: findings.Text{JA: "公開", EN: "not public"}}},
		Clauses: []findings.ClauseState{
			{Clause: findings.Clause{ID: "4.4", Chapter: "4. アクセス制御", Title: findings.Text{JA: "退職", EN: "leavers"}}, State: "fail", Counts: findings.Summary{Fail: 5, Pass: 2}},
			{Clause: findings.Clause{ID: "1.1"}, State: "manual"}, {Clause: findings.Clause{ID: "1.2"}, State: "not_built"},
			{Clause: findings.Clause{ID: "3.4", Chapter: "3. 資産", Title: findings.Text{JA: "復元", EN: "restore"}}, State: "partly", Counts: findings.Summary{Pass: 3}, NotBuilt: []string{"x"}},
		},
	}
	for _, n := range []string{"a", "b", "c", "d", "e"} {
		d.Findings = append(d.Findings, finding("low-rule", findings.Low, 0, n))
	}
	d.Findings = append(d.Findings, finding("public", findings.Critical, 3, "report\ning"))
	return d
}

func TestSummary(t *testing.T) {
	for lang, want := range map[string][]string{
		"ja": {"4.4      違反     退職  （違反 5件・適合 2件）", "3.4      一部確認 復元  （適合 3件・未対応の規則 1）", "[重大] public  1件", "ほか1件", "確認できた範囲: 7 / 9 単位", "違反: 重大 1件・低 5件 ／ 未確認: 2件\n",
			`最も重いもの: public report\u{a}ing (spartraining/333); low-rule a`, "次に許可が必要なもの: iam:GetCredentialReport, rds:DescribeDBInstances\n", "ファイル: out/findings.json", `理由\u{1b}`,
			"ほかに 対象なし 0 条項・人が確認する 1 条項・本版が未対応の 1 条項"},
		"en": {"4.4      FAIL     leavers  (FAIL 5, pass 2)", "3.4      partly   restore  (pass 3, 1 not built)", "[critical] public  1", "and 1 more", "assessed: 7 of 9 units", "failures: critical 1, low 5; unknown: 2\n",
			"permit next: iam:GetCredentialReport, rds:DescribeDBInstances\n", "files: out/findings.json"},
	} {
		var b bytes.Buffer
		if err := Summary(&b, document(), lang, []string{"out/findings.json"}); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s: %q is missing in:\n%s", lang, w, b.String())
			}
		}
		if strings.Index(b.String(), "public") > strings.Index(b.String(), "low-rule") {
			t.Errorf("%s: the worst rule does not come first", lang)
		}
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		if n := len(lines); n < 5 || !strings.Contains(lines[n-5], "7") || lines[0] != lines[n-5] {
			t.Errorf("%s: it does not begin and end with what was assessed:\n%s", lang, b.String())
		}
	}
}

// What could not be looked at is told in groups, the widest first, with what to do; a declared gap stays visible.
func TestGaps(t *testing.T) {
	d := &findings.Document{Summary: findings.Summary{Unknown: 12}, Coverage: findings.Coverage{Planned: 9,
		NotBuilt: []string{"entra-id", "google-workspace", "github", "slack", "zendesk", "zoho-crm"}}}
	denied := findings.CoverageGap{System: "prod", Account: "1", Collector: "rds", Reason: inventory.AccessDenied, Operation: "rds:DescribeDBInstances", Permission: "rds:DescribeDBInstances"}
	for _, region := range []string{"r-1", "r-2", "r-2"} { // two units, one of which was denied twice
		denied.Region = region
		d.Coverage.Gaps = append(d.Coverage.Gaps, denied)
	}
	d.Coverage.Gaps = append(d.Coverage.Gaps,
		findings.CoverageGap{System: "people", Collector: "people", Reason: inventory.DecodeError, Operation: "roster:people", Detail: "people.csv: line 3: email is no address\x1b"},
		findings.CoverageGap{System: "prod", Account: "1", Collector: "iam", Reason: inventory.Stale, Operation: "iam:GetCredentialReport", Detail: "older than the user", Declared: true},
		findings.CoverageGap{System: "slack", Collector: "connection", Reason: inventory.NotConnected, Operation: "slack:connect", Detail: "configure it"},
		findings.CoverageGap{System: "prod", Account: "2", Collector: "iam", Reason: inventory.Throttled, Operation: "iam:GetAccountSummary", Permission: "iam:GetAccountSummary"})
	want := map[string]string{"en": `
What could not be looked at
  - rds:DescribeDBInstances: not permitted (units: 2) → permit rds:DescribeDBInstances
  - iam:GetAccountSummary: throttled (units: 1) → run again
  - roster:people: could not be understood (units: 1) → mend what is said below and run again
    people.csv: line 3: email is no address\u{1b}
  - slack: not connected (units: 1) → configure it under systems of tenken.yaml, or declare it under not_used
  - iam:GetCredentialReport: too old (units: 1) → declared as a known gap
    older than the user

Systems that the regulation names and this version can't read: 6 (entra-id, google-workspace, github, slack, zendesk …; tenken clauses --systems lists them)

assessed: 0 of 9 units
failures: none; unknown: 12
`, "ja": `
  - rds:DescribeDBInstances: 許可がない（2単位） → 許可する: rds:DescribeDBInstances
`}
	for lang, w := range want {
		var b bytes.Buffer
		if err := Summary(&b, d, lang, nil); err != nil || !strings.Contains(b.String(), w) {
			t.Errorf("%s: %v\n%s\nlacks%s", lang, err, b.String(), w)
		}
	}
	for i := range 9 {
		d.Coverage.Gaps = append(d.Coverage.Gaps, findings.CoverageGap{System: "prod", Reason: inventory.Timeout, Operation: strings.Repeat("x", i+1)})
	}
	var b bytes.Buffer
	if err := Summary(&b, d, "en", nil); err != nil || !strings.Contains(b.String(), "… and 7 more kinds") || strings.Contains(b.String(), "declared as") {
		t.Errorf("a long list of gaps: %v\n%s", err, b.String())
	}
}
