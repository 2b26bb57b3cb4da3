package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Type says what a parameter's value looks like in YAML; Params says what Go value it becomes.
type Type string

// The types.
const (
	Int        Type = "int"
	Bool       Type = "bool"
	String     Type = "string"
	File       Type = "file"
	Duration   Type = "duration"
	Strings    Type = "strings"
	Ports      Type = "ports"
	CIDRs      Type = "cidrs"
	IntMap     Type = "int_map"
	StringMap  Type = "string_map"
	StringsMap Type = "strings_map"
	Record     Type = "record"
	Records    Type = "records"
	RecordMap  Type = "record_map"
	Section    Type = "section" // not a value of `parameters`: the inventory carries it
)

// decode reads a value of type t. at is the path that an error names beside the line.
func (q *Parameter) decode(t Type, n *yaml.Node, at string) (any, error) {
	switch t {
	case Int:
		return q.integer(n, at)
	case Bool:
		return scalar[bool](n, at, "true or false", "!!bool")
	case String:
		return q.text(n, at)
	case File:
		return text(n, at)
	case Duration:
		return duration(n, at)
	case Strings:
		return list(n, at, nonEmpty)
	case Ports:
		return list(n, at, port)
	case CIDRs:
		return list(n, at, cidr)
	case IntMap:
		return mapping(n, at, q.integer)
	case StringMap:
		return mapping(n, at, nonEmpty)
	case StringsMap:
		return mapping(n, at, func(n *yaml.Node, at string) ([]string, error) { return list(n, at, nonEmpty) })
	case Record:
		return q.record(n, at)
	case Records:
		return list(n, at, q.record)
	case RecordMap:
		return mapping(n, at, func(n *yaml.Node, at string) (any, error) { return q.record(n, at) })
	}
	return nil, fmt.Errorf("line %d: %s: no value has the type %q", n.Line, at, t)
}

func (q *Parameter) integer(n *yaml.Node, at string) (int64, error) {
	i, err := scalar[int64](n, at, "a whole number", "!!int")
	if err != nil {
		return 0, err
	}
	var least int64
	if q.AtLeast != nil {
		least = *q.AtLeast
	}
	if i < least {
		return 0, fmt.Errorf("line %d: %s: must be at least %d, not %d", n.Line, at, least, i)
	}
	return i, nil
}

func (q *Parameter) text(n *yaml.Node, at string) (string, error) {
	s, err := text(n, at)
	if err == nil && len(q.OneOf) > 0 && !slices.Contains(q.OneOf, s) {
		return "", fmt.Errorf("line %d: %s: must be one of %s, not %q", n.Line, at, strings.Join(q.OneOf, ", "), s)
	}
	return s, err
}

// record reads a mapping of the parameter's own fields. An optional field that is left out has no entry.
func (q *Parameter) record(n *yaml.Node, at string) (map[string]any, error) {
	out := map[string]any{}
	err := eachKey(n, at, func(k, v *yaml.Node) (err error) {
		t, ok := q.Fields[k.Value]
		if !ok {
			return fmt.Errorf("line %d: %s: unknown field %q", k.Line, at, k.Value)
		}
		out[k.Value], err = q.decode(t, v, at+"."+k.Value)
		return err
	})
	if err != nil {
		return nil, err
	}
	var missing []string
	for f := range q.Fields {
		if _, ok := out[f]; !ok && !slices.Contains(q.Optional, f) {
			missing = append(missing, f)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return nil, fmt.Errorf("line %d: %s: missing %s", n.Line, at, strings.Join(missing, ", "))
	}
	return out, nil
}

// scalar reads a scalar whose YAML tag is one of tags, so that "8" in quotes is no number and 14.10 no text.
func scalar[T any](n *yaml.Node, at, want string, tags ...string) (v T, err error) {
	if n.Kind != yaml.ScalarNode || !slices.Contains(tags, n.ShortTag()) || n.Decode(&v) != nil {
		return v, fmt.Errorf("line %d: %s: want %s", n.Line, at, want)
	}
	return v, nil
}

// text also takes a bare date, which YAML sets apart from text; a number has to be quoted, or 14.10 would be read as 14.1.
func text(n *yaml.Node, at string) (string, error) {
	return scalar[string](n, at, "text (put numbers in quotes)", "!!str", "!!timestamp")
}

func nonEmpty(n *yaml.Node, at string) (string, error) {
	s, err := text(n, at)
	if err == nil && strings.TrimSpace(s) == "" {
		return "", fmt.Errorf("line %d: %s: must not be empty", n.Line, at)
	}
	return s, err
}

func duration(n *yaml.Node, at string) (time.Duration, error) {
	s, err := scalar[string](n, at, "a duration such as 24h or 90m", "!!str")
	if err != nil {
		return 0, err
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("line %d: %s: want a duration such as 24h or 90m, not %q", n.Line, at, s)
	}
	return d, nil
}

func port(n *yaml.Node, at string) (int64, error) {
	i, err := scalar[int64](n, at, "a port from 1 to 65535", "!!int")
	if err == nil && (i < 1 || i > 65535) {
		return 0, fmt.Errorf("line %d: %s: want a port from 1 to 65535, not %d", n.Line, at, i)
	}
	return i, err
}

// cidr refuses host bits: 10.0.0.7/8 is more likely a slip than a wish to allow 10.0.0.0/8.
func cidr(n *yaml.Node, at string) (string, error) {
	s, err := nonEmpty(n, at)
	if err != nil {
		return "", err
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return "", fmt.Errorf("line %d: %s: want a CIDR such as 192.0.2.0/24, not %q", n.Line, at, s)
	}
	if p != p.Masked() {
		return "", fmt.Errorf("line %d: %s: %s has bits beyond its prefix; write %s or %s/%d",
			n.Line, at, s, p.Masked(), p.Addr(), p.Addr().BitLen())
	}
	return p.String(), nil
}

func list[T any](n *yaml.Node, at string, each func(*yaml.Node, string) (T, error)) ([]T, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("line %d: %s: want a list", n.Line, at)
	}
	out := make([]T, 0, len(n.Content))
	var errs []error
	for i, c := range n.Content {
		v, err := each(c, fmt.Sprintf("%s[%d]", at, i))
		out, errs = append(out, v), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return out, nil
}

func mapping[T any](n *yaml.Node, at string, each func(*yaml.Node, string) (T, error)) (map[string]T, error) {
	out := map[string]T{}
	err := eachKey(n, at, func(k, v *yaml.Node) (err error) {
		out[k.Value], err = each(v, at+"."+k.Value)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// eachKey walks a mapping and gathers all errors. A yaml.Node keeps duplicate keys, so they are refused here.
func eachKey(n *yaml.Node, at string, each func(k, v *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: %s: want a mapping of names to values", n.Line, at)
	}
	var errs []error
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if seen[k.Value] {
			errs = append(errs, fmt.Errorf("line %d: %s: %s is there twice", k.Line, at, k.Value))
			continue
		}
		seen[k.Value] = true
		errs = append(errs, each(k, n.Content[i+1]))
	}
	return errors.Join(errs...)
}
