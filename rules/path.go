package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"sptr.jp/tenken/findings/inventory"
)

// path is a chain of fields from the subject, such as person.leave_date, resolved when the rule is loaded.
type path struct {
	text  string
	steps []field
}

// newPath resolves dotted field names from a kind.
func newPath(k inventory.Kind, text string) (path, error) {
	p := path{text: text}
	typ := "tenken." + string(k)
	for name := range strings.SplitSeq(text, ".") {
		i := slices.IndexFunc(fieldsOf(typ), func(f field) bool { return f.name == name })
		if i < 0 {
			return p, fmt.Errorf("%s has no field %q", strings.TrimPrefix(typ, "tenken."), name)
		}
		f := fieldsOf(typ)[i]
		p.steps = append(p.steps, f)
		typ = f.typ.TypeName()
	}
	return p, nil
}

// value follows the path. by is the call that decided the last field; it is the zero Read where there was none.
func (p path) value(r inventory.Resource) (v ref.Val, by inventory.Read) {
	var object any = r
	for i, f := range p.steps {
		got, err := f.get(object)
		if err != nil {
			return types.NullValue, by // an edge that leads nowhere has no fields
		}
		if owner, ok := object.(inventory.Resource); ok && f.read != nil && i == len(p.steps)-1 {
			by = owner.Base().Unit().Read(f.read(object))
		}
		object = got
	}
	return adapter{}.NativeToValue(object), by
}

// last is the name of the last field.
func (p path) last() string { return p.steps[len(p.steps)-1].name }

// findReads lists every field of the subject that the conditions read, without the edges that are only a way to one.
func (s *subject) findReads() {
	seen := map[string]bool{}
	add := func(c *condition) {
		if c == nil {
			return
		}
		for _, text := range pathsOf(c.ast.NativeRep().Expr()) {
			if p, err := newPath(s.kind, text); err == nil && !seen[text] {
				seen[text] = true
				s.reads = append(s.reads, p)
			}
		}
	}
	add(s.when)
	add(s.require)
	for _, l := range s.levels {
		add(l.when)
	}
	s.readsLevel, s.readsClass = seen["level"], seen["environment_class"]
	s.readsReach = seen["internet_reach"] || seen["internet_open"] || seen["reach"]
	s.reads = slices.DeleteFunc(s.reads, func(p path) bool {
		return slices.ContainsFunc(s.reads, func(q path) bool { return strings.HasPrefix(q.text, p.text+".") })
	})
}

// pathsOf gives the chains of fields that start at `it`, in the order of the text.
func pathsOf(e ast.Expr) (paths []string) {
	if chain, ok := chainOf(e); ok {
		if chain == "" {
			return nil
		}
		return []string{chain}
	}
	switch e.Kind() {
	case ast.SelectKind:
		return pathsOf(e.AsSelect().Operand())
	case ast.CallKind:
		if e.AsCall().IsMemberFunction() {
			paths = pathsOf(e.AsCall().Target())
		}
		for _, a := range e.AsCall().Args() {
			paths = append(paths, pathsOf(a)...)
		}
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		for _, part := range []ast.Expr{c.IterRange(), c.LoopStep()} {
			paths = append(paths, pathsOf(part)...)
		}
	}
	return paths
}

func chainOf(e ast.Expr) (chain string, ok bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return "", e.AsIdent() == "it"
	case ast.SelectKind:
		if chain, ok = chainOf(e.AsSelect().Operand()); ok {
			return strings.TrimPrefix(chain+"."+e.AsSelect().FieldName(), "."), true
		}
	}
	return "", false
}

// tokyo is where a day of the regulation ends.
var tokyo = time.FixedZone("JST", 9*60*60)

// jsonOf writes a value as evidence. Resources are their ids; what is unknown has no value and is a gap instead.
func jsonOf(v ref.Val) json.RawMessage {
	switch v := v.(type) {
	case *types.Unknown, *types.Err:
		return nil
	case types.Timestamp:
		b, _ := v.MarshalJSON() // RFC 3339, UTC offsets kept; it has no way to fail for the years that a Timestamp holds
		return b
	case types.Bool, types.Int, types.String:
		b, err := json.Marshal(v.Value())
		if err != nil {
			return nil
		}
		return b
	case object:
		return jsonOf(types.String(v.Base().ID))
	case element[inventory.Source]:
		return jsonOf(types.String(v.v.Value))
	case traits.Lister:
		parts := make([]string, 0, 4)
		for it := v.Iterator(); it.HasNext() == types.True; {
			parts = append(parts, string(jsonOf(it.Next())))
		}
		items := "[" + strings.Join(parts, ",") + "]"
		if tailOf(v) != nil { // not to be read as the whole list
			items = `{"in_hand":` + items + `,"open":true}`
		}
		return json.RawMessage(items)
	}
	return json.RawMessage("null")
}
