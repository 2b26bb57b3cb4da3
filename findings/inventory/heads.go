package inventory

import (
	"slices"
	"strings"
)

// deriveEnvironments gives every declared environment a resource, held by the account that it names: in the first of
// the account's units that is bound to no region, which every run has. An environment of which no account is scanned
// has none.
func deriveEnvironments(inv *Inventory, d Declared) {
	home := map[string]*Unit{} // by account
	for i := range inv.Units {
		u := &inv.Units[i]
		u.Facts.Environments = nil
		if old := home[u.Scope.Account]; old == nil || old.Scope.Region != "" && u.Scope.Region == "" {
			home[u.Scope.Account] = u
		}
	}
	accounts := map[[2]string][]string{} // by product and name
	classes := map[[2]string]string{}
	for _, e := range d.Environments {
		k := [2]string{e.Product, e.Name}
		classes[k] = e.Class
		if !slices.Contains(accounts[k], e.Account) {
			accounts[k] = append(accounts[k], e.Account)
		}
	}
	for k, held := range accounts {
		slices.Sort(held)
		for _, account := range held {
			if u := home[account]; u != nil {
				u.Facts.Environments = append(u.Facts.Environments, Environment{
					Head:     Head{ID: k[0] + "/" + k[1], Name: k[1], Product: k[0], Environment: k[1], EnvironmentClass: classes[k]},
					Accounts: Closed(held, u.Note(Read{Operation: "declared:environments", Where: "derive"})),
				})
				break
			}
		}
	}
	for i := range inv.Units {
		u := &inv.Units[i]
		slices.SortFunc(u.Facts.Environments, func(a, b Environment) int { return strings.Compare(a.ID, b.ID) })
		for e := range u.Facts.Environments {
			u.Adopt(&u.Facts.Environments[e].Head)
		}
	}
}

// deriveHeads fills the heads: environment by account and network, asset by name, then by inheritance, then by system.
func deriveHeads(inv *Inventory, d Declared, c claims) {
	networks := subnetNetworks(inv, d)
	for i := range inv.Units {
		u := &inv.Units[i]
		account := u.Scope.Account
		whole, declared := d.EnvironmentOf(account, "")
		divided := d.Divided(account)
		u.Facts.each(func(r Resource) {
			h, env, ok := r.Base(), whole, declared
			if divided && r.Kind() != EnvironmentKind {
				network, sure := networkOf(r, networks)
				if env, ok = d.EnvironmentOf(account, network); !sure {
					env, ok = EnvironmentDecl{}, false
				}
			}
			if r.Kind() != EnvironmentKind {
				h.setEnvironment(env, ok)
			}
			own, _ := c.of(h)
			h.Asset, h.Level = own.asset, own.level
		})
	}
	inherit(inv)
	for i := range inv.Units {
		u := &inv.Units[i]
		if whole, ok := c.bySystem[u.Scope.System]; ok {
			u.Facts.each(func(r Resource) {
				if h := r.Base(); h.Asset == "" {
					h.Asset, h.Level = whole.asset, whole.level
				}
			})
		}
	}
}

func (h *Head) setEnvironment(e EnvironmentDecl, declared bool) {
	h.Product, h.Environment, h.EnvironmentClass = e.Product, e.Name, e.Class
	if !declared {
		h.EnvironmentClass = Undeclared
	}
}

// subnetNetworks maps the subnets of divided accounts to their networks: an interface names its subnet alone.
func subnetNetworks(inv *Inventory, d Declared) map[place]Val[string] {
	networks := map[place]Val[string]{}
	for i := range inv.Units {
		u := &inv.Units[i]
		if d.Divided(u.Scope.Account) {
			for s := range u.Facts.Subnets {
				sub := &u.Facts.Subnets[s]
				networks[place{u.Scope.Account, sub.Region, sub.ID}] = sub.NetworkID
			}
		}
	}
	return networks
}

// networkOf gives the network that a resource lies in, empty for what lies in none. It is not sure where the fact was
// not read: such a resource stays undeclared, and is judged as production.
func networkOf(r Resource, subnets map[place]Val[string]) (id string, sure bool) {
	var v Val[string]
	switch r := r.(type) {
	case *Network:
		return r.ID, true
	case *Database:
		v = r.NetworkID
	case *Instance:
		v = r.NetworkID
	case *Subnet:
		v = r.NetworkID
	case *RouteTable:
		v = r.NetworkID
	case *NetworkACL:
		v = r.NetworkID
	case *SecurityGroup:
		v = r.NetworkID
	case *NetworkInterface:
		v = subnets[place{r.unit.Scope.Account, r.Region, r.SubnetID.Or("")}]
	default:
		return "", true
	}
	return v.Or(""), !v.IsUnknown()
}

// inherit hands environment and asset down to what has none of its own: from a cluster to its instances, from a machine
// to its volumes, from a database, a machine or a volume to its backups. A source may lie in another unit and region.
func inherit(inv *Inventory) {
	sources := map[place]*Head{} // without region: a backup may be kept in another
	for i := range inv.Units {
		f := &inv.Units[i].Facts
		for _, k := range []Kind{DatabaseKind, InstanceKind, VolumeKind} {
			for r := range f.Of(k) {
				h := r.Base()
				sources[place{account: h.unit.Scope.Account, id: h.ID}] = h
			}
		}
	}
	for _, k := range []Kind{DatabaseKind, VolumeKind, BackupKind} { // each after what it inherits from
		for i := range inv.Units {
			for r := range inv.Units[i].Facts.Of(k) {
				h := r.Base()
				for _, id := range sourcesOf(r) {
					h.takeAfter(sources[place{account: h.unit.Scope.Account, id: id}])
				}
			}
		}
	}
}

func sourcesOf(r Resource) []string {
	var v Val[string]
	switch r := r.(type) {
	case *Database:
		v = r.ClusterID
	case *Backup:
		v = r.SourceID
	case *Volume:
		ids := slices.Clone(r.InstanceIDs.Items)
		slices.Sort(ids)
		return ids
	}
	if id, ok := v.Get(); ok {
		return []string{id}
	}
	return nil
}

func (h *Head) takeAfter(source *Head) {
	if source == nil {
		return
	}
	if h.EnvironmentClass == Undeclared {
		h.Product, h.Environment, h.EnvironmentClass = source.Product, source.Environment, source.EnvironmentClass
	}
	if h.Asset == "" {
		h.Asset, h.Level = source.Asset, source.Level
	}
}
