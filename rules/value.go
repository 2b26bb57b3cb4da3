package rules

import (
	"fmt"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"sptr.jp/tenken/findings/inventory"
)

// field is one field that rules may read: see fields_gen.go.
type field struct {
	name   string // in rules
	goName string
	number uint16 // index in fieldNames
	typ    *types.Type
	get    ref.FieldGetter
	read   func(object any) inventory.ReadID // the call that decided it; nil for what is no Val and no List
}

func readBy[T any](read func(T) inventory.ReadID) func(any) inventory.ReadID {
	return func(object any) inventory.ReadID {
		if o, ok := object.(T); ok {
			return read(o)
		}
		return 0
	}
}

// get makes a getter of objects of type T. Through an unknown every field is unknown for the same reason; through null
// there is no field, and a rule that asks for one is in error.
func get[T any](read func(T) any) ref.FieldGetter {
	return func(object any) (any, error) {
		switch o := object.(type) {
		case T:
			return read(o), nil
		case *types.Unknown:
			return o, nil
		}
		return nil, fmt.Errorf("a field of null was read; ask for != null first")
	}
}

// The id of an unknown holds all that a report needs: unit, read and field. CEL merges ids, so that a verdict that is
// unknown names every gap that it hangs on.
func gapID(u *inventory.Unit, r inventory.ReadID, number uint16) int64 {
	return int64(u.Index())<<32 | int64(r)<<16 | int64(number)
}

func splitGap(id int64) (unit int, r inventory.ReadID, number uint16) {
	return int(id >> 32), inventory.ReadID(id >> 16), uint16(id)
}

func unknownOf(u *inventory.Unit, r inventory.ReadID, number uint16) *types.Unknown {
	return types.NewUnknown(gapID(u, r, number), nil)
}

// missing is the value of a Val that is not known: null when that is proven, else unknown.
func missing[T any](v inventory.Val[T], u *inventory.Unit, number uint16) any {
	if v.IsAbsent() {
		return types.NullValue
	}
	return unknownOf(u, v.Read(), number)
}

// declaredOf is a value that the company's declarations give, unknown while it is not known which of them applies.
func declaredOf(v ref.Val, h *inventory.Head, gap func(*inventory.Head) (inventory.ReadID, bool), number uint16) any {
	if r, is := gap(h); is {
		return unknownOf(h.Unit(), r, number)
	}
	return v
}

func stringOf(v inventory.Val[string], u *inventory.Unit, number uint16) any {
	if s, ok := v.Get(); ok {
		return types.String(s)
	}
	return missing(v, u, number)
}

func intOf(v inventory.Val[int64], u *inventory.Unit, number uint16) any {
	if i, ok := v.Get(); ok {
		return types.Int(i)
	}
	return missing(v, u, number)
}

func boolOf(v inventory.Val[bool], u *inventory.Unit, number uint16) any {
	if b, ok := v.Get(); ok {
		return types.Bool(b)
	}
	return missing(v, u, number)
}

func timeOf(v inventory.Val[time.Time], u *inventory.Unit, number uint16) any {
	if t, ok := v.Get(); ok {
		return types.Timestamp{Time: t}
	}
	return missing(v, u, number)
}

// edgeOf gives the resource itself: adapter makes a CEL value of it if it is more than a step of a path.
func edgeOf[T inventory.Resource](v inventory.Val[T], u *inventory.Unit, number uint16) any {
	if r, ok := v.Get(); ok {
		return r
	}
	return missing(v, u, number)
}

// adapter makes CEL values of what getters and activations give.
type adapter struct{}

func (adapter) NativeToValue(v any) ref.Val {
	switch v := v.(type) {
	case ref.Val:
		return v
	case inventory.Resource:
		return object{v}
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}
