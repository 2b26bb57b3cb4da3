package rules

import (
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/parser"
)

// Every mutant of every rule is killed by the rule's own cases: a condition negated or dropped, a comparison flipped or
// moved by one, a constant changed, a line of the levels dropped. A mutant that lives is a promise that no case makes.
func TestMutantsAreKilled(t *testing.T) {
	t.Parallel()
	c := loaded(t)
	total := 0
	for _, r := range c.rules {
		b, err := fs.ReadFile(catalogFS, "catalog/"+r.File)
		if err != nil {
			t.Fatal(err)
		}
		for name, change := range mutantsOf(t, c.env, b) {
			total++
			var f ruleFile
			if err := decodeStrictly(b, &f); err != nil {
				t.Fatal(err)
			}
			change(&f)
			if killed(c, r.File, &f) {
				continue
			}
			t.Errorf("%s: no case kills the mutant %s", r.File, name)
		}
	}
	if total < 300 {
		t.Errorf("only %d mutants were made", total)
	}
	t.Logf("%d mutants", total)
}

// killed reports that the mutant is refused at load or breaks a case.
func killed(c *Catalog, name string, f *ruleFile) bool {
	r, err := c.newRule(name, f)
	if err != nil {
		return true
	}
	one := &Catalog{rules: []*Rule{r}, byID: map[string]*Rule{r.ID: r}, env: c.env, policy: c.policy}
	return slices.ContainsFunc(one.Test(), func(res CaseResult) bool { return res.Err != nil })
}

func mutantsOf(t *testing.T, env *environment, b []byte) map[string]func(*ruleFile) {
	var f ruleFile
	if err := decodeStrictly(b, &f); err != nil {
		t.Fatal(err)
	}
	out := map[string]func(*ruleFile){}
	text := func(where, src string, at func(*ruleFile) *source) {
		for _, m := range mutate(t, env, src) {
			out[where+": "+m] = func(f *ruleFile) { at(f).text = m }
		}
	}
	levels := func(where string, ls []levelFile, at func(*ruleFile) *[]levelFile) {
		for i, l := range ls {
			w := fmt.Sprintf("%s line %d", where, i+1)
			if l.When.text != "" {
				text(w, l.When.text, func(f *ruleFile) *source { return &(*at(f))[i].When })
				out[w+" dropped"] = func(f *ruleFile) { *at(f) = slices.Delete(*at(f), i, i+1) }
			}
			for _, by := range []int{-1, 1} {
				if n := l.Likelihood + by; n >= 1 && n <= 3 {
					out[fmt.Sprint(w, " likelihood ", n)] = func(f *ruleFile) { (*at(f))[i].Likelihood = n }
				}
				if n := l.Incident + by; n >= 0 && n <= 3 {
					out[fmt.Sprint(w, " incident ", n)] = func(f *ruleFile) { (*at(f))[i].Incident = n }
				}
			}
			if l.Impact > 0 {
				out[w+" impact dropped"] = func(f *ruleFile) { (*at(f))[i].Impact = 0 }
			}
		}
	}
	part := func(where string, s subjectFile, at func(*ruleFile) *subjectFile) {
		if s.When.text != "" {
			text(where+"when", s.When.text, func(f *ruleFile) *source { return &at(f).When })
			out[where+"when dropped"] = func(f *ruleFile) { at(f).When.text = "" }
		}
		text(where+"require", s.Require.text, func(f *ruleFile) *source { return &at(f).Require })
		levels(where+"levels", s.Levels, func(f *ruleFile) *[]levelFile { return &at(f).Levels })
	}
	if f.Kind != "" {
		part("", f.subjectFile, func(f *ruleFile) *subjectFile { return &f.subjectFile })
	}
	for i, s := range f.Subjects {
		part(string(s.Kind)+" ", s, func(f *ruleFile) *subjectFile { return &f.Subjects[i] })
	}
	if len(f.Subjects) > 0 {
		levels("levels", f.Levels, func(f *ruleFile) *[]levelFile { return &f.Levels })
	}
	out["impact"] = func(f *ruleFile) { f.Impact-- }
	return out
}

// mutate gives every mutant of an expression, as text.
func mutate(t *testing.T, env *environment, src string) (out []string) {
	nodes := func() (ast.Expr, *ast.SourceInfo, []ast.Expr) {
		parsed, iss := env.bare.Parse(src)
		if iss.Err() != nil {
			t.Fatal(iss.Err())
		}
		root, list := parsed.NativeRep().Expr(), []ast.Expr(nil)
		ast.PreOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) { list = append(list, e) }))
		return root, parsed.NativeRep().SourceInfo(), list
	}
	_, _, list := nodes()
	original := src
	for i := range list {
		for n := 0; ; n++ {
			root, info, again := nodes()
			options := changes(again[i])
			if n >= len(options) {
				break
			}
			again[i].SetKindCase(options[n])
			text, err := parser.Unparse(root, info)
			if err != nil {
				t.Fatal(err)
			}
			if text != original {
				out = append(out, text)
			}
		}
	}
	return out
}

var flipped = map[string][]string{
	operators.Equals: {operators.NotEquals}, operators.NotEquals: {operators.Equals},
	operators.Less:          {operators.LessEquals, operators.GreaterEquals},
	operators.LessEquals:    {operators.Less, operators.Greater},
	operators.Greater:       {operators.GreaterEquals, operators.LessEquals},
	operators.GreaterEquals: {operators.Greater, operators.Less},
	operators.Add:           {operators.Subtract}, operators.Subtract: {operators.Add},
	operators.LogicalAnd: {operators.LogicalOr}, operators.LogicalOr: {operators.LogicalAnd},
	"count_at_most": {"count_at_least"}, "count_at_least": {"count_at_most"}, "days": {"hours"}, "hours": {"days"},
}

// changes gives what a node may be replaced by.
func changes(e ast.Expr) (out []ast.Expr) {
	fac := ast.NewExprFactory()
	copyOf := func(x ast.Expr) ast.Expr { return fac.CopyExpr(x) }
	switch e.Kind() {
	case ast.LiteralKind:
		switch v := e.AsLiteral().(type) {
		case types.Int:
			out = append(out, fac.NewLiteral(e.ID(), v+1), fac.NewLiteral(e.ID(), v-1))
		case types.String:
			out = append(out, fac.NewLiteral(e.ID(), v+"?"))
		case types.Bool:
			out = append(out, fac.NewLiteral(e.ID(), !v))
		}
	case ast.ListKind:
		for i := range e.AsList().Elements() {
			rest := slices.Delete(slices.Clone(e.AsList().Elements()), i, i+1)
			for k := range rest {
				rest[k] = copyOf(rest[k])
			}
			out = append(out, fac.NewList(e.ID(), rest, nil))
		}
	case ast.CallKind:
		c := e.AsCall()
		args := c.Args()
		for _, fn := range flipped[c.FunctionName()] {
			fresh := make([]ast.Expr, len(args))
			for i := range args {
				fresh[i] = copyOf(args[i])
			}
			out = append(out, fac.NewCall(e.ID(), fn, fresh...))
		}
		switch c.FunctionName() {
		case operators.LogicalAnd, operators.LogicalOr:
			out = append(out, copyOf(args[0]), copyOf(args[1]))
			for i := range args { // fields that are conditions by themselves
				if args[i].Kind() == ast.SelectKind {
					both := []ast.Expr{copyOf(args[0]), copyOf(args[1])}
					both[i] = fac.NewCall(-1, operators.LogicalNot, both[i])
					out = append(out, fac.NewCall(e.ID(), c.FunctionName(), both...))
				}
			}
		case operators.LogicalNot:
			out = append(out, copyOf(args[0]))
		case operators.Exists:
			out = append(out, fac.NewMemberCall(e.ID(), operators.All, copyOf(c.Target()), copyOf(args[0]), copyOf(args[1])))
		case operators.All:
			out = append(out, fac.NewMemberCall(e.ID(), operators.Exists, copyOf(c.Target()), copyOf(args[0]), copyOf(args[1])))
		case operators.In, "glob":
			fresh := []ast.Expr{copyOf(args[0]), copyOf(args[1])}
			out = append(out, fac.NewCall(-1, operators.LogicalNot, fac.NewCall(e.ID(), c.FunctionName(), fresh...)))
		}
	}
	return out
}
