package policy

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"sptr.jp/tenken/findings"
)

//go:embed *.yaml
var data embed.FS

// The classes of a clause: what can decide it.
const (
	Automated = "automated" // the state that provider APIs report
	Evidence  = "evidence"  // a record that the company keeps
	Manual    = "manual"    // a person who goes and looks
)

// Policy is all of the data, in the regulation's order. It is read-only: every user shares one.
type Policy struct {
	Chapters   []Chapter
	Clauses    []Clause // of all chapters; headings are not among them
	Formula    Formula
	Assets     []Asset
	Systems    []System
	Parameters []Parameter
	Questions  []Question

	clauses    map[string]*Clause
	assets     map[string]*Asset
	systems    map[string]*System
	parameters map[string]*Parameter
}

// Chapter is a chapter, or a document bound with the regulation. ID is what clause numbers begin with.
type Chapter struct {
	ID       string
	Title    findings.Text // as printed, number included
	SHA256   string        `yaml:"sha256"` // of what stands before the chapter's first clause; empty for the cover
	Headings []Heading
	Clauses  []Clause
}

// Heading is a number that only groups clauses.
type Heading struct {
	ID     string
	Title  findings.Text
	SHA256 string `yaml:"sha256"`
}

// Clause is one clause. Its Chapter is a Chapter's ID, its Title is the printed one without the number.
type Clause struct {
	findings.Clause `yaml:",inline"`
	Under           findings.Text `yaml:"-"`          // title of the heading or clause above; empty directly below the chapter
	OfSystems       bool          `yaml:"of_systems"` // it is about the systems that it names, and says nothing of others
	Why             findings.Text // why the clause has its class
	Asks            findings.Text // what a person must show; empty for automated clauses
	SHA256          string        `yaml:"sha256"` // of its part of the text: see split_test.go
}

// Formula holds the parameters of the live risk register (14.3, 14.4).
type Formula struct {
	LikelihoodIfKeyFails        int     `yaml:"likelihood_if_key_fails"`
	LikelihoodIfSupportingFails int     `yaml:"likelihood_if_supporting_fails"` // at least this, never below the base
	SupportingRaisesAt          int     `yaml:"supporting_raises_at"`           // failures from which it is base + 1, at most 3
	ImpactIfLevel3              int     `yaml:"impact_if_level_3"`
	UnverifiedShare             float64 `yaml:"unverified_share"` // share of unknown key rules from which a row is unverified
	Bands                       []Band  // highest first
}

// Band names the risk values from From up to the next band.
type Band struct {
	From      int
	Judgement findings.Text
}

// Asset is a row of table 14.4.
type Asset struct {
	ID              string
	Default         bool // no row of the table but ours: the officer has to approve it
	Name            findings.Text
	Threat          findings.Text
	Vulnerability   findings.Text
	Clauses         []string
	Impact          int
	Likelihood      int
	Value           int
	KeyRules        []string `yaml:"key_rules"`
	SupportingRules []string `yaml:"supporting_rules"`
}

// System is something that the regulation names, or (Named false) a means without which it cannot be checked.
type System struct {
	ID       string
	Name     findings.Text
	Note     findings.Text
	Named    bool
	Clauses  []string
	Scanners []string // types of tenken.yaml, any of which reads it; none: only people and records can tell
	Rules    []string
}

// Question is a contradiction or a gap of the regulation.
type Question struct {
	ID      string
	Topic   findings.Text
	Note    findings.Text
	Clauses []string
}

// Load reads the data that is built into the program.
func Load() (*Policy, error) { return load(data) }

// Version is the content hash of that data: two runs with the same version were judged by the same policy.
func Version() string { return version(data) }

func version(fsys fs.FS) string {
	h := sha256.New()
	for _, name := range []string{"assets.yaml", "clauses.yaml", "parameters.yaml", "questions.yaml", "systems.yaml"} {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			panic(err) // the files are part of the program
		}
		fmt.Fprintf(h, "%s %d\n", name, len(b))
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

func load(fsys fs.FS) (*Policy, error) {
	var (
		p       Policy
		clauses struct{ Chapters *[]Chapter }
		assets  struct {
			Formula *Formula
			Assets  *[]Asset
		}
		systems    struct{ Systems *[]System }
		parameters struct{ Parameters *[]Parameter }
		questions  struct{ Questions *[]Question }
	)
	clauses.Chapters, assets.Formula, assets.Assets = &p.Chapters, &p.Formula, &p.Assets
	systems.Systems, parameters.Parameters, questions.Questions = &p.Systems, &p.Parameters, &p.Questions
	for _, f := range []struct {
		name string
		into any
	}{
		{"clauses.yaml", &clauses}, {"assets.yaml", &assets}, {"systems.yaml", &systems},
		{"parameters.yaml", &parameters}, {"questions.yaml", &questions},
	} {
		b, err := fs.ReadFile(fsys, f.name)
		if err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		d := yaml.NewDecoder(bytes.NewReader(b))
		d.KnownFields(true)
		if err := d.Decode(f.into); err != nil {
			return nil, fmt.Errorf("policy: %s: %w", f.name, err)
		}
	}
	if err := p.index(); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return &p, nil
}

// index fills what the files don't say twice: the list of all clauses, what each stands under, and the look-ups.
func (p *Policy) index() (err error) {
	titles := map[string]findings.Text{}
	for _, ch := range p.Chapters {
		for _, h := range ch.Headings {
			titles[h.ID] = h.Title
		}
		for i := range ch.Clauses {
			ch.Clauses[i].Chapter = ch.ID
			titles[ch.Clauses[i].ID] = ch.Clauses[i].Title
		}
	}
	for _, ch := range p.Chapters {
		for i := range ch.Clauses {
			c := &ch.Clauses[i]
			c.Under = titles[c.ID[:max(0, strings.LastIndexByte(c.ID, '.'))]]
		}
		p.Clauses = append(p.Clauses, ch.Clauses...)
	}
	if p.clauses, err = byID("clauses.yaml", p.Clauses, func(c *Clause) string { return c.ID }); err != nil {
		return err
	}
	if p.assets, err = byID("assets.yaml", p.Assets, func(a *Asset) string { return a.ID }); err != nil {
		return err
	}
	if p.systems, err = byID("systems.yaml", p.Systems, func(s *System) string { return s.ID }); err != nil {
		return err
	}
	if p.parameters, err = byID("parameters.yaml", p.Parameters, func(q *Parameter) string { return q.Key }); err != nil {
		return err
	}
	for i := range p.Parameters {
		if err := p.Parameters[i].setDefault(); err != nil {
			return fmt.Errorf("parameters.yaml: %w", err)
		}
	}
	return nil
}

func byID[T any](file string, items []T, id func(*T) string) (map[string]*T, error) {
	m := make(map[string]*T, len(items))
	for i := range items {
		k := id(&items[i])
		if k == "" {
			return nil, fmt.Errorf("%s: entry %d has no id", file, i+1)
		}
		if m[k] != nil {
			return nil, fmt.Errorf("%s: %s is there twice", file, k)
		}
		m[k] = &items[i]
	}
	return m, nil
}

// Clause finds a clause by its number, such as "14.1.5.4" or "NW.3.4"; nil when there is none.
func (p *Policy) Clause(id string) *Clause { return p.clauses[id] }

// ScannersOf gives the types of tenken.yaml that read what a clause names, sorted.
func (p *Policy) ScannersOf(clause string) (types []string) {
	for i := range p.Systems {
		if slices.Contains(p.Systems[i].Clauses, clause) {
			types = append(types, p.Systems[i].Scanners...)
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// Asset finds an asset by its number, such as "IA-001"; nil when there is none.
func (p *Policy) Asset(id string) *Asset { return p.assets[id] }

// System finds a named system by our id, such as "cloud-sql"; nil when there is none.
func (p *Policy) System(id string) *System { return p.systems[id] }
