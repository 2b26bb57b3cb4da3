package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sptr.jp/tenken/findings/inventory"
)

// worldNow is the day on which random worlds are judged.
var worldNow = time.Date(2026, 4, 1, 3, 0, 0, 0, time.UTC)

// words are what the facts of random worlds are made of, as JSON: few, so that they meet. The key is a field, or
// Kind.field; what has neither gets a word of its type. A % is the region's own mark, so that ids of two regions differ.
var words = map[string]string{
	"state": `["active","active","invited","suspended","archived"]`, "Instance.state": `["running","running","stopped"]`,
	"network_id": `["vpc-1%","vpc-2%","vpc-none"]`, "subnet_id": `["subnet-1%","subnet-2%","subnet-none"]`,
	"subnet_ids": `["subnet-1%","subnet-2%","subnet-none"]`, "security_group_ids": `["sg-1%","sg-2%","sg-3%","sg-none"]`,
	"instance_id": `["i-1%","i-2%","i-none%"]`, "instance_ids": `["i-1%","i-2%","i-none%"]`,
	"service": `["amazon-rds","amazon-elb"]`, "public_ip": `["198.51.100.1"]`, "ipv6": `["2600::5"]`,
	"cluster_id": `["db-1%","db-2%","db-none"]`, "replica_of": `["db-1%"]`, "port": `[22,3306,5432]`,
	"source_id": `["db-1%","db-2%","i-1%","vol-1%","vol-2%","db-1","vol-none"]`,
	"owner_id":  `["acc-1","acc-2","acc-none"]`, "group_ids": `["grp-1","grp-2"]`, "member_ids": `["acc-1","acc-2"]`,
	"role_id": `["role-1","role-2","role-3","role-none"]`, "principal_id": `["acc-1","grp-1","role-1"]`,
	"principal_name":  `["user/alice","user/break-glass","group/ops","role/AWSReservedSSO_Admin_1"]`,
	"principal_type":  `["user","group","role","service_role"]`,
	"shared_with":     `["all","333333333333","222222222222","999999999999","o-ours","arn:aws:organizations::999999999999:organization/o-theirs"]`,
	"organization_id": `["o-ours","o-ours","o-other"]`, "snapshot_sharing_blocked": `["block-all-sharing","block-new-sharing","unblocked"]`,
	"active_keys": `[0,0,1,2]`, "backup_retention_days": `[0,1,7,35]`,
	"PrefixList.cidrs": `["0.0.0.0/0","10.0.0.0/8","203.0.113.0/24","8.0.0.0/7"]`, "cidrs": `["10.0.0.0/16","10.0.1.0/24"]`,
	"Account.emails": `["a@sptr.jp","B@sptr.jp","c@sptr.jp","d@sptr.jp","nobody@sptr.jp"]`,
	"routes": `[{"destination":"0.0.0.0/0","target":"igw-1","state":"active"},{"destination":"::/0","target":"igw-1","state":"active"},
		{"destination":"0.0.0.0/0","target":"nat-1","state":"active"},{"destination":"0.0.0.0/1","target":"igw-1","state":"blackhole"},
		{"destination":"128.0.0.0/1","target":"igw-1","state":"active"},{"destination":"pl-1%","target":"igw-1","state":"active"},
		{"destination":"10.0.0.0/16","target":"local","state":"active"}]`,
	"entries": `[{"number":100,"allow":true,"protocol":"all","from":0,"to":65535,"cidr":"0.0.0.0/0"},
		{"number":101,"allow":true,"egress":true,"protocol":"all","from":0,"to":65535,"cidr":"0.0.0.0/0"},
		{"number":102,"allow":true,"protocol":"tcp","from":22,"to":22,"cidr":"::/0"},{"number":103,"allow":true,"egress":true,"protocol":"tcp","from":1024,"to":65535,"cidr":"::/0"},
		{"number":90,"protocol":"tcp","from":22,"to":22,"cidr":"0.0.0.0/0"},{"number":91,"egress":true,"protocol":"tcp","from":1024,"to":65535,"cidr":"0.0.0.0/1"}]`,
	"ingress": `[{"protocol":"tcp","from":22,"to":22,"cidr":"0.0.0.0/0"},{"protocol":"tcp","from":22,"to":22,"cidr":"::/0"},
		{"protocol":"tcp","from":3306,"to":3306,"cidr":"0.0.0.0/1"},{"protocol":"tcp","from":3306,"to":3306,"cidr":"128.0.0.0/1"},
		{"protocol":"tcp","from":3306,"to":3306,"cidr":"203.0.113.0/24"},{"protocol":"tcp","from":0,"to":65535,"cidr":"198.51.100.7/32"},
		{"protocol":"all","from":0,"to":65535,"cidr":"10.0.0.0/8"},{"protocol":"all","from":0,"to":65535,"cidr":"0.0.0.0/0"},
		{"protocol":"tcp","from":0,"to":65535,"group_id":"sg-1%"},{"protocol":"tcp","from":5432,"to":5432,"group_id":"sg-2%","group_account":"222222222222"},
		{"protocol":"tcp","from":443,"to":3389,"prefix_list_id":"pl-1%"},{"protocol":"udp","from":53,"to":53,"cidr":"8.0.0.0/8"}]`,
	"egress": `[{"protocol":"all","from":0,"to":65535,"cidr":"0.0.0.0/0"}]`,
}

// byType are words of fields that have none of their own.
var byType = map[string]string{
	"string": `["a","b"]`, "bool": `[true,false]`, "int64": `[0,1,8]`,
	"Time": `["2026-04-01T02:30:00Z","2026-03-30T00:00:00Z","2026-03-20T14:59:59Z","2025-12-01T00:00:00Z","2024-01-01T00:00:00Z","2026-06-01T00:00:00Z"]`,
}

// ids of the kinds, and how many of each a unit holds at most.
var census = map[inventory.Kind]struct {
	id   string
	most int
}{
	inventory.AccountKind: {"acc", 4}, inventory.BackupKind: {"bak", 3}, inventory.CredentialKind: {"key", 3}, inventory.DatabaseKind: {"db", 3},
	inventory.GrantKind: {"grant", 4}, inventory.GroupKind: {"grp", 2}, inventory.InstanceKind: {"i", 2}, inventory.NetworkKind: {"vpc", 2},
	inventory.NetworkACLKind: {"acl", 2}, inventory.NetworkInterfaceKind: {"eni", 4}, inventory.PersonKind: {"E", 3}, inventory.PrefixListKind: {"pl", 2},
	inventory.RoleKind: {"role", 3}, inventory.RouteTableKind: {"rtb", 3}, inventory.SecurityGroupKind: {"sg", 3}, inventory.SubnetKind: {"subnet", 2},
	inventory.TenantKind: {"ten", 1}, inventory.VolumeKind: {"vol", 3},
}

// maker fills the units of a plan with random facts, in the run file's own form.
type maker struct {
	rng   *rand.Rand
	unit  *inventory.Unit
	mark  string              // of the region
	holes int                 // in a hundred: values that nobody could read in the first place
	once  map[string][]string // words of which each is dealt out once: an address to one person, a subnet to one table
}

// randomWorld gives the units of a plan other facts. plan comes from a scan, so that units and listings are a scanner's own.
func randomWorld(t testing.TB, rng *rand.Rand, plan []inventory.Unit) []inventory.Unit {
	var units []inventory.Unit
	holes := []int{0, 0, 3, 10}[rng.IntN(4)]
	left := map[string]bool{"222222222222": rng.IntN(4) > 0, "us-east-1": rng.IntN(4) > 0, "contractors": rng.IntN(2) > 0}
	for i := range plan {
		p := &plan[i]
		if left[p.Scope.Account] || left[p.Scope.Region] || left[p.Scope.System] {
			continue
		}
		u := inventory.NewUnit(p.Scope, p.Collector)
		m := maker{rng: rng, unit: &u, holes: holes, once: map[string][]string{
			"Person.emails":         {"a@sptr.jp", "b@sptr.jp", "c@sptr.jp", "d@sptr.jp", "e@sptr.jp"},
			"RouteTable.subnet_ids": {"subnet-1%", "subnet-2%", "subnet-none"}, "NetworkACL.subnet_ids": {"subnet-1%", "subnet-2%", "subnet-none"},
		}}
		if strings.HasPrefix(p.Scope.Region, "us-") {
			m.mark = "-2"
		}
		for _, deck := range []string{"Person.emails", "RouteTable.subnet_ids", "NetworkACL.subnet_ids"} {
			w := m.once[deck]
			rng.Shuffle(len(w), func(i, j int) { w[i], w[j] = w[j], w[i] })
		}
		ok := u.Note(inventory.Read{Operation: "test:" + p.Collector})
		u.Note(inventory.Read{Operation: "test:Hole", Reason: inventory.Timeout})
		u.Outcome = inventory.Complete
		for _, l := range p.Listings {
			u.Listings = append(u.Listings, inventory.Listing{Kind: l.Kind, Complete: true, Reads: []inventory.ReadID{ok}})
			m.fill(t, l.Kind)
		}
		units = append(units, u)
	}
	return units
}

// fill adds resources of a kind.
func (m *maker) fill(t testing.TB, k inventory.Kind) {
	c := census[k]
	facts := reflect.ValueOf(&m.unit.Facts).Elem()
	for i := range facts.NumField() {
		typ := facts.Type().Field(i).Type
		if r, ok := reflect.New(typ.Elem()).Interface().(inventory.Resource); !ok || r.Kind() != k {
			continue
		}
		var list []string
		for n := range m.rng.IntN(c.most + 1) {
			id := fmt.Sprintf("%s-%d%s", c.id, n+1, m.mark)
			if k == inventory.BackupKind || k == inventory.TenantKind { // several units of a region list these
				id += "/" + m.unit.Collector
			}
			list = append(list, m.resource(typ.Elem(), k, id, n))
		}
		text := strings.ReplaceAll("["+strings.Join(list, ",")+"]", "%", m.mark)
		if err := json.Unmarshal([]byte(text), facts.Field(i).Addr().Interface()); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
}

// resource writes one resource.
func (m *maker) resource(typ reflect.Type, k inventory.Kind, id string, n int) string {
	subtype := "test:" + strings.ToLower(string(k))
	if k == inventory.AccountKind {
		subtype = "iam:user"
		if n == 0 {
			id, subtype = m.unit.Scope.Account+":root", "iam:root"
		}
	}
	parts := []string{fmt.Sprintf(`"id":%q,"subtype":%q,"name":%q,"region":%q`, id, subtype,
		[]string{"main", "other", "prod-x", "break-glass", id}[m.rng.IntN(5)], m.unit.Scope.Region)}
	for _, f := range maskable(typ) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if deck, ok := m.once[string(k)+"."+name]; ok {
			n := m.rng.IntN(min(3, len(deck)+1))
			b, _ := json.Marshal(deck[:n])
			m.once[string(k)+"."+name] = deck[n:]
			parts = append(parts, fmt.Sprintf("%q:[1,%s]", name, b))
		} else if v := m.value(f.Type, words[string(k)+"."+name], words[name]); v != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", name, v))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// value writes a Val or a List: [1,…] by read 1, a bare 2 where read 2 failed.
func (m *maker) value(typ reflect.Type, own, general string) string {
	outer, elem, _ := strings.Cut(strings.TrimSuffix(typ.Name(), "]"), "[")
	pool := byType[elem[strings.LastIndexByte(elem, '.')+1:]]
	if general != "" {
		pool = general
	}
	if own != "" {
		pool = own
	}
	var items []json.RawMessage
	if pool == "" || json.Unmarshal([]byte(pool), &items) != nil {
		panic("no words for " + typ.Name())
	}
	hole := m.rng.IntN(100) < m.holes
	if outer == "Val" {
		switch {
		case hole:
			return "2"
		case m.rng.IntN(4) == 0:
			return "[1]"
		}
		return "[1," + string(items[m.rng.IntN(len(items))]) + "]"
	}
	m.rng.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	b, _ := json.Marshal(items[:m.rng.IntN(min(len(items), 4)+1)])
	if hole {
		return `{"read":2,"items":` + string(b) + `}`
	}
	return "[1," + string(b) + "]"
}

// randomDeclared draws what the company declares about a random world.
func randomDeclared(rng *rand.Rand) inventory.Declared {
	env := func(name, class, account, network string) inventory.EnvironmentDecl {
		return inventory.EnvironmentDecl{Product: "p", Name: name, Class: class, Account: account, Network: network}
	}
	d := inventory.Declared{
		Environments: [][]inventory.EnvironmentDecl{nil,
			{env("prod", inventory.Production, "333333333333", ""), env("dev", inventory.Nonproduction, "222222222222", "")},
			{env("prod", inventory.Production, "333333333333", "vpc-1"), env("dev", inventory.Nonproduction, "333333333333", "vpc-2")},
			{env("dev", inventory.Nonproduction, "333333333333", ""), env("prod", inventory.Production, "333333333333", "vpc-1"), env("prod", inventory.Production, "222222222222", "")},
		}[rng.IntN(4)],
		SystemAssets: []map[string]string{nil, {"spartraining": "IA-002"}}[rng.IntN(2)],
		LoginMap:     []map[string]string{nil, {"spartraining/acc-2": "c@sptr.jp", "spartraining/main": "d@sptr.jp"}}[rng.IntN(2)],
	}
	for _, a := range []inventory.AssetDecl{
		{Asset: "IA-001", Level: 3, Resources: []string{"db-1", "i-1", "prod-*"}}, {Asset: "IA-004", Level: 1, Resources: []string{"db-2*", "i-2", "vol-1"}},
		{Asset: "IA-008", Level: 2, Systems: []string{"spartraining"}},
	} {
		if rng.IntN(2) == 0 {
			d.Assets = append(d.Assets, a)
		}
	}
	if rng.IntN(2) == 0 {
		d.DatabaseSources = []string{"203.0.113.0/24", "10.0.0.0/8"}
		d.AccountExceptions = []inventory.AccountException{
			{System: "spartraining", Principal: "break-glass", Kind: "break_glass", Expires: "2026-12-31"},
			{System: "spartraining", Principal: "acc-3", Kind: "service", Expires: "2025-12-31"}}
	}
	return d
}

// secondRoster is a roster beside the company's own.
func secondRoster(plan []inventory.Unit) []inventory.Unit {
	i := slices.IndexFunc(plan, func(u inventory.Unit) bool { return u.Scope.Type == "roster" })
	scope := plan[i].Scope
	scope.System = "contractors"
	return append(slices.Clone(plan), inventory.NewUnit(scope, plan[i].Collector, inventory.PersonKind))
}
