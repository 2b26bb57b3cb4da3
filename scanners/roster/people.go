package roster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"sptr.jp/tenken/findings/inventory"
)

// people are the rows of a file: those that were understood, and what is wrong with the others.
type people struct {
	rows []inventory.Person
	line []int            // of each row
	bad  map[int][]string // by line
}

// readPeople reads every row. Only a file that is too long, names nobody or is no table gives a failure.
func readPeople(ctx context.Context, t *table, read inventory.ReadID, most int) (people, *failure) {
	p := people{rows: make([]inventory.Person, 0, min(t.lines, most)), bad: map[int][]string{}}
	same := duplicates{numbers: map[string]int{}, addresses: map[string]int{}}
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return p, stopped(ctx)
		}
		cells, line, err := t.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if n == most {
			return p, fail(inventory.TooLarge, "it has more than %d rows; export people only, one row each", most)
		}
		if err != nil {
			p.bad[line] = append(p.bad[line], err.Error())
			continue
		}
		if blank(cells) {
			continue
		}
		r := row{table: t, cells: cells, read: read}
		person := r.person()
		same.check(&r, &person, line, p.bad)
		if len(r.wrong) > 0 {
			p.bad[line] = append(p.bad[line], r.wrong...)
			continue
		}
		p.rows = append(p.rows, person)
		p.line = append(p.line, line)
	}
	if len(p.rows) == 0 && len(p.bad) == 0 {
		return p, fail(inventory.DecodeError, "it names nobody; a list without people proves nothing about them")
	}
	return p, nil
}

// good gives the people of the rows with which nothing is wrong.
func (p *people) good() []inventory.Person {
	kept := p.rows[:0]
	for i := range p.rows {
		if p.bad[p.line[i]] == nil {
			kept = append(kept, p.rows[i])
		}
	}
	return kept
}

// complaint names the bad rows by line, the first ten in full; empty when there is none.
func (p *people) complaint() string {
	if len(p.bad) == 0 {
		return ""
	}
	texts := make([]string, 0, len(p.bad))
	for _, line := range slices.Sorted(maps.Keys(p.bad)) {
		texts = append(texts, fmt.Sprintf("line %d: %s", line, first(p.bad[line], ", ")))
	}
	return fmt.Sprintf("%d bad rows are left out: %s", len(texts), first(texts, "; "))
}

// duplicates are the lines of the numbers and addresses seen so far. Bad rows count too: they may be the right ones.
type duplicates struct{ numbers, addresses map[string]int }

// check makes both rows bad when a second one has the number or an address of a first.
func (d duplicates) check(r *row, p *inventory.Person, line int, bad map[int][]string) {
	note := func(seen map[string]int, key, what string) {
		before, twice := seen[key]
		if !twice {
			seen[key] = line
			return
		}
		r.complain("%s is that of line %d too", what, before)
		bad[before] = append(bad[before], fmt.Sprintf("%s is that of line %d too", what, line))
	}
	if p.ID != "" {
		note(d.numbers, p.ID, columns[employeeNo])
	}
	for i, address := range p.Emails.Items {
		what := columns[aliases]
		if i == 0 && p.Name == address {
			what = columns[email]
		}
		note(d.addresses, address, what)
	}
}
