package rules

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// writable are the functions and operators that a rule may write, with how a refusal of the rest helps on.
var writable = map[string]bool{
	operators.LogicalAnd: true, operators.LogicalOr: true, operators.LogicalNot: true, operators.Conditional: true,
	operators.Equals: true, operators.NotEquals: true, operators.In: true,
	operators.Less: true, operators.LessEquals: true, operators.Greater: true, operators.GreaterEquals: true,
	operators.Add: true, operators.Subtract: true,
	operators.Exists: true, operators.All: true, operators.Filter: true,
	"count_at_least": true, "count_at_most": true, "days": true, "hours": true, "glob": true,
}

// instead says what to write for the operators that people reach for and that would decide without looking.
var instead = map[string]string{
	operators.Has:      "every field is there; compare it with null",
	"size":             "use count_at_least(list, n) or count_at_most(list, n)",
	operators.Index:    "use exists, all or filter",
	operators.Map:      "use exists, all or filter",
	"exists_one":       "use count_at_least and count_at_most of a filter",
	"existsOne":        "use count_at_least and count_at_most of a filter",
	operators.OldIn:    "use exists",
	"matches":          "use glob(text, pattern), in which * stands for any characters",
	operators.OptIndex: "use exists, all or filter",
}

// refuse gives the first thing in an expression, as it was written, that is not admitted.
func refuse(e ast.Expr) error {
	switch e.Kind() {
	case ast.IdentKind:
		return nil
	case ast.LiteralKind:
		switch e.AsLiteral().Type() {
		case types.NullType, types.BoolType, types.IntType, types.StringType:
			return nil
		}
		return fmt.Errorf("a %s literal is not admitted", e.AsLiteral().Type().TypeName())
	case ast.SelectKind:
		return refuse(e.AsSelect().Operand())
	case ast.CallKind:
		return refuseCall(e.AsCall())
	case ast.ListKind:
		return fmt.Errorf("a literal list is admitted to the right of `in` only")
	}
	return fmt.Errorf("literals of maps and objects are not admitted")
}

func refuseCall(c ast.CallExpr) error {
	name := c.FunctionName()
	if !writable[name] {
		shown := name
		if op, ok := operators.FindReverse(name); ok && op != "" {
			shown = op
		}
		if hint := instead[name]; hint != "" {
			return fmt.Errorf("%s is not admitted: %s", shown, hint)
		}
		return fmt.Errorf("%s is not admitted", shown)
	}
	args := c.Args()
	switch name {
	case operators.Exists, operators.All, operators.Filter:
		if len(args) != 2 || !c.IsMemberFunction() || args[0].Kind() != ast.IdentKind {
			return fmt.Errorf("%s takes a name and a condition: list.%s(x, …)", name, name)
		}
		switch args[0].AsIdent() {
		case "it", "param", "now":
			return fmt.Errorf("%s may not name its element %s", name, args[0].AsIdent())
		}
	case operators.In:
		if err := refuseMembers(args[1]); err != nil {
			return err
		}
		return refuse(args[0])
	}
	if c.IsMemberFunction() {
		if err := refuse(c.Target()); err != nil {
			return err
		}
	}
	for _, a := range args {
		if err := refuse(a); err != nil {
			return err
		}
	}
	return nil
}

// refuseMembers admits `x in ["a", "b"]` and no other `in`: of a list with a tail it would take "not in hand" for "no".
func refuseMembers(e ast.Expr) error {
	if e.Kind() != ast.ListKind {
		return fmt.Errorf("`in` is admitted with a literal list only; use exists(x, x == …)")
	}
	for _, m := range e.AsList().Elements() {
		if m.Kind() != ast.LiteralKind {
			return fmt.Errorf("the list of `in` may hold constants only")
		}
		if err := refuse(m); err != nil {
			return err
		}
	}
	return nil
}

// refuseTypes refuses what only types show: lists compared as a whole, or joined.
func refuseTypes(checked *ast.AST) error {
	var err error
	ast.PostOrderVisit(checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || err != nil {
			return
		}
		c := e.AsCall()
		switch c.FunctionName() {
		case operators.Equals, operators.NotEquals:
			for _, a := range c.Args() {
				if checked.GetType(a.ID()).Kind() == types.ListKind {
					err = fmt.Errorf("lists are not compared as a whole: use exists, all or count_at_most")
				}
			}
		case operators.Add:
			first := c.Args()[0]
			ofFilter := first.Kind() == ast.IdentKind && first.AsIdent() == "@result"
			if checked.GetType(e.ID()).Kind() == types.ListKind && !ofFilter {
				err = fmt.Errorf("lists are not joined")
			}
		}
	}))
	return err
}

// sizes bounds what an expression can cost, whatever it is fed within reason.
type sizes struct{}

func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

func (sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	switch n.Type().Kind() {
	case types.ListKind:
		return &cost.SizeEstimate{Max: maxListSize}
	case types.StringKind:
		return &cost.SizeEstimate{Max: maxTextSize}
	}
	return nil
}

func refuseCost(env *cel.Env, checked *cel.Ast) error {
	est, err := env.EstimateCost(checked, sizes{})
	if err != nil {
		return fmt.Errorf("estimating the cost: %w", err)
	}
	if est.Max > maxCost {
		return fmt.Errorf("it could cost %d, more than %d: nest fewer lists", est.Max, maxCost)
	}
	return nil
}
