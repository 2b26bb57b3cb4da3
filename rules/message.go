package rules

import (
	"fmt"
	"regexp"
	"strings"

	"cel.dev/cel-go/cel"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
)

// message is the text of a failing finding, in both languages: literal text, {paths} into the subject and {expressions},
// such as {param.x} or a filtered list. Of several the first whose condition holds counts; the last one has none. Without
// any the finding says that the title does not hold, with the facts that were read.
type message []variant

type variant struct {
	when   *condition // nil in the last one
	ja, en []part
}

type part struct {
	literal string
	path    *path      // nil for a literal
	expr    *condition // neither a literal nor a path
}

// newMessage compiles what a file says.
func (e *environment) newMessage(f subjectFile) (m message, err error) {
	files := f.Messages
	if f.Message != (findings.Text{}) {
		files = append(files, messageFile{Text: f.Message})
	}
	for i, mf := range files {
		var v variant
		if mf.JA == "" || mf.EN == "" {
			return nil, fmt.Errorf("both ja and en are needed")
		}
		if last := i == len(files)-1; last != (mf.When.text == "") {
			return nil, fmt.Errorf("every message but the last has a when, so that each fail has one")
		}
		if mf.When.text != "" {
			if v.when, err = e.compile(f.Kind, mf.When, cel.BoolType); err != nil {
				return nil, fmt.Errorf("when: %w", err)
			}
		}
		if v.ja, err = e.parts(mf.JA, f.Kind); err != nil {
			return nil, err
		}
		if v.en, err = e.parts(mf.EN, f.Kind); err != nil {
			return nil, err
		}
		m = append(m, v)
	}
	return m, nil
}

// plainPath is a path into the subject, not an expression.
var plainPath = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$`)

func (e *environment) parts(text string, k inventory.Kind) (out []part, err error) {
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
		one := part{}
		if plainPath.MatchString(name) && !strings.HasPrefix(name, "param.") {
			p, err := newPath(k, name)
			if err != nil {
				return nil, err
			}
			one.path = &p
		} else if one.expr, err = e.compile(k, source{text: name}, nil); err != nil {
			return nil, fmt.Errorf("{%s}: %w", name, err)
		}
		out, text = append(out, one), after
	}
	return out, nil
}

// fail is what a failing finding says of the subject that a holds.
func (s *subject) fail(a *activation, r *Rule, res inventory.Resource) findings.Text {
	for _, v := range s.message {
		if v.when != nil && !v.when.eval(a).yes {
			continue
		}
		var ja, en strings.Builder
		for _, p := range v.ja {
			ja.WriteString(s.part(p, a, res).JA)
		}
		for _, p := range v.en {
			en.WriteString(s.part(p, a, res).EN)
		}
		return s.undeclared(findings.Text{JA: ja.String(), EN: en.String()}, res.Base())
	}
	var ja, en []string
	for _, p := range s.reads {
		v, _ := p.value(res)
		t, label := s.words.text(v, p.last()), s.words.label(p.text)
		ja, en = append(ja, label.JA+"："+t.JA), append(en, label.EN+": "+t.EN)
	}
	return s.undeclared(findings.Text{
		JA: "「" + r.Title.JA + "」を満たしていない（" + strings.Join(ja, "、") + "）。",
		EN: "Does not hold: " + r.Title.EN + " (" + strings.Join(en, ", ") + ").",
	}, res.Base())
}

func (s *subject) part(p part, a *activation, res inventory.Resource) findings.Text {
	switch {
	case p.expr != nil:
		return s.words.text(p.expr.value(a), "")
	case p.path != nil:
		v, _ := p.path.value(res)
		return s.words.text(v, p.path.last())
	}
	return both(p.literal)
}

// undeclared tells what was judged as the worst because the company declared nothing.
func (s *subject) undeclared(t findings.Text, h *inventory.Head) findings.Text {
	_, mayBe := h.EnvironmentGap()
	if s.readsClass && !mayBe && h.EnvironmentClass != inventory.Production && h.EnvironmentClass != inventory.Nonproduction {
		t.JA += "環境が宣言されていないため本番とみなした。"
		t.EN += " Its environment is not declared, so it was judged as production."
	}
	// The settings of an account hold no data themselves: nobody could declare their level.
	if _, mayBe = h.AssetGap(); s.readsLevel && s.kind != inventory.TenantKind && !mayBe && h.Level == 0 {
		t.JA += "機密性レベルが宣言されていないためレベル3とみなした。"
		t.EN += " Its level of confidentiality is not declared, so it was judged as level 3."
	}
	return t
}
