package rules

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/rules/policy"
)

// choice is one state of a field: a value, null, unknown, or a list with or without a tail. A concrete one is fully read.
type choice struct {
	name     string
	concrete bool
	set      func(*inventory.Database)
	covers   func(other *choice) bool // the other is a way in which this one may turn out
	items    []int
}

func scalar[T any](at func(*inventory.Database) *inventory.Val[T], values ...T) (out []*choice) {
	add := func(name string, v inventory.Val[T]) {
		out = append(out, &choice{name: name, concrete: !v.IsUnknown(), set: func(d *inventory.Database) { *at(d) = v },
			covers: func(o *choice) bool { return v.IsUnknown() || o.name == name }})
	}
	for _, v := range values {
		add(fmt.Sprint(v), inventory.Known(v, 1))
	}
	add("null", inventory.Absent[T](1))
	add("unknown", inventory.Unknown[T](2))
	return out
}

// lists gives every list of up to three of the elements, closed, and up to two, open.
func lists[T any](at func(*inventory.Database) *inventory.List[T], elements []T, unknownElement int) (out []*choice) {
	var walk func(items []int)
	walk = func(items []int) {
		real := make([]T, len(items))
		for i, n := range items {
			real[i] = elements[n]
		}
		concrete := !slices.Contains(items, unknownElement)
		out = append(out, listChoice(at, inventory.Closed(real, 1), items, concrete, unknownElement))
		if len(items) < 2 {
			out = append(out, listChoice(at, inventory.Open(real, 2), items, false, unknownElement))
		}
		if len(items) < 3 {
			for n := range elements {
				walk(append(slices.Clone(items), n))
			}
		}
	}
	walk(nil)
	return out
}

func listChoice[T any](at func(*inventory.Database) *inventory.List[T], l inventory.List[T], items []int, concrete bool, unknownElement int) *choice {
	return &choice{
		name: fmt.Sprint(items, " open=", l.IsOpen()), concrete: concrete, items: items,
		set: func(d *inventory.Database) { *at(d) = l },
		covers: func(o *choice) bool {
			if len(o.items) < len(items) || !l.IsOpen() && len(o.items) != len(items) {
				return false
			}
			for i, n := range items {
				if n != unknownElement && n != o.items[i] {
					return false
				}
			}
			return true
		},
	}
}

func operatorFields() map[string][]*choice {
	day := func(n int) time.Time { return casesNow().AddDate(0, 0, n) }
	src := func(v inventory.Val[bool]) inventory.Source { return inventory.Source{SameEnvironment: v} }
	return map[string][]*choice{
		"encrypted":             scalar(func(d *inventory.Database) *inventory.Val[bool] { return &d.Encrypted }, true, false),
		"multi_zone":            scalar(func(d *inventory.Database) *inventory.Val[bool] { return &d.MultiZone }, true, false),
		"port":                  scalar(func(d *inventory.Database) *inventory.Val[int64] { return &d.Port }, 0, 1, 2),
		"backup_retention_days": scalar(func(d *inventory.Database) *inventory.Val[int64] { return &d.BackupRetentionDays }, 0, 1, 7),
		"engine":                scalar(func(d *inventory.Database) *inventory.Val[string] { return &d.Engine }, "a", "b", ""),
		"status":                scalar(func(d *inventory.Database) *inventory.Val[string] { return &d.Status }, "a", "*", "a*"),
		"latest_restorable_at":  scalar(func(d *inventory.Database) *inventory.Val[time.Time] { return &d.LatestRestorableAt }, day(-2), day(-1), day(0)),
		"subnet_ids":            lists(func(d *inventory.Database) *inventory.List[string] { return &d.SubnetIDs }, []string{"a", "b"}, -1),
		"ingress": lists(func(d *inventory.Database) *inventory.List[inventory.Source] { return &d.Ingress }, []inventory.Source{
			src(inventory.Known(true, 1)), src(inventory.Known(false, 1)), src(inventory.Absent[bool](1)), src(inventory.Unknown[bool](2))}, 3),
	}
}

func operatorExpressions() []string {
	return []string{
		"it.encrypted == true && it.multi_zone == true", "it.encrypted == true || it.multi_zone == true",
		"it.encrypted && it.multi_zone", "it.encrypted || it.multi_zone", "!it.encrypted", "!(it.encrypted == true)",
		"it.encrypted == true ? it.multi_zone == true : it.port == 1", "it.encrypted ? it.multi_zone : it.multi_zone",
		"(it.encrypted == true ? it.port : it.backup_retention_days) == 1",
		"it.port == it.backup_retention_days", "it.port != it.backup_retention_days", "it.port == null", "it.engine != null",
		"it.encrypted == it.multi_zone", "it.encrypted != false", "it.engine == it.status", "it.engine == ''",
		"it.port < it.backup_retention_days", "it.port <= it.backup_retention_days",
		"it.port > it.backup_retention_days", "it.port >= it.backup_retention_days",
		"it.latest_restorable_at < now", "it.latest_restorable_at <= now - days(1)", "it.latest_restorable_at > now",
		"it.latest_restorable_at >= now", "it.latest_restorable_at == now", "it.latest_restorable_at != null",
		"now - it.latest_restorable_at <= days(it.port)", "now - it.latest_restorable_at > hours(it.backup_retention_days)",
		"it.latest_restorable_at + days(it.port) >= now", "it.latest_restorable_at - hours(24) < now",
		"it.engine in ['a', '']", "!(it.engine in ['b'])", "it.port in [0, 2]", "it.engine in ['a', null]",
		"glob(it.engine, it.status)", "glob(it.engine, '*') && it.port == 1",
		"it.subnet_ids.exists(x, x == 'a')", "it.subnet_ids.all(x, x == 'a')", "!it.subnet_ids.exists(x, x == 'b')",
		"it.subnet_ids.exists(x, true)", "it.subnet_ids.all(x, false)", "it.subnet_ids.exists(x, false)", "it.subnet_ids.all(x, true)",
		"it.subnet_ids.exists(x, it.encrypted)", "it.subnet_ids.all(x, it.encrypted)", "it.subnet_ids.exists(x, x == it.engine)",
		"it.subnet_ids.exists(x, it.encrypted) || it.multi_zone", "it.subnet_ids.all(x, x == 'a' || it.encrypted)",
		"it.subnet_ids.filter(x, x == 'a').exists(x, true)", "it.subnet_ids.filter(x, x == 'a').all(x, false)",
		"it.subnet_ids.filter(x, it.encrypted).exists(x, x == 'b')", "it.subnet_ids.filter(x, x == 'a').filter(y, it.encrypted).all(z, false)",
		"count_at_least(it.subnet_ids, 1)", "count_at_most(it.subnet_ids, 1)", "count_at_least(it.subnet_ids, 0)",
		"count_at_least(it.subnet_ids, it.port)", "count_at_most(it.subnet_ids, it.port)",
		"count_at_least(it.subnet_ids.filter(x, x == 'a'), 2)", "count_at_most(it.subnet_ids.filter(x, x == 'a'), 0)",
		"count_at_most((it.encrypted ? it.subnet_ids : it.subnet_ids.filter(x, x == 'a')), 1)",
		"it.ingress.exists(s, s.same_environment)", "it.ingress.all(s, s.same_environment == true)",
		"it.ingress.all(s, s.same_environment != null)", "it.ingress.exists(s, s.same_environment == null)",
		"it.ingress.exists(s, !s.internet)", "it.ingress.all(s, s.same_environment || it.encrypted)",
		"count_at_least(it.ingress.filter(s, s.same_environment == true), 1)", "count_at_most(it.ingress.filter(s, s.same_environment), 1)",
		"it.ingress.filter(s, s.same_environment == true).all(s, false)",
	}
}

// Every admitted operator is honest: if it answers although something was not read, then whatever the unread part turns
// out to be, read in full it gives the same answer.
func TestOperatorsAreThreeValued(t *testing.T) {
	pol, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	env, err := newEnvironment(pol)
	if err != nil {
		t.Fatal(err)
	}
	fields, tried := operatorFields(), map[string]bool{}
	definite, unknowns := 0, 0
	for _, text := range operatorExpressions() {
		c, err := env.compile(inventory.DatabaseKind, source{text: text}, nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		parsed, _ := env.bare.Parse(text)
		ast.PreOrderVisit(parsed.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
			if e.Kind() == ast.CallKind {
				tried[e.AsCall().FunctionName()] = true
			}
		}))
		d, u := checkHonest(t, text, c, fields)
		definite, unknowns = definite+d, unknowns+u
	}
	for name := range writable {
		if !tried[name] {
			t.Errorf("no expression here tries %s", name)
		}
	}
	if definite == 0 || unknowns == 0 {
		t.Errorf("%d definite and %d unknown answers: the test looks at nothing", definite, unknowns)
	}
}

type picked struct {
	choices []*choice
	result  string
}

func checkHonest(t *testing.T, text string, c *condition, fields map[string][]*choice) (definite, unknowns int) {
	var names []string
	for _, p := range pathsOf(c.ast.NativeRep().Expr()) {
		if !slices.Contains(names, p) {
			names = append(names, p)
		}
	}
	var full, masked []picked
	var walk func(i int, chosen []*choice)
	walk = func(i int, chosen []*choice) {
		if i < len(names) {
			for _, ch := range fields[names[i]] {
				walk(i+1, append(slices.Clone(chosen), ch))
			}
			return
		}
		p := picked{chosen, resultOf(c, chosen)}
		if slices.ContainsFunc(chosen, func(ch *choice) bool { return !ch.concrete }) {
			masked = append(masked, p)
		} else {
			full = append(full, p)
		}
	}
	walk(0, nil)
	for _, m := range masked {
		if m.result == "unknown" || m.result == "error" {
			unknowns++
			continue
		}
		definite++
		for _, f := range full {
			covered := true
			for i := range m.choices {
				covered = covered && m.choices[i].covers(f.choices[i])
			}
			if covered && f.result != m.result {
				t.Errorf("%s: %v gives %s, and read in full %v gives %s", text, namesOf(m.choices), m.result, namesOf(f.choices), f.result)
				return
			}
		}
	}
	return definite, unknowns
}

func namesOf(cs []*choice) (out []string) {
	for _, c := range cs {
		out = append(out, c.name)
	}
	return out
}

func resultOf(c *condition, chosen []*choice) string {
	inv, m := caseWorld()
	m.unit.Reads = append(m.unit.Reads, inventory.Read{Operation: "a"}, inventory.Read{Operation: "b", Reason: inventory.AccessDenied})
	d := &inventory.Database{}
	inv.Units[0].Adopt(&d.Head)
	for _, ch := range chosen {
		ch.set(d)
	}
	v := c.eval(&activation{it: d, now: types.Timestamp{Time: casesNow()}})
	switch {
	case v.err != nil:
		return "error"
	case v.unknown != nil:
		return "unknown"
	}
	return fmt.Sprint(v.yes)
}

// What is not admitted is refused, and the refusal says what to write instead.
func TestRefusals(t *testing.T) {
	pol, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	env, err := newEnvironment(pol)
	if err != nil {
		t.Fatal(err)
	}
	refused := map[string]string{
		"has(it.encrypted)": "null", "size(it.subnet_ids) == 0": "count_at", "it.subnet_ids.size() > 0": "count_at",
		"it.subnet_ids[0] == 'a'": "exists", "'a' in it.subnet_ids": "literal list", "it.engine in param.privileged_roles": "literal list",
		"it.engine in [it.status]": "constants", "it.subnet_ids == it.log_exports": "whole", "it.subnet_ids != []": "literal list",
		"it.subnet_ids == null": "overload", "it.subnet_ids.map(x, x).exists(x, true)": "not admitted",
		"it.subnet_ids.exists_one(x, x == 'a')": "count_at", "it.subnet_ids.existsOne(x, x == 'a')": "count_at",
		"count_at_least(it.subnet_ids + it.log_exports, 1)": "joined",
		"it.engine.matches('a')":                            "glob", "matches(it.engine, 'a')": "glob", "it.engine.startsWith('a')": "not admitted",
		"it.engine.contains('a')": "not admitted", "it.engine < 'b'": "", "it.engine + 'b' == 'ab'": "", "it.port + 1 == 2": "",
		"it.port * 2 == 2": "not admitted", "-it.port == 2": "not admitted", "it.port == 2u": "", "it.port == 1.0": "",
		"b'a' == b'a'": "", "{'a': 1}.a == 1": "", "tenken.Source{kind: 'x'}.kind == 'x'": "", "[1, 2].exists(x, x == 1)": "literal list",
		"it.?engine == 'a'": "", "it[?'engine'] == 'a'": "", "dyn(it.port) == 1": "not admitted", "type(it.port) == int": "not admitted",
		"string(it.port) == '1'": "not admitted", "int(it.engine) == 1": "not admitted", "timestamp('2026-01-01T00:00:00Z') < now": "not admitted",
		"duration('1h') < duration('2h')": "not admitted", "now.getFullYear() == 2026": "not admitted",
		"it.nothing == 1": "undefined field", "them.engine == 'a'": "undeclared", "param.nothing == 1": "undefined field", "param.environments == 1": "undefined field",
		"it.subnet_ids.exists(it, it == 'a')": "name its element", "it.subnet_ids.exists(now, now == 'a')": "name its element",
		"it.subnet_ids.exists(x.y, true)": "takes a name", "it.subnet_ids.exists(x, y, true)": "", "exists(it.subnet_ids, x)": "",
		"it.encrypted": "compare it", "it.port": "", "'yes'": "", "@whole(it.subnet_ids)": "", "__result__ == 1": "", "it.ingress.exists(s, s.value == @result)": "",
		"cel.bind(x, it.port, x == 1)": "", "it.subnet_ids.all(x, x in it.log_exports)": "literal list", "": "", "true &&": "",
		"optional.of(it.port) == it.port": "", "it.ingress.exists(s, s == s) && it.ingress == it.ingress": "whole",
	}
	for _, text := range slices.Sorted(maps.Keys(refused)) {
		_, err := env.compile(inventory.DatabaseKind, source{text: text}, types.BoolType)
		if err == nil {
			t.Errorf("%q was admitted", text)
		} else if want := refused[text]; !containsText(err.Error(), want) {
			t.Errorf("%q: the refusal %q does not say %q", text, err, want)
		}
	}
}
