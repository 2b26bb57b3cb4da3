package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/findings/sink/text"
	"sptr.jp/tenken/rules"
)

func showCommand(e env) *cobra.Command {
	var runPath, config, lang string
	c := &cobra.Command{
		Use:   "show FINGERPRINT|RESOURCE",
		Short: "Show what was read about a resource, by which calls, and why a rule said what it said",
		Long:  "Show a finding by its fingerprint (or the beginning of it), or a resource by its id or name: its facts with the call that gave each, the proof chain, and for each rule the value of every sub-expression.",
		Args:  cobra.ExactArgs(1),
	}
	c.Flags().StringVar(&lang, "lang", "", "ja or en (default: the run's)")
	c.PreRunE = func(*cobra.Command, []string) error { return checkLang(lang) }
	c.Flags().StringVar(&runPath, "run", filepath.Join("tenken-out", runFile), "the saved run")
	c.Flags().StringVar(&config, "config", "", "take the declarations from this configuration instead of the run's own")
	c.RunE = func(_ *cobra.Command, args []string) error {
		s, r, err := loadRun(e, runPath, config)
		if err != nil {
			return err
		}
		d, inv, err := s.document(r, r.Finished(), true, scanFlags{})
		if err != nil {
			return err
		}
		return s.show(d, inv, args[0], cmp.Or(lang, s.cfg.Language, "ja"))
	}
	return c
}

func (s *session) show(d *findings.Document, inv *inventory.Inventory, what, lang string) error {
	var hits []*findings.Finding
	for i := range d.Findings {
		f := &d.Findings[i]
		if f.Fingerprint == what || len(what) >= 8 && strings.HasPrefix(strings.TrimPrefix(f.Fingerprint, "v1:"), strings.TrimPrefix(what, "v1:")) ||
			f.Resource.ID == what || f.Resource.Name == what {
			hits = append(hits, f)
		}
	}
	shown := map[*inventory.Head]bool{}
	for _, f := range hits {
		if r := resourceOf(inv, f.Resource); r != nil && !shown[r.Base()] {
			shown[r.Base()] = true
			s.showResource(r, lang)
		}
	}
	if len(hits) == 0 {
		r := find(inv, what)
		if r == nil {
			return fmt.Errorf("the run holds nothing with the id, name or fingerprint %q", what)
		}
		s.showResource(r, lang)
	}
	for _, f := range hits {
		if err := s.showFinding(d, inv, f, lang); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) out(format string, args ...any) {
	for i, a := range args {
		if str, ok := a.(string); ok {
			args[i] = text.Clean(str)
		}
	}
	fmt.Fprintf(s.env.stdout, format+"\n", args...)
}

// showResource prints the facts of a resource as the run file holds them, with the calls behind the numbers.
func (s *session) showResource(r inventory.Resource, lang string) {
	h := r.Base()
	s.out("%s %s", string(r.Kind()), h.ID)
	s.out(say(lang, "  名前 %s · 範囲 %s · 単位 %s", "  name %s · scope %s · unit %s"), h.Name, h.Scope().String(), h.Unit().ID)
	var belongs []string
	for _, x := range [][2]string{{say(lang, "製品", "product"), h.Product}, {say(lang, "環境", "environment"), h.Environment}, {say(lang, "資産", "asset"), h.Asset}} {
		if x[1] != "" {
			belongs = append(belongs, x[0]+" "+x[1])
		}
	}
	if h.Level > 0 {
		belongs = append(belongs, fmt.Sprintf(say(lang, "機密性レベル %d", "level %d"), h.Level))
	}
	if len(belongs) > 0 {
		s.out("  %s", strings.Join(belongs, " · "))
	}
	for _, f := range rules.Fields(r) {
		s.out("  %-28s %s %s  %s", f.Name, text.Pad(fieldState(lang, f.State), 8), string(f.Value), readText(f.Read))
	}
}

// fieldState says in a word what is known of a field.
func fieldState(lang, state string) string {
	if lang == "en" {
		return state
	}
	return map[string]string{"known": "判明", "absent": "なし", "unknown": "未確認", "open": "一部判明"}[state]
}

func readText(r inventory.Read) string {
	t := r.Operation
	if r.Reason != "" {
		t += " ✗ " + string(r.Reason)
		if r.Permission != "" {
			t += " (" + r.Permission + ")"
		}
		if r.Where != "" {
			t += " in " + r.Where
		}
		if r.Detail != "" {
			t += ": " + r.Detail
		}
	}
	return t
}

func (s *session) showFinding(d *findings.Document, inv *inventory.Inventory, f *findings.Finding, lang string) error {
	s.out("")
	s.out("%s", joined("  ", f.Rule, joined(" ", text.Verdict(lang, f.Verdict), text.Severity(lang, f.Severity)), f.Fingerprint))
	rule := d.Rules[f.Rule]
	if message, title := f.Message.In(lang), rule.Title.In(lang); message != title {
		s.out("  %s", message)
	}
	s.out("  %s", joined(" · ", rule.Title.In(lang), strings.Join(rule.Clauses, " ")))
	for _, x := range f.Evidence {
		from := ""
		if x.Operation != "" {
			from = "(" + x.Operation + ")"
		}
		s.out("  = %s", joined("  ", x.Field+": "+string(x.Value), from))
	}
	for _, x := range f.Proof {
		s.out("  → %s: %s", x.Resource, x.Fact)
	}
	for _, g := range f.Unknown {
		s.out("  ? %s", joined(": ", g.Field, joined(" ", string(g.Reason), g.Operation, g.Where), g.Detail))
	}
	r := resourceOf(inv, f.Resource)
	if r == nil {
		return nil // a scope
	}
	values, err := s.catalog.Explain(inv, rules.Input{Catalog: s.catalog, Policy: s.policy, Params: s.params, Now: d.Run.Judged}, f.Rule, r)
	if err != nil {
		return fmt.Errorf("explaining %s: %w", f.Rule, err)
	}
	s.showValues(values, slices.ContainsFunc(f.Unknown, func(g findings.Gap) bool { return g.Reason == inventory.RuleError }), lang)
	return nil
}

// showValues prints every part of the rule's conditions with its value. All were evaluated for that. Where the judgement
// itself met no error, a part that has one is a part that the judgement had no need of.
func (s *session) showValues(values []rules.SubValue, failed bool, lang string) {
	part := ""
	for _, v := range values {
		if v.Part != part {
			part = v.Part
			s.out("  %s", part)
		}
		if v.Value == "error" && !failed {
			v.Value = say(lang, "—（判定に不要）", "— (not needed)")
		}
		s.out("    %s%s  ⇒ %s", strings.Repeat("  ", v.Depth), strings.Join(strings.Fields(v.Expr), " "), v.Value)
	}
}

// joined joins what is there.
func joined(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), sep)
}

func resourceOf(inv *inventory.Inventory, r findings.Resource) inventory.Resource {
	for i := range inv.Units {
		u := &inv.Units[i]
		if u.Scope.System != r.System || u.Scope.Account != r.Account {
			continue
		}
		for res := range u.Facts.Of(inventory.Kind(r.Kind)) {
			if res.Base().ID == r.ID {
				return res
			}
		}
	}
	return nil
}

func find(inv *inventory.Inventory, what string) inventory.Resource {
	for i := range inv.Units {
		for _, k := range inventory.Kinds() {
			for r := range inv.Units[i].Facts.Of(k) {
				if h := r.Base(); h.ID == what || h.Name == what {
					return r
				}
			}
		}
	}
	return nil
}
