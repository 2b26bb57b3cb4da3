package rules

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/rules/policy"
)

func containsText(s, want string) bool { return strings.Contains(s, want) }

// Hostile expressions are refused when they are loaded, in time and in little memory.
func TestHostileExpressionsAreRefused(t *testing.T) {
	pol, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	env, err := newEnvironment(pol)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range hostile() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err := env.compile(inventory.DatabaseKind, source{text: text}, types.BoolType)
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s was admitted", name)
		}
		if took > 200*time.Millisecond {
			t.Errorf("%s took %v to refuse", name, took)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 128<<20 {
			t.Errorf("%s took %d MiB to refuse", name, used>>20)
		}
	}
}

func hostile() map[string]string {
	out := map[string]string{
		"1 MiB of text":       "it.engine == '" + strings.Repeat("a", 1<<20) + "'",
		"1 MiB of regex":      "it.engine.matches('" + strings.Repeat("(a*)*", 1<<18) + "')",
		"small evil regex":    "it.engine.matches('(a*)*b')",
		"string doubling":     "(" + strings.Repeat("it.engine + ", 300) + "it.engine) == ''",
		"a thousand ands":     strings.Repeat("it.encrypted == true && ", 1000) + "true",
		"a long list":         "it.port in [" + strings.Repeat("1, ", 3000) + "1]",
		"broken everywhere":   strings.Repeat("&& || ", 600),
		"unbalanced brackets": strings.Repeat("(", 4000),
		"unbalanced lists":    strings.Repeat("[", 4000),
		"control characters":  "it.port == 1\x00\x1b[31m",
		"not UTF-8":           "it.engine == '\xff\xfe'x",
		"only comments":       strings.Repeat("// x\n", 700),
	}
	for _, n := range []int{60, 500, 4000, 200_000} {
		out[fmt.Sprintf("%d brackets", n)] = strings.Repeat("(", n) + "true" + strings.Repeat(")", n)
		out[fmt.Sprintf("%d nots", n)] = strings.Repeat("!(", n) + "true" + strings.Repeat(")", n)
		out[fmt.Sprintf("%d selections", n)] = "it" + strings.Repeat(".person", n) + " == null"
	}
	for _, macro := range []string{"exists", "all"} {
		for _, depth := range []int{2, 3, 5, 8, 20} {
			text := "true"
			for i := depth; i > 0; i-- {
				text = fmt.Sprintf("it.subnet_ids.%s(x%d, %s && x%d == 'a')", macro, i, text, i)
			}
			out[fmt.Sprintf("%d nested %s", depth, macro)] = text
		}
	}
	filters := "it.subnet_ids"
	for i := range 20 {
		filters += fmt.Sprintf(".filter(x%d, it.subnet_ids.exists(y, y == x%d))", i, i)
	}
	out["filters of filters"] = "count_at_most(" + filters + ", 1)"
	return out
}

// What the estimate could not foresee is stopped while judging, as unknown for the reason of its cost.
func TestCostIsLimitedWhileJudging(t *testing.T) {
	pol, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	env, err := newEnvironment(pol)
	if err != nil {
		t.Fatal(err)
	}
	c, err := env.compile(inventory.DatabaseKind, source{text: "it.subnet_ids.all(x, x != 'b' && x != 'c' && x != 'd')"}, types.BoolType)
	if err != nil {
		t.Fatal(err)
	}
	_, m := caseWorld()
	d := &inventory.Database{SubnetIDs: inventory.Closed(make([]string, 2_000_000), 1)}
	m.unit.Adopt(&d.Head)
	start := time.Now()
	got := c.eval(&activation{it: d, now: types.Timestamp{Time: casesNow()}})
	if got.err == nil || faultOf(got.err).Reason != inventory.CostLimit {
		t.Fatalf("it was not stopped for its cost: %+v", got)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("it was stopped after %v only", took)
	}
}

// panics declares a function that no rule can write and that panics.
func panics() cel.EnvOption {
	return cel.Function("boom", cel.Overload("boom_any", []*cel.Type{cel.TypeParamType("A")}, cel.BoolType,
		cel.UnaryBinding(func(ref.Val) ref.Val { panic("boom") })))
}
