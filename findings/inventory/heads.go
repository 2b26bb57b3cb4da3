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
			h.environmentGap, h.assetGap = doubt{}, doubt{}
			if divided && r.Kind() != EnvironmentKind {
				network, gap := networkOf(r, networks)
				if env, ok = d.EnvironmentOf(account, network); gap.is {
					env, ok, h.environmentGap = EnvironmentDecl{}, false, gap
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

// subnetNetworks finds the subnets of divided accounts: an interface names its subnet alone.
func subnetNetworks(inv *Inventory, d Declared) map[place]*Subnet {
	networks := map[place]*Subnet{}
	for i := range inv.Units {
		u := &inv.Units[i]
		if d.Divided(u.Scope.Account) {
			for s := range u.Facts.Subnets {
				sub := &u.Facts.Subnets[s]
				networks[place{u.Scope.Account, sub.Region, sub.ID}] = sub
			}
		}
	}
	return networks
}

// networkOf gives the network that a resource lies in, empty for what lies in none. The gap is where the fact was not
// read: such a resource stays undeclared.
func networkOf(r Resource, subnets map[place]*Subnet) (id string, gap doubt) {
	var v Val[string]
	u := r.Base().unit
	switch r := r.(type) {
	case *Network:
		return r.ID, doubt{}
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
		v = r.SubnetID
		if subnet, ok := v.Get(); ok {
			sub := subnets[place{u.Scope.Account, r.Region, subnet}]
			if sub == nil {
				return "", doubt{u.Note(Read{Reason: Unmatched, Where: "derive", Detail: "subnet " + subnet + " is in no listing"}), true}
			}
			return sub.NetworkID.Or(""), doubt{u.Carry(sub.unit, sub.NetworkID.Read()), sub.NetworkID.IsUnknown()}
		}
	default:
		return "", doubt{}
	}
	return v.Or(""), doubt{v.Read(), v.IsUnknown()}
}

// inheritance hands environment and asset down to what has none of its own: from a cluster to its instances, from a
// machine to its volumes, from a database, a machine or a volume to its backups. A source may lie in another unit and
// region. While a source may be one that was not read, what is inherited is in doubt.
type inheritance struct {
	sources map[place]*Head   // without region: a backup may be kept in another
	open    map[place]opening // by account, and the kind as id: a listing that is not complete
}

func inherit(inv *Inventory) {
	in := inheritance{map[place]*Head{}, map[place]opening{}}
	for i := range inv.Units {
		u := &inv.Units[i]
		for _, k := range []Kind{DatabaseKind, InstanceKind, VolumeKind} {
			if l := u.Listing(k); l != nil && !l.Complete {
				in.open[place{account: u.Scope.Account, id: string(k)}] = opening{u, l.Why(u)}
			}
			for r := range u.Facts.Of(k) {
				in.sources[place{account: u.Scope.Account, id: r.Base().ID}] = r.Base()
			}
		}
	}
	for _, k := range []Kind{DatabaseKind, VolumeKind, BackupKind} { // each after what it inherits from
		for i := range inv.Units {
			for r := range inv.Units[i].Facts.Of(k) {
				in.give(r)
			}
		}
	}
}

// give hands down to one resource what it has not of its own. Any doubt about any of its sources is a doubt about the
// whole: the unread one might have come first.
func (in *inheritance) give(r Resource) {
	h := r.Base()
	needsEnvironment, needsAsset := h.EnvironmentClass == Undeclared, h.Asset == ""
	ids, kinds, gap := sourcesOf(r)
	environment, asset := gap, gap
	for _, id := range ids {
		source := in.sources[place{account: h.unit.Scope.Account, id: id}]
		if source == nil {
			gap = in.unread(h.unit, kinds)
			environment, asset = environment.or(gap), asset.or(gap)
			continue
		}
		h.takeAfter(source)
		environment = environment.or(h.unit.carried(source.unit, source.environmentGap))
		asset = asset.or(h.unit.carried(source.unit, source.assetGap))
	}
	if needsEnvironment {
		h.environmentGap = h.environmentGap.or(environment)
	}
	if needsAsset {
		h.assetGap = asset
	}
}

func (d doubt) or(e doubt) doubt {
	if d.is {
		return d
	}
	return e
}

func (u *Unit) carried(from *Unit, d doubt) doubt {
	if d.is {
		d.read = u.Carry(from, d.read)
	}
	return d
}

// unread is the doubt about a source that is not in hand: none where the listings that would hold it are complete.
func (in *inheritance) unread(u *Unit, kinds []Kind) doubt {
	for _, k := range kinds {
		if o, ok := in.open[place{account: u.Scope.Account, id: string(k)}]; ok {
			return doubt{u.Carry(o.unit, o.read), true}
		}
	}
	return doubt{}
}

// sourcesOf gives the ids that a resource inherits from, the kinds that they may be of, and what kept them from being
// known.
func sourcesOf(r Resource) (ids []string, kinds []Kind, gap doubt) {
	var v Val[string]
	switch r := r.(type) {
	case *Database:
		v, kinds = r.ClusterID, []Kind{DatabaseKind}
	case *Backup:
		v, kinds = r.SourceID, []Kind{DatabaseKind, InstanceKind, VolumeKind}
	case *Volume:
		ids = slices.Clone(r.InstanceIDs.Items)
		slices.Sort(ids)
		return ids, []Kind{InstanceKind}, doubt{r.InstanceIDs.Read(), r.InstanceIDs.IsOpen()}
	}
	if id, ok := v.Get(); ok {
		return []string{id}, kinds, doubt{}
	}
	return nil, kinds, doubt{v.Read(), v.IsUnknown()}
}

func (h *Head) takeAfter(source *Head) {
	if h.EnvironmentClass == Undeclared {
		h.Product, h.Environment, h.EnvironmentClass = source.Product, source.Environment, source.EnvironmentClass
	}
	if h.Asset == "" {
		h.Asset, h.Level = source.Asset, source.Level
	}
}
