package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
)

const (
	mostGaps   = 7   // groups that the summary names
	mostDetail = 160 // characters of a detail
	mostNames  = 5   // systems that it names of those that can't be read yet
)

// gap is what a group of gaps has in common.
type gap struct {
	declared               bool
	reason                 inventory.Reason
	what, permission, text string
}

// assessed is the line that every summary begins and ends its ledger with.
func (p *printer) assessed(d *findings.Document) {
	p.line(p.say("確認できた範囲: %d / %d 単位", "assessed: %d of %d units"), d.Coverage.Assessed, d.Coverage.Planned)
}

// gaps lists what could not be looked at, what left most unread first, with the next step; then the systems that no scan of
// this version reads.
func (p *printer) gaps(d *findings.Document) {
	units := groups(d.Coverage.Gaps)
	all := make([]gap, 0, len(units))
	for g := range units {
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b gap) int {
		if a.declared != b.declared && a.declared {
			return 1
		} else if a.declared != b.declared {
			return -1
		}
		return cmp.Or(cmp.Compare(len(units[b]), len(units[a])), cmp.Compare(a.what, b.what), cmp.Compare(a.reason, b.reason), cmp.Compare(a.text, b.text))
	})
	if len(all) > 0 {
		p.line("\n%s", p.say("確認できなかったもの", "What could not be looked at"))
	}
	for i, g := range all {
		if i == mostGaps {
			p.line("  … %s", fmt.Sprintf(p.say("ほか%d種類（findings.json の coverage.gaps、または tenken doctor）", "and %d more kinds: see coverage.gaps of findings.json, or tenken doctor"), len(all)-mostGaps))
			break
		}
		why, next := p.next(g)
		if g.declared {
			next = p.say("承認済みの欠測として申告されている", "declared as a known gap")
		}
		p.line(p.say("  - %s: %s（%d単位） → %s", "  - %s: %s (units: %d) → %s"), Clean(g.what), why, len(units[g]), next)
		if g.text != "" {
			p.line("    %s", Clean(g.text))
		}
	}
	if names := d.Coverage.NotBuilt; len(names) > 0 {
		shown := strings.Join(names[:min(mostNames, len(names))], ", ")
		if len(names) > mostNames {
			shown += " …"
		}
		p.line("\n%s", fmt.Sprintf(p.say("規定が挙げるシステムのうち本版が読めないもの: %d（%s ／ 一覧は tenken clauses --systems）",
			"Systems that the regulation names and this version can't read: %d (%s; tenken clauses --systems lists them)"), len(names), shown))
	}
}

// groups gives the units of each group.
func groups(gaps []findings.CoverageGap) map[gap]map[[4]string]bool {
	units := map[gap]map[[4]string]bool{}
	for _, g := range gaps {
		key := gap{declared: g.Declared, reason: g.Reason, what: cmp.Or(g.Operation, g.System), permission: g.Permission}
		switch g.Reason {
		case inventory.NotConnected:
			key.what = g.System
		case inventory.AccessDenied, inventory.MissingScope, inventory.Throttled, inventory.Timeout, inventory.Cancelled:
			if key.permission == "" && g.Reason == inventory.AccessDenied {
				key.text = shorten(g.Detail) // a credential that can't be used: the detail says why
			}
		default:
			key.text = shorten(g.Detail)
		}
		if units[key] == nil {
			units[key] = map[[4]string]bool{}
		}
		units[key][[4]string{g.System, g.Account, g.Region, g.Collector}] = true
	}
	return units
}

func shorten(s string) string {
	if r := []rune(s); len(r) > mostDetail {
		return string(r[:mostDetail]) + "…"
	}
	return s
}

// next says in plain words what a reason means and what to do about it.
func (p *printer) next(g gap) (why, next string) {
	again := p.say("もう一度実行する", "run again")
	switch g.reason {
	case inventory.AccessDenied, inventory.MissingScope:
		why = p.say("許可がない", "not permitted")
		if g.permission == "" {
			return why, p.say("認証情報を確かめる", "check the credential")
		}
		return why, p.say("許可する: ", "permit ") + Clean(g.permission)
	case inventory.Throttled:
		return p.say("呼び出しの制限を受けた", "throttled"), again
	case inventory.Timeout:
		return p.say("時間内に応答がない", "no answer in time"), again
	case inventory.PartialList:
		return p.say("一覧が途中で切れた", "the list was cut short"), again
	case inventory.Cancelled:
		return p.say("途中で止められた", "stopped"), p.say("--resume を付けて続ける", "go on with --resume")
	case inventory.Stale:
		return p.say("情報が古い", "too old"), p.say("新しいものを用意するか、できてからもう一度実行する", "make a new one, or run again once there is one")
	case inventory.NotConnected:
		return p.say("つながっていない", "not connected"), p.say("tenken.yaml の systems に書くか、使わないなら not_used に書く", "configure it under systems of tenken.yaml, or declare it under not_used")
	case inventory.NotConfigured:
		return p.say("設定が足りない", "not configured"), p.say("tenken.yaml を直す", "correct tenken.yaml")
	case inventory.Disabled, inventory.NotInPlan:
		return p.say("無効か、契約に含まれない", "off, or not in the contract"), p.say("有効にするか、gaps に申告する", "turn it on, or declare it under gaps")
	}
	return p.say("内容を読み取れない", "could not be understood"), p.say("下の内容を直してもう一度実行する", "mend what is said below and run again")
}
