package main

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/rules"
	"sptr.jp/tenken/rules/policy"
)

var paramName = regexp.MustCompile(`\bparam\.(\w+)`)

// readers says what of this version reads each parameter: rules, a scanner, the joins. What nothing reads is not there.
func readers(pol *policy.Policy, catalog *rules.Catalog) map[string]string {
	by := map[string][]string{"roster_max_age_days": {"roster"}, "database_allowed_sources": {"derive"}}
	for _, r := range catalog.Rules() {
		for _, s := range r.Subjects() {
			for _, m := range paramName.FindAllStringSubmatch(s.When+"\n"+s.Require, -1) {
				if ids := by[m[1]]; len(ids) == 0 || ids[len(ids)-1] != r.ID {
					by[m[1]] = append(ids, r.ID)
				}
			}
		}
	}
	out := map[string]string{}
	for _, p := range pol.Parameters {
		out[p.Key] = strings.Join(by[p.Key], ", ")
		if section, _, _ := strings.Cut(p.SetIn, "."); section != "" && foreseen[section] == "" {
			out[p.Key] = "derive"
		}
	}
	return out
}

// defaultOf is a parameter's default as one writes it in a line of YAML.
func defaultOf(p *policy.Parameter) string {
	if p.Default.Kind == 0 {
		return ""
	}
	n := p.Default
	n.Style |= yaml.FlowStyle
	b, err := yaml.Marshal(&n)
	if err != nil {
		panic(err) // it was read from YAML
	}
	return strings.Join(strings.Fields(string(b)), " ")
}

func printParameters(e env, pol *policy.Policy, catalog *rules.Catalog, lang string) {
	by := readers(pol, catalog)
	source := map[policy.Source]findings.Text{
		policy.FromText: {JA: "規定の値", EN: "the regulation's"}, policy.FromProposal: {JA: "提案", EN: "a proposal"}, policy.FromCompany: {JA: "会社が書く", EN: "yours to give"},
	}
	for i := range pol.Parameters {
		p := &pol.Parameters[i]
		where := fmt.Sprintf("%s = %s", p.Type, defaultOf(p))
		if p.SetIn != "" {
			where = say(lang, "書く場所: ", "set in ") + p.SetIn
		}
		fmt.Fprintf(e.stdout, "%-36s %s [%s · %s]\n%-36s %s\n", p.Key, where, source[p.Source].In(lang),
			cmp.Or(by[p.Key], say(lang, "本版は読まない", "this version does not read it")), "", p.Purpose.In(lang))
	}
}
