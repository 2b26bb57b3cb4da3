package rules

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"sptr.jp/tenken/findings/inventory"
)

// facts are the fields of a case's subject as its YAML has them. `null` is proven absence, `!unknown REASON` an unknown,
// `!open [...]` a list with an unread tail; a field that is left out is unknown too, as in a scan.
type facts map[string]yaml.Node

// maker builds resources for cases. It uses reflection, which judging never does.
type maker struct{ unit *inventory.Unit }

// caseWorld is an inventory of one unit that is read whole, for one subject.
func caseWorld() (*inventory.Inventory, *maker) {
	u := inventory.NewUnit(inventory.Scope{System: "case", Type: "case", Account: "000000000000"}, "case")
	u.Outcome = inventory.Complete
	inv := inventory.New([]inventory.Unit{u})
	return inv, &maker{&inv.Units[0]}
}

func (m *maker) resource(k inventory.Kind, f facts) (inventory.Resource, error) {
	r := newResource(k)
	if r == nil {
		return nil, fmt.Errorf("there is no kind %q", k)
	}
	m.unit.Adopt(r.Base())
	r.Base().ID = "case"
	return r, m.fill(reflect.ValueOf(r).Elem(), "tenken."+string(k), f)
}

func (m *maker) fill(dst reflect.Value, typeName string, f facts) error {
	fields := fieldsOf(typeName)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		n := f[name]
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if i < 0 {
			return fmt.Errorf("line %d: %s has no field %q", n.Line, typeName, name)
		}
		if err := m.set(dst.FieldByName(fields[i].goName), &n); err != nil {
			return fmt.Errorf("line %d: %s: %w", n.Line, name, err)
		}
	}
	return nil
}

func (m *maker) set(dst reflect.Value, n *yaml.Node) error {
	switch p := dst.Addr().Interface().(type) {
	case *inventory.Val[string]:
		return setVal(m, p, n, decodeNode[string])
	case *inventory.Val[int64]:
		return setVal(m, p, n, decodeNode[int64])
	case *inventory.Val[bool]:
		return setVal(m, p, n, decodeNode[bool])
	case *inventory.Val[time.Time]:
		return setVal(m, p, n, decodeNode[time.Time])
	case *inventory.Val[*inventory.Person]:
		return setVal(m, p, n, edgeNode[*inventory.Person](m, inventory.PersonKind))
	case *inventory.Val[*inventory.Account]:
		return setVal(m, p, n, edgeNode[*inventory.Account](m, inventory.AccountKind))
	case *inventory.Val[*inventory.Role]:
		return setVal(m, p, n, edgeNode[*inventory.Role](m, inventory.RoleKind))
	case *inventory.List[string]:
		return setList(m, p, n, decodeNode[string])
	case *inventory.List[*inventory.Account]:
		return setList(m, p, n, edgeNode[*inventory.Account](m, inventory.AccountKind))
	case *inventory.List[inventory.Source]:
		return setList(m, p, n, func(n *yaml.Node) (s inventory.Source, err error) {
			f, err := decodeNode[facts](n)
			if err != nil {
				return s, err
			}
			return s, m.fill(reflect.ValueOf(&s).Elem(), "tenken.Source", f)
		})
	}
	return n.Decode(dst.Addr().Interface())
}

func decodeNode[T any](n *yaml.Node) (v T, err error) { return v, n.Decode(&v) }

func edgeNode[T inventory.Resource](m *maker, k inventory.Kind) func(*yaml.Node) (T, error) {
	return func(n *yaml.Node) (none T, err error) {
		f, err := decodeNode[facts](n)
		if err != nil {
			return none, err
		}
		r, err := m.resource(k, f)
		if err != nil {
			return none, err
		}
		return r.(T), nil
	}
}

// failed notes a read that failed for the reason that a tag names.
func (m *maker) failed(reason string) (inventory.ReadID, error) {
	r := inventory.Reason(reason)
	if r == "" {
		r = inventory.AccessDenied
	}
	if !slices.Contains(inventory.Reasons(), r) {
		return 0, fmt.Errorf("%q is no reason", reason)
	}
	return m.unit.Note(inventory.Read{Operation: "case:Read", Permission: "case:Read", Reason: r}), nil
}

func (m *maker) answered() inventory.ReadID {
	return m.unit.Note(inventory.Read{Operation: "case:Read"})
}

func setVal[T any](m *maker, dst *inventory.Val[T], n *yaml.Node, decode func(*yaml.Node) (T, error)) error {
	switch n.ShortTag() {
	case "!unknown":
		r, err := m.failed(n.Value)
		*dst = inventory.Unknown[T](r)
		return err
	case "!!null":
		*dst = inventory.Absent[T](m.answered())
		return nil
	}
	v, err := decode(n)
	*dst = inventory.Known(v, m.answered())
	return err
}

func setList[T any](m *maker, dst *inventory.List[T], n *yaml.Node, decode func(*yaml.Node) (T, error)) error {
	if n.ShortTag() == "!unknown" {
		r, err := m.failed(n.Value)
		*dst = inventory.Open[T](nil, r)
		return err
	}
	if n.Kind != yaml.SequenceNode {
		return fmt.Errorf("want a list")
	}
	items := make([]T, 0, len(n.Content))
	for _, c := range n.Content {
		v, err := decode(c)
		if err != nil {
			return err
		}
		items = append(items, v)
	}
	if n.ShortTag() == "!open" {
		r, err := m.failed(string(inventory.PartialList))
		*dst = inventory.Open(items, r)
		return err
	}
	*dst = inventory.Closed(items, m.answered())
	return nil
}
