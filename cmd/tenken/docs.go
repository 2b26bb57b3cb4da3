package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"sptr.jp/tenken/rules"
	"sptr.jp/tenken/rules/policy"
	"sptr.jp/tenken/scanners/roster"

	jsonsink "sptr.jp/tenken/findings/sink/json"
)

// docsCommand writes what `make docs` keeps in docs/: nothing there is written by hand.
func docsCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "docs DIR",
		Short:  "Write the generated documentation",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			pol, catalog, err := loadRules()
			if err != nil {
				return err
			}
			dir := args[0]
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return fmt.Errorf("making %s: %w", dir, err)
			}
			file := func(name string, write func(io.Writer)) error {
				var b strings.Builder
				write(&b)
				if err := os.WriteFile(filepath.Join(dir, name), []byte(b.String()), 0o644); err != nil {
					return fmt.Errorf("writing documentation: %w", err)
				}
				return nil
			}
			return errors.Join(
				file("commands.md", func(w io.Writer) { commandsDoc(w, c.Root()) }),
				file("rules.md", func(w io.Writer) { rulesDoc(w, catalog) }),
				file("clauses.md", func(w io.Writer) { clausesDoc(w, pol, catalog) }),
				file("parameters.md", func(w io.Writer) { parametersDoc(w, pol, catalog) }),
				file("needs.md", needsDoc),
				file("tenken.schema.json", func(w io.Writer) { fmt.Fprintf(w, "%s", configSchema) }),
				file("findings.schema.json", func(w io.Writer) { fmt.Fprintf(w, "%s", jsonsink.Schema) }),
				file("people.schema.json", func(w io.Writer) { fmt.Fprintf(w, "%s", roster.PeopleSchema) }),
			)
		},
	}
}

const generated = "<!-- made by `make docs`; do not edit -->\n\n"

// cell makes text fit for a table of Markdown.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(s)
}

func commandsDoc(w io.Writer, root *cobra.Command) {
	fmt.Fprintf(w, "%s# Commands\n", generated)
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			return
		}
		text := c.Long
		if text == "" {
			text = c.Short
		}
		fmt.Fprintf(w, "\n## %s\n\n%s\n\n```\n%s```\n", c.CommandPath(), text, strings.TrimLeft(c.UsageString(), "\n"))
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
}

func rulesDoc(w io.Writer, catalog *rules.Catalog) {
	fmt.Fprintf(w, "%s# Rules\n", generated)
	for _, r := range catalog.Rules() {
		fmt.Fprintf(w, "\n## %s\n\n%s / %s\n\n%s\n\n%s\n\n", r.ID, r.Title.JA, r.Title.EN, r.Why.JA, r.Why.EN)
		fmt.Fprintf(w, "Clauses %s · ISO/IEC 27001:2022 %s · %s\n\n", strings.Join(r.Clauses, ", "), strings.Join(r.AnnexA, ", "), r.Obligation)
		for _, s := range r.Subjects() {
			fmt.Fprintf(w, "```\n%s\n", s.Kind)
			if s.When != "" {
				fmt.Fprintf(w, "  when    %s\n", strings.TrimSpace(s.When))
			}
			fmt.Fprintf(w, "  require %s\n```\n", strings.TrimSpace(s.Require))
		}
		fmt.Fprintf(w, "\n%s\n\n%s\n", r.Remedy.JA, r.Remedy.EN)
	}
}

func clausesDoc(w io.Writer, pol *policy.Policy, catalog *rules.Catalog) {
	fmt.Fprintf(w, "%s# Clauses, and what answers them\n\nA rule in *italics* is in the catalogue and not built yet.\n", generated)
	for _, ch := range pol.Chapters {
		fmt.Fprintf(w, "\n## %s / %s\n\n| clause | title | class | answered by |\n|---|---|---|---|\n", ch.Title.JA, ch.Title.EN)
		for _, cl := range ch.Clauses {
			var by []string
			for _, id := range cl.Rules {
				if catalog.Rule(id) == nil {
					id = "*" + id + "*"
				}
				by = append(by, id)
			}
			if len(by) == 0 {
				by = []string{cl.Asks.JA + " / " + cl.Asks.EN}
			}
			fmt.Fprintf(w, "| %s | %s / %s | %s | %s |\n", cl.ID, cell(cl.Title.JA), cell(cl.Title.EN), cl.Class, cell(strings.Join(by, ", ")))
		}
	}
}

func parametersDoc(w io.Writer, pol *policy.Policy, catalog *rules.Catalog) {
	by := readers(pol, catalog)
	fmt.Fprintf(w, `%s# Parameters

They are written under parameters of tenken.yaml, but those that another section gives (set in).
Source: the regulation gives the value (text), we propose it (proposal), or only the company knows it (company).
Read by: what of this version reads it; derive stands for the joins. Empty: nothing does yet.

| key | type | default | set in | source | read by | clauses | purpose |
|---|---|---|---|---|---|---|---|
`, generated)
	for i := range pol.Parameters {
		p := &pol.Parameters[i]
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s / %s |\n", p.Key, p.Type, cell(defaultOf(p)), p.SetIn, p.Source, by[p.Key],
			strings.Join(p.Clauses, ", "), cell(p.Purpose.JA), cell(p.Purpose.EN))
	}
}

func needsDoc(w io.Writer) {
	fmt.Fprintf(w, "%s# What each scanner sends\n", generated)
	for _, p := range providers {
		fmt.Fprintf(w, "\n## %s\n\n| operation | permission | for | optional |\n|---|---|---|---|\n", p.typ)
		for _, n := range p.needs() {
			optional := ""
			if n.Optional {
				optional = "yes"
			}
			fmt.Fprintf(w, "| %s | %s | %s | %s |\n", n.Operation, n.Permission, cell(n.For), optional)
		}
	}
}
