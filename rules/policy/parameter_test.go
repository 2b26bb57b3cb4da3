package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func node(t *testing.T, s string) *yaml.Node {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(s), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Kind == 0 {
		return &doc
	}
	return doc.Content[0]
}

func TestDefaults(t *testing.T) {
	p := loaded(t)
	for _, set := range []*yaml.Node{nil, {}, node(t, "null"), node(t, "{}")} {
		got, err := p.Params(set, map[string][]string{"allowed_domains": {"sptr.jp"}, "own_accounts": {"111122223333"}})
		if err != nil {
			t.Fatal(err)
		}
		want := Params{
			"leaver_grace": 24 * time.Hour, "key_max_age_days": int64(90), "key_unused_days": int64(45),
			"backup_min_retention_days": int64(7), "backup_max_age_hours": int64(26), "root_unused_days": int64(90),
			"roster_max_age_days": int64(31), "retention_years": int64(3), "database_allowed_sources": []string{},
			"admin_ports":      []int64{22, 3389, 3306, 5432, 1433, 6379, 27017, 9200, 5601, 2375, 10250, 445},
			"privileged_roles": []string{}, "allowed_domains": []string{"sptr.jp"}, "own_accounts": []string{"111122223333"},
			"vuln_sla_days": map[string]int64{"critical": 7, "high": 30, "medium": 90}, "roles": map[string][]string{},
			"isms_forms_path": "forms/definitions/", "environment_pairs": []map[string]any{}, "youtrack": map[string]any{},
		}
		for key, w := range want {
			if diff := cmp.Diff(w, got[key]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", key, diff)
			}
		}
		limits, _ := got["privileged_limits"].(map[string]any)
		if diff := cmp.Diff(map[string]any{"min": int64(2), "max": int64(4)}, limits["entra"]); diff != "" {
			t.Errorf("privileged_limits.entra (-want +got):\n%s", diff)
		}
		for _, q := range p.Parameters {
			if v, ok := got[q.Key]; ok != (q.Type != Section) || ok && v == nil {
				t.Errorf("%s (%s): %v", q.Key, q.Type, v)
			}
		}
	}
}

func TestOwnValues(t *testing.T) {
	got, err := loaded(t).Params(node(t, `
leaver_grace: 90m
key_max_age_days: 30
database_allowed_sources: [192.0.2.0/24, "2001:db8::/32"]
admin_ports: [22, 8022]
cloudsql_public_ip_via_connector: accept
approval_register: registers/approvals.csv
os_min_versions: {macos: "14.10", windows: n-1}
roles: {officer: [president@sptr.jp]}
vuln_sla_days: {critical: 3}
environment_pairs: [{system: spartraining, production: production, nonproduction: unstable}]
declared_flows: [{from: videocall/production, to: spartraining/production, kind: webhook, attested_at: 2026-03-01}]
ai_services: [{name: x, identifiers: [a, b], self_hosted: true}]
training_source: {columns: {email: メールアドレス}}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Params{
		"leaver_grace": 90 * time.Minute, "key_max_age_days": int64(30), "key_unused_days": int64(45),
		"database_allowed_sources": []string{"192.0.2.0/24", "2001:db8::/32"}, "admin_ports": []int64{22, 8022},
		"cloudsql_public_ip_via_connector": "accept", "approval_register": "registers/approvals.csv",
		"os_min_versions": map[string]string{"macos": "14.10", "windows": "n-1"},
		"roles":           map[string][]string{"officer": {"president@sptr.jp"}}, "vuln_sla_days": map[string]int64{"critical": 3},
		"environment_pairs": []map[string]any{{"system": "spartraining", "production": "production", "nonproduction": "unstable"}},
		"declared_flows": []map[string]any{{"from": "videocall/production", "to": "spartraining/production", "kind": "webhook",
			"attested_at": "2026-03-01"}},
		"ai_services":     []map[string]any{{"name": "x", "identifiers": []string{"a", "b"}, "self_hosted": true}},
		"training_source": map[string]any{"columns": map[string]string{"email": "メールアドレス"}},
		"own_accounts":    []string{},
	}
	for key, w := range want {
		if diff := cmp.Diff(w, got[key]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
}

func TestWrongValuesAreNamedByLine(t *testing.T) {
	p := loaded(t)
	for _, c := range []struct{ set, want string }{
		{"leaver_grace: 24h\nleaver_grce: 1h", `line 2: unknown parameter "leaver_grce"; there are: admin_ports, ai_services`},
		{"leaver_grace: 24", "line 1: parameters.leaver_grace: want a duration such as 24h or 90m"},
		{"leaver_grace: 1 day", `line 1: parameters.leaver_grace: want a duration such as 24h or 90m, not "1 day"`},
		{"leaver_grace: -1h", `not "-1h"`},
		{"key_max_age_days: '90'", "line 1: parameters.key_max_age_days: want a whole number"},
		{"key_max_age_days: 90.5", "want a whole number"},
		{"key_max_age_days: 99999999999999999999", "want a whole number"},
		{"key_max_age_days: 0", "must be at least 1, not 0"},
		{"retention_years: 2", "must be at least 3, not 2"},
		{"training_min_score: -1", "must be at least 0, not -1"},
		{"key_max_age_days:", "want a whole number"},
		{"admin_ports:\n  - 22\n  - 70000\n  - ssh", "line 3: parameters.admin_ports[1]: want a port from 1 to 65535, not 70000"},
		{"admin_ports:\n  - 22\n  - 70000\n  - ssh", "line 4: parameters.admin_ports[2]: want a port"},
		{"admin_ports: 22", "line 1: parameters.admin_ports: want a list"},
		{"database_allowed_sources: [office]", `want a CIDR such as 192.0.2.0/24, not "office"`},
		{"database_allowed_sources: [10.0.0.7/8]", "10.0.0.7/8 has bits beyond its prefix; write 10.0.0.0/8 or 10.0.0.7/32"},
		{"database_allowed_sources: ['']", "must not be empty"},
		{"cloudsql_public_ip_via_connector: maybe", `must be one of reject, accept, not "maybe"`},
		{"os_min_versions: {macos: 14.10}", "line 1: parameters.os_min_versions.macos: want text (put numbers in quotes)"},
		{"roles: {officer: president}", "parameters.roles.officer: want a list"},
		{"vuln_sla_days: {high: 0}", "parameters.vuln_sla_days.high: must be at least 1"},
		{"environment_pairs:\n  - system: a\n    prod: b", `line 3: parameters.environment_pairs[0]: unknown field "prod"`},
		{"environment_pairs:\n  - system: a", "line 2: parameters.environment_pairs[0]: missing nonproduction, production"},
		{"ai_services: [{name: x, identifiers: [], self_hosted: 'yes'}]", "parameters.ai_services[0].self_hosted: want true or false"},
		{"privileged_limits: {entra: {min: 2}}", "parameters.privileged_limits.entra: missing max"},
		{"own_accounts: ['1']", "parameter own_accounts is set in the section environments, not here"},
		{"exceptions: []", "parameter exceptions is set in the section exceptions, not here"},
		{"dormant_days: 3\ndormant_days: 4", "line 2: parameters: dormant_days is there twice"},
		{"[dormant_days]", "line 1: parameters: want a mapping of names to values"},
		{"invite_max_days: &a 3\ndormant_days: *a", "line 2: parameters.dormant_days: want a whole number"},
	} {
		got, err := p.Params(node(t, c.set), nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %s", c.set, err, c.want)
		}
		if got != nil {
			t.Errorf("%q: values beside an error", c.set)
		}
	}
	for _, key := range []string{"dormant_days", "environments", "nobody"} {
		if _, err := p.Params(nil, map[string][]string{key: nil}); err == nil {
			t.Errorf("%s is not set by another section, but no error", key)
		}
	}
}

// TestEveryTypeIsUsed keeps the list of types to what the data needs.
func TestEveryTypeIsUsed(t *testing.T) {
	used := map[Type]bool{}
	for _, q := range loaded(t).Parameters {
		used[q.Type] = true
		for _, f := range q.Fields {
			used[f] = true
		}
	}
	for _, typ := range []Type{Int, Bool, String, File, Duration, Strings, Ports, CIDRs, IntMap, StringMap, StringsMap, Record,
		Records, RecordMap, Section} {
		if !used[typ] {
			t.Errorf("no parameter has the type %s", typ)
		}
	}
}
