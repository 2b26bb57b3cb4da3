package inventory

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestSharedOutside(t *testing.T) {
	backup := func(with List[string]) Unit {
		u := listed(Scope{System: "cloud", Type: "aws", Account: "111", Region: "r"}, "rds", BackupKind)
		u.Facts.Backups = []Backup{{Head: Head{ID: "b", Region: "r"}, SharedWith: with}}
		return u
	}
	tenant := listed(Scope{System: "cloud", Type: "aws", Account: "111"}, "iam", TenantKind)
	tenant.Facts.Tenants = []Tenant{{Head: Head{ID: "t"}, OrganizationID: Known("o-ours", 1)}}
	secret := tenant
	secret.Facts.Tenants = []Tenant{{Head: Head{ID: "t"}}}
	other := listed(Scope{System: "cloud", Type: "aws", Account: "222"}, "iam")
	discovery := listed(Scope{System: "cloud", Type: "aws"}, "discovery")
	halfway := discovery
	halfway.Outcome = Partial
	d := Declared{Environments: []EnvironmentDecl{{Product: "p", Name: "prod", Class: Production, Account: "333"}}}
	const ours, theirs = "arn:aws:organizations::1:organization/o-ours", "arn:aws:organizations::9:ou/o-theirs/ou-1"
	all := Closed([]string{"999", "all", "333", "222", "111", theirs, ours}, 1)
	for name, c := range map[string]struct {
		units []Unit
		with  List[string]
		want  string
	}{
		"whole":                  {[]Unit{tenant, other, discovery}, all, "999 " + theirs},
		"nothing shared":         {[]Unit{tenant, other, halfway}, Closed[string](nil, 1), ""},
		"own alone":              {[]Unit{secret, other, halfway}, Closed([]string{"222"}, 1), ""},
		"not read":               {[]Unit{tenant, other, discovery}, Open([]string{"999"}, 1), "999 …"},
		"accounts not all known": {[]Unit{tenant, other, halfway}, all, " …"},
		"organisation not known": {[]Unit{secret, other, discovery}, all, "999 …"},
	} {
		inv := derive(t, d, append(copyUnits(c.units), backup(c.with))...)
		for i := range inv.Units {
			for _, b := range inv.Units[i].Facts.Backups {
				got := strings.Join(b.SharedOutside.Items, " ")
				if b.SharedOutside.IsOpen() {
					got += " …"
				}
				if got != c.want {
					t.Errorf("%s: %q, want %q", name, got, c.want)
				}
			}
		}
	}
}

func TestHeads(t *testing.T) {
	s := Scope{System: "cloud", Type: "aws", Account: "111", Region: "r"}
	data, net, machines := listed(s, "rds", DatabaseKind), listed(s, "ec2", SubnetKind), listed(s, "vm", InstanceKind)
	far := s
	far.Region = "elsewhere"
	copies := listed(far, "snapshots", BackupKind)
	data.Facts.Databases = []Database{
		{Head: Head{ID: "arn:db:one", Name: "one", Region: "r"}, NetworkID: Known("vpc-1", 1), ClusterID: Known("arn:cluster:c", 1)},
		{Head: Head{ID: "arn:cluster:c", Name: "c", Region: "r"}, NetworkID: Known("vpc-2", 1)},
		{Head: Head{ID: "arn:db:two", Name: "prod-two", Region: "r"}, NetworkID: Unknown[string](1)}}
	net.Facts.Subnets = []Subnet{{Head: Head{ID: "subnet-1", Region: "r"}, NetworkID: Known("vpc-1", 1)}}
	machines.Facts.Instances = []Instance{{Head: Head{ID: "i-1", Region: "r"}, NetworkID: Known("vpc-1", 1)}}
	machines.Facts.NetworkInterfaces = []NetworkInterface{{Head: Head{ID: "eni-1", Region: "r"}, SubnetID: Known("subnet-1", 1)}}
	machines.Facts.Volumes = []Volume{{Head: Head{ID: "vol-1", Region: "r"}, InstanceIDs: Closed([]string{"i-1"}, 1)}}
	copies.Facts.Backups = []Backup{
		{Head: Head{ID: "snap-1", Region: "elsewhere"}, SourceID: Known("vol-1", 1)},
		{Head: Head{ID: "snap-2", Region: "elsewhere"}, SourceID: Known("arn:db:one", 1)},
		{Head: Head{ID: "snap-3", Region: "elsewhere"}, SourceID: Known("gone", 1)}}
	d := Declared{
		Environments: []EnvironmentDecl{
			{Product: "p", Name: "unstable", Class: Nonproduction, Account: "111", Network: "vpc-1"},
			{Product: "p", Name: "production", Class: Production, Account: "111", Network: "vpc-2"}},
		Assets: []AssetDecl{{Asset: "IA-001", Level: 3, Resources: []string{"arn:cluster:c", "prod-*"}},
			{Asset: "IA-003", Level: 2, Resources: []string{"i-?", "prod-two"}}},
		SystemAssets: map[string]string{"cloud": "IA-009"}}
	inv := derive(t, d, data, net, machines, copies)
	got := map[string]string{}
	for i := range inv.Units {
		inv.Units[i].Facts.each(func(r Resource) {
			h := r.Base()
			got[h.ID] = fmt.Sprintf("%s/%s %s %s %d", h.Product, h.Environment, h.EnvironmentClass, h.Asset, h.Level)
		})
	}
	want := map[string]string{
		"arn:db:one":    "p/unstable nonproduction IA-001 3", // its cluster's asset
		"arn:cluster:c": "p/production production IA-001 3",  //
		"arn:db:two":    "/ undeclared IA-003 2",             // an exact name before a glob; its network was not read
		"subnet-1":      "p/unstable nonproduction IA-009 0", // the system's asset, of which no level is declared
		"i-1":           "p/unstable nonproduction IA-003 2", //
		"eni-1":         "p/unstable nonproduction IA-009 0", // by its subnet
		"vol-1":         "p/unstable nonproduction IA-003 2", // its machine's
		"snap-1":        "p/unstable nonproduction IA-003 2", // its volume's machine's, in another region
		"snap-2":        "p/unstable nonproduction IA-001 3", //
		"snap-3":        "/ undeclared IA-009 0",             // its source is in no hand
		"p/unstable":    "p/unstable nonproduction IA-009 0", //
		"p/production":  "p/production production IA-009 0",  //
	}
	for id, w := range want {
		if got[id] != w {
			t.Errorf("%s: %q, want %q", id, got[id], w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d resources: %v", len(got), got)
	}
}

func TestEnvironmentsLiveInAScannedAccount(t *testing.T) {
	d := Declared{Environments: []EnvironmentDecl{
		{Product: "p", Name: "prod", Class: Production, Account: "999"}, {Product: "p", Name: "prod", Class: Production, Account: "111"},
		{Product: "q", Name: "prod", Class: Production, Account: "998"}}}
	regional := listed(Scope{System: "cloud", Type: "aws", Account: "111", Region: "r"}, "a")
	inv := derive(t, d, regional, listed(Scope{System: "cloud", Type: "aws", Account: "111"}, "z"))
	for range 2 {
		var found []Environment
		for i := range inv.Units {
			found = append(found, inv.Units[i].Facts.Environments...)
		}
		if len(found) != 1 || found[0].ID != "p/prod" || found[0].Unit().Collector != "z" || !slices.Equal(found[0].Accounts.Items, []string{"111", "999"}) {
			t.Fatalf("%+v", found)
		}
		if err := Derive(inv, d); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMalformedDeclarations(t *testing.T) {
	env := func(name, class, account string) EnvironmentDecl {
		return EnvironmentDecl{Product: "p", Name: name, Class: class, Account: account}
	}
	for says, d := range map[string]Declared{
		`environments[0] (p/x): class "prod"`:                      {Environments: []EnvironmentDecl{env("x", "prod", "1")}},
		`environments[0] (p/): give product`:                       {Environments: []EnvironmentDecl{env("", Production, "1")}},
		`environments[1] (p/y): account 1 is p/x already`:          {Environments: []EnvironmentDecl{env("x", Production, "1"), env("y", Production, "1")}},
		`environments[1] (p/x): its class is nonproduction`:        {Environments: []EnvironmentDecl{env("x", Production, "1"), env("x", Nonproduction, "2")}},
		`assets[0] (IA-001): give the asset's number and a level`:  {Assets: []AssetDecl{{Asset: "IA-001", Level: 4}}},
		`assets[0] (IA-001): "a[" is no glob`:                      {Assets: []AssetDecl{{Asset: "IA-001", Level: 1, Resources: []string{"a["}}}},
		`assets[1] (IA-002): "x" belongs to IA-001 already`:        {Assets: []AssetDecl{{Asset: "IA-001", Level: 1, Resources: []string{"x"}}, {Asset: "IA-002", Level: 1, Resources: []string{"x"}}}},
		`assets[1] (IA-002): system s belongs to IA-001 already`:   {Assets: []AssetDecl{{Asset: "IA-001", Level: 1, Systems: []string{"s"}}, {Asset: "IA-002", Level: 1, Systems: []string{"s"}}}},
		`account_exceptions[0] (s/p): kind "human"`:                {AccountExceptions: []AccountException{{System: "s", Principal: "p", Kind: "human", Expires: "2026-01-01"}}},
		`account_exceptions[0] (s/p): expires: "2026-02-30" is no`: {AccountExceptions: []AccountException{{System: "s", Principal: "p", Kind: "bot", Expires: "2026-02-30"}}},
		`account_exceptions[0] (s/): give system and principal`:    {AccountExceptions: []AccountException{{System: "s", Kind: "bot", Expires: "2026-01-01"}}},
		`account_exceptions[1] (s/p): it is declared twice`:        {AccountExceptions: []AccountException{{System: "s", Principal: "p", Kind: "bot", Expires: "2026-01-01"}, {System: "s", Principal: "p", Kind: "bot", Expires: "2026-01-01"}}},
		`database_sources[0]: "office"`:                            {DatabaseSources: []string{"office"}},
		`login_map: "alone": "a@b"`:                                {LoginMap: map[string]string{"alone": "a@b"}},
	} {
		err := Derive(New(nil), d)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q, got %v", says, err)
		}
	}
}
