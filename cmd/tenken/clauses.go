package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/rules"
	"sptr.jp/tenken/rules/policy"
)

func clausesCommand(e env) *cobra.Command {
	var lang string
	var systems, parameters bool
	c := &cobra.Command{
		Use:   "clauses",
		Short: "List every clause of the regulation, and what answers it",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			pol, catalog, err := loadRules()
			if err != nil {
				return err
			}
			switch {
			case systems && parameters:
				return &configError{errors.New("--systems and --parameters are two lists: ask for one")}
			case systems:
				printSystems(e, pol, lang)
			case parameters:
				printParameters(e, pol, catalog, lang)
			default:
				printClauses(e, pol, catalog, lang)
			}
			return nil
		},
	}
	langFlag(c, &lang)
	c.Flags().BoolVar(&systems, "systems", false, "list instead the systems that the regulation names or needs, what reads them, and the ids that not_used takes")
	c.Flags().BoolVar(&parameters, "parameters", false, "list instead what tenken.yaml may set where the regulation leaves a value open, and what reads it")
	return c
}

func printSystems(e env, pol *policy.Policy, lang string) {
	for _, s := range pol.Systems {
		if !s.Named && readerOf(s.ID) == "" {
			continue
		}
		by := findings.Text{JA: "人と記録", EN: "people and records"}.In(lang)
		if len(s.Scanners) > 0 {
			by = strings.Join(s.Scanners, ", ") + findings.Text{JA: "（未対応）", EN: " (not built)"}.In(lang)
		}
		by = cmp.Or(readerOf(s.ID), by)
		fmt.Fprintf(e.stdout, "%-28s %s [%s]\n%-28s %s\n", s.ID, s.Name.In(lang), by, "", strings.Join(s.Clauses, " "))
	}
}

func printClauses(e env, pol *policy.Policy, catalog *rules.Catalog, lang string) {
	say := func(ja, en string) string { return findings.Text{JA: ja, EN: en}.In(lang) }
	classes := map[string]string{
		policy.Automated: say("自動", "automated"), policy.Evidence: say("記録", "evidence"), policy.Manual: say("人", "manual"),
	}
	built := map[string]int{}
	for _, ch := range pol.Chapters {
		fmt.Fprintf(e.stdout, "\n%s\n", ch.Title.In(lang))
		for _, cl := range ch.Clauses {
			var names []string
			for _, id := range cl.Rules {
				if catalog.Rule(id) == nil {
					id += " (" + say("未対応", "not built") + ")"
				} else {
					built[cl.ID]++
				}
				names = append(names, id)
			}
			title := cl.Title.In(lang)
			if under := cl.Under.In(lang); under != "" {
				title = under + " › " + title
			}
			what := cmp.Or(strings.Join(names, ", "), cl.Asks.In(lang))
			fmt.Fprintf(e.stdout, "  %-9s %s [%s]\n            %s\n", cl.ID, title, classes[cl.Class], what)
		}
	}
	fmt.Fprintf(e.stdout, say("\n%d 条項のうち %d 条項を本版の規則が判定する。未対応は「確認できない」ではなく、まだ規則がないこと。\n",
		"\n%d clauses, of which rules of this version answer %d. Not built is not unknown: there is no rule yet.\n"), len(pol.Clauses), len(built))
}

func langFlag(c *cobra.Command, lang *string) {
	c.Flags().StringVar(lang, "lang", "ja", "ja or en")
	c.PreRunE = func(*cobra.Command, []string) error { return checkLang(*lang) }
}

func checkLang(lang string) error {
	if !slices.Contains([]string{"", "ja", "en"}, lang) {
		return &configError{fmt.Errorf("--lang %q: write ja or en", lang)}
	}
	return nil
}
