package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
	"sptr.jp/tenken/scanners/aws"
	"sptr.jp/tenken/scanners/roster"
)

//go:embed tenken.schema.json
var configSchema []byte

// provider is a type of system that this version can read.
type provider struct {
	typ string
	// reads are the ids of the regulation's systems that this version reads through it, the one that names it first.
	reads []string
	keys  []string // of its entry under systems, besides name and type
	kinds []inventory.Kind
	check func(system) error
	open  func(context.Context, *session, system) (scanners.Scanner, error)
	needs func() []scanners.Need
	// privileges prints the least privilege for its needs, in the provider's own form.
	privileges func() ([]byte, error)
	// derive draws the conclusions that need to know how the provider works; nil if there are none.
	derive func(*inventory.Inventory, inventory.Declared)
}

// providers are all of them, one entry per guest.
var providers = []provider{
	{
		typ: "aws", reads: []string{"aws", "rds", "bastion", "spartraining"}, keys: []string{"regions", "profile", "role", "accounts", "endpoint"}, kinds: aws.KnownKinds(),
		check: checkAWS, open: openAWS, needs: aws.Needs, derive: aws.Derive,
		privileges: func() ([]byte, error) { return aws.PolicyDocument(aws.Needs()) },
	},
	{
		typ: "roster", reads: []string{"hr-roster"}, keys: []string{"file", "kind", "columns", "ignore", "encoding"}, kinds: []inventory.Kind{inventory.PersonKind},
		check: checkRoster, open: openRoster, needs: (*roster.Scanner)(nil).Needs,
		privileges: func() ([]byte, error) { return []byte("a roster needs no permission but to read its file"), nil },
	},
}

func providerOf(typ string) (provider, bool) {
	for _, p := range providers {
		if p.typ == typ {
			return p, true
		}
	}
	return provider{}, false
}

func providerTypes() []string {
	var types []string
	for _, p := range providers {
		types = append(types, p.typ)
	}
	return types
}

// readerOf is the type that reads a system of the regulation in this version; empty when none does.
func readerOf(id string) string {
	for _, p := range providers {
		if slices.Contains(p.reads, id) {
			return p.typ
		}
	}
	return ""
}

func checkAWS(s system) error {
	if u, err := url.Parse(s.Endpoint); s.Endpoint != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("endpoint %q: write the address of a server, http://127.0.0.1:5000", s.Endpoint)
	}
	if s.Role == "" && len(s.Accounts) > 1 {
		return errors.New("accounts: reading more than the account of the credentials needs a role to assume: set role")
	}
	return nil
}

func openAWS(ctx context.Context, s *session, c system) (scanners.Scanner, error) {
	return aws.New(ctx, aws.Config{System: c.Name, Regions: c.Regions, Profile: c.Profile, Role: c.Role, Accounts: c.Accounts, Endpoint: c.Endpoint}, aws.Hooks{})
}

func checkRoster(s system) error {
	if s.File == "" {
		return errors.New("file: name the CSV file")
	}
	if s.Kind != "people" {
		return fmt.Errorf("kind %q: this version reads people", s.Kind)
	}
	if _, err := roster.New(rosterConfig(s)); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "system "+s.Name+": "))
	}
	return nil
}

func rosterConfig(c system) roster.Config {
	return roster.Config{System: c.Name, File: c.File, Kind: c.Kind, Columns: c.Columns, Ignore: c.Ignore, Encoding: c.Encoding}
}

func openRoster(_ context.Context, s *session, c system) (scanners.Scanner, error) {
	days, ok := s.params["roster_max_age_days"].(int64)
	if !ok {
		return nil, errors.New("roster_max_age_days is no number of days")
	}
	rc := rosterConfig(c)
	rc.MaxAge = time.Duration(days) * 24 * time.Hour
	return roster.New(rc)
}

// open makes the scanners of the configured systems. A system whose credential can't be used is a refused discovery; only
// when no system is left is it an error.
func (s *session) open(ctx context.Context) ([]scanners.System, error) {
	if len(s.cfg.Systems) == 0 {
		return nil, &configError{fmt.Errorf("%s: systems: there is none to read", s.cfg.file)}
	}
	var systems []scanners.System
	var errs []error
	for _, c := range s.cfg.Systems {
		p, _ := providerOf(c.Type)
		sc, err := p.open(ctx, s, c)
		if err != nil {
			errs = append(errs, fmt.Errorf("system %s: %w", c.Name, err))
			sc = refused{scope: inventory.Scope{System: c.Name, Type: c.Type}, kinds: p.kinds, needs: p.needs(), err: err}
		}
		systems = append(systems, scanners.System{Name: c.Name, Type: c.Type, Scanner: sc, Kinds: p.kinds})
	}
	if len(errs) == len(systems) {
		return nil, &configError{fmt.Errorf("no system can be read: %w", errors.Join(errs...))}
	}
	return systems, nil
}

// refused stands for a system that could not even be begun: its discovery is refused, and everything in it is unknown.
type refused struct {
	scope inventory.Scope
	kinds []inventory.Kind
	needs []scanners.Need
	err   error
}

// Needs implements scanners.Scanner.
func (r refused) Needs() []scanners.Need { return r.needs }

// Plan implements scanners.Scanner.
func (r refused) Plan(context.Context) []inventory.Unit {
	u := inventory.NewUnit(r.scope, "discovery", r.kinds...)
	reason := inventory.NotConfigured
	if errors.Is(r.err, aws.ErrNoCredential) {
		reason = inventory.AccessDenied
	}
	scanners.Fail(&u, scanners.Need{Operation: r.scope.Type + ":credential"}, reason, r.err.Error())
	return []inventory.Unit{u}
}

// Collect implements scanners.Scanner; there is nothing to collect.
func (refused) Collect(context.Context, *inventory.Unit) {}
