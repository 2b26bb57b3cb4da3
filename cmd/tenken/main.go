// Command tenken (点検) reads how a company's clouds and services are configured, without agents and without writing
// anything, and judges that state against the company's own security regulation.
//
// This package wires the rooms of the house together and owns the command line and tenken.yaml. main turns an error into
// an exit code; each subcommand has its own file; providers.go and sinks.go are two plain lists, one entry per guest.
// Reading, joining, judging and writing belong to the rooms below.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(process()) }

// process is all of it but its end. The first signal asks the program to stop; a second one kills it.
func process() int {
	budget(0)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		s := <-signals
		signal.Reset(os.Interrupt, syscall.SIGTERM)
		cancel(&stopped{s})
	}()
	return program(ctx, env{stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv}, os.Args[1:])
}
