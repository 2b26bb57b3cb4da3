package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sptr.jp/tenken/findings/inventory"
)

func initCommand(e env) *cobra.Command {
	var endpoint, profile, role string
	c := &cobra.Command{
		Use:   "init [SYSTEM]",
		Short: "Print a commented tenken.yaml, filled with what the credentials can see",
		Long:  "Print a commented tenken.yaml. With `tenken init aws` the accounts and regions that the credentials can see are filled in; what can't be seen is left as a comment that says why.",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var seen *discovery
			if len(args) == 1 {
				if args[0] != "aws" {
					return &configError{fmt.Errorf("init %s: this version discovers aws; a roster is a file that you name yourself", args[0])}
				}
				d, err := discover(c.Context(), e, system{Name: "aws", Type: "aws", Endpoint: endpoint, Profile: profile, Role: role, Accounts: []string{"all"}})
				if err != nil {
					return err
				}
				seen = d
				if len(d.gaps) > 0 {
					fmt.Fprintln(e.stderr, "tenken: not everything could be seen; what is missing stands as comments in the output")
				}
			}
			writeConfig(e.stdout, seen, system{Endpoint: endpoint, Profile: profile, Role: role})
			return nil
		},
	}
	c.Flags().StringVar(&endpoint, "endpoint", "", "ask this server instead of AWS")
	c.Flags().StringVar(&profile, "profile", "", "the profile of the AWS configuration")
	c.Flags().StringVar(&role, "role", "", "the role to assume in the organisation's accounts")
	return c
}

// discovery is what a system's Plan could see.
type discovery struct {
	accounts, regions []string
	gaps              []string
}

func discover(ctx context.Context, e env, sys system) (*discovery, error) {
	if sys.Role == "" {
		sys.Accounts = nil
	}
	s, err := newSession(e, &config{Systems: []system{sys}, file: "init"})
	if err != nil {
		return nil, err
	}
	systems, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	d := &discovery{}
	units := systems[0].Scanner.Plan(ctx)
	for i := range units {
		u := &units[i]
		if a := u.Scope.Account; a != "" && !slices.Contains(d.accounts, a) {
			d.accounts = append(d.accounts, a)
		}
		if r := u.Scope.Region; r != "" && !slices.Contains(d.regions, r) {
			d.regions = append(d.regions, r)
		}
		for _, g := range u.Gaps() {
			d.gaps = append(d.gaps, fmt.Sprintf("%s: %s %s", u.Scope, g.Operation, reasonText(g)))
		}
	}
	slices.Sort(d.accounts)
	slices.Sort(d.regions)
	return d, ctx.Err()
}

func reasonText(g inventory.Read) string {
	if g.Detail != "" {
		return string(g.Reason) + " (" + g.Detail + ")"
	}
	return string(g.Reason)
}

func writeConfig(w io.Writer, d *discovery, flags system) {
	p := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	p("# tenken.yaml. Unknown keys are errors. Secrets are named, never written here.")
	p("# yaml-language-server: $schema=https://sptr.jp/tenken/tenken.schema.json")
	p("organization: {name: \"\", domains: []}   # mail domains that count as your own\nlanguage: ja\n\nsystems:")
	if d == nil {
		p("  # - {name: aws, type: aws, role: tenken-audit, accounts: [all], regions: [ap-northeast-1]}   # `tenken init aws` fills this in")
	} else {
		writeAWS(p, d, flags)
	}
	p("  # The HR roster: without it nobody can be known to have left. Columns: see people.schema.json.")
	p("  # - {name: people, type: roster, file: people.csv, kind: people}")
	p("\n# Systems that the regulation names and you do not use: {system, approver, date}; ids as in `tenken clauses --systems`.\nnot_used: []")
	p("\n# What is not declared is judged as production.\nenvironments: []")
	if d != nil {
		for _, a := range d.accounts {
			p("#  - {product: …, name: production, class: production, account: %q}", a)
		}
	}
	p("\n# Which databases, disks and snapshots hold which asset of chapter 14, at which level of confidentiality.\nassets: []")
	p("#  - {asset: IA-001, level: 3, owner: name@example.jp, resources: [\"production-*\"]}")
	p("\n# Accounts that may exist without a person: {system, principal, kind: break_glass|service|shared|bot, owner, reason, approver, expires}.\naccount_exceptions: []")
	p("\n# Values of your own for what the regulation leaves open: see docs/parameters.md.\nparameters: {}")
}

func writeAWS(p func(string, ...any), d *discovery, flags system) {
	p("  - name: aws\n    type: aws")
	for _, kv := range [][2]string{{"profile", flags.Profile}, {"role", flags.Role}, {"endpoint", flags.Endpoint}} {
		if kv[1] != "" {
			p("    %s: %q", kv[0], kv[1])
		}
	}
	if flags.Role == "" {
		p("    # role: tenken-audit      # to read every account of the organisation: see `tenken needs aws`")
	}
	p("    # accounts seen: %s", strings.Join(d.accounts, ", "))
	if flags.Role != "" {
		p("    accounts: [all]")
	}
	if len(d.regions) > 0 {
		p("    regions: [%s]   # every enabled region; keep those that you use, or leave the key out", strings.Join(d.regions, ", "))
	}
	for _, g := range d.gaps {
		p("    # could not be seen: %s", g)
	}
}
