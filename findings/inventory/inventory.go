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

// Inherit gives a conclusion the environment and asset of what it is about, with their doubts: both are of one unit.
func (h *Head) Inherit(from *Head) {
	h.Product, h.Environment, h.EnvironmentClass, h.environmentGap = from.Product, from.Environment, from.EnvironmentClass, from.environmentGap
	h.Asset, h.Level, h.assetGap = from.Asset, from.Level, from.assetGap
}

// Doubt notes that environment and asset may be others than they say, for want of a read of the resource's unit.
func (h *Head) Doubt(r ReadID) { h.environmentGap, h.assetGap = doubt{r, true}, doubt{r, true} }
