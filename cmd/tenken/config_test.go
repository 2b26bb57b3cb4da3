package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"sptr.jp/tenken/fixtures"
)

const wholeConfig = `organization: {name: スパトレ, domains: [sptr.jp]}
language: en
systems:
  - {name: aws, type: aws, regions: [ap-northeast-1], profile: p, role: r, accounts: [all], endpoint: "http://127.0.0.1:1"}
  - {name: people, type: roster, file: p.csv, kind: people, columns: {email: メール}, encoding: shift_jis}
not_used: [{system: zendesk, approver: a@sptr.jp, date: "2026-04-01"}]
environments: [{product: spartraining, name: production, class: production, account: "333333333333", network: vpc-1}]
assets: [{asset: IA-001, level: 3, owner: a@sptr.jp, resources: ["db-*"], systems: [aws]}]
account_exceptions: [{system: aws, principal: bg, kind: break_glass, owner: a, reason: b, approver: c, expires: "2027-01-01"}]
logins: [{system: aws, principal: x, email: x@sptr.jp}]
parameters: {key_max_age_days: 60}
gaps: [{system: aws, collector: rds, reason: r, approver: a, expires: "2027-01-01"}]
`

// schemaOf validates a configuration against the published schema.
func schemaOf(t *testing.T, src []byte) error {
	t.Helper()
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(configSchema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("tenken.json", raw); err != nil {
		t.Fatal(err)
	}
	var v any
	if err := yaml.Unmarshal(src, &v); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("tenken.json").Validate(jsonShape(v))
}

// jsonShape turns what YAML reads into what JSON would: dates are text there.
func jsonShape(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = jsonShape(v[k])
		}
		return v
	case []any:
		for i := range v {
			v[i] = jsonShape(v[i])
		}
		return v
	case interface{ Format(string) string }:
		return v.Format("2006-01-02")
	}
	return v
}

// The schema and the reader agree: on a configuration with every key, on the demo's, and on what both refuse.
func TestSchemaAndReaderAgree(t *testing.T) {
	demo, err := fs.ReadFile(fixtures.Sptr(), "tenken.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, src := range []string{wholeConfig, string(demo)} {
		if _, err := parseConfig([]byte(src), "."); err != nil {
			t.Error(err)
		}
		if err := schemaOf(t, []byte(src)); err != nil {
			t.Error(err)
		}
	}
	for _, edit := range [][2]string{
		{"language: en", "language: fr"}, {"type: roster", "type: gcp"}, {"regions:", "file:"}, {"kind: people", "kind: cats"},
		{"gaps:", "gasp:"}, {"owner: a@sptr.jp", "owners: a@sptr.jp"}, {"approver: a@sptr.jp, date", "date"}, {"name: people", "name: a/b"},
	} {
		src := strings.Replace(wholeConfig, edit[0], edit[1], 1)
		if src == wholeConfig {
			t.Fatalf("%q is not in the configuration", edit[0])
		}
		if _, err := parseConfig([]byte(src), "."); err == nil {
			t.Errorf("the reader takes %s", edit[1])
		}
		if schemaOf(t, []byte(src)) == nil {
			t.Errorf("the schema takes %s", edit[1])
		}
	}
}

func TestBadConfig(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tenken.yaml")
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n"
	for name, c := range map[string]struct{ src, want string }{
		"unknown key":   {"tongue: ja\n", `line 1: there is no key "tongue"`},
		"empty":         {"", "tenken.yaml: it is empty: `tenken init` writes one"},
		"comments":      {"# language: ja\n", "tenken.yaml: it is empty: `tenken init` writes one"},
		"too early":     {"language: ja\nexceptions: []\n", "line 2: exceptions: this version does not have accepted risks yet: leave the key out"},
		"store":         {"store: tenken.db\n", "line 1: store: this version does not have a store of runs yet"},
		"deep key":      {"systems: []\ngaps:\n  - {sistem: x}\n", `line 3: there is no key "sistem"`},
		"key of a type": {"systems:\n  - name: a\n    type: aws\n    file: x\n", `line 4: systems: a system of type aws has no key "file"`},
		"unknown type":  {"systems:\n  - {name: a, type: gcp}\n", `line 2: systems: type "gcp" can't be read by this version; it reads aws, roster`},
		"no name":       {"systems:\n  - {type: aws}\n", "line 2: systems: every system needs a name"},
		"twice":         {"systems:\n  - {name: a, type: aws}\n  - {name: a, type: aws}\n", `line 3: systems: the name "a" stands twice`},
		"doubled key":   {"language: ja\nlanguage: en\n", "line 2"},
		"wrong type":    {"language: [ja]\n", "line 1: this value has the wrong type"},
		"alias":         {"organization: &x {name: a}\n", "line 1: YAML anchors and aliases are not allowed"},
		"alias bomb":    {bomb, "anchors and aliases are not allowed"},
		"two documents": {"language: ja\n---\nlanguage: en\n", "more than one YAML document"},
		"not yaml":      {"a: [\n", "line"},
		"deep":          {strings.Repeat("[", 200_000), "yaml"},
		"large":         {strings.Repeat("#", maxConfig+1), "is larger than"},
		"nul":           {"language: \x00\n", "control characters"},
		"parameter":     {"parameters:\n  key_max_age_dasy: 3\n", "line 2"},
		"asset":         {"assets: [{asset: IA-999, level: 3, owner: a}]\n", `chapter 14 has no asset "IA-999"`},
		"class":         {"environments: [{product: p, name: n, class: prod, account: \"1\"}]\n", "class"},
		"not used":      {"not_used: [{system: zendesc, approver: a, date: 2026-01-01}]\n", `the regulation names no system "zendesc"`},
		"endpoint":      {"systems: [{name: a, type: aws, endpoint: \"ftp://x\"}]\n", "endpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(c.src), 0o600); err != nil {
				t.Fatal(err)
			}
			var stderr, stdout bytes.Buffer
			code := program(t.Context(), env{&stdout, &stderr, os.Getenv}, []string{"scan", "--config", path, "--out", filepath.Join(dir, "out")})
			if code != exitConfig || !strings.Contains(stderr.String(), c.want) || !strings.Contains(stderr.String(), "tenken.yaml") {
				t.Errorf("exit %d: %s\nwant exit 10 and %q", code, stderr.String(), c.want)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
		t.Error("something was written for a configuration that is invalid")
	}
}
