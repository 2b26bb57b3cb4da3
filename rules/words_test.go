package rules

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/common/types"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
)

// A label for each field that a rule reads, each element's field, each reason and each kind that is judged, in both
// languages; none for what no rule reads.
func TestEverythingThatAMessageNamesHasAWord(t *testing.T) {
	c := loaded(t)
	w := c.env.words
	read := map[string]bool{}
	for _, f := range fieldsOf("tenken.Source") {
		read[f.name] = true
	}
	for _, r := range c.rules {
		for _, s := range r.subjects {
			for _, p := range s.reads {
				for step := range strings.SplitSeq(p.text, ".") {
					read[step] = true
				}
			}
			if k := w.Kinds[s.kind]; k.JA == "" || k.EN == "" {
				t.Errorf("%s is judged and has no word", s.kind)
			}
		}
	}
	for f := range read {
		if l := w.Fields[f]; l.JA == "" || l.EN == "" {
			t.Errorf("%s is read by a rule and has no label in both languages", f)
		}
	}
	for f := range w.Fields {
		if !read[f] {
			t.Errorf("%s has a label and no rule reads it", f)
		}
	}
	for _, r := range inventory.Reasons() {
		if l := w.Reasons[r]; l.JA == "" || l.EN == "" {
			t.Errorf("the reason %s has no words", r)
		}
	}
	for what, text := range w.Values {
		if text.JA == "" || text.EN == "" {
			t.Errorf("the value %s has no words", what)
		}
	}
}

// identifier is a name of a field or a reason: words with underscores, as no prose has them. Parameters that the reader
// sets are named as they are.
var identifier = regexp.MustCompile(`\b[a-z]+(_[a-z]+)+\b`)

// What an unknown finding says is prose: it names no field, reason or kind by its identifier.
func TestUnknownFindingsSpeakWords(t *testing.T) {
	c := loaded(t)
	for _, res := range c.Test() {
		if res.Finding.Verdict != findings.Unknown {
			continue
		}
		for _, text := range []string{res.Finding.Message.JA, res.Finding.Message.EN} {
			if at := identifier.FindString(text); at != "" {
				t.Errorf("%s: %s: %q in %s", res.Rule, res.Case, at, text)
			}
		}
	}
	u := deny(unit("1", "r", inventory.DatabaseKind))
	f := of(judged(t, input(t, c), u), "database-not-public")[0]
	want := findings.Text{
		JA: "「データベースにインターネットから届く道がない」かどうかを確かめられなかった：データベース（RDS・Neptune・DocumentDB）をすべては一覧できなかった（rds:DescribeDBInstances：読み取りを拒まれた）。",
		EN: "Could not be established: No way leads from the internet to a database: not listed whole: databases (RDS, Neptune, DocumentDB) (rds:DescribeDBInstances: access was denied).",
	}
	if f.Message != want {
		t.Errorf("a scope says %+v", f.Message)
	}
	gaps := []findings.Gap{
		{Field: "state", Reason: inventory.Stale, Operation: "iam:GetCredentialReport"}, {Field: "person.leave_date", Reason: inventory.NotConfigured},
		{Field: "mfa", Reason: inventory.Stale, Operation: "iam:GetCredentialReport"},
	}
	if got := c.env.words.notKnown(findings.Text{JA: "甲", EN: "A"}, gaps, findings.Text{}).JA; got !=
		"「甲」かどうかを確かめられなかった：アカウントの状態・MFAの設定（iam:GetCredentialReport：情報が古い）、退職日（照合に要る設定がない）。" {
		t.Error(got)
	}
}

// "There is none" says of what, so that nobody takes it for more than was looked for.
func TestNoneSaysOfWhat(t *testing.T) {
	in := input(t, loaded(t))
	in.KeepAll = true
	f := of(judged(t, in, unit("1", "r", inventory.DatabaseKind)), "database-not-public")[0]
	if f.Message.JA != "対象なし：データベース（RDS・Neptune・DocumentDB）は一つもない。" || f.Message.EN != "There is none to judge: no databases (RDS, Neptune, DocumentDB)." {
		t.Errorf("%+v", f.Message)
	}
}

func TestWordsOfValues(t *testing.T) {
	w := loaded(t).env.words
	at := time.Date(2026, time.March, 1, 23, 59, 59, 0, tokyo)
	for _, x := range []struct {
		got  findings.Text
		want findings.Text
	}{
		{w.text(types.True, "mfa"), findings.Text{JA: "設定あり", EN: "set up"}}, {w.text(types.False, "mfa"), findings.Text{JA: "設定なし", EN: "not set up"}},
		{w.text(types.True, ""), findings.Text{JA: "はい", EN: "yes"}}, {w.text(types.False, "x"), findings.Text{JA: "いいえ", EN: "no"}},
		{w.text(types.String("break_glass"), ""), findings.Text{JA: "緊急用", EN: "break-glass"}}, {w.text(types.String("sg-1"), ""), both("sg-1")},
		{w.text(types.Timestamp{Time: at}, ""), both("2026-03-01")}, {w.text(types.Timestamp{Time: at.Add(time.Second)}, ""), both("2026-03-02 00:00 JST")},
		{spanOf(24 * time.Hour), findings.Text{JA: "24時間", EN: "24 hours"}}, {spanOf(90 * 24 * time.Hour), findings.Text{JA: "90日", EN: "90 days"}},
		{spanOf(time.Hour), findings.Text{JA: "1時間", EN: "1 hour"}}, {spanOf(26 * time.Hour), findings.Text{JA: "26時間", EN: "26 hours"}},
		{spanOf(90 * time.Minute), findings.Text{JA: "90分", EN: "90 minutes"}},
	} {
		if x.got != x.want {
			t.Errorf("%+v, want %+v", x.got, x.want)
		}
	}
}

// A rule without a message of its own says what it read, in words.
func TestARuleWithoutAMessage(t *testing.T) {
	c := loaded(t)
	r := c.Rule("database-not-public")
	one := *r.subjects[0]
	one.message = nil
	inv, m := caseWorld()
	at := slices.IndexFunc(r.Cases, func(x Case) bool { return x.Name == "public address behind a closed group" })
	res, err := m.resource(one.kind, r.Cases[at].Facts)
	if err != nil {
		t.Fatal(err)
	}
	j := newJudging(inv, input(t, c))
	j.subject(r, &one, res)
	if f := j.out.Findings[0]; f.Verdict != findings.Fail || !strings.Contains(f.Message.JA, "公開アドレスの設定：あり、") || identifier.MatchString(f.Message.EN) {
		t.Errorf("%s %+v", f.Verdict, f.Message)
	}
}
