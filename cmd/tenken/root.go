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
	out := &latch{w: e.stdout}
	e.stdout = out
	root := rootCommand(e)
	root.SetArgs(args)
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	began := false
	root.PersistentPreRun = func(*cobra.Command, []string) { began = true }
	c, err := root.ExecuteContextC(ctx)
	if err != nil && !began {
		err = &configError{fmt.Errorf("%w: see `%s --help`", err, c.CommandPath())}
	}
	if err == nil && out.err != nil {
		err = fmt.Errorf("writing the output: %w", out.err)
	}
	code := codeOf(ctx, err)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = context.Cause(ctx) // the signal, in a user's words
	}
	var exit *exitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(e.stderr, "tenken:", err)
	}
	return code
}

// latch keeps the first error of a writer, so that output which was lost is not taken for output.
type latch struct {
	w   io.Writer
	err error
}

func (l *latch) Write(b []byte) (int, error) {
	n, err := l.w.Write(b)
	if l.err == nil {
		l.err = err
	}
	return n, err
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
