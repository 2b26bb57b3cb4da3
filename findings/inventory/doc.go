// Package inventory is the vocabulary of tenken: what exists, and how far it was looked at.
//
// One model serves every system, so that one rule reads Amazon RDS and Cloud SQL alike. The package holds the kinds
// (Person, Account, Database, …), the values that they are made of (Val, List), where each value was read (Read),
// the unit of work that read it (Unit) and the books that must balance (Ledger).
//
// Facts and conclusions. A scanner fills facts, of one unit only, with edges as ids. Derive fills conclusions, the
// fields tagged `json:"-"`: it joins over the whole inventory, is pure, and runs on every load, so that a saved run
// keeps facts alone. A conclusion drawn from an unknown fact, or through an edge into a unit that was not read whole,
// is unknown and carries the reason of what was missing.
//
// This package imports nothing of ours and knows no provider: no SDK type, no API call, no verdict and no rule may
// enter. Joins that need to know how one provider works live in that provider's derive.go.
package inventory

//go:generate go run ./generate
