package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"sptr.jp/tenken/findings"
)

// The exit codes; the same for every format. Where several apply, the first of 1, 12, 11, 10, 130 or 143, 5, 4, 3 counts.
const (
	exitComplete           = 0
	exitFatal              = 1
	exitIncomplete         = 3  // something was not read, nothing counted failed
	exitFailures           = 4  // everything was read, something counted failed
	exitIncompleteFailures = 5  // both
	exitConfig             = 10 // the command line or the configuration is invalid, or no system has a usable credential
	exitInterrupted        = 130
	exitTerminated         = 143
)

// exitError carries a code that is not an error's fault: the program did its work and tells the result by its code.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit %d", e.code) }

// stopped is why a context ended: the process got a signal.
type stopped struct{ signal os.Signal }

func (s *stopped) Error() string { return "stopped by a signal (" + s.signal.String() + ")" }

// interruptedCode is the exit code of a program whose context has ended.
func interruptedCode(ctx context.Context) int {
	var s *stopped
	if errors.As(context.Cause(ctx), &s) && s.signal == syscall.SIGTERM {
		return exitTerminated
	}
	return exitInterrupted
}

// codeOf gives the exit code of what a command returned.
func codeOf(ctx context.Context, err error) int {
	var exit *exitError
	var cfg *configError
	switch {
	case err == nil:
		return exitComplete
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &cfg):
		return exitConfig
	case errors.Is(err, context.Canceled):
		return interruptedCode(ctx)
	}
	return exitFatal
}

// counting says which failures count for the exit code.
type counting struct {
	failOn      string // the lowest severity that counts, or none
	recommended bool   // failures of recommended rules count too
}

// outcome is the exit code of a judged run.
func (c counting) outcome(d *findings.Document) int {
	counted := false
	for i := range d.Findings {
		counted = counted || c.counts(d, &d.Findings[i])
	}
	switch {
	case d.Coverage.Complete() && !counted:
		return exitComplete
	case d.Coverage.Complete():
		return exitFailures
	case !counted:
		return exitIncomplete
	}
	return exitIncompleteFailures
}

func (c counting) counts(d *findings.Document, f *findings.Finding) bool {
	if f.Verdict != findings.Fail || c.failOn == "none" {
		return false
	}
	if d.Rules[f.Rule].Obligation == findings.Recommended && !c.recommended {
		return false
	}
	for _, s := range findings.Severities() {
		if f.Severity == s {
			return true
		}
		if string(s) == c.failOn {
			return false
		}
	}
	return false
}
