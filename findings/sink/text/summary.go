package text

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"sptr.jp/tenken/findings"
)

// perRule is how many failing resources of a rule the summary names.
const perRule = 4

// Summary writes what a busy person reads after a run: how much was looked at, clause by clause what is broken, the failing
// rules with their resources, what could not be looked at and what to do about it, and five plain lines. Files are the paths that were written.
func Summary(w io.Writer, d *findings.Document, lang string, files []string) error {
	p := newPrinter(w, lang)
	p.assessed(d)
	p.line("")
	p.clauses(d)
	p.failures(d)
	p.gaps(d)
	p.fiveLines(d, files)
	return p.flush()
}

// clauses lists the clauses that some rule answered, and counts the others.
func (p *printer) clauses(d *findings.Document) {
	p.line("%s", p.say("規定の条項ごとの結果", "Clause by clause"))
	others := map[string]int{}
	chapter := ""
	for _, c := range d.Clauses {
		if c.State == string(findings.Manual) || c.State == findings.NotBuilt || c.State == string(findings.NotApplicable) {
			others[c.State]++
			continue
		}
		if c.Chapter != chapter {
			chapter = c.Chapter
			p.line("\n  %s", c.ChapterTitle.In(p.lang))
		}
		line := cmp.Or(p.counts(c.Counts), p.say("判定したものなし", "nothing was judged"))
		if n := len(c.NotBuilt); n > 0 {
			line += fmt.Sprintf(p.say("・未対応の規則 %d", ", %d not built"), n)
		}
		p.line("    %-8s %s %s  %s", c.ID, Pad(p.state(c.State), 8), p.title(c), p.say("（", "(")+line+p.say("）", ")"))
	}
	p.line("")
	p.line("  %s", fmt.Sprintf(p.say("ほかに 対象なし %d 条項・人が確認する %d 条項・本版が未対応の %d 条項（tenken clauses で一覧）",
		"Besides: %d clauses with nothing to judge, %d for people to confirm, %d that this version does not read yet (see tenken clauses)"),
		others[string(findings.NotApplicable)], others[string(findings.Manual)], others[findings.NotBuilt]))
	if len(d.Run.Narrowed) > 0 {
		p.line("  %s: %s", p.say("絞り込み", "Narrowed to"), Clean(strings.Join(d.Run.Narrowed, " ")))
	}
}

func (p *printer) title(c findings.ClauseState) string {
	if under := c.Under.In(p.lang); under != "" {
		return under + " › " + c.Title.In(p.lang)
	}
	return c.Title.In(p.lang)
}

func (p *printer) counts(s findings.Summary) string {
	var parts []string
	for _, v := range []findings.Verdict{findings.Fail, findings.Unknown, findings.Pass} {
		if n := s.Of(v); n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", p.state(string(v)), p.count(n)))
		}
	}
	return strings.Join(parts, p.say("・", ", "))
}

// failures lists the failing rules, worst first, and the first resources of each.
func (p *printer) failures(d *findings.Document) {
	fails := worstFirst(d.Findings)
	if len(fails) == 0 {
		return
	}
	p.line("\n%s", p.say("違反している規則", "Rules that fail"))
	seen := map[string]int{}
	for _, f := range fails {
		seen[f.Rule]++
	}
	done := map[string]bool{}
	for _, f := range fails {
		if done[f.Rule] {
			continue
		}
		done[f.Rule] = true
		p.line("\n  [%s] %s  %s", p.severity(f.Severity), f.Rule, p.count(seen[f.Rule]))
		p.line("    %s", d.Rules[f.Rule].Title.In(p.lang))
		shown := 0
		for _, g := range fails {
			if g.Rule != f.Rule {
				continue
			}
			if shown == perRule {
				p.line("    … %s", fmt.Sprintf(p.say("ほか%d件", "and %d more"), seen[f.Rule]-shown))
				break
			}
			shown++
			p.line("    - [%s] %s", p.severity(g.Severity), where(g.Resource))
			p.line("      %s", Clean(g.Message.In(p.lang)))
		}
	}
}

// fiveLines ends every run: assessed, failures, the worst three, what to permit, where the files are.
func (p *printer) fiveLines(d *findings.Document, files []string) {
	none := p.say("なし", "none")
	p.line("")
	p.assessed(d)
	p.line(p.say("違反: %s ／ 未確認: %s", "failures: %s; unknown: %s"), cmp.Or(p.severities(d.Summary), none), p.count(d.Summary.Unknown))
	worst := none
	if fails := worstFirst(d.Findings); len(fails) > 0 {
		var names []string
		for _, f := range fails[:min(3, len(fails))] {
			names = append(names, f.Rule+" "+where(f.Resource))
		}
		worst = strings.Join(names, "; ")
	}
	p.line("%s: %s", p.say("最も重いもの", "worst"), worst)
	p.line("%s: %s", p.say("次に許可が必要なもの", "permit next"), cmp.Or(permits(d), none))
	p.line("%s: %s", p.say("ファイル", "files"), cmp.Or(strings.Join(files, " "), none))
}

// severities counts failures by severity; those of recommended rules are told apart, since the regulation doesn't demand them.
func (p *printer) severities(s findings.Summary) string {
	var parts []string
	recommended := s.Fail
	for _, sev := range findings.Severities() {
		if n := s.Severities[sev]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", p.severity(sev), p.count(n)))
			recommended -= n
		}
	}
	if recommended > 0 {
		parts = append(parts, fmt.Sprintf("%s %s", p.say("推奨", "recommended"), p.count(recommended)))
	}
	return strings.Join(parts, p.say("・", ", "))
}

// permits are the permissions whose lack left most units unread.
func permits(d *findings.Document) string {
	counts := map[string]int{}
	for _, g := range d.Coverage.Gaps {
		if g.Permission != "" && (g.Reason == "access_denied" || g.Reason == "missing_scope") {
			counts[g.Permission]++
		}
	}
	names := make([]string, 0, len(counts))
	for n := range counts {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	const most = 5
	if len(names) > most {
		names = append(names[:most], fmt.Sprintf("… (%d)", len(names)))
	}
	return strings.Join(names, ", ")
}

// Pad fills s to n columns of a terminal, in which Japanese characters are two wide.
func Pad(s string, n int) string {
	width := 0
	for _, r := range s {
		if r < 0x1100 {
			width++
		} else {
			width += 2
		}
	}
	return s + strings.Repeat(" ", max(0, n-width))
}
