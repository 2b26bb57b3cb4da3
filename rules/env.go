package rules

import (
	"fmt"

	"cel.dev/cel-go/cel"
	celenv "cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/rules/policy"
)

// Limits of an expression. A rule is a few lines; whatever passes these is no rule.
const (
	maxExpression = 4096      // code points
	maxNodes      = 1000      // after macros were expanded
	maxDepth      = 50        // of nesting
	maxCost       = 1_000_000 // CEL's units, estimated at load and measured while judging: about 0.1 s
	maxListSize   = 1000      // elements that the estimate assumes
	maxTextSize   = 1024      // characters that the estimate assumes
)

// environment is the closed environment: what is not declared here does not exist, and what could answer without looking
// is not declared here.
type environment struct {
	kinds map[inventory.Kind]*cel.Env // it is a resource of the kind
	words *words
	bare  *cel.Env // parses without macros, so that the validator sees what was written
}

func newEnvironment(pol *policy.Policy) (*environment, error) {
	p := provider{params: paramFields(pol)}
	limits := []cel.EnvOption{
		cel.ParserExpressionSizeLimit(maxExpression), cel.ParserRecursionLimit(maxDepth),
		cel.ExpressionNodeLimit(maxNodes), cel.ExpressionNestingDepthLimit(maxDepth), cel.ParserErrorRecoveryLimit(1),
	}
	base, err := cel.NewCustomEnv(append(limits,
		cel.CustomTypeAdapter(adapter{}), cel.CustomTypeProvider(p), cel.EnableHiddenAccumulatorName(true),
		cel.StdLib(cel.StdLibSubset(admitted())), cel.Macros(macros()...), cel.EnableMacroCallTracking(),
		cel.Variable("param", cel.ObjectType("tenken.Params")), cel.Variable("now", cel.TimestampType),
		functions(),
	)...)
	if err != nil {
		return nil, fmt.Errorf("the rule language: %w", err)
	}
	env := &environment{kinds: map[inventory.Kind]*cel.Env{}}
	if env.words, err = newWords(); err != nil {
		return nil, err
	}
	for _, k := range inventory.Kinds() {
		if env.kinds[k], err = base.Extend(cel.Variable("it", cel.ObjectType("tenken."+string(k)))); err != nil {
			return nil, fmt.Errorf("the rule language for %s: %w", k, err)
		}
	}
	if env.bare, err = cel.NewCustomEnv(limits...); err != nil {
		return nil, fmt.Errorf("the rule language: %w", err)
	}
	return env, nil
}

// admitted are the functions of CEL's own library that are three-valued in every argument.
func admitted() *celenv.LibrarySubset {
	some := func(name string, ids ...string) *celenv.Function {
		f := &celenv.Function{Name: name}
		for _, id := range ids {
			f.Overloads = append(f.Overloads, &celenv.Overload{ID: id})
		}
		return f
	}
	return celenv.NewLibrarySubset().SetDisableMacros(true).AddIncludedFunctions(
		some(operators.LogicalAnd), some(operators.LogicalOr), some(operators.LogicalNot), some(operators.Conditional),
		some(operators.NotStrictlyFalse), // of the macros' loops; it can't be written
		some(operators.Equals), some(operators.NotEquals),
		some(operators.In, overloads.InList), // of a literal list; see validate
		some(operators.Less, overloads.LessInt64, overloads.LessTimestamp, overloads.LessDuration),
		some(operators.LessEquals, overloads.LessEqualsInt64, overloads.LessEqualsTimestamp, overloads.LessEqualsDuration),
		some(operators.Greater, overloads.GreaterInt64, overloads.GreaterTimestamp, overloads.GreaterDuration),
		some(operators.GreaterEquals, overloads.GreaterEqualsInt64, overloads.GreaterEqualsTimestamp, overloads.GreaterEqualsDuration),
		some(operators.Add, overloads.AddTimestampDuration, overloads.AddList), // lists: of filter's loop; see validate
		some(operators.Subtract, overloads.SubtractTimestampTimestamp, overloads.SubtractTimestampDuration),
	)
}

// provider tells CEL the types: the kinds, the structs in their lists, and the parameters.
type provider struct{ params []field }

func (p provider) fields(typeName string) []field {
	if typeName == "tenken.Params" {
		return p.params
	}
	return fieldsOf(typeName)
}

func (provider) EnumValue(name string) ref.Val    { return types.NewErr("no enum %s", name) }
func (provider) FindIdent(string) (ref.Val, bool) { return nil, false }
func (provider) NewValue(string, map[string]ref.Val) ref.Val {
	return types.NewErr("rules make no objects")
}

func (p provider) FindStructType(typeName string) (*types.Type, bool) {
	if len(p.fields(typeName)) == 0 {
		return nil, false
	}
	return types.NewTypeTypeWithParam(types.NewObjectType(typeName)), true
}

func (p provider) FindStructFieldNames(typeName string) (names []string, ok bool) {
	for _, f := range p.fields(typeName) {
		names = append(names, f.name)
	}
	return names, len(names) > 0
}

func (p provider) FindStructFieldType(typeName, name string) (*types.FieldType, bool) {
	for _, f := range p.fields(typeName) {
		if f.name == name {
			return &types.FieldType{Type: f.typ, GetFrom: f.get, IsSet: func(any) bool { return true }}, true
		}
	}
	return nil, false
}
