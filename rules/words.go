package rules

import (
	_ "embed"
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
)

//go:embed words.yaml
var wordsYAML []byte

// words are what messages call things by: reasons, fields, values and kinds.
type words struct {
	Reasons map[inventory.Reason]findings.Text
	Fields  map[string]fieldWords
	Values  map[string]findings.Text
	Kinds   map[inventory.Kind]kindWords
}

type fieldWords struct {
	findings.Text `yaml:",inline"`
	Yes, No       findings.Text
}

type kindWords struct {
	findings.Text `yaml:",inline"`
	By            map[string]findings.Text // by scanner type
}

func newWords() (*words, error) {
	w := &words{}
	if err := decodeStrictly(wordsYAML, w); err != nil {
		return nil, fmt.Errorf("words.yaml: %w", err)
	}
	return w, nil
}

func both(s string) findings.Text { return findings.Text{JA: s, EN: s} }

// text writes a value into a message. field is the name of the field that it is of; empty for none.
func (w *words) text(v ref.Val, field string) findings.Text {
	switch v := v.(type) {
	case *types.Unknown, *types.Err:
		return findings.Text{JA: "不明", EN: "unknown"}
	case types.Null:
		return findings.Text{JA: "なし", EN: "none"}
	case types.Bool:
		return w.truth(bool(v), field)
	case types.String:
		return w.value(string(v))
	case types.Timestamp:
		return both(dateOf(v.In(tokyo)))
	case types.Duration:
		return spanOf(v.Duration)
	case object:
		if v.Base().Name != "" {
			return both(v.Base().Name)
		}
		return both(v.Base().ID)
	case traits.Lister:
		return w.list(v)
	case element[inventory.Source]:
		return both(v.v.Value)
	}
	return both(fmt.Sprint(v.Value()))
}

func (w *words) truth(yes bool, field string) findings.Text {
	f := w.Fields[field]
	switch {
	case yes && f.Yes.JA != "":
		return f.Yes
	case !yes && f.No.JA != "":
		return f.No
	case yes:
		return findings.Text{JA: "はい", EN: "yes"}
	}
	return findings.Text{JA: "いいえ", EN: "no"}
}

// value says the vocabulary's own words in the reader's language, and all else as it is.
func (w *words) value(s string) findings.Text {
	if s == "" {
		return findings.Text{JA: "（未設定）", EN: "(not set)"}
	}
	if t, ok := w.Values[s]; ok {
		return t
	}
	return both(s)
}

func (w *words) list(v traits.Lister) findings.Text {
	var ja, en []string
	for it := v.Iterator(); it.HasNext() == types.True; {
		t := w.text(it.Next(), "")
		ja, en = append(ja, t.JA), append(en, t.EN)
	}
	if tailOf(v) != nil {
		ja, en = append(ja, "ほかは不明"), append(en, "the rest is unknown")
	}
	if len(ja) == 0 {
		return findings.Text{JA: "なし", EN: "none"}
	}
	return findings.Text{JA: strings.Join(ja, "、"), EN: strings.Join(en, ", ")}
}

// dateOf writes a time. The last second of a day stands for the day: roster and configuration name days.
func dateOf(t time.Time) string {
	if t.Format(time.TimeOnly) == "23:59:59" {
		return t.Format(time.DateOnly)
	}
	return t.Format("2006-01-02 15:04 JST")
}

// spanOf writes a length of time in days where it is two or more whole ones.
func spanOf(d time.Duration) findings.Text {
	n, ja, en := d.Minutes(), "分", "minute"
	switch {
	case d >= 48*time.Hour && d%(24*time.Hour) == 0:
		n, ja, en = d.Hours()/24, "日", "day"
	case d%time.Hour == 0:
		n, ja, en = d.Hours(), "時間", "hour"
	}
	if n != 1 {
		en += "s"
	}
	return findings.Text{JA: fmt.Sprintf("%g%s", n, ja), EN: fmt.Sprintf("%g %s", n, en)}
}

// kinds says which kinds are meant, and by what names a scanner of the type knows them.
func (w *words) kinds(kinds []string, typ string) findings.Text {
	var ja, en []string
	for _, k := range kinds {
		t, ok := w.Kinds[inventory.Kind(k)]
		if !ok {
			t.Text = both(k)
		}
		if by, ok := t.By[typ]; ok {
			t.JA, t.EN = t.JA+"（"+by.JA+"）", t.EN+" ("+by.EN+")"
		}
		ja, en = append(ja, t.JA), append(en, t.EN)
	}
	return findings.Text{JA: strings.Join(ja, "・"), EN: strings.Join(en, ", ")}
}

// label is what the last field of a path is called.
func (w *words) label(path string) findings.Text {
	name := path[strings.LastIndexByte(path, '.')+1:]
	if f, ok := w.Fields[name]; ok {
		return f.Text
	}
	return both(name)
}

// notKnown is what an unknown finding says; gaps are what it hangs on. whole are the kinds of a scope, else empty.
func (w *words) notKnown(title findings.Text, gaps []findings.Gap, whole findings.Text) findings.Text {
	type cause struct {
		operation string
		reason    inventory.Reason
	}
	fields, causes := map[cause][]findings.Text{}, []cause(nil)
	for _, g := range gaps {
		c := cause{g.Operation, g.Reason}
		if fields[c] == nil {
			causes = append(causes, c)
			fields[c] = []findings.Text{}
		}
		if g.Field != "" {
			fields[c] = append(fields[c], w.label(g.Field))
		}
	}
	var ja, en []string
	for i, c := range causes {
		if i == 3 {
			ja, en = append(ja, "…"), append(en, "…")
			break
		}
		reason := w.Reasons[c.reason]
		if c.operation != "" {
			reason = findings.Text{JA: c.operation + "：" + reason.JA, EN: c.operation + ": " + reason.EN}
		}
		if labels := joined(fields[c]); labels.JA != "" {
			reason = findings.Text{JA: labels.JA + "（" + reason.JA + "）", EN: labels.EN + " (" + reason.EN + ")"}
		}
		ja, en = append(ja, reason.JA), append(en, reason.EN)
	}
	t := findings.Text{JA: strings.Join(ja, "、"), EN: strings.Join(en, "; ")}
	if whole.JA != "" {
		t = findings.Text{JA: whole.JA + "をすべては一覧できなかった（" + t.JA + "）", EN: "not listed whole: " + whole.EN + " (" + t.EN + ")"}
	}
	return findings.Text{
		JA: "「" + title.JA + "」かどうかを確かめられなかった：" + t.JA + "。",
		EN: "Could not be established: " + title.EN + ": " + t.EN + ".",
	}
}

// joined is a list of labels without doubles, in their order.
func joined(labels []findings.Text) findings.Text {
	var ja, en []string
	seen := map[string]bool{}
	for _, l := range labels {
		if !seen[l.JA] {
			seen[l.JA] = true
			ja, en = append(ja, l.JA), append(en, l.EN)
		}
	}
	return findings.Text{JA: strings.Join(ja, "・"), EN: strings.Join(en, ", ")}
}
