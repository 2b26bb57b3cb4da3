package rules

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/rules/policy"
)

//go:embed catalog/*.yaml
var catalogFS embed.FS

const maxFile = 1 << 20 // bytes

// Catalog is every rule that this version has, compiled. It is read-only and safe for concurrent use.
type Catalog struct {
	rules   []*Rule // by id
	byID    map[string]*Rule
	formers map[string]*Rule // by an id that it had formerly
	env     *environment
	policy  *policy.Policy
	version string
}

// Load reads the catalogue that is built in.
func Load() (*Catalog, error) {
	sub, err := fs.Sub(catalogFS, "catalog")
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return LoadFS(sub)
}

// LoadFS reads *.yaml of a directory as a catalogue. It refuses the whole of it for any fault and names all of them with
// file, line and field: half a catalogue would report half of the truth as the whole.
func LoadFS(fsys fs.FS) (*Catalog, error) {
	pol, err := policy.Load()
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	env, err := newEnvironment(pol)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	names, err := fs.Glob(fsys, "*.yaml")
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("rules: no *.yaml found: %w", errors.Join(err, fs.ErrNotExist))
	}
	slices.Sort(names)
	c := &Catalog{byID: map[string]*Rule{}, formers: map[string]*Rule{}, env: env, policy: pol}
	sum := sha256.New()
	sum.Write(wordsYAML)
	var errs []error
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(b))
		sum.Write(b)
		r, err := c.readRule(name, b)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		c.rules, c.byID[r.ID] = append(c.rules, r), r
	}
	errs = append(errs, c.checkNames()...)
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	c.version = hex.EncodeToString(sum.Sum(nil))[:12]
	return c, nil
}

// Version is the content hash of the catalogue.
func (c *Catalog) Version() string { return c.version }

// Rules lists the rules by id.
func (c *Catalog) Rules() []*Rule { return c.rules }

// Rule finds a rule by its id, or by one that it had formerly.
func (c *Catalog) Rule(id string) *Rule {
	if r := c.byID[id]; r != nil {
		return r
	}
	return c.formers[id]
}

// checkNames holds the rules against each other and against the policy.
func (c *Catalog) checkNames() (errs []error) {
	for _, r := range c.rules {
		for _, id := range r.CausedBy {
			if c.byID[id] == nil || id == r.ID {
				errs = append(errs, fmt.Errorf("%s: caused_by: there is no other rule %q", r.File, id))
			}
		}
		for _, id := range r.Clauses {
			if cl := c.policy.Clause(id); cl == nil {
				errs = append(errs, fmt.Errorf("%s: clauses: the regulation has no clause %q", r.File, id))
			}
		}
		for _, id := range r.Formerly {
			if c.Rule(id) != nil {
				errs = append(errs, fmt.Errorf("%s: formerly: %q is another rule's", r.File, id))
			}
			c.formers[id] = r
		}
	}
	return errs
}

// ruleFile is a rule as it is written.
type ruleFile struct {
	ID          string
	Title, Why  findings.Text
	subjectFile `yaml:",inline"`
	Subjects    []subjectFile
	Obligation  findings.Obligation
	Impact      int
	Clauses     []string
	AnnexA      []string `yaml:"annex_a"`
	CIS         []string `yaml:"cis"`
	Remedy      struct {
		findings.Text `yaml:",inline"`
		Commands      map[string]string
	}
	CausedBy []string `yaml:"caused_by"`
	Formerly []string
	Given    map[inventory.Kind]facts // facts that every case of the kind starts from
	Cases    []Case
}

type subjectFile struct {
	Kind    inventory.Kind
	When    source
	Require source
	Levels  []levelFile
	Message findings.Text
	// Messages are for a rule that is broken in ways that read differently.
	Messages []messageFile
}

type messageFile struct {
	When          source
	findings.Text `yaml:",inline"`
}

type levelFile struct {
	When       source
	Likelihood int
	Incident   int
	Impact     int
}

// readRule reads one file; its error names the file and every line that is wrong.
func (c *Catalog) readRule(name string, b []byte) (*Rule, error) {
	var f ruleFile
	if err := decodeStrictly(b, &f); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c.newRule(name, &f)
}

// newRule checks and compiles what a file holds.
func (c *Catalog) newRule(name string, f *ruleFile) (*Rule, error) {
	errs := f.check(strings.TrimSuffix(name, ".yaml"))
	r := &Rule{
		ID: f.ID, File: name, Title: f.Title, Why: f.Why, Remedy: f.Remedy.Text, Commands: f.Remedy.Commands,
		Obligation: f.Obligation, Impact: f.Impact, Clauses: f.Clauses, AnnexA: f.AnnexA, CIS: f.CIS,
		CausedBy: f.CausedBy, Formerly: f.Formerly, Cases: f.Cases,
	}
	subjects := f.Subjects
	if f.Kind != "" {
		subjects = []subjectFile{f.subjectFile}
	}
	for _, sf := range subjects {
		if len(sf.Levels) == 0 {
			sf.Levels = f.Levels
		}
		if sf.Message == (findings.Text{}) && sf.Messages == nil {
			sf.Message, sf.Messages = f.Message, f.Messages
		}
		s, err := c.env.subject(sf)
		errs = append(errs, err...)
		r.subjects = append(r.subjects, s)
	}
	errs = append(errs, f.checkCases(subjects)...)
	for i := range r.Cases {
		r.Cases[i].complete(f.Given, subjects)
	}
	for i, err := range errs {
		errs[i] = fmt.Errorf("%s: %w", name, err)
	}
	return r, errors.Join(errs...)
}

// decodeStrictly refuses unknown and doubled keys, aliases, a second document and files past any size that a rule has.
func decodeStrictly(b []byte, into any) error {
	if len(b) > maxFile {
		return fmt.Errorf("%d bytes are no rule: at most %d", len(b), maxFile)
	}
	var n yaml.Node
	if err := yaml.Unmarshal(b, &n); err != nil {
		return yamlError(err)
	}
	if line := aliasLine(&n); line > 0 {
		return fmt.Errorf("line %d: YAML aliases and anchors are not admitted: write the value out", line)
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		return yamlError(err)
	}
	if d.Decode(new(yaml.Node)) == nil {
		return errors.New("one document a file")
	}
	return nil
}

func aliasLine(n *yaml.Node) int {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return n.Line
	}
	for _, c := range n.Content {
		if line := aliasLine(c); line > 0 {
			return line
		}
	}
	return 0
}

// yamlError turns "yaml: unmarshal errors:\n  line 3: field x not found in type rules.ruleFile" into what an author can use.
func yamlError(err error) error {
	var t *yaml.TypeError
	if !errors.As(err, &t) {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	for i, msg := range t.Errors {
		if at, ok := strings.CutPrefix(msg, "line "); ok && strings.Contains(at, " not found in type ") {
			msg, _, _ = strings.Cut(msg, " not found in type ")
			t.Errors[i] = strings.Replace(msg, ": field ", ": unknown field ", 1)
		}
	}
	return errors.New(strings.Join(t.Errors, "; "))
}
