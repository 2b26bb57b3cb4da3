package json

import (
	"bytes"
	"encoding/json"
	"testing"

	"sptr.jp/tenken/findings"
)

// Writing finding by finding gives the bytes of encoding the whole document at once.
func TestWriteStreams(t *testing.T) {
	for n := range 3 {
		d := &findings.Document{Schema: findings.Schema, Findings: []findings.Finding{}}
		for range n {
			d.Findings = append(d.Findings, findings.Finding{Fingerprint: "v1:<&>", Rule: "r", Evidence: []findings.Fact{{Field: "f", Value: json.RawMessage("[1, 2]")}}})
		}
		var got, want bytes.Buffer
		if err := Write(&got, d); err != nil {
			t.Fatal(err)
		}
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		if err := e.Encode(d); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("%d findings:\n%s\nwant\n%s", n, got.Bytes(), want.Bytes())
		}
	}
}
