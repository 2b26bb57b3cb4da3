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
	var endpoint, profile, role, lang string
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
			writeConfig(e.stdout, seen, system{Endpoint: endpoint, Profile: profile, Role: role}, lang)
			return nil
		},
	}
	langFlag(c, &lang)
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

// writeConfig prints a configuration. A comment is prose where a space follows its sign, and configuration that loads as
// soon as the sign is taken away where none does: keys and their items are commented out together.
func writeConfig(w io.Writer, d *discovery, flags system, lang string) {
	p := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	note := func(ja, en string) { p("# %s", say(lang, ja, en)) }
	note("tenken の設定。「#」の次が空白の行は説明、そうでない行は「#」を取れば設定になる。知らないキーは誤りとする。秘密は書かない。",
		"The configuration of tenken. A line whose # is followed by a space explains; elsewhere take the # away and it counts. Unknown keys are errors. No secret belongs here.")
	note("domains は自社のものとみなすメールドメイン。", "domains are the mail domains that count as your own.")
	p("organization: {name: \"\", domains: []}\nlanguage: %s\n\nsystems:", lang)
	if d == nil {
		note("`tenken init aws` は、認証情報から見えるアカウントとリージョンを書き込む。", "`tenken init aws` fills in the accounts and regions that the credentials can see.")
		p("#- {name: aws, type: aws, role: tenken-audit, accounts: [all], regions: [ap-northeast-1]}")
	} else {
		writeAWS(p, note, d, flags)
	}
	note("人事名簿の CSV。これがなければ誰が退職したか分からない。必要な列: employee_no, email, type, leave_date（別の見出しは columns で対応づける）。",
		"The HR roster, a CSV file: without it nobody can be known to have left. Columns needed: employee_no, email, type, leave_date (columns maps other headers).")
	p("#- {name: people, type: roster, file: people.csv, kind: people}\n")
	note("規定が挙げるシステムのうち使っていないもの。ID は `tenken clauses --systems`。", "Systems that the regulation names and you do not use; ids as in `tenken clauses --systems`.")
	p("#not_used:\n#- {system: zendesk, approver: name@example.jp, date: \"2026-04-01\"}\n")
	note("アカウントごとの環境。class は production か nonproduction。書かなければ本番とみなすので、本番でないものを確かめて書き換える。",
		"The environment of each account; class is production or nonproduction. What is not declared is judged as production: find those that are not, and say so.")
	p("#environments:")
	accounts := []string{"000000000000"}
	if d != nil && len(d.accounts) > 0 {
		accounts = d.accounts
	}
	for _, a := range accounts {
		p("#- {product: product, name: %q, class: production, account: %[1]q}", a)
	}
	p("")
	note("14章のどの資産が、どのデータベース・ディスク・バックアップにあるか。", "Which databases, disks and snapshots hold which asset of chapter 14, at which level of confidentiality.")
	p("#assets:\n#- {asset: IA-001, level: 3, owner: name@example.jp, resources: [\"production-*\"]}\n")
	note("人に結び付かなくてよいアカウント。kind は break_glass, service, shared, bot。", "Accounts that may exist without a person; kind is break_glass, service, shared or bot.")
	p("#account_exceptions:\n#- {system: aws, principal: break-glass-1, kind: break_glass, owner: name@example.jp, reason: %s, approver: name@example.jp, expires: \"2027-03-31\"}\n",
		say(lang, "緊急用", "for emergencies"))
	note("規定が値を決めていないもの。一覧は `tenken clauses --parameters`、規則は `tenken rules`。", "Values that the regulation leaves open: `tenken clauses --parameters` lists them, `tenken rules` the rules.")
	p("#parameters: {key_max_age_days: 90}")
}

func writeAWS(p func(string, ...any), note func(ja, en string), d *discovery, flags system) {
	p("- name: aws\n  type: aws")
	for _, kv := range [][2]string{{"profile", flags.Profile}, {"role", flags.Role}, {"endpoint", flags.Endpoint}} {
		if kv[1] != "" {
			p("  %s: %q", kv[0], kv[1])
		}
	}
	seen := strings.Join(d.accounts, ", ")
	note("見えたアカウント: "+seen, "accounts seen: "+seen)
	if flags.Role == "" {
		note("組織のすべてのアカウントを読むには、役割（`tenken needs aws` の権限）と accounts を書く。", "To read every account of the organisation, name a role (with what `tenken needs aws` prints) and the accounts.")
		p("  #role: tenken-audit\n  #accounts: [all]")
	} else {
		p("  accounts: [all]")
	}
	if len(d.regions) > 0 {
		note("有効なすべてのリージョン。使うものだけを残すか、キーごと消す。", "Every enabled region; keep those that you use, or leave the key out.")
		p("  regions: [%s]", strings.Join(d.regions, ", "))
	}
	for _, g := range d.gaps {
		note("見えなかったもの: "+g, "could not be seen: "+g)
	}
}
