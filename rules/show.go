package rules

import (
	"encoding/json"

	"cel.dev/cel-go/common/types"

	"sptr.jp/tenken/findings/inventory"
)

// FieldValue is one field of a resource, as rules see it.
type FieldValue struct {
	Name string
	// State is known, absent, unknown, or open for a list with an unread tail; known for what every resource has.
	State string
	Value json.RawMessage // null unless known
	Read  inventory.Read  // the call that decided it; empty for what every resource has
}

// Fields gives every field of a resource that rules can read, facts before conclusions, in the order of its kind.
func Fields(r inventory.Resource) []FieldValue {
	var out []FieldValue
	for _, f := range fieldsOf("tenken." + string(r.Kind())) {
		got, err := f.get(r)
		if err != nil {
			continue // a field of a resource in hand is always readable
		}
		v := FieldValue{Name: f.name, State: "known", Value: json.RawMessage("null")}
		if f.read != nil {
			v.Read = r.Base().Unit().Read(f.read(r))
		}
		switch x := (adapter{}).NativeToValue(got); {
		case types.IsUnknown(x):
			v.State = "unknown"
		case x == types.NullValue:
			v.State = "absent"
		default:
			if v.Value = jsonOf(x); tailOf(x) != nil {
				v.State = "open"
			}
		}
		out = append(out, v)
	}
	return out
}
