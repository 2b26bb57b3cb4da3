package rules

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
)

// check holds a rule file against the shape of design §5.
func (f *ruleFile) check(fileName string) (errs []error) {
	no := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if f.ID != fileName {
		no("id: %q must be the file's name, %q", f.ID, fileName)
	}
	for name, t := range map[string]findings.Text{"title": f.Title, "why": f.Why, "remedy": f.Remedy.Text} {
		if t.JA == "" || t.EN == "" {
			no("%s: both ja and en are needed", name)
		}
	}
	if f.Obligation != findings.Required && f.Obligation != findings.Recommended {
		no("obligation: %q is neither required nor recommended", f.Obligation)
	}
	if f.Impact < 1 || f.Impact > 3 {
		no("impact: %d is not 1, 2 or 3", f.Impact)
	}
	if len(f.Clauses) == 0 {
		no("clauses: a rule answers at least one clause")
	}
	one := f.Kind != "" || f.Require.text != "" || f.When.text != ""
	if one == (len(f.Subjects) > 0) {
		no("either kind, when and require, or subjects")
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errs
}

// subject compiles one kind's part of a rule.
func (e *environment) subject(f subjectFile) (*subject, []error) {
	var errs []error
	no := func(line int, field string, err error) {
		errs = append(errs, fmt.Errorf("line %d: %s: %w", line, field, err))
	}
	if e.kinds[f.Kind] == nil {
		return nil, []error{fmt.Errorf("kind: there is no kind %q", f.Kind)}
	}
	s := &subject{kind: f.Kind, words: e.words}
	var err error
	if f.When.text != "" {
		if s.when, err = e.compile(f.Kind, f.When, cel.BoolType); err != nil {
			no(f.When.line, "when", err)
		}
	}
	if s.require, err = e.compile(f.Kind, f.Require, cel.BoolType); err != nil {
		no(f.Require.line, "require", err)
	}
	if len(f.Levels) == 0 {
		errs = append(errs, fmt.Errorf("levels: at least one line is needed"))
	}
	for i, lf := range f.Levels {
		l := level{likelihood: lf.Likelihood, incident: lf.Incident, impact: lf.Impact}
		if last := i == len(f.Levels)-1; last != (lf.When.text == "") {
			errs = append(errs, fmt.Errorf("levels: line %d: every line but the last has a when, so that each fail meets one", i+1))
		}
		if l.likelihood < 1 || l.likelihood > 3 || l.incident < 0 || l.incident > 3 || l.impact < 0 || l.impact > 3 {
			errs = append(errs, fmt.Errorf("levels: line %d: likelihood is 1 to 3, incident 0 to 3, impact 1 to 3", i+1))
		}
		if lf.When.text != "" {
			if l.when, err = e.compile(f.Kind, lf.When, cel.BoolType); err != nil {
				no(lf.When.line, "levels: when", err)
			}
		}
		s.levels = append(s.levels, l)
	}
	if len(errs) > 0 {
		return s, errs
	}
	s.findReads()
	if s.message, err = e.newMessage(f); err != nil {
		errs = append(errs, fmt.Errorf("message: %w", err))
	}
	return s, errs
}

// checkCases wants what shows that a rule can tell right from wrong and from not knowing.
func (f *ruleFile) checkCases(subjects []subjectFile) (errs []error) {
	want := map[findings.Verdict]bool{findings.Pass: true, findings.Fail: true, findings.Unknown: true}
	kinds := map[inventory.Kind]bool{}
	for _, s := range subjects {
		kinds[s.Kind] = true
		if s.When.text != "" {
			want[findings.NotApplicable] = true
		}
	}
	names := map[string]bool{}
	for i := range f.Cases {
		c := &f.Cases[i]
		delete(want, c.Expect)
		switch {
		case c.Name == "" || names[c.Name]:
			errs = append(errs, fmt.Errorf("line %d: cases: each needs a name of its own", c.line))
		case !slices.Contains(findings.Verdicts(), c.Expect) || c.Expect == findings.Manual:
			errs = append(errs, fmt.Errorf("line %d: cases: %s: expect: %q is no verdict of a rule", c.line, c.Name, c.Expect))
		case len(subjects) > 1 && !kinds[c.Kind]:
			errs = append(errs, fmt.Errorf("line %d: cases: %s: kind: one of the rule's subjects", c.line, c.Name))
		case (c.Expect == findings.Fail) != (c.Severity != "" && c.Incident != nil) || c.Expect != findings.Fail && c.Value != 0:
			errs = append(errs, fmt.Errorf("line %d: cases: %s: a fail, and nothing else, has severity and incident", c.line, c.Name))
		}
		names[c.Name] = true
	}
	for _, v := range findings.Verdicts() {
		if want[v] {
			errs = append(errs, fmt.Errorf("cases: none of them expects %s", v))
		}
	}
	return errs
}
