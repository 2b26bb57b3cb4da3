package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/run"
	"sptr.jp/tenken/findings/sink/text"
	"sptr.jp/tenken/scanners"
)

// scanFlags are the flags of scan; judge shares those that do not read anything.
type scanFlags struct {
	config, out, lang, failOn, logFormat string
	formats, only                        []string
	rules, clauses, accounts, regions    []string
	recommended, resume                  bool
}

func scanCommand(e env) *cobra.Command {
	var f scanFlags
	c := &cobra.Command{
		Use:   "scan [SYSTEM,…]",
		Short: "Read every system of tenken.yaml and judge what was read",
		Long:  "Read every system of tenken.yaml, or the named ones (a type will do for a name where one system alone has it), and judge them. Without a tenken.yaml, `tenken scan aws` reads the account of the default AWS credentials.",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := f.configFor(args)
			if err != nil {
				return err
			}
			return scan(c.Context(), e, cfg, f)
		},
	}
	f.register(c)
	c.Flags().StringVar(&f.config, "config", "", "the configuration (default tenken.yaml)")
	c.Flags().BoolVar(&f.resume, "resume", false, "go on with the interrupted run in --out")
	c.Flags().StringVar(&f.logFormat, "log-format", "", "text or json; logs instead of bars, also on a terminal")
	c.Flags().StringSliceVar(&f.accounts, "account", nil, "read these accounts only")
	c.Flags().StringSliceVar(&f.regions, "region", nil, "read these regions only")
	return c
}

// register adds the flags that scan and judge share.
func (f *scanFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.out, "out", "tenken-out", "the folder to write to")
	c.Flags().StringSliceVar(&f.formats, "format", []string{"json"}, "formats to write: "+strings.Join(formats(), ", "))
	c.Flags().StringSliceVar(&f.only, "only", []string{"fail", "unknown", "manual"}, "verdicts to write, or all")
	c.Flags().StringVar(&f.lang, "lang", "", "ja or en (default: the configuration's)")
	c.Flags().StringVar(&f.failOn, "fail-on", "low", "lowest severity that counts for the exit code: critical, high, medium, low or none")
	c.Flags().Var((*countFlag)(&f.recommended), "count", "`recommended`: failures of recommended rules count for the exit code too")
	c.Flags().StringSliceVar(&f.rules, "rule", nil, "judge these rules only")
	c.Flags().StringSliceVar(&f.clauses, "clause", nil, "judge rules of these clauses only")
}

// countFlag is --count recommended.
type countFlag bool

func (c *countFlag) String() string { return "" }
func (c *countFlag) Type() string   { return "string" }
func (c *countFlag) Set(s string) error {
	if s != "recommended" {
		return errors.New("the only value is recommended")
	}
	*c = true
	return nil
}

// configFor loads tenken.yaml, or makes the configuration of `tenken scan aws` without one, and keeps the named systems.
func (f *scanFlags) configFor(args []string) (*config, error) {
	var wanted []string
	if len(args) == 1 {
		wanted = strings.Split(args[0], ",")
	}
	path := cmp.Or(f.config, "tenken.yaml")
	if _, err := os.Stat(path); f.config == "" && errors.Is(err, os.ErrNotExist) && slices.Equal(wanted, []string{"aws"}) {
		return &config{Language: "ja", Systems: []system{{Name: "aws", Type: "aws"}}, file: "(no configuration)", narrowed: wanted}, nil
	}
	cfg, err := loadConfig(path)
	if err != nil || wanted == nil {
		return cfg, err
	}
	if err := cfg.narrow(wanted); err != nil {
		return nil, &configError{err}
	}
	return cfg, nil
}

func (f *scanFlags) check() error {
	if err := checkFormats(f.formats); err != nil {
		return err
	}
	for _, v := range f.only {
		if v != "all" && !slices.Contains(findings.Verdicts(), findings.Verdict(v)) {
			return &configError{fmt.Errorf("--only %q: write fail, unknown, manual, pass, not_applicable or all", v)}
		}
	}
	if f.failOn != "none" && !slices.Contains(findings.Severities(), findings.Severity(f.failOn)) {
		return &configError{fmt.Errorf("--fail-on %q: write critical, high, medium, low or none", f.failOn)}
	}
	if !slices.Contains([]string{"", "text", "json"}, f.logFormat) {
		return &configError{fmt.Errorf("--log-format %q: write text or json", f.logFormat)}
	}
	return checkLang(f.lang)
}

// selects refuses --rule and --clause that fit nothing, before anything is read.
func (f *scanFlags) selects(s *session) error {
	for _, id := range f.rules {
		if s.catalog.Rule(id) == nil {
			return &configError{fmt.Errorf("--rule %q: there is no such rule: `tenken rules` lists them", id)}
		}
	}
	for _, id := range f.clauses {
		if s.policy.Clause(id) == nil {
			return &configError{fmt.Errorf("--clause %q: the regulation has no such clause: `tenken clauses` lists them", id)}
		}
	}
	return nil
}

// scan reads, saves, judges and writes.
func scan(ctx context.Context, e env, cfg *config, f scanFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	s, err := newSession(e, cfg)
	if err != nil {
		return err
	}
	if err := f.selects(s); err != nil {
		return err
	}
	r, err := s.read(ctx, f)
	if err != nil {
		return err
	}
	var files []string // an interrupted run is no file to look at yet
	if ctx.Err() == nil {
		files = append(files, filepath.Join(f.out, runFile))
	}
	code, err := s.tell(r, f, r.Finished(), files)
	if ctx.Err() != nil {
		fmt.Fprintf(e.stderr, "tenken: interrupted: what was read is kept; go on with the same command and --resume\n")
		code = interruptedCode(ctx)
	}
	if err == nil && code != exitComplete {
		err = &exitError{code}
	}
	return err
}

// read scans every system into the run file and gives the run.
func (s *session) read(ctx context.Context, f scanFlags) (*run.Run, error) {
	systems, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	head, err := s.head(time.Now(), f.reading(s.cfg))
	if err != nil {
		return nil, err
	}
	head.Language = cmp.Or(f.lang, s.cfg.Language)
	j := &journal{dir: f.out, resume: f.resume, head: head, notes: s.env.stderr}
	p, closeProgress := newProgress(s.env.stderr, f.logFormat)
	result, err := scanners.Run(ctx, systems, j, s.options(f, j.open), p)
	closeProgress()
	if err != nil {
		return nil, j.abandon(asConfigError(err))
	}
	finished := time.Now().UTC()
	if err := j.finish(ctx.Err() != nil, finished); err != nil {
		return nil, err
	}
	return &run.Run{Head: j.head, Units: result.Units, Foot: &run.Foot{Finished: finished}}, nil
}

// options are those of every run that reads what the configuration and the flags name.
func (s *session) options(f scanFlags, onPlan func([]string) error) scanners.Options {
	o := f.narrow(scanners.Options{OnPlan: onPlan})
	if s.cfg.narrowed == nil {
		o.Ended = s.unconnected()
	}
	return o
}

// tell judges a run, writes the files and the summary, and gives the exit code.
func (s *session) tell(r *run.Run, f scanFlags, at time.Time, files []string) (int, error) {
	all := slices.Contains(f.only, "all")
	keepAll := all || slices.Contains(f.only, string(findings.Pass)) || slices.Contains(f.only, string(findings.NotApplicable))
	d, _, err := s.document(r, at, keepAll, f)
	if err != nil {
		return 0, err
	}
	code := counting{f.failOn, f.recommended}.outcome(d)
	written := *d
	if !all {
		written.Findings = slices.DeleteFunc(slices.Clone(d.Findings), func(x findings.Finding) bool { return !slices.Contains(f.only, string(x.Verdict)) })
	}
	if err := os.MkdirAll(f.out, 0o700); err != nil {
		return 0, fmt.Errorf("making the output folder: %w", err)
	}
	paths, err := writeFiles(f.out, f.formats, &written)
	if err != nil {
		return 0, err
	}
	return code, text.Summary(s.env.stdout, d, cmp.Or(f.lang, s.cfg.Language, "ja"), append(paths, files...))
}
