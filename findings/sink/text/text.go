// Package text writes for people at a terminal: the summary of a run, clause by clause, in Japanese or English.
//
// Everything that was scanned passes Clean on its way out: a resource's name can't move the cursor, forge a line or turn
// the reading direction. Colours are not used, so that a pipe, a mail and a terminal show the same.
package text

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"sptr.jp/tenken/findings"
)

// Clean makes text of a scanned system fit for a terminal: control characters (C0, C1, ESC, CR), line and paragraph
// separators and bidirectional controls are shown as escapes.
func Clean(s string) string {
	visible := func(r rune) bool {
		return r != unicode.ReplacementChar && unicode.IsPrint(r) && !unicode.Is(unicode.Bidi_Control, r)
	}
	if strings.IndexFunc(s, func(r rune) bool { return !visible(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if visible(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\u{%x}", r)
		}
	}
	return b.String()
}

// printer writes lines in one language and keeps the first error.
type printer struct {
	w    *bufio.Writer
	lang string
}

func newPrinter(w io.Writer, lang string) *printer { return &printer{bufio.NewWriter(w), lang} }

func (p *printer) line(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

// say picks the language.
func (p *printer) say(ja, en string) string { return findings.Text{JA: ja, EN: en}.In(p.lang) }

func (p *printer) flush() error {
	if err := p.w.Flush(); err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	return nil
}

// count writes "3 findings" and "3件" alike.
func (p *printer) count(n int) string {
	if p.lang == "ja" {
		return fmt.Sprintf("%d件", n)
	}
	return fmt.Sprint(n)
}

// State names a verdict or a clause's state.
func (p *printer) state(s string) string {
	switch s {
	case string(findings.Fail):
		return p.say("違反", "FAIL")
	case string(findings.Unknown):
		return p.say("未確認", "UNKNOWN")
	case string(findings.Pass):
		return p.say("適合", "pass")
	case string(findings.NotApplicable):
		return p.say("対象なし", "n/a")
	case string(findings.Manual):
		return p.say("人が確認", "manual")
	case findings.Partly:
		return p.say("一部確認", "partly")
	}
	return p.say("未対応", "not built")
}

func (p *printer) severity(s findings.Severity) string {
	switch s {
	case findings.Critical:
		return p.say("重大", "critical")
	case findings.High:
		return p.say("高", "high")
	case findings.Medium:
		return p.say("中", "medium")
	}
	return p.say("低", "low")
}

// Verdict names a verdict as the summary does.
func Verdict(lang string, v findings.Verdict) string { return (&printer{lang: lang}).state(string(v)) }

// Severity names a severity as the summary does; a finding without one has none.
func Severity(lang string, s findings.Severity) string {
	if s == "" {
		return ""
	}
	return (&printer{lang: lang}).severity(s)
}

// where is a resource in a few words: name or id, and its place.
func where(r findings.Resource) string {
	name := r.Name
	if name == "" {
		name = r.ID
	}
	place := []string{r.System}
	for _, part := range []string{r.Account, r.Region} {
		if part != "" {
			place = append(place, part)
		}
	}
	return Clean(name) + " (" + Clean(strings.Join(place, "/")) + ")"
}

// worstFirst sorts failing findings by severity, then by incident level, keeping their order otherwise.
func worstFirst(all []findings.Finding) []*findings.Finding {
	var fails []*findings.Finding
	for i := range all {
		if all[i].Verdict == findings.Fail {
			fails = append(fails, &all[i])
		}
	}
	rank := func(f *findings.Finding) int { return slices.Index(findings.Severities(), f.Severity) }
	slices.SortStableFunc(fails, func(a, b *findings.Finding) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(*b.IncidentLevel, *a.IncidentLevel))
	})
	return fails
}
