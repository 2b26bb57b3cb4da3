package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/findings/run"
	"sptr.jp/tenken/rules/policy"
)

// maxConfig bounds tenken.yaml.
const maxConfig = 1 << 20

// config is tenken.yaml. Its JSON Schema is tenken.schema.json; config_test.go holds the two together.
type config struct {
	Organization      organization                 `yaml:"organization"`
	Language          string                       `yaml:"language"` // ja (default) or en
	Systems           []system                     `yaml:"systems"`
	NotUsed           []notUsed                    `yaml:"not_used"`
	Environments      []inventory.EnvironmentDecl  `yaml:"environments"`
	Assets            []inventory.AssetDecl        `yaml:"assets"`
	AccountExceptions []inventory.AccountException `yaml:"account_exceptions"`
	Logins            []login                      `yaml:"logins"`
	Parameters        yaml.Node                    `yaml:"parameters"`
	Gaps              []run.GapDeclared            `yaml:"gaps"`

	file     string   // where it was read
	narrowed []string // the systems that the command line names; nil for all
	left     []system // the others then
}

type organization struct {
	Name    string   `yaml:"name"`
	Domains []string `yaml:"domains"`
}

// notUsed declares that the company does not use a system that the regulation names.
type notUsed struct {
	System   string `yaml:"system"`
	Approver string `yaml:"approver"`
	Date     string `yaml:"date"`
}

// login says whose account it is where the system knows no address.
type login struct {
	System    string `yaml:"system"`
	Principal string `yaml:"principal"`
	Email     string `yaml:"email"`
}

// system is one entry of systems. Which keys it may have depends on its type: see providers.go.
type system struct {
	Name string
	Type string

	Regions  []string
	Profile  string
	Role     string
	Accounts []string
	Endpoint string

	File     string
	Kind     string
	Columns  map[string]string
	Ignore   []string
	Encoding string

	line int
}

// UnmarshalYAML checks the keys of an entry against its type, so that a key of another type is an error and not ignored.
func (s *system) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: a system is written as {name: …, type: …}", n.Line)
	}
	type plain struct {
		Name     string            `yaml:"name"`
		Type     string            `yaml:"type"`
		Regions  []string          `yaml:"regions"`
		Profile  string            `yaml:"profile"`
		Role     string            `yaml:"role"`
		Accounts []string          `yaml:"accounts"`
		Endpoint string            `yaml:"endpoint"`
		File     string            `yaml:"file"`
		Kind     string            `yaml:"kind"`
		Columns  map[string]string `yaml:"columns"`
		Ignore   []string          `yaml:"ignore"`
		Encoding string            `yaml:"encoding"`
	}
	var p plain
	if err := n.Decode(&p); err != nil {
		return err
	}
	*s = system{p.Name, p.Type, p.Regions, p.Profile, p.Role, p.Accounts, p.Endpoint, p.File, p.Kind, p.Columns, p.Ignore, p.Encoding, n.Line}
	prov, ok := providerOf(p.Type)
	if !ok {
		return fmt.Errorf("line %d: systems: type %q can't be read by this version; it reads %s", n.Line, p.Type, strings.Join(providerTypes(), ", "))
	}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Value != "name" && key.Value != "type" && !slices.Contains(prov.keys, key.Value) {
			return fmt.Errorf("line %d: systems: a system of type %s has no key %q; it has name, type, %s", key.Line, p.Type, key.Value, strings.Join(prov.keys, ", "))
		}
	}
	return nil
}

// configError is an invalid configuration (exit 10).
type configError struct{ err error }

func (e *configError) Error() string { return e.err.Error() }
func (e *configError) Unwrap() error { return e.err }

// loadConfig reads and checks tenken.yaml. Paths in it are relative to its own folder.
func loadConfig(path string) (*config, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxConfig {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxConfig)
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(path)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, &configError{fmt.Errorf("there is no %s here: write one with `tenken init > %s`, or scan without one: `tenken scan aws`", path, path)}
	}
	if err != nil {
		return nil, &configError{fmt.Errorf("reading the configuration: %w", err)}
	}
	c, err := parseConfig(b, filepath.Dir(path))
	if err != nil {
		return nil, &configError{fmt.Errorf("%s: %w", path, err)}
	}
	c.file = path
	return c, nil
}

func parseConfig(b []byte, dir string) (*config, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return nil, plainYAMLError(err)
	}
	if err := refuseAliases(&doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, errors.New("it is empty: `tenken init` writes one")
	}
	if err := refuseForeseen(doc.Content[0]); err != nil {
		return nil, err
	}
	c := &config{Language: "ja"}
	d := yaml.NewDecoder(strings.NewReader(string(b)))
	d.KnownFields(true)
	if err := d.Decode(c); err != nil {
		return nil, plainYAMLError(err)
	}
	if d.Decode(new(yaml.Node)) == nil {
		return nil, errors.New("there is more than one YAML document: keep one")
	}
	for i := range c.Systems {
		if f := c.Systems[i].File; f != "" && !filepath.IsAbs(f) {
			c.Systems[i].File = filepath.Join(dir, f)
		}
	}
	return c, c.check()
}

// narrow keeps the systems that the command line names. A type will do for a name where one system alone has it.
func (c *config) narrow(wanted []string) error {
	c.narrowed = []string{}
	for _, name := range wanted {
		if slices.Contains(c.names(), name) {
			c.narrowed = append(c.narrowed, name)
			continue
		}
		var ofType []string
		for _, s := range c.Systems {
			if s.Type == name {
				ofType = append(ofType, s.Name)
			}
		}
		switch len(ofType) {
		case 0:
			return fmt.Errorf("%s has no system %q: it has %s", c.file, name, cmp.Or(strings.Join(c.names(), ", "), "none"))
		case 1:
			c.narrowed = append(c.narrowed, ofType[0])
		default:
			return fmt.Errorf("%s has several systems of type %s: name one of %s", c.file, name, strings.Join(ofType, ", "))
		}
	}
	slices.Sort(c.narrowed)
	c.narrowed = slices.Compact(c.narrowed)
	all := c.Systems
	c.Systems = nil
	for _, s := range all {
		if slices.Contains(c.narrowed, s.Name) {
			c.Systems = append(c.Systems, s)
		} else {
			c.left = append(c.left, s)
		}
	}
	return nil
}

// names are the names of the systems.
func (c *config) names() []string {
	names := make([]string, 0, len(c.Systems))
	for _, s := range c.Systems {
		names = append(names, s.Name)
	}
	return names
}

func (c *config) check() error {
	if c.Language != "ja" && c.Language != "en" {
		return fmt.Errorf("language: %q: write ja or en", c.Language)
	}
	names := map[string]bool{}
	for _, s := range c.Systems {
		switch {
		case s.Name == "" || strings.ContainsAny(s.Name, "/ \t\n"):
			return fmt.Errorf("line %d: systems: every system needs a name, without spaces and slashes", s.line)
		case names[s.Name]:
			return fmt.Errorf("line %d: systems: the name %q stands twice", s.line, s.Name)
		}
		names[s.Name] = true
		prov, _ := providerOf(s.Type)
		if err := prov.check(s); err != nil {
			return fmt.Errorf("line %d: systems: %s: %w", s.line, s.Name, err)
		}
	}
	for i, l := range c.Logins {
		if l.System == "" || l.Principal == "" || !strings.Contains(l.Email, "@") {
			return fmt.Errorf("logins: entry %d needs system, principal and email", i+1)
		}
	}
	for i, n := range c.NotUsed {
		if n.System == "" || n.Approver == "" || n.Date == "" {
			return fmt.Errorf("not_used: entry %d needs system, approver and date", i+1)
		}
		if err := checkDate(n.Date); err != nil {
			return fmt.Errorf("not_used: entry %d: date %w", i+1, err)
		}
	}
	return c.checkGaps()
}

func (c *config) checkGaps() error {
	for i, g := range c.Gaps {
		if g.System == "" || g.Reason == "" || g.Approver == "" || g.Expires == "" {
			return fmt.Errorf("gaps: entry %d needs system, reason, approver and expires (a date)", i+1)
		}
		if err := checkDate(g.Expires); err != nil {
			return fmt.Errorf("gaps: entry %d: expires %w", i+1, err)
		}
		if !slices.Contains(c.names(), g.System) && readerOf(g.System) == "" {
			return fmt.Errorf("gaps: entry %d: there is no system %q; name one of systems, or the id of one that is not connected", i+1, g.System)
		}
	}
	return nil
}

func checkDate(s string) error {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return fmt.Errorf("%q: write a date, YYYY-MM-DD", s)
	}
	return nil
}

// declared is what Derive needs of the configuration.
func (c *config) declared(p policy.Params) inventory.Declared {
	d := inventory.Declared{
		Organization: c.Organization.Name, Domains: c.Organization.Domains, Environments: c.Environments, Assets: c.Assets,
		AccountExceptions: c.AccountExceptions,
	}
	if cidrs, ok := p["database_allowed_sources"].([]string); ok {
		d.DatabaseSources = cidrs
	}
	for _, l := range c.Logins {
		if d.LoginMap == nil {
			d.LoginMap = map[string]string{}
		}
		d.LoginMap[l.System+"/"+l.Principal] = l.Email
	}
	return d
}
