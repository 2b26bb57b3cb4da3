package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"sptr.jp/tenken/findings"
)

// Parameter is a value that the company may set, or a fact that the tool has to be told.
type Parameter struct {
	Key      string
	Type     Type
	Default  yaml.Node
	AtLeast  *int64          `yaml:"at_least"` // of int and of each value of int_map; 0 when not given
	OneOf    []string        `yaml:"one_of"`   // of string
	Fields   map[string]Type // of record, records, record_map
	Optional []string        // those of Fields that may be left out
	Source   Source
	SetIn    string `yaml:"set_in"` // the section of tenken.yaml that gives the value instead of `parameters`
	Clauses  []string
	Purpose  findings.Text

	value any // Default, decoded
}

// Source says where a parameter's default comes from, so that nobody takes our number for the regulation's.
type Source string

// The sources.
const (
	FromText     Source = "text"     // the regulation gives it
	FromProposal Source = "proposal" // ours; the officer must approve it
	FromCompany  Source = "company"  // a fact of the company; the default is empty
)

// Params are the values in force, by key: int64, bool, string (also files), time.Duration, []string (strings, CIDRs),
// []int64 (ports), map[string]int64, map[string]string, map[string][]string, map[string]any (a record, or records by
// name) and []map[string]any (records). A rule sees them as param.<key>. Sections are not among them.
type Params map[string]any

// Params merges the defaults with the company's own values: set is the node under `parameters:` of tenken.yaml (nil or
// null when there is none), derived gives the parameters that another section sets, by key. The error names every unknown
// key and wrong value with its line.
func (p *Policy) Params(set *yaml.Node, derived map[string][]string) (Params, error) {
	out := Params{}
	for _, q := range p.Parameters {
		switch {
		case q.Type == Section:
		case q.SetIn != "":
			out[q.Key] = append([]string{}, derived[q.Key]...)
		default:
			out[q.Key] = q.value
		}
	}
	var errs []error
	for key := range derived {
		if q := p.parameters[key]; q == nil || q.SetIn == "" || q.Type == Section {
			errs = append(errs, fmt.Errorf("parameter %s is not one that another section sets", key))
		}
	}
	if set == nil || set.Kind == 0 || set.ShortTag() == "!!null" {
		return out, errors.Join(errs...)
	}
	errs = append(errs, eachKey(set, "parameters", func(k, v *yaml.Node) error {
		val, err := p.own(k, v)
		if err == nil {
			out[k.Value] = val
		}
		return err
	}))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return out, nil
}

// own reads one value that the company set.
func (p *Policy) own(k, v *yaml.Node) (any, error) {
	q := p.parameters[k.Value]
	if q == nil {
		return nil, fmt.Errorf("line %d: unknown parameter %q; there are: %s", k.Line, k.Value, strings.Join(p.settable(), ", "))
	}
	if q.SetIn != "" {
		return nil, fmt.Errorf("line %d: parameter %s is set in the section %s, not here", k.Line, q.Key, q.SetIn)
	}
	return q.decode(q.Type, v, "parameters."+q.Key)
}

func (p *Policy) settable() (keys []string) {
	for _, q := range p.Parameters {
		if q.SetIn == "" {
			keys = append(keys, q.Key)
		}
	}
	slices.Sort(keys)
	return keys
}

// setDefault checks a parameter's own data and decodes its default by the same code as the company's value.
func (q *Parameter) setDefault() (err error) {
	if !slices.Contains([]Source{FromText, FromProposal, FromCompany}, q.Source) {
		return fmt.Errorf("%s: source %q is none of text, proposal, company", q.Key, q.Source)
	}
	if q.SetIn != "" {
		if q.Default.Kind != 0 || q.Type != Section && q.Type != Strings {
			return fmt.Errorf("%s: set in %s, so it is a section or strings and has no default", q.Key, q.SetIn)
		}
		return nil
	}
	q.value, err = q.decode(q.Type, &q.Default, q.Key)
	return err
}
