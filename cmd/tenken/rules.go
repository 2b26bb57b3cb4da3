package main

import (
	"fmt"
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
				return fmt.Errorf("there is no rule %q: `tenken rules` lists them", args[0])
			}
			printRule(e, r, lang)
			return nil
		},
	}
	langFlag(c, &lang)
	c.AddCommand(rulesTestCommand(e))
	return c
}
