package inventory

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"
)

// Declared is what the company declares about itself; it comes from the configuration and is kept in a run's head.
type Declared struct {
	Organization      string             `yaml:"-" json:"organization,omitempty"`
	Domains           []string           `yaml:"-" json:"domains,omitempty"`
	Environments      []EnvironmentDecl  `json:"environments,omitempty"`
	Assets            []AssetDecl        `json:"assets,omitempty"`
	SystemAssets      map[string]string  `json:"system_assets,omitempty"` // system name → asset of what no entry of Assets names
	AccountExceptions []AccountException `json:"account_exceptions,omitempty"`
	DatabaseSources   []string           `json:"database_sources,omitempty"` // CIDRs that may reach databases
	LoginMap          map[string]string  `json:"login_map,omitempty"`        // system/principal → address, where no address is known
}

// EnvironmentDecl declares an environment and what bounds it.
type EnvironmentDecl struct {
	Product string `yaml:"product" json:"product"`
	Name    string `yaml:"name" json:"name"`
	Class   string `yaml:"class" json:"class"`     // Production or Nonproduction
	Account string `yaml:"account" json:"account"` // provider's account or project id
	Network string `yaml:"network,omitempty" json:"network,omitempty"`
}

// AssetDecl maps resources to an information asset of chapter 14.
type AssetDecl struct {
	Asset     string   `yaml:"asset" json:"asset"`
	Level     int64    `yaml:"level" json:"level"` // 1–3
	Owner     string   `yaml:"owner" json:"owner"`
	Resources []string `yaml:"resources,omitempty" json:"resources,omitempty"` // ids, names or globs of them (path.Match)
	Systems   []string `yaml:"systems,omitempty" json:"systems,omitempty"`     // system names: everything in them
}

// AccountException declares an account that may exist without a person (4.2, 7.2.2).
type AccountException struct {
	System    string `yaml:"system" json:"system"`
	Principal string `yaml:"principal" json:"principal"` // name or id
	Kind      string `yaml:"kind" json:"kind"`           // break_glass|service|shared|bot
	Owner     string `yaml:"owner" json:"owner"`
	Reason    string `yaml:"reason" json:"reason"`
	Approver  string `yaml:"approver" json:"approver"`
	Expires   string `yaml:"expires" json:"expires"` // YYYY-MM-DD, the last day in Asia/Tokyo
}

// tokyo is where a day ends for this company. Japan keeps no summer time, so no time zone database is needed.
var tokyo = time.FixedZone("Asia/Tokyo", 9*60*60)

// EndOfDay gives the last second of a day (YYYY-MM-DD) in Asia/Tokyo.
func EndOfDay(day string) (time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly, day, tokyo)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a day; write YYYY-MM-DD", day)
	}
	return t.AddDate(0, 0, 1).Add(-time.Second), nil
}

// EnvironmentOf finds the environment that a network of an account belongs to; with no such entry, the environment of
// the account as a whole.
func (d Declared) EnvironmentOf(account, network string) (found EnvironmentDecl, ok bool) {
	for _, e := range d.Environments {
		switch {
		case e.Account != account:
		case e.Network == network:
			return e, true
		case e.Network == "":
			found, ok = e, true
		}
	}
	return found, ok
}

// Divided reports that an account holds environments which only their networks tell apart.
func (d Declared) Divided(account string) bool {
	return slices.ContainsFunc(d.Environments, func(e EnvironmentDecl) bool { return e.Account == account && e.Network != "" })
}

// check refuses a declaration that can't be meant, and names the entry.
func (d Declared) check() error {
	for i, e := range d.Environments {
		where := fmt.Sprintf("environments[%d] (%s/%s)", i, e.Product, e.Name)
		if e.Product == "" || e.Name == "" || e.Account == "" {
			return fmt.Errorf("%s: give product, name and account", where)
		}
		if e.Class != Production && e.Class != Nonproduction {
			return fmt.Errorf("%s: class %q is neither %s nor %s", where, e.Class, Production, Nonproduction)
		}
		for _, earlier := range d.Environments[:i] {
			if earlier.Account == e.Account && earlier.Network == e.Network {
				return fmt.Errorf("%s: account %s is %s/%s already; tell them apart by network", where, e.Account, earlier.Product, earlier.Name)
			}
			if earlier.Product == e.Product && earlier.Name == e.Name && earlier.Class != e.Class {
				return fmt.Errorf("%s: its class is %s, and %s in an earlier entry", where, e.Class, earlier.Class)
			}
		}
	}
	for i, c := range d.DatabaseSources {
		if _, err := netip.ParsePrefix(c); err != nil {
			return fmt.Errorf("database_sources[%d]: %q is no address range; write 203.0.113.0/24", i, c)
		}
	}
	return nil
}

// claims are the declarations of assets, ready to be looked up once for each of a million resources.
type claims struct {
	byName   map[string]claim // what an entry of resources names exactly
	globs    []glob
	bySystem map[string]claim
}

type claim struct {
	asset string
	level int64
}

type glob struct {
	prefix, pattern string // the prefix is what stands before the first wildcard
	claim
}

func (d Declared) claims() (claims, error) {
	c := claims{byName: map[string]claim{}, bySystem: map[string]claim{}}
	levels := map[string]int64{} // the highest that is declared for an asset
	for i, a := range d.Assets {
		where := fmt.Sprintf("assets[%d] (%s)", i, a.Asset)
		if a.Asset == "" || a.Level < 1 || a.Level > 3 {
			return c, fmt.Errorf("%s: give the asset's number and a level of 1 to 3, not %d", where, a.Level)
		}
		levels[a.Asset] = max(levels[a.Asset], a.Level)
		for _, r := range a.Resources {
			if err := c.name(r, claim{a.Asset, a.Level}); err != nil {
				return c, fmt.Errorf("%s: %w", where, err)
			}
		}
		for _, s := range a.Systems {
			if other, taken := c.bySystem[s]; taken && other.asset != a.Asset {
				return c, fmt.Errorf("%s: system %s belongs to %s already", where, s, other.asset)
			}
			c.bySystem[s] = claim{a.Asset, a.Level}
		}
	}
	for system, asset := range d.SystemAssets {
		if _, taken := c.bySystem[system]; !taken {
			c.bySystem[system] = claim{asset, levels[asset]}
		}
	}
	return c, nil
}

func (c *claims) name(pattern string, what claim) error {
	wild := strings.IndexAny(pattern, `*?[\`)
	if wild < 0 {
		if other, taken := c.byName[pattern]; taken && other != what {
			return fmt.Errorf("%q belongs to %s already", pattern, other.asset)
		}
		c.byName[pattern] = what
		return nil
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Errorf("%q is no glob: %w", pattern, err)
	}
	c.globs = append(c.globs, glob{pattern[:wild], pattern, what})
	return nil
}

// of finds the entry for a resource: its id before its name, an exact entry before a glob, an earlier glob before a later.
func (c *claims) of(h *Head) (claim, bool) {
	for _, s := range [2]string{h.ID, h.Name} {
		if found, ok := c.byName[s]; ok && s != "" {
			return found, true
		}
	}
	for i := range c.globs {
		g := &c.globs[i]
		for _, s := range [2]string{h.ID, h.Name} {
			if strings.HasPrefix(s, g.prefix) {
				if ok, err := path.Match(g.pattern, s); err == nil && ok {
					return g.claim, true
				}
			}
		}
	}
	return claim{}, false
}

// exception is an AccountException, read.
type exception struct {
	kind  string
	until time.Time
}

// exceptions are keyed by system and principal.
func (d Declared) exceptions() (map[[2]string]exception, error) {
	kinds := []string{"break_glass", "service", "shared", "bot"}
	found := make(map[[2]string]exception, len(d.AccountExceptions))
	for i, e := range d.AccountExceptions {
		where := fmt.Sprintf("account_exceptions[%d] (%s/%s)", i, e.System, e.Principal)
		if e.System == "" || e.Principal == "" {
			return nil, fmt.Errorf("%s: give system and principal", where)
		}
		if !slices.Contains(kinds, e.Kind) {
			return nil, fmt.Errorf("%s: kind %q is none of %s", where, e.Kind, strings.Join(kinds, ", "))
		}
		until, err := EndOfDay(e.Expires)
		if err != nil {
			return nil, fmt.Errorf("%s: expires: %w", where, err)
		}
		key := [2]string{e.System, e.Principal}
		if _, twice := found[key]; twice {
			return nil, fmt.Errorf("%s: it is declared twice; keep one entry", where)
		}
		found[key] = exception{e.Kind, until}
	}
	return found, nil
}

// logins are LoginMap's entries keyed by system and principal; a system's name holds no slash, a principal's may.
func (d Declared) logins() (map[[2]string]string, error) {
	found := make(map[[2]string]string, len(d.LoginMap))
	for login, address := range d.LoginMap {
		system, principal, ok := strings.Cut(login, "/")
		if !ok || system == "" || principal == "" || !strings.Contains(address, "@") {
			return nil, fmt.Errorf("login_map: %q: %q is not system/principal: address", login, address)
		}
		found[[2]string{system, principal}] = fold(address)
	}
	return found, nil
}

// fold makes addresses comparable.
func fold(address string) string { return strings.ToLower(strings.TrimSpace(address)) }
