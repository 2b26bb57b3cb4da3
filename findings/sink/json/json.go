// Package json writes findings documents for machines: one document, or NDJSON with the head first. Its schema is
// published; nothing may be written that the schema does not know.
package json

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"

	"sptr.jp/tenken/findings"
)

// Schema is the JSON Schema (2020-12) of a document.
//
//go:embed findings.schema.json
var Schema []byte

// Write writes the document, indented. Findings, of which there may be hundreds of thousands, are encoded one by one, so
// that the text is never held whole.
func Write(w io.Writer, d *findings.Document) error {
	b := bufio.NewWriter(w)
	head := *d
	head.Findings = []findings.Finding{}
	text, err := indented(head, "")
	if err != nil {
		return fmt.Errorf("writing findings: %w", err)
	}
	// Findings are the last member: what is left of the head ends their list and the document.
	open, _ := bytes.CutSuffix(text, []byte("]\n}"))
	b.Write(open)
	for i := range d.Findings {
		one, err := indented(&d.Findings[i], "  ")
		if err != nil {
			return fmt.Errorf("writing finding %s: %w", d.Findings[i].Fingerprint, err)
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n  ")
		b.Write(one)
	}
	if len(d.Findings) > 0 {
		b.WriteString("\n ")
	}
	b.WriteString("]\n}\n")
	if err := b.Flush(); err != nil { // the first error of any write
		return fmt.Errorf("writing findings: %w", err)
	}
	return nil
}

// indented writes a value that stands behind prefix, without a line end.
func indented(v any, prefix string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, " ")
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// WriteLines writes NDJSON: the document without its findings as the first line, then a finding on each line.
func WriteLines(w io.Writer, d *findings.Document) error {
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	head := *d
	head.Findings = nil
	if err := e.Encode(head); err != nil {
		return fmt.Errorf("writing the head: %w", err)
	}
	for i := range d.Findings {
		if err := e.Encode(&d.Findings[i]); err != nil {
			return fmt.Errorf("writing finding %s: %w", d.Findings[i].Fingerprint, err)
		}
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("writing findings: %w", err)
	}
	return nil
}
