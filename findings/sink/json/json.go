// Package json writes findings documents for machines: one document, or NDJSON with the head first. Its schema is
// published; nothing may be written that the schema does not know.
package json

import (
	"bufio"
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

// Write writes the document, indented.
func Write(w io.Writer, d *findings.Document) error {
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(d); err != nil {
		return fmt.Errorf("writing findings: %w", err)
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("writing findings: %w", err)
	}
	return nil
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
