package inventory

import "sort"

// Inventory is everything that one run read, unit by unit. It is held in memory: at most 1 KiB a resource.
type Inventory struct {
	// Units are sorted by ID. A resource keeps a pointer into them: the slice must not grow after New.
	Units []Unit
}

// New sorts the units and gives every resource its unit. It does not derive: see Derive and the providers' own joins.
func New(units []Unit) *Inventory {
	sort.Slice(units, func(i, j int) bool { return units[i].ID < units[j].ID })
	inv := &Inventory{Units: units}
	for i := range inv.Units {
		u := &inv.Units[i]
		u.index = int32(i)
		u.Facts.each(func(r Resource) { r.Base().unit = u })
	}
	return inv
}

// Index is the unit's place in Inventory.Units: with a ReadID it names a read of the whole inventory.
func (u *Unit) Index() int { return int(u.index) }

// Adopt gives a conclusion (an Exposure, an Environment) its place in the unit whose facts it was drawn from.
func (u *Unit) Adopt(h *Head) { h.unit = u }

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
