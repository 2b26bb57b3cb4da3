package inventory

// Head is what every resource has, whatever its kind.
type Head struct {
	// ID is the provider's own immutable id (ARN, object id, employee number): fingerprints are made of it.
	ID string `json:"id"`
	// Subtype is the provider's word for the thing: "rds:db", "rds:cluster", "iam:user", "ec2:snapshot".
	Subtype string `json:"subtype,omitempty"`
	// Name is what its owner calls it; it may change.
	Name string `json:"name,omitempty"`
	// Region is empty for what is global.
	Region string `json:"region,omitempty"`
	// URL leads to it in the provider's console; https only.
	URL string `json:"url,omitempty"`

	// Conclusions, from the configuration's declarations.

	// Product is spartraining, gryffindor, videocall …; empty if undeclared.
	Product string `json:"-"`
	// Environment is the declared name: production, staging, unstable …; empty if undeclared.
	Environment string `json:"-"`
	// EnvironmentClass is Production, Nonproduction or Undeclared; what is undeclared is judged as production.
	EnvironmentClass string `json:"-"`
	// Asset is the information asset (IA-001 …) that the resource holds; empty if none is mapped.
	Asset string `json:"-"`
	// Level is the declared level of confidentiality, 1 to 3; 0 if undeclared, which is judged as 3.
	Level int64 `json:"-"`

	unit *Unit
	// What kept the declarations above from being applied for certain.
	environmentGap, assetGap doubt
}

// doubt is a read for want of which something is not known.
type doubt struct {
	read ReadID
	is   bool
}

// EnvironmentGap reports that Product, Environment and EnvironmentClass may be others than they say, since the network or
// the source that decides them was not read; the ReadID, of the resource's unit, names why. What is merely undeclared is
// no gap.
func (h *Head) EnvironmentGap() (ReadID, bool) { return h.environmentGap.read, h.environmentGap.is }

// AssetGap reports the same of Asset and Level: what they would be inherited from was not read.
func (h *Head) AssetGap() (ReadID, bool) { return h.assetGap.read, h.assetGap.is }

// The classes of environments.
const (
	Production    = "production"
	Nonproduction = "nonproduction"
	Undeclared    = "undeclared"
)

// Base gives the head: it makes every kind a Resource.
func (h *Head) Base() *Head { return h }

// Unit is the unit that the resource was read by.
func (h *Head) Unit() *Unit { return h.unit }

// Scope is where the resource lives.
func (h *Head) Scope() Scope {
	s := h.unit.Scope
	s.Region = h.Region
	return s
}

// Resource is anything that rules can judge or edges can lead to.
type Resource interface {
	Base() *Head
	Kind() Kind
}

// Kind is a kind of resource, the same for every provider.
type Kind string
