package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/findings/run"
	"sptr.jp/tenken/scanners"
)

func doctorCommand(e env) *cobra.Command {
	var f scanFlags
	c := &cobra.Command{
		Use:   "doctor [SYSTEM,…]",
		Short: "Say which permissions are missing or in excess, and which rules will be unknown",
		Long:  "Read what a scan would read, keep nothing, and say which permissions are missing, which of the caller's go beyond what is needed, and which rules will be unknown for that. Of a named system the rules are foreseen with the lists that need no permission, such as that of people. Exit 0: nothing is missing; 3: something is, or was not read whole for another reason; 10: no credential.",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkLang(f.lang); err != nil {
				return err
			}
			cfg, err := f.configFor(args)
			if err != nil {
				return err
			}
			f.lang = cmp.Or(f.lang, cfg.Language)
			cfg.keepInView()
			return doctor(c.Context(), e, cfg, f)
		},
	}
	c.Flags().StringVar(&f.lang, "lang", "", "ja or en (default: the configuration's)")
	c.Flags().StringVar(&f.config, "config", "", "the configuration (default tenken.yaml)")
	c.Flags().StringSliceVar(&f.accounts, "account", nil, "look at these accounts only")
	c.Flags().StringSliceVar(&f.regions, "region", nil, "look at these regions only")
	return c
}

// memory is a journal that keeps nothing.
type memory struct{}

func (memory) Done(string) (inventory.Unit, bool) { return inventory.Unit{}, false }
func (memory) Commit(inventory.Unit) error        { return nil }

// keepInView takes back of the systems that the command line leaves out those that need no permission, such as the list of
// people: what the rules will say of the named ones depends on them too.
func (c *config) keepInView() {
	var out []system
	for _, s := range c.left {
		p, _ := providerOf(s.Type)
		if slices.ContainsFunc(p.needs(), func(n scanners.Need) bool { return n.Permission != "" }) {
			out = append(out, s)
		} else {
			c.Systems = append(c.Systems, s)
		}
	}
	c.left = out
}

func doctor(ctx context.Context, e env, cfg *config, f scanFlags) error {
	s, err := newSession(e, cfg)
	if err != nil {
		return err
	}
	systems, err := s.open(ctx)
	if err != nil {
		return err
	}
	result, err := scanners.Run(ctx, systems, memory{}, s.options(f, nil), nil)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return asConfigError(err)
	}
	head, err := s.head(time.Now(), f.reading(cfg))
	if err != nil {
		return err
	}
	head.Plan = result.Plan
	d, inv, err := s.document(&run.Run{Head: head, Units: result.Units}, time.Now().UTC(), false, scanFlags{})
	if err != nil {
		return err
	}
	missing := s.printMissing(d, f.lang)
	s.printExcess(inv, systems, f.lang)
	s.printUnknown(d, f.lang)
	for _, left := range s.cfg.left {
		s.out(say(f.lang, "%s は見ていない。これと突き合わせる規則は、実際には未確認にならないことがある。", "%s was left out: rules that compare with it may turn out not to be unknown."), left.Name)
	}
	if missing {
		return &exitError{exitIncomplete}
	}
	return nil
}

// printMissing lists every call that was not answered whole, with the permission to ask for.
func (s *session) printMissing(d *findings.Document, lang string) bool {
	missing, others := map[lack]int{}, map[lack]int{}
	for _, g := range d.Coverage.Gaps {
		if g.Reason == inventory.AccessDenied || g.Reason == inventory.MissingScope {
			what := say(lang, "許可 ", "permit ") + cmp.Or(g.Permission, "-")
			if optional(g.Operation) {
				what += say(lang, "、任意", ", optional")
			}
			missing[lack{g.Operation, string(g.Reason), what}]++
		} else {
			others[lack{g.Operation, string(g.Reason), g.Detail}]++
		}
	}
	s.out(say(lang, "不足している許可", "Missing permissions"))
	s.printLacks(missing, lang)
	if len(others) > 0 {
		s.out(say(lang, "ほかの理由で読みきれなかったもの", "Not read whole, for other reasons"))
		s.printLacks(others, lang)
	}
	return len(missing)+len(others) > 0
}

// lack is a call that was not answered whole, and what to know of it.
type lack struct{ operation, reason, what string }

func (s *session) printLacks(units map[lack]int, lang string) {
	if len(units) == 0 {
		s.out("  %s", say(lang, "なし", "nothing"))
	}
	lacks := slices.SortedFunc(maps.Keys(units), func(a, b lack) int {
		return cmp.Or(cmp.Compare(a.operation, b.operation), cmp.Compare(a.reason, b.reason), cmp.Compare(a.what, b.what))
	})
	for _, l := range lacks {
		s.out(say(lang, "  %-45s %-20s %s（%d 単位）", "  %-45s %-20s %s (units: %d)"), l.operation, l.reason, l.what, units[l])
	}
}

// printExcess lists what the caller may do beyond the needs, as far as its own policies were read.
func (s *session) printExcess(inv *inventory.Inventory, systems []scanners.System, lang string) {
	s.out(say(lang, "余分な許可", "In excess"))
	none := true
	for _, sys := range systems {
		x, ok := sys.Scanner.(interface {
			Excess(*inventory.Inventory) []string
		})
		if !ok {
			continue
		}
		lines := x.Excess(inv)
		for _, account := range unread(inv, sys.Name) {
			if !slices.ContainsFunc(lines, func(line string) bool { return account != "" && strings.HasPrefix(line, account) }) {
				lines = append(lines, strings.TrimSpace(account+" "+say(lang, "確認できなかった（何も読めていない）", "could not be looked at: nothing was read")))
			}
		}
		for _, line := range lines {
			none = false
			s.out("  %s: %s", sys.Name, line)
		}
	}
	if none {
		s.out("  %s", say(lang, "なし", "nothing"))
	}
}

// unread are the accounts of a system of which no unit was read; the empty one stands for what was not even discovered.
func unread(inv *inventory.Inventory, system string) (accounts []string) {
	read := map[string]bool{}
	for i := range inv.Units {
		u := &inv.Units[i]
		if u.Scope.System != system {
			continue
		}
		if !slices.Contains(accounts, u.Scope.Account) {
			accounts = append(accounts, u.Scope.Account)
		}
		if u.Outcome == inventory.Complete || u.Outcome == inventory.Partial || u.Outcome == inventory.DisabledUnit {
			read[u.Scope.Account] = true
		}
	}
	slices.Sort(accounts)
	return slices.DeleteFunc(accounts, func(a string) bool { return read[a] })
}

// printUnknown lists the rules that will be unknown, and for which calls.
func (s *session) printUnknown(d *findings.Document, lang string) {
	s.out(say(lang, "未確認になる規則", "Rules that will be unknown"))
	why := map[string][]string{}
	for _, f := range d.Findings {
		if f.Verdict != findings.Unknown {
			continue
		}
		for _, g := range f.Unknown {
			if text := cmp.Or(g.Operation, g.Field, g.Detail, "-") + " (" + string(g.Reason) + ")"; !slices.Contains(why[f.Rule], text) {
				why[f.Rule] = append(why[f.Rule], text)
			}
		}
	}
	if len(why) == 0 {
		s.out("  %s", say(lang, "なし", "nothing"))
	}
	for _, rule := range slices.Sorted(maps.Keys(why)) {
		slices.Sort(why[rule])
		s.out("  %s", rule)
		for _, w := range why[rule] {
			s.out("    %s", w)
		}
	}
}
