package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// refuseAliases keeps a small file from standing for a huge one.
func refuseAliases(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return fmt.Errorf("line %d: YAML anchors and aliases are not allowed here: write the value out", n.Line)
	}
	for _, c := range n.Content {
		if err := refuseAliases(c); err != nil {
			return err
		}
	}
	return nil
}

// foreseen are keys of tenken.yaml that a later version takes, with what they are for.
var foreseen = map[string]string{
	"store":      "a store of runs",
	"network":    "a declaration of the public entry points",
	"exceptions": "accepted risks",
}

// refuseForeseen says of a key that is right and too early that it is early, and not that it is wrong.
func refuseForeseen(root *yaml.Node) error {
	for i := 0; root.Kind == yaml.MappingNode && i < len(root.Content); i += 2 {
		if what := foreseen[root.Content[i].Value]; what != "" {
			return fmt.Errorf("line %d: %s: this version does not have %s yet: leave the key out", root.Content[i].Line, root.Content[i].Value, what)
		}
	}
	return nil
}

var (
	unknownKey = regexp.MustCompile(`field (\S+) not found in type \S+`)
	wrongType  = regexp.MustCompile("cannot unmarshal (!!\\w+)( `.*`)? into (\\S+)")
)

// plainYAMLError says in the user's words what the YAML library says in Go's.
func plainYAMLError(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors:\n  ")
	text = unknownKey.ReplaceAllString(text, `there is no key "$1"`)
	text = wrongType.ReplaceAllString(text, "this value$2 has the wrong type")
	return errors.New(strings.ReplaceAll(text, "\n  ", "; "))
}
