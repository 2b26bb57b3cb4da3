package main

import (
	"regexp"
	"strings"
	"testing"
)

var commentedOut = regexp.MustCompile(`(?m)^( *)#(\S)`)

// What `tenken init` prints loads as it is, and also with everything in it that is commented out.
func TestInitLoads(t *testing.T) {
	for name, c := range map[string]struct {
		seen  *discovery
		flags system
	}{
		"blank":       {},
		"own":         {&discovery{accounts: []string{"333333333333"}, regions: []string{"ap-northeast-1"}}, system{}},
		"all":         {&discovery{accounts: []string{"222222222222", "333333333333"}, gaps: []string{"aws: organizations:ListAccounts access_denied"}}, system{Role: "tenken-audit", Profile: "p", Endpoint: "http://127.0.0.1:1"}},
		"not a thing": {&discovery{gaps: []string{"aws: sts:GetCallerIdentity timeout"}}, system{}},
	} {
		for _, lang := range []string{"ja", "en"} {
			t.Run(name+" "+lang, func(t *testing.T) {
				var b strings.Builder
				writeConfig(&b, c.seen, c.flags, lang)
				if cfg, err := parseConfig([]byte(b.String()), "."); err != nil || cfg.Language != lang {
					t.Fatalf("as it is: %v\n%s", err, b.String())
				}
				whole := commentedOut.ReplaceAllString(b.String(), "$1$2")
				cfg, err := parseConfig([]byte(whole), ".")
				if err == nil {
					_, err = newSession(env{}, cfg)
				}
				if err != nil {
					t.Fatalf("with everything: %v\n%s", err, whole)
				}
				if len(cfg.Systems) != 2 || len(cfg.NotUsed) != 1 || len(cfg.Environments) == 0 || len(cfg.Assets) != 1 || len(cfg.AccountExceptions) != 1 || cfg.Parameters.Kind == 0 {
					t.Errorf("something of the configuration is missing in\n%s", whole)
				}
				if err := schemaOf(t, []byte(whole)); err != nil {
					t.Errorf("the schema refuses it: %v", err)
				}
			})
		}
	}
}
