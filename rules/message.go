package rules

import (
	"fmt"
	"strings"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
)

// message is the text of a failing finding: literal text and {paths} into the subject, in both languages. Without one
// the finding says that the title does not hold, with the facts that were read.
type message struct {
	ja, en []part
}

type part struct {
	literal string
	path    *path // nil for a literal
}

func newMessage(t findings.Text, k inventory.Kind) (m message, err error) {
	if t == (findings.Text{}) {
		return m, nil
	}
	if t.JA == "" || t.EN == "" {
		return m, fmt.Errorf("both ja and en are needed")
	}
	if m.ja, err = parts(t.JA, k); err != nil {
		return m, err
	}
	m.en, err = parts(t.EN, k)
	return m, err
}

func parts(text string, k inventory.Kind) (out []part, err error) {
	for text != "" {
		before, rest, found := strings.Cut(text, "{")
		out = append(out, part{literal: before})
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, fmt.Errorf("a { without its }")
		}
		p, err := newPath(k, name)
		if err != nil {
			return nil, err
		}
		out = append(out, part{path: &p})
		text = after
	}
	return out, nil
}

// fail is what a failing finding says.
func (s *subject) fail(r *Rule, res inventory.Resource) findings.Text {
	var out findings.Text
	if s.message.ja == nil {
		var ja, en []string
		for _, p := range s.reads {
			v, _ := p.value(res)
			t := textOf(v)
			ja, en = append(ja, p.text+" = "+t.JA), append(en, p.text+" = "+t.EN)
		}
		out = findings.Text{
			JA: "「" + r.Title.JA + "」を満たしていない（" + strings.Join(ja, "、") + "）。",
			EN: "Does not hold: " + r.Title.EN + " (" + strings.Join(en, ", ") + ").",
		}
	} else {
		var ja, en strings.Builder
		for _, p := range s.message.ja {
			ja.WriteString(p.in(res, "ja"))
		}
		for _, p := range s.message.en {
			en.WriteString(p.in(res, "en"))
		}
		out = findings.Text{JA: ja.String(), EN: en.String()}
	}
	return s.undeclared(out, res.Base())
}

func (p part) in(res inventory.Resource, lang string) string {
	if p.path == nil {
		return p.literal
	}
	v, _ := p.path.value(res)
	return textOf(v).In(lang)
}

// undeclared tells what was judged as the worst because the company declared nothing.
func (s *subject) undeclared(t findings.Text, h *inventory.Head) findings.Text {
	_, mayBe := h.EnvironmentGap()
	if s.readsClass && !mayBe && h.EnvironmentClass != inventory.Production && h.EnvironmentClass != inventory.Nonproduction {
		t.JA += "環境が宣言されていないため本番とみなした。"
		t.EN += " Its environment is not declared, so it was judged as production."
	}
	if _, mayBe = h.AssetGap(); s.readsLevel && !mayBe && h.Level == 0 {
		t.JA += "機密性レベルが宣言されていないためレベル3とみなした。"
		t.EN += " Its level of confidentiality is not declared, so it was judged as level 3."
	}
	return t
}

// notKnown is what an unknown finding says; gaps are what it hangs on.
func notKnown(title findings.Text, gaps []findings.Gap) findings.Text {
	what := make([]string, 0, 3)
	for _, g := range gaps {
		if len(what) == cap(what) {
			what = append(what, "…")
			break
		}
		text := string(g.Reason)
		if g.Operation != "" {
			text = g.Operation + ": " + text
		}
		if g.Field != "" {
			text = g.Field + " (" + text + ")"
		}
		what = append(what, text)
	}
	return findings.Text{
		JA: "「" + title.JA + "」かどうかを確かめられなかった：" + strings.Join(what, "、") + "。",
		EN: "Could not be established: " + title.EN + ": " + strings.Join(what, ", ") + ".",
	}
}
