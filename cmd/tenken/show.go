package main

import (
	"fmt"
	"path/filepath"
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
	langFlag(c, &lang)
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
		return s.show(d, inv, args[0], lang)
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
			s.showResource(r)
		}
	}
	if len(hits) == 0 {
		r := find(inv, what)
		if r == nil {
			return fmt.Errorf("the run holds nothing with the id, name or fingerprint %q", what)
		}
		s.showResource(r)
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
func (s *session) showResource(r inventory.Resource) {
	h := r.Base()
	s.out("%s %s", string(r.Kind()), h.ID)
	s.out("  name %s · scope %s · unit %s", h.Name, h.Scope().String(), h.Unit().ID)
	if h.Product+h.Environment+h.Asset != "" {
		s.out("  product %s · environment %s · asset %s · level %d", h.Product, h.Environment, h.Asset, h.Level)
	}
	for _, f := range rules.Fields(r) {
		s.out("  %-28s %-8s %s  %s", f.Name, f.State, string(f.Value), readText(f.Read))
	}
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
	s.out("%s  %s %s  %s", f.Rule, string(f.Verdict), string(f.Severity), f.Fingerprint)
	s.out("  %s", f.Message.In(lang))
	if rule, ok := d.Rules[f.Rule]; ok {
		s.out("  %s · %s", rule.Title.In(lang), strings.Join(rule.Clauses, " "))
	}
	for _, x := range f.Evidence {
		s.out("  = %s: %s  (%s)", x.Field, string(x.Value), x.Operation)
	}
	for _, x := range f.Proof {
		s.out("  → %s: %s", x.Resource, x.Fact)
	}
	for _, g := range f.Unknown {
		s.out("  ? %s: %s %s %s %s", g.Field, string(g.Reason), g.Operation, g.Where, g.Detail)
	}
	r := resourceOf(inv, f.Resource)
	if r == nil {
		return nil // a scope
	}
	values, err := s.catalog.Explain(inv, rules.Input{Catalog: s.catalog, Policy: s.policy, Params: s.params, Now: d.Run.Judged}, f.Rule, r)
	if err != nil {
		return fmt.Errorf("explaining %s: %w", f.Rule, err)
	}
	part := ""
	for _, v := range values {
		if v.Part != part {
			part = v.Part
			s.out("  %s", part)
		}
		s.out("    %s%s  ⇒ %s", strings.Repeat("  ", v.Depth), strings.Join(strings.Fields(v.Expr), " "), v.Value)
	}
	return nil
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
