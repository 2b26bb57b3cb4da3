package main

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/findings/run"
	"sptr.jp/tenken/rules"
	"sptr.jp/tenken/rules/policy"
	"sptr.jp/tenken/scanners"
)

// session is a configuration made ready: the regulation, the rules and the values in force.
type session struct {
	env      env
	cfg      *config
	policy   *policy.Policy
	catalog  *rules.Catalog
	params   policy.Params
	declared inventory.Declared
}

// newSession checks what needs the regulation to be checked: parameters, assets, systems.
func newSession(e env, cfg *config) (*session, error) {
	pol, catalog, err := loadRules()
	if err != nil {
		return nil, err
	}
	s := &session{env: e, cfg: cfg, policy: pol, catalog: catalog}
	if s.params, err = pol.Params(&cfg.Parameters, derived(cfg.Organization.Domains, cfg.Environments)); err != nil {
		return nil, &configError{fmt.Errorf("%s: %w", cfg.file, err)}
	}
	for i, n := range cfg.NotUsed {
		if pol.System(n.System) == nil {
			return nil, &configError{fmt.Errorf("%s: not_used: entry %d: the regulation names no system %q: `tenken clauses --systems` lists them", cfg.file, i+1, n.System)}
		}
	}
	s.declared = cfg.declared(s.params)
	// The declarations are tried on an empty inventory, so that a mistake is found before anything is read.
	if err := inventory.Derive(inventory.New(nil), s.declared); err != nil {
		return nil, &configError{fmt.Errorf("%s: %w", cfg.file, err)}
	}
	for i, a := range cfg.Assets {
		if pol.Asset(a.Asset) == nil {
			return nil, &configError{fmt.Errorf("%s: assets: entry %d: chapter 14 has no asset %q", cfg.file, i+1, a.Asset)}
		}
	}
	return s, nil
}

// derived are the parameters that other sections of tenken.yaml give.
func derived(domains []string, envs []inventory.EnvironmentDecl) map[string][]string {
	d := map[string][]string{"allowed_domains": domains}
	for _, e := range envs {
		d["own_accounts"] = append(d["own_accounts"], e.Account)
	}
	return d
}

// unconnected are the planned units of providers that nobody configured: one for each that reads a system which the
// company does not declare unused, under that system's id.
func (s *session) unconnected() []inventory.Unit {
	var units []inventory.Unit
	for _, p := range providers {
		wanted := slices.IndexFunc(p.reads, s.used)
		configured := slices.ContainsFunc(s.cfg.Systems, func(c system) bool { return c.Type == p.typ })
		if wanted >= 0 && !configured {
			units = append(units, scanners.NotConnected(p.reads[wanted], p.typ, p.kinds...))
		}
	}
	return units
}

// notBuilt are the systems that the regulation names and no provider of this version reads.
func (s *session) notBuilt() []string {
	var ids []string
	for _, named := range s.policy.Systems {
		if named.Named && len(named.Scanners) > 0 && readerOf(named.ID) == "" && s.used(named.ID) {
			ids = append(ids, named.ID)
		}
	}
	return ids
}

// used reports that the company does not declare a system of the regulation unused.
func (s *session) used(id string) bool {
	return !slices.ContainsFunc(s.cfg.NotUsed, func(n notUsed) bool { return n.System == id })
}

// head is the head of a run of this session, without its plan.
func (s *session) head(started time.Time, narrowed []string) (run.Head, error) {
	h := run.Head{
		ID: started.UTC().Format("20060102T150405.000Z"), Started: started.UTC(), Tool: toolVersion(), Narrowed: narrowed,
		Declared: s.declared, Gaps: s.cfg.Gaps, NotBuilt: s.notBuilt(),
	}
	if s.cfg.Parameters.Kind != 0 {
		var b bytes.Buffer
		if err := yaml.NewEncoder(&b).Encode(&s.cfg.Parameters); err != nil {
			return h, fmt.Errorf("keeping the parameters: %w", err)
		}
		h.Parameters = b.String()
	}
	return h, nil
}

// sessionOf makes the session of a saved run again, from what its head kept of the configuration.
func sessionOf(e env, r *run.Run, file string) (*session, error) {
	pol, catalog, err := loadRules()
	if err != nil {
		return nil, err
	}
	s := &session{env: e, cfg: &config{Gaps: r.Head.Gaps, Language: r.Head.Language}, policy: pol, catalog: catalog, declared: r.Head.Declared}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(r.Head.Parameters), &doc); err != nil {
		return nil, fmt.Errorf("%s: line 1: the parameters: %w", file, plainYAMLError(err))
	}
	set := &doc
	if len(doc.Content) == 1 {
		set = doc.Content[0]
	}
	if s.params, err = pol.Params(set, derived(r.Head.Declared.Domains, r.Head.Declared.Environments)); err != nil {
		return nil, fmt.Errorf("%s: line 1: %w", file, err)
	}
	return s, nil
}

// document derives and judges what a run read.
func (s *session) document(r *run.Run, at time.Time, keepAll bool, f scanFlags) (*findings.Document, *inventory.Inventory, error) {
	budget(resourcesOf(r.Units))
	ledger, err := inventory.NewLedger(r.Head.Plan, r.Units)
	if err != nil {
		return nil, nil, err
	}
	inv, err := s.derive(r.Units)
	if err != nil {
		return nil, nil, err
	}
	judged, err := rules.Judge(inv, rules.Input{Catalog: s.catalog, Policy: s.policy, Params: s.params, Now: at, KeepAll: keepAll, Rules: f.rules, Clauses: f.clauses, Organization: s.declared.Organization})
	if err != nil {
		return nil, nil, fmt.Errorf("judging: %w", err)
	}
	return &findings.Document{
		Schema: findings.Schema,
		Run: findings.Run{ID: r.Head.ID, Started: r.Head.Started, Finished: r.Finished(), Judged: at, Tool: toolVersion(),
			Rules: s.catalog.Version(), Policy: policy.Version(), Narrowed: append(slices.Clone(r.Head.Narrowed), f.judging()...)},
		Coverage: coverageOf(inv, ledger, r.Head, at), Summary: judged.Summary, Rules: judged.Rules, Clauses: judged.Clauses, Findings: judged.Findings,
	}, inv, nil
}

// derive draws the conclusions: the neutral ones first, because a provider's own inherit from them.
func (s *session) derive(units []inventory.Unit) (*inventory.Inventory, error) {
	inv := inventory.New(units)
	if err := inventory.Derive(inv, s.declared); err != nil {
		return nil, fmt.Errorf("joining: %w", err)
	}
	for _, p := range providers {
		if p.derive != nil {
			p.derive(inv, s.declared)
		}
	}
	return inv, nil
}

// coverageOf is the ledger as the document tells it, with what the company declared about it.
func coverageOf(inv *inventory.Inventory, l inventory.Ledger, h run.Head, at time.Time) findings.Coverage {
	c := rules.Coverage(inv, l)
	c.NotBuilt = h.NotBuilt
	for i := range c.Gaps {
		c.Gaps[i].Declared = declaredGap(h.Gaps, &c.Gaps[i], at)
	}
	return c
}

// tokyo is where a day ends.
var tokyo = time.FixedZone("Asia/Tokyo", 9*60*60)

func declaredGap(declared []run.GapDeclared, g *findings.CoverageGap, at time.Time) bool {
	return slices.ContainsFunc(declared, func(d run.GapDeclared) bool {
		return d.System == g.System && (d.Collector == "" || d.Collector == g.Collector) && at.In(tokyo).Format(time.DateOnly) <= d.Expires
	})
}
