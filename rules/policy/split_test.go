package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
)

// cover is the clause of what stands before the first chapter; the regulation prints no heading for it.
const cover = "FM.0"

// split cuts a text of the regulation into the parts that belong to chapters, headings and clauses, by id. A part runs
// from the line of its heading to the line of the next heading that was found, so nothing of the text is lost: a clause
// that a newer text adds or renames shows as a change of the part before it. White space is removed, because line breaks
// of a printed page carry no meaning. An id whose heading the text lacks has no part.
//
// The heading is a line that holds exactly the printed number and title. Chapters are looked for in order, then each
// chapter's headings in order within it, since "1. 目的" opens several chapters. Where a newer text renames a chapter and
// the clause before it at once, a part may go to the wrong id; its fingerprint then differs, so the change is still seen.
func (p *Policy) split(text string) map[string]string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = squeeze(lines[i])
	}
	type mark struct {
		id   string
		line int
	}
	find := func(heading string, from, to int) int {
		i := slices.Index(lines[from:to], squeeze(heading))
		if i < 0 {
			return -1
		}
		return from + i
	}
	var found []Chapter
	var opens []int
	at := 0
	for _, ch := range p.Chapters {
		if i := find(ch.Title.JA, at, len(lines)); i >= 0 {
			found, opens, at = append(found, ch), append(opens, i), i+1
		}
	}
	opens = append(opens, len(lines))
	marks := []mark{{cover, 0}}
	for n, ch := range found {
		marks = append(marks, mark{ch.ID, opens[n]})
		at := opens[n] + 1
		for _, h := range ch.inOrder() {
			if i := find(printed(h), at, opens[n+1]); i >= 0 {
				marks, at = append(marks, mark{h.ID, i}), i+1
			}
		}
	}
	parts := make(map[string]string, len(marks))
	for i, m := range marks {
		end := len(lines)
		if i+1 < len(marks) {
			end = marks[i+1].line
		}
		parts[m.id] = strings.Join(lines[m.line:end], "")
	}
	return parts
}

// fingerprint is the SHA-256 of a part that split cut: what clauses.yaml keeps of the text itself.
func fingerprint(part string) string {
	sum := sha256.Sum256([]byte(part))
	return hex.EncodeToString(sum[:])
}

// inOrder merges headings and clauses: a heading comes before the first clause that it groups.
func (c Chapter) inOrder() []Heading {
	var all []Heading
	rest := c.Headings
	for _, cl := range c.Clauses {
		for len(rest) > 0 && strings.HasPrefix(cl.ID, rest[0].ID+".") {
			all, rest = append(all, rest[0]), rest[1:]
		}
		all = append(all, Heading{ID: cl.ID, Title: cl.Title, SHA256: cl.SHA256})
	}
	return all
}

// printed is a heading's line: "1. 目的", "1.5.1 実施の契機・頻度", or the title alone where the number is ours (12.S, 5.1.L1).
func printed(h Heading) string {
	_, number, _ := strings.Cut(h.ID, ".")
	switch last := number[strings.LastIndexByte(number, '.')+1:]; {
	case strings.Trim(last, "0123456789") != "":
		return h.Title.JA
	case last == number:
		return number + ". " + h.Title.JA
	}
	return number + " " + h.Title.JA
}

func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}
