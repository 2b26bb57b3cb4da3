package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"sptr.jp/tenken/findings/run"
)

func judgeCommand(e env) *cobra.Command {
	var f scanFlags
	c := &cobra.Command{
		Use:   "judge RUN",
		Short: "Judge a saved run again, offline, with today's rules",
		Long:  "Judge a saved run (a file run.tenken, or the folder that it is in) again with the rules of this version. What the company declared is taken from the run, or from --config. Time stands where the run ended, so that the same run gives the same findings; --now judges it as of today.",
		Args:  cobra.ExactArgs(1),
	}
	var now bool
	c.RunE = func(_ *cobra.Command, args []string) error {
		if err := f.check(); err != nil {
			return err
		}
		s, r, err := loadRun(e, args[0], f.config)
		if err != nil {
			return err
		}
		if err := f.selects(s); err != nil {
			return err
		}
		at := r.Finished()
		if now {
			at = time.Now().UTC()
		}
		code, err := s.tell(r, f, at, nil)
		if err == nil && code != exitComplete {
			err = &exitError{code}
		}
		return err
	}
	f.register(c)
	c.Flags().StringVar(&f.config, "config", "", "take the declarations from this configuration instead of the run's own")
	c.Flags().BoolVar(&now, "now", false, "judge as of today")
	return c
}

// loadRun loads a saved run and the session that it is judged in. A run without a foot was interrupted: its books don't
// balance, so that nothing may be concluded from it.
func loadRun(e env, path, configPath string) (*session, *run.Run, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, runFile)
	}
	r, err := run.Load(path)
	if errors.Is(err, os.ErrNotExist) {
		if part, perr := run.Load(path + ".part"); perr == nil {
			r, err = part, nil // the scan there has not ended
		}
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, errors.New(path + ": there is no such run: name a file run.tenken that `tenken scan` wrote")
	}
	if err != nil {
		return nil, nil, err
	}
	if r.Foot == nil {
		return nil, nil, fmt.Errorf("%s: the run was interrupted, with %d of %d units read: finish it with `tenken scan --resume`", path, len(r.Units), len(r.Head.Plan))
	}
	if configPath == "" {
		s, err := sessionOf(e, r, path)
		return s, r, err
	}
	cfg, err := loadConfig(configPath)
	if err != nil {
		return nil, nil, err
	}
	s, err := newSession(e, cfg)
	if err != nil {
		return nil, nil, err
	}
	r.Head.Gaps, r.Head.NotBuilt = cfg.Gaps, s.notBuilt()
	return s, r, nil
}
