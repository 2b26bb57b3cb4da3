package main

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/fixtures"
	"sptr.jp/tenken/scanners"
	"sptr.jp/tenken/scanners/aws"
)

// A wireCase changes a few lines of what the demo company's clouds answer, or denies an operation, and says which
// verdicts of its rule must follow. fixtures/sptr/cases/<rule>.yaml holds those of a rule.
type wireCase struct {
	Name  string
	Patch map[string]yaml.Node         // merge patches by document, as package fixtures describes them
	Edit  map[string]map[string]string // where a patch can't reach, as in a CSV: what stands once in a document, and what instead
	Deny  []string
	// Names are the operations that unknowns must name: those denied, unless told. Reason is access_denied, unless told.
	Names  []string
	Reason inventory.Reason
	Then   []follows
}

// follows is what becomes of one resource, given by its id or, where that says enough, by its name. none: there is no
// finding on it, because it is not seen, or there is nothing to judge.
type follows struct {
	Of       string
	Was, Is  string
	Severity findings.Severity
	Incident *int
}

func loadWireCases(t *testing.T) map[string][]wireCase {
	t.Helper()
	files, err := fs.Glob(fixtures.Sptr(), "cases/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]wireCase{}
	for _, file := range files {
		b, err := fs.ReadFile(fixtures.Sptr(), file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []wireCase
		d := yaml.NewDecoder(bytes.NewReader(b))
		d.KnownFields(true)
		if err := d.Decode(&cases); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[strings.TrimSuffix(path.Base(file), ".yaml")] = cases
	}
	return all
}

// Every rule follows the wire: what AWS answers decides the verdict, and what it refuses makes it unknown.
func TestWireCases(t *testing.T) {
	base, cases := undisturbed(t), loadWireCases(t)
	for rule := range base.Rules {
		t.Run(rule, func(t *testing.T) {
			for _, verdicts := range [][2]string{{"pass none", "fail"}, {"fail", "pass none"}, {"pass fail none", "unknown"}} {
				if !slices.ContainsFunc(cases[rule], func(c wireCase) bool {
					return (len(c.Deny) > 0) == (verdicts[1] == "unknown") && slices.ContainsFunc(c.Then, func(f follows) bool {
						return strings.Contains(verdicts[0], f.Was) && strings.Contains(verdicts[1], f.Is)
					})
				}) {
					t.Errorf("no case leads from %s to %s", verdicts[0], verdicts[1])
				}
			}
			for i := range cases[rule] {
				c := &cases[rule][i]
				t.Run(c.Name, func(t *testing.T) {
					t.Parallel()
					c.try(t, base, rule)
				})
			}
		})
	}
	for rule := range cases {
		if _, ok := base.Rules[rule]; !ok {
			t.Errorf("cases/%s.yaml is of no rule", rule)
		}
	}
}

func (c *wireCase) try(t *testing.T, base *demoRun, rule string) {
	r := c.scan(t)
	for _, want := range c.Then {
		before, after := base.finding(t, rule, want.Of), r.finding(t, rule, want.Of)
		if verdict(before) != want.Was {
			t.Errorf("%s is %s to begin with, not %s", want.Of, verdict(before), want.Was)
		}
		if verdict(after) != want.Is {
			t.Errorf("%s: expected %s, got %s", want.Of, want.Is, verdict(after))
			continue
		}
		if want.Is == "fail" {
			x := fault{Expect: "fail", Severity: want.Severity, Incident: want.Incident}
			if difference := x.differs(after); difference != "" {
				t.Errorf("%s: expected %s, incident level %d; %s", want.Of, want.Severity, *want.Incident, difference)
			}
		}
		if want.Is == "unknown" {
			c.checkNamed(t, base, r, after)
		}
	}
	for _, op := range c.Deny {
		if !slices.ContainsFunc(r.Coverage.Gaps, func(g findings.CoverageGap) bool { return g.Operation == op && g.Reason == inventory.AccessDenied }) {
			t.Errorf("the coverage does not name %s", op)
		}
	}
	if len(c.Patch)+len(c.Edit) > 0 {
		r.speaksAWS(t)
	} else {
		compareHonestly(t, base, r)
	}
}

func (c *wireCase) scan(t *testing.T) *demoRun {
	t.Helper()
	var options []fixtures.Option
	for document, text := range c.patches(t) {
		options = append(options, fixtures.Patch(document, text))
	}
	if len(options) == 0 && len(c.Deny) == 1 {
		return deniedDemo(t, c.Deny[0])
	}
	for _, op := range c.Deny {
		options = append(options, deny(op))
	}
	return scanDemo(t, "", options...)
}

// patches are all changes as merge patches by document.
func (c *wireCase) patches(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for document := range c.Patch {
		node := c.Patch[document]
		b, err := yaml.Marshal(&node)
		if err != nil {
			t.Fatal(err)
		}
		all[document] = string(b)
	}
	for document, edits := range c.Edit {
		b, err := fs.ReadFile(fixtures.Sptr(), document)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		for what, instead := range edits {
			if n := strings.Count(text, what); n != 1 {
				t.Fatalf("%q stands %d times in %s", what, n, document)
			}
			text = strings.Replace(text, what, instead, 1)
		}
		all[document] = text
	}
	return all
}

// finding is the finding of a rule on a resource, or nil.
func (r *demoRun) finding(t *testing.T, rule, of string) (found *findings.Finding) {
	t.Helper()
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Rule != rule || f.Resource.ID != of && f.Resource.Name != of {
			continue
		}
		if found != nil {
			t.Errorf("%s is both %s and %s: give its id", of, describe(found), describe(f))
		}
		found = f
	}
	return found
}

func verdict(f *findings.Finding) string {
	if f == nil {
		return "none"
	}
	return string(f.Verdict)
}

// checkNamed demands that what is unknown names the operation and its permission.
func (c *wireCase) checkNamed(t *testing.T, base, r *demoRun, f *findings.Finding) {
	t.Helper()
	names, reason := c.Names, c.Reason
	if names == nil {
		names = c.Deny
	}
	if reason == "" {
		reason = inventory.AccessDenied
	}
	gaps := r.unread(base, f)
	if len(gaps) == 0 {
		t.Errorf("%s: it does not say why", describe(f))
	}
	for _, g := range gaps {
		i := slices.IndexFunc(aws.Needs(), func(n scanners.Need) bool { return n.Operation == g.Operation })
		if !slices.Contains(names, g.Operation) || g.Reason != reason || i < 0 || g.Permission != aws.Needs()[i].Permission {
			t.Errorf("%s: it names %s (%s), permission %q; expected %s (%s)", describe(f), g.Operation, g.Reason, g.Permission, names, reason)
		}
	}
}
