package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"sptr.jp/tenken/findings"
)

// The exit code of every severity under every --fail-on, of required and recommended rules, of what is no failure.
func TestExitCodes(t *testing.T) {
	levels := []string{"critical", "high", "medium", "low", "none"} // --fail-on, the strictest to please last
	for at, severity := range findings.Severities() {
		for on, failOn := range levels {
			for _, obligation := range []findings.Obligation{findings.Required, findings.Recommended} {
				for _, recommended := range []bool{false, true} {
					for _, verdict := range findings.Verdicts() {
						for _, gaps := range []string{"none", "declared", "open"} {
							d := &findings.Document{
								Rules:    map[string]findings.Rule{"r": {Obligation: obligation}},
								Findings: []findings.Finding{{Rule: "r", Verdict: verdict, Severity: severity}},
							}
							if gaps != "none" {
								d.Coverage.Gaps = []findings.CoverageGap{{Declared: gaps == "declared"}}
							}
							counted := verdict == findings.Fail && failOn != "none" && at <= on && (obligation == findings.Required || recommended)
							want := map[[2]bool]int{{false, false}: 0, {true, false}: 3, {false, true}: 4, {true, true}: 5}[[2]bool{gaps == "open", counted}]
							if got := (counting{failOn, recommended}).outcome(d); got != want {
								t.Errorf("%s %s %s, --fail-on %s, recommended counted %v, gaps %s: exit %d, want %d", verdict, severity, obligation, failOn, recommended, gaps, got, want)
							}
						}
					}
				}
			}
		}
	}
}

func TestExitCodeOfAnError(t *testing.T) {
	interrupted := func(s os.Signal) context.Context {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(&stopped{s})
		return ctx
	}
	for _, c := range []struct {
		ctx  context.Context
		err  error
		want int
	}{
		{t.Context(), nil, 0},
		{t.Context(), errors.New("x"), 1},
		{t.Context(), fmt.Errorf("y: %w", &configError{errors.New("x")}), 10},
		{t.Context(), &exitError{4}, 4},
		{interrupted(os.Interrupt), fmt.Errorf("z: %w", context.Canceled), 130},
		{interrupted(syscall.SIGTERM), fmt.Errorf("z: %w", context.Canceled), 143},
		{interrupted(os.Interrupt), &configError{errors.New("x")}, 10},
		{interrupted(os.Interrupt), errors.New("the disk is full"), 1},
	} {
		if got := codeOf(c.ctx, c.err); got != c.want {
			t.Errorf("%v: exit %d, want %d", c.err, got, c.want)
		}
	}
}
