package rules

import (
	"fmt"
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"sptr.jp/tenken/findings/inventory"
)

// tailed is a list that may have an unread tail. tail is nil when the list is whole.
type tailed interface {
	traits.Lister
	tail() *types.Unknown
}

// list is an inventory.List as a CEL value: the elements in hand, and the tail beside them. Comprehensions walk the
// elements; the macros (macros.go) put the tail outside their predicate.
type list[T any] struct {
	inventory.List[T]
	unit   *inventory.Unit
	number uint16
}

func listOf[T any](l inventory.List[T], u *inventory.Unit, number uint16) any {
	return &list[T]{List: l, unit: u, number: number}
}

// tail is a fresh unknown: it must name this list's own read.
func (l *list[T]) tail() *types.Unknown {
	if !l.IsOpen() {
		return nil
	}
	return unknownOf(l.unit, l.Read(), l.number)
}

func (l *list[T]) at(i int) ref.Val {
	switch x := any(&l.Items[i]).(type) {
	case *string:
		return types.String(*x)
	case *inventory.Source:
		return element[inventory.Source]{x, l.unit}
	}
	return adapter{}.NativeToValue(l.Items[i])
}

// Fold walks the elements in hand without an iterator.
func (l *list[T]) Fold(f traits.Folder) {
	for i := range l.Items {
		if !f.FoldEntry(types.Int(i), l.at(i)) {
			return
		}
	}
}

func (l *list[T]) Get(index ref.Val) ref.Val {
	i, ok := index.(types.Int)
	if !ok || i < 0 || int(i) >= len(l.Items) {
		return types.NewErr("no element %v", index)
	}
	return l.at(int(i))
}

func (l *list[T]) Iterator() traits.Iterator { return &iterator{l: l, n: len(l.Items)} }
func (l *list[T]) Size() ref.Val             { return types.Int(len(l.Items)) }
func (l *list[T]) Type() ref.Type            { return types.ListType }
func (l *list[T]) Value() any                { return l }

// What follows would answer without regard to the tail. No expression that is admitted comes here.

func (l *list[T]) Add(ref.Val) ref.Val            { return errNoTail() }
func (l *list[T]) Contains(ref.Val) ref.Val       { return errNoTail() }
func (l *list[T]) Equal(ref.Val) ref.Val          { return errNoTail() }
func (l *list[T]) ConvertToType(ref.Type) ref.Val { return errNoTail() }
func (l *list[T]) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a list has no form as %v", t)
}

func errNoTail() ref.Val {
	return types.NewErr("not an operation on lists that may have an unread tail")
}

// filtered is what filter() gives: some elements of a list, with that list's tail.
type filtered struct {
	traits.Lister
	rest *types.Unknown
}

func (f *filtered) tail() *types.Unknown { return f.rest }
func (f *filtered) Value() any           { return f }

type iterator struct {
	l    traits.Lister
	i, n int
}

func (it *iterator) HasNext() ref.Val { return types.Bool(it.i < it.n) }

func (it *iterator) Next() ref.Val {
	it.i++
	return it.l.Get(types.Int(it.i - 1))
}

func (it *iterator) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("an iterator has no form as %v", t)
}
func (it *iterator) ConvertToType(ref.Type) ref.Val { return errNoTail() }
func (it *iterator) Equal(ref.Val) ref.Val          { return errNoTail() }
func (it *iterator) Type() ref.Type                 { return types.IteratorType }
func (it *iterator) Value() any                     { return it }
