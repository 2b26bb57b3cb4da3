package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// env is all that the program takes from outside besides its arguments.
type env struct {
	stdout, stderr io.Writer
	getenv         func(string) string
}

// program is the whole program: it never ends the process itself.
func program(ctx context.Context, e env, args []string) int {
	root := rootCommand(e)
	root.SetArgs(args)
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	err := root.ExecuteContext(ctx)
	var exit *exitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(e.stderr, "tenken:", err)
	}
	return codeOf(err)
}

func rootCommand(e env) *cobra.Command {
	root := &cobra.Command{
		Use:           "tenken",
		Short:         "tenken (点検) judges clouds and SaaS against the company's own security regulation",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(scanCommand(e), judgeCommand(e), showCommand(e), rulesCommand(e), clausesCommand(e), needsCommand(e),
		doctorCommand(e), initCommand(e), demoCommand(e), docsCommand(), versionCommand(e))
	return root
}
