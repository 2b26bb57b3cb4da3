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
		"ja": {"4.4      違反     退職  （違反 5件・適合 2件）", "[重大] public  1件", "ほか1件", "確認できた範囲: 7 / 9 単位", "違反: 重大 1件・低 5件・未確認 2件",
			`最も重いもの: public report\u{a}ing (spartraining/333); low-rule a`, "次に許可が必要なもの: iam:GetCredentialReport, rds:DescribeDBInstances\n", "ファイル: out/findings.json", `理由\u{1b}`,
			"ほかに 対象なし 0 条項・人が確認する 1 条項・本版が未対応の 1 条項"},
		"en": {"4.4      FAIL     leavers  (FAIL 5, pass 2)", "[critical] public  1", "and 1 more", "assessed: 7 of 9 units", "failures: critical 1, low 5, unknown 2",
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
		last := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		if n := len(last); n < 5 || !strings.Contains(last[n-5], "7") {
			t.Errorf("%s: it does not end with the five lines", lang)
		}
	}
}
