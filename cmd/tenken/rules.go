package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sptr.jp/tenken/rules"
	"sptr.jp/tenken/rules/policy"
)

func loadRules() (*policy.Policy, *rules.Catalog, error) {
	pol, err := policy.Load()
	if err != nil {
		return nil, nil, fmt.Errorf("loading the regulation's data: %w", err)
	}
	catalog, err := rules.Load()
	if err != nil {
		return nil, nil, fmt.Errorf("loading the rules: %w", err)
	}
	return pol, catalog, nil
}

func rulesCommand(e env) *cobra.Command {
	var lang string
	c := &cobra.Command{
		Use:   "rules [ID]",
		Short: "List the rules, or print one",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			_, catalog, err := loadRules()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				for _, r := range catalog.Rules() {
					fmt.Fprintf(e.stdout, "%-36s %s\n%-36s %s\n", r.ID, r.Title.In(lang), "", strings.Join(r.Clauses, " "))
				}
				return nil
			}
			r := catalog.Rule(args[0])
			if r == nil {
				return &configError{fmt.Errorf("there is no rule %q: `tenken rules` lists them", args[0])}
			}
			printRule(e, r, lang)
			return nil
		},
	}
	langFlag(c, &lang)
	c.AddCommand(rulesTestCommand(e))
	return c
}

func printRule(e env, r *rules.Rule, lang string) {
	p := func(format string, args ...any) { fmt.Fprintf(e.stdout, format+"\n", args...) }
	p("%s\n%s\n\n%s\n", r.ID, r.Title.In(lang), r.Why.In(lang))
	p("%s %s · ISO/IEC 27001:2022 %s · %s", say(lang, "条項", "clauses"), strings.Join(r.Clauses, " "), strings.Join(r.AnnexA, " "), r.Obligation)
	if len(r.CIS) > 0 {
		p("CIS %s", strings.Join(r.CIS, " · "))
	}
	for _, s := range r.Subjects() {
		p("\n%s", s.Kind)
		if s.When != "" {
			p("  when     %s", strings.TrimSpace(s.When))
		}
		p("  require  %s", strings.TrimSpace(s.Require))
	}
	p("\n%s", r.Remedy.In(lang))
	for _, typ := range slices.Sorted(maps.Keys(r.Commands)) {
		p("\n%s:\n%s", typ, r.Commands[typ])
	}
}

func rulesTestCommand(e env) *cobra.Command {
	return &cobra.Command{
		Use:   "test",
		Short: "Run every rule's own cases",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, catalog, err := loadRules()
			if err != nil {
				return err
			}
			failed := 0
			results := catalog.Test()
			for _, r := range results {
				if r.Err != nil {
					failed++
					fmt.Fprintf(e.stdout, "%s:%d: %s: %v\n", r.File, r.Line, r.Case, r.Err)
				}
			}
			fmt.Fprintf(e.stdout, "%d passed, %d failed\n", len(results)-failed, failed)
			if failed > 0 {
				return fmt.Errorf("%d cases differ from what they expect", failed)
			}
			return nil
		},
	}
}
