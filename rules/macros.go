package rules

import (
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/parser"
)

// Names that no rule can write.
const (
	whole    = "@whole"     // true if a list has no unread tail, else unknown for the tail's reason
	withTail = "@with_tail" // the elements that filter kept, with the tail of the list that it filtered
)

// macros are the comprehensions. Each is CEL's own over the elements in hand, with the tail outside the predicate: were the
// tail one more unknown element, a predicate that decides without looking at its element would decide for all that nobody
// has read.
func macros() []cel.Macro {
	return []cel.Macro{
		cel.ReceiverMacro(operators.Exists, 2, func(eh parser.ExprHelper, target ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
			std, err := parser.MakeExists(eh, target, args)
			if err != nil {
				return nil, err
			}
			return eh.NewCall(operators.LogicalOr, std,
				eh.NewCall(operators.LogicalNot, eh.NewCall(whole, eh.Copy(target)))), nil
		}),
		cel.ReceiverMacro(operators.All, 2, func(eh parser.ExprHelper, target ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
			std, err := parser.MakeAll(eh, target, args)
			if err != nil {
				return nil, err
			}
			return eh.NewCall(operators.LogicalAnd, std, eh.NewCall(whole, eh.Copy(target))), nil
		}),
		cel.ReceiverMacro(operators.Filter, 2, func(eh parser.ExprHelper, target ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
			std, err := parser.MakeFilter(eh, target, args)
			if err != nil {
				return nil, err
			}
			return eh.NewCall(withTail, std, eh.Copy(target)), nil
		}),
	}
}

// functions are ours; all are strict, so that an unknown argument makes them unknown.
func functions() cel.EnvOption {
	a := cel.TypeParamType("A")
	listA := cel.ListType(a)
	opts := []cel.EnvOption{
		cel.Function(whole, cel.Overload("whole_list", []*cel.Type{listA}, cel.BoolType, cel.UnaryBinding(isWhole))),
		cel.Function(withTail, cel.Overload("with_tail_list_list", []*cel.Type{listA, listA}, listA, cel.BinaryBinding(keepTail))),
		cel.Function("count_at_least", cel.Overload("count_at_least_list_int", []*cel.Type{listA, cel.IntType}, cel.BoolType,
			cel.BinaryBinding(func(l, n ref.Val) ref.Val { return count(l, n, false) }))),
		cel.Function("count_at_most", cel.Overload("count_at_most_list_int", []*cel.Type{listA, cel.IntType}, cel.BoolType,
			cel.BinaryBinding(func(l, n ref.Val) ref.Val { return count(l, n, true) }))),
		cel.Function("days", cel.Overload("days_int", []*cel.Type{cel.IntType}, cel.DurationType,
			cel.UnaryBinding(func(n ref.Val) ref.Val { return span(n, 24*time.Hour) }))),
		cel.Function("hours", cel.Overload("hours_int", []*cel.Type{cel.IntType}, cel.DurationType,
			cel.UnaryBinding(func(n ref.Val) ref.Val { return span(n, time.Hour) }))),
		cel.Function("glob", cel.Overload("glob_string_string", []*cel.Type{cel.StringType, cel.StringType}, cel.BoolType,
			cel.BinaryBinding(func(s, pattern ref.Val) ref.Val {
				text, ok1 := s.(types.String)
				pat, ok2 := pattern.(types.String)
				if !ok1 || !ok2 {
					return types.NewErr("glob of null")
				}
				return types.Bool(glob(string(text), string(pat)))
			}))),
	}
	return func(e *cel.Env) (*cel.Env, error) {
		var err error
		for _, o := range opts {
			if e, err = o(e); err != nil {
				return nil, err
			}
		}
		return e, nil
	}
}

func tailOf(l ref.Val) *types.Unknown {
	if t, ok := l.(tailed); ok {
		return t.tail()
	}
	return nil // a parameter or a literal
}

func isWhole(l ref.Val) ref.Val {
	if t := tailOf(l); t != nil {
		return t
	}
	return types.True
}

func keepTail(kept, of ref.Val) ref.Val {
	l, ok := kept.(traits.Lister)
	if t := tailOf(of); ok && t != nil {
		return &filtered{Lister: l, rest: t}
	}
	return kept
}

// count compares the elements in hand with a number: what is in hand can prove "at least" and disprove "at most", and
// only a whole list can do the reverse.
func count(l, n ref.Val, most bool) ref.Val {
	sized, ok1 := l.(traits.Sizer)
	limit, ok2 := n.(types.Int)
	if !ok1 || !ok2 {
		return types.NewErr("count of null")
	}
	inHand := sized.Size().(types.Int)
	if most && inHand > limit || !most && inHand >= limit {
		return types.Bool(!most)
	}
	if t := tailOf(l); t != nil {
		return t
	}
	return types.Bool(most)
}

func span(n ref.Val, unit time.Duration) ref.Val {
	i, ok := n.(types.Int)
	if !ok || i < 0 || i > 100_000 {
		return types.NewErr("%v is no number of days or hours", n)
	}
	return types.Duration{Duration: time.Duration(i) * unit}
}

// glob matches a text with a pattern in which * stands for any characters, none included.
func glob(s, pattern string) bool {
	star, mark, i, j := -1, 0, 0, 0
	for i < len(s) {
		switch {
		case j < len(pattern) && pattern[j] == '*':
			star, mark = j, i
			j++
		case j < len(pattern) && pattern[j] == s[i]:
			i++
			j++
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	for j < len(pattern) && pattern[j] == '*' {
		j++
	}
	return j == len(pattern)
}
