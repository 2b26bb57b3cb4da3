package rules

import (
	"regexp"
	"testing"

	"sptr.jp/tenken/findings"
)

// Japanese has no spaces between words: one beside a Japanese character is a folded line of YAML.
var strayer = regexp.MustCompile(`[\p{Hiragana}\p{Katakana}\p{Han}、。）」] | [\p{Hiragana}\p{Katakana}\p{Han}（「]`)

func TestNoStraySpaceInJapanese(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Rules() {
		for _, s := range r.subjects {
			for _, v := range s.message {
				for _, p := range v.ja {
					if at := strayer.FindString(p.literal); at != "" {
						t.Errorf("%s: message: %q in %s", r.File, at, p.literal)
					}
				}
			}
		}
		for what, text := range map[string]findings.Text{"title": r.Title, "why": r.Why, "remedy": r.Remedy} {
			if at := strayer.FindString(text.JA); at != "" {
				t.Errorf("%s: %s: %q in %s", r.File, what, at, text.JA)
			}
		}
	}
}
