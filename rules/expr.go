package rules

import (
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
	"go.yaml.in/yaml/v3"

	"sptr.jp/tenken/findings/inventory"
)

// source is an expression as a rule file holds it, with its line.
type source struct {
	text string
	line int
}

func (s *source) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		return fmt.Errorf("line %d: want an expression as text", n.Line)
	}
	s.text, s.line = n.Value, n.Line
	return nil
}

// condition is an expression that was admitted and compiled for one kind.
type condition struct {
	source
	ast     *cel.Ast
	program cel.Program
}

// compile admits an expression over a kind or says why not. want is what it must give.
func (e *environment) compile(k inventory.Kind, src source, want *types.Type) (*condition, error) {
	parsed, iss := e.bare.Parse(src.text)
	if iss.Err() != nil {
		return nil, errors.New(shorten(iss.Err()))
	}
	if err := refuse(parsed.NativeRep().Expr()); err != nil {
		return nil, err
	}
	env := e.kinds[k]
	checked, iss := env.Compile(src.text)
	if iss.Err() != nil {
		return nil, errors.New(shorten(iss.Err()))
	}
	if gives := cel.FormatCELType(checked.OutputType()); want != nil && gives != cel.FormatCELType(want) {
		return nil, fmt.Errorf("it gives %s, not %s; compare it: … == true", gives, want)
	}
	if err := refuseTypes(checked.NativeRep()); err != nil {
		return nil, err
	}
	if err := refuseCost(env, checked); err != nil {
		return nil, err
	}
	// The runtime limit tracks every step, which doubles the cost: without a loop the estimate is a bound.
	opts := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if loops(checked.NativeRep().Expr()) {
		opts = append(opts, cel.CostLimit(maxCost))
	}
	prg, err := env.Program(checked, opts...)
	if err != nil {
		return nil, fmt.Errorf("planning: %w", err)
	}
	return &condition{source: src, ast: checked, program: prg}, nil
}

func loops(e ast.Expr) bool {
	found := false
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		found = found || e.Kind() == ast.ComprehensionKind
	}))
	return found
}

// shorten keeps the first line of a CEL error: the message and its place, without the drawing below it.
func shorten(err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimPrefix(first, "ERROR: <input>:")
}

// activation is what a rule sees. One is reused for all subjects of a worker.
type activation struct {
	it    any
	param params
	now   ref.Val
}

func (a *activation) ResolveName(name string) (any, bool) {
	switch name {
	case "it":
		return a.it, true
	case "param":
		return a.param, true
	case "now":
		return a.now, true
	}
	return nil, false
}

func (a *activation) Parent() interpreter.Activation { return nil }

// value evaluates an expression of any type; what goes wrong is its value.
func (c *condition) value(a *activation) ref.Val {
	out, _, err := c.program.Eval(a)
	if err != nil {
		return types.WrapErr(err)
	}
	return out
}

// truth is the value of a condition: exactly one of the fields is set, or none for false.
type truth struct {
	yes     bool
	unknown *types.Unknown
	err     error
}

// eval evaluates a condition. Errors of the rule, its panics and its cost limit come back as err, for this subject alone.
func (c *condition) eval(a *activation) truth {
	out, _, err := c.program.Eval(a)
	if err != nil {
		return truth{err: err}
	}
	switch v := out.(type) {
	case types.Bool:
		return truth{yes: bool(v)}
	case *types.Unknown:
		return truth{unknown: v}
	}
	return truth{err: fmt.Errorf("it gave %s, neither true nor false", out.Type().TypeName())}
}
