package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/sink/json"
)

// sinks are the formats that a document can be written in.
var sinks = []struct {
	format string
	file   string // below --out
	write  func(io.Writer, *findings.Document) error
}{
	{"json", "findings.json", json.Write},
	{"ndjson", "findings.ndjson", json.WriteLines},
}

func formats() []string {
	var names []string
	for _, s := range sinks {
		names = append(names, s.format)
	}
	return names
}

func checkFormats(wanted []string) error {
	for _, f := range wanted {
		if !slices.Contains(formats(), f) {
			return &configError{fmt.Errorf("--format %q: this version writes %s", f, strings.Join(formats(), ", "))}
		}
	}
	return nil
}

// writeFiles writes the document in each format below dir and returns the paths. A file is replaced only by a whole one.
func writeFiles(dir string, wanted []string, d *findings.Document) ([]string, error) {
	var paths []string
	for _, s := range sinks {
		if !slices.Contains(wanted, s.format) {
			continue
		}
		path := filepath.Join(dir, s.file)
		if err := writeFile(path, func(w io.Writer) error { return s.write(w, d) }); err != nil {
			return paths, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
