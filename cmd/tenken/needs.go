package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func needsCommand(e env) *cobra.Command {
	return &cobra.Command{
		Use:   "needs [TYPE]",
		Short: "Print the least privilege that a type of system needs, generated from the calls that are made",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				for _, p := range providers {
					fmt.Fprintf(e.stdout, "%s\n", p.typ)
					for _, n := range p.needs() {
						what := n.For
						if n.Optional {
							what += " (optional)"
						}
						fmt.Fprintf(e.stdout, "  %-45s %-45s %s\n", n.Operation, n.Permission, what)
					}
				}
				return nil
			}
			p, ok := providerOf(args[0])
			if !ok {
				return &configError{fmt.Errorf("this version reads no type %q: it reads %s", args[0], strings.Join(providerTypes(), ", "))}
			}
			policy, err := p.privileges()
			if err != nil {
				return err
			}
			fmt.Fprintf(e.stdout, "%s\n", policy)
			return nil
		},
	}
}

// optional says whether a scan goes on without an operation, with a named loss.
func optional(operation string) bool {
	for _, p := range providers {
		for _, n := range p.needs() {
			if n.Operation == operation {
				return n.Optional
			}
		}
	}
	return false
}
