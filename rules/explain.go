package rules

import (
	"errors"
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
)

// SubValue is the value of one sub-expression of a rule for one subject.
type SubValue struct {
	Part  string // when, require, or levels 1 …
	Depth int    // 0 for the whole condition
	Expr  string
	Value string         // JSON, or unknown, or error
	Gaps  []findings.Gap // of an unknown or an error
}

// Explain evaluates a rule on a resource once more, without stopping at what decides, and gives the value of every
// sub-expression. The predicate of a comprehension has no one value and is shown as a part of its comprehension.
func (c *Catalog) Explain(inv *inventory.Inventory, in Input, ruleID string, res inventory.Resource) ([]SubValue, error) {
	r := c.Rule(ruleID)
	if r == nil {
		return nil, fmt.Errorf("rules: there is no rule %q", ruleID)
	}
	x := explainer{j: newJudging(inv, in), env: c.env.kinds[res.Kind()], res: res}
	x.j.act.it = res
	for _, s := range r.subjects {
		if s.kind != res.Kind() {
			continue
		}
		x.condition("when", s.when)
		x.condition("require", s.require)
		for i, l := range s.levels {
			x.condition(fmt.Sprintf("levels %d", i+1), l.when)
		}
		return x.out, errors.Join(x.errs...)
	}
	return nil, fmt.Errorf("rules: %s does not judge a %s", r.ID, res.Kind())
}

type explainer struct {
	j    *judging
	env  *cel.Env
	res  inventory.Resource
	out  []SubValue
	errs []error
}

func (x *explainer) condition(part string, c *condition) {
	if c == nil {
		return
	}
	prg, err := x.env.Program(c.ast, cel.EvalOptions(cel.OptExhaustiveEval), cel.CostLimit(maxCost))
	if err != nil {
		x.errs = append(x.errs, fmt.Errorf("rules: %s: %w", part, err))
		return
	}
	// An error of the whole is the value of some part, and shown there.
	_, det, _ := prg.Eval(&x.j.act)
	native := c.ast.NativeRep()
	var walk func(e ast.Expr, depth int)
	walk = func(e ast.Expr, depth int) {
		if e.Kind() != ast.CallKind && e.Kind() != ast.SelectKind {
			return
		}
		text, err := cel.ExprToString(e, native.SourceInfo())
		v, seen := det.State().Value(e.ID())
		if err != nil || !seen {
			return
		}
		x.out = append(x.out, x.value(SubValue{Part: part, Depth: depth, Expr: text}, v))
		if _, macro := native.SourceInfo().GetMacroCall(e.ID()); macro || e.Kind() == ast.SelectKind {
			return
		}
		for _, a := range e.AsCall().Args() {
			walk(a, depth+1)
		}
	}
	walk(native.Expr(), 0)
}

func (x *explainer) value(s SubValue, v ref.Val) SubValue {
	switch v := v.(type) {
	case *types.Unknown:
		s.Value, s.Gaps = "unknown", x.j.gaps(x.res.Kind(), x.res.Base().Unit(), truth{unknown: v})
	case *types.Err:
		s.Value, s.Gaps = "error", []findings.Gap{faultOf(v)}
	default:
		s.Value = string(jsonOf(v))
		if d, ok := v.(types.Duration); ok {
			s.Value = d.String()
		}
	}
	return s
}
