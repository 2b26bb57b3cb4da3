package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/findings/run"
)

// runFile is the name of the saved run below --out.
const runFile = "run.tenken"

// journal is the run file of a scan. It is opened when the plan is fixed, because its head holds the plan.
type journal struct {
	dir    string
	resume bool
	head   run.Head
	notes  io.Writer // what the user is told on the way
	w      *run.Writer
}

func (j *journal) open(plan []string) (err error) {
	if err := os.MkdirAll(j.dir, 0o700); err != nil {
		return fmt.Errorf("making the output folder: %w", err)
	}
	j.head.Plan = plan
	path := filepath.Join(j.dir, runFile)
	if !j.resume {
		j.w, err = run.Create(path, j.head)
		return err
	}
	begun := j.head.ID
	j.w, j.head, err = run.Resume(path, j.head)
	if err == nil && j.head.ID == begun {
		why := "there is no run in " + j.dir
		if _, err := os.Stat(path); err == nil {
			why = "the run in " + j.dir + " is finished"
		}
		fmt.Fprintf(j.notes, "tenken: nothing to resume: %s; a new one begins\n", why)
	}
	return err
}

// Done implements scanners.Journal.
func (j *journal) Done(id string) (inventory.Unit, bool) { return j.w.Done(id) }

// Commit implements scanners.Journal. What an interrupted attempt kept is in the file already.
func (j *journal) Commit(u inventory.Unit) error {
	if _, kept := j.w.Done(u.ID); kept {
		return nil
	}
	return j.w.Commit(u)
}

// finish writes the foot, or, when the scan was interrupted, leaves the file to be resumed.
func (j *journal) finish(interrupted bool, at time.Time) error {
	if j.w == nil {
		return nil
	}
	if interrupted {
		return j.w.Abandon()
	}
	return j.w.Close(at)
}

// abandon is finish for an error: what was committed stays.
func (j *journal) abandon(err error) error {
	return errors.Join(err, j.finish(true, time.Time{}))
}
