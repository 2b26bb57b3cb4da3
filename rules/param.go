package rules

import (
	"fmt"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"sptr.jp/tenken/rules/policy"
)

// params are the policy's parameters as CEL values, made once a run.
type params map[string]ref.Val

func newParams(p policy.Params) params {
	out := params{}
	for key, v := range p {
		switch v := v.(type) {
		case int64, bool, string, []string, []int64:
			out[key] = types.DefaultTypeAdapter.NativeToValue(v)
		case time.Duration:
			out[key] = types.Duration{Duration: v}
		}
	}
	return out
}

// paramFields types param.<key>. Parameters of richer shapes belong to scanners and derived fields, and rules can't see them.
func paramFields(pol *policy.Policy) (fields []field) {
	for _, q := range pol.Parameters {
		if t := paramType(q.Type); t != nil {
			fields = append(fields, field{name: q.Key, typ: t, get: paramGetter(q.Key)})
		}
	}
	return fields
}

func paramType(t policy.Type) *types.Type {
	switch t {
	case policy.Int:
		return cel.IntType
	case policy.Bool:
		return cel.BoolType
	case policy.String:
		return cel.StringType
	case policy.Duration:
		return cel.DurationType
	case policy.Strings, policy.CIDRs:
		return cel.ListType(cel.StringType)
	case policy.Ports:
		return cel.ListType(cel.IntType)
	}
	return nil
}

func paramGetter(key string) ref.FieldGetter {
	return func(object any) (any, error) {
		if p, ok := object.(params); ok {
			if v, ok := p[key]; ok {
				return v, nil
			}
		}
		return nil, fmt.Errorf("the parameter %s has no value", key)
	}
}
