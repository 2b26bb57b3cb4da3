package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

// narrowing is a flag with its values, as a head tells it.
type narrowing struct {
	flag   string
	values []string
}

func told(parts ...narrowing) (n []string) {
	for _, part := range parts {
		if len(part.values) > 0 {
			n = append(n, part.flag+"="+strings.Join(part.values, ","))
		}
	}
	return n
}

// reading are the flags that made the plan smaller; they belong to the run.
func (f *scanFlags) reading(cfg *config) []string {
	return told(narrowing{"system", cfg.narrowed}, narrowing{"account", f.accounts}, narrowing{"region", f.regions})
}

// judging are the flags that made the judgement smaller; they belong to the findings, however the run was read.
func (f *scanFlags) judging() []string {
	return told(narrowing{"rule", f.rules}, narrowing{"clause", f.clauses})
}

// narrow keeps the named accounts and regions of the plan, and refuses names that the plan doesn't have: a scan of what
// isn't there would look like a scan that found nothing.
func (f *scanFlags) narrow(o scanners.Options) scanners.Options {
	if len(f.accounts)+len(f.regions) == 0 {
		return o
	}
	accounts, regions, blind := map[string]bool{}, map[string]bool{}, false
	only := scanners.Only(f.accounts, f.regions, nil)
	o.Keep = func(u *inventory.Unit) bool {
		accounts[u.Scope.Account], regions[u.Scope.Region] = true, true
		blind = blind || len(u.Gaps()) > 0 && u.Scope.Region == ""
		return only(u)
	}
	onPlan := o.OnPlan
	o.OnPlan = func(ids []string) error {
		if err := errors.Join(unseen("account", f.accounts, accounts), unseen("region", f.regions, regions)); err != nil && !blind {
			return &configError{err}
		}
		if onPlan == nil {
			return nil
		}
		return onPlan(ids)
	}
	return o
}

// unseen refuses the first name that is not among those of the plan.
func unseen(flag string, wanted []string, seen map[string]bool) error {
	for _, name := range wanted {
		if !seen[name] {
			delete(seen, "")
			has := strings.Join(slices.Sorted(maps.Keys(seen)), ", ")
			return fmt.Errorf("--%s %q: no system has it; there are: %s", flag, name, has)
		}
	}
	return nil
}

// asConfigError is err without the words of the rooms that it passed, when it is the user's own mistake.
func asConfigError(err error) error {
	var c *configError
	if errors.As(err, &c) {
		return c
	}
	return err
}
