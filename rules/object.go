package rules

import (
	"fmt"
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"sptr.jp/tenken/findings/inventory"
)

// object is a resource as a CEL value: it can be compared with null and asked for its fields, no more.
type object struct{ inventory.Resource }

func (o object) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a resource has no form as %v", t)
}

func (o object) ConvertToType(t ref.Type) ref.Val {
	return types.NewErr("a resource has no form as %s", t.TypeName())
}

// Equal compares identities: a resource is equal to itself alone.
func (o object) Equal(other ref.Val) ref.Val {
	p, ok := other.(object)
	return types.Bool(ok && o.Resource == p.Resource)
}

func (o object) Type() ref.Type { return types.NewObjectType("tenken." + string(o.Kind())) }
func (o object) Value() any     { return o.Resource }

// element is one element of a list of plain structs, with the unit that read it: an unknown field of the element names a
// read of that unit.
type element[T any] struct {
	v    *T
	unit *inventory.Unit
}

func (e element[T]) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("an element has no form as %v", t)
}

func (e element[T]) ConvertToType(t ref.Type) ref.Val {
	return types.NewErr("an element has no form as %s", t.TypeName())
}

func (e element[T]) Equal(other ref.Val) ref.Val {
	f, ok := other.(element[T])
	return types.Bool(ok && e.v == f.v)
}

func (e element[T]) Type() ref.Type {
	return types.NewObjectType("tenken." + reflect.TypeFor[T]().Name())
}
func (e element[T]) Value() any { return e }
