package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The plan of the house: which room may import which, and why. A room that is not here may import nothing of ours.
const module = "sptr.jp/tenken/"

var rooms = []struct {
	room    string   // a folder; "/*" covers what is below it
	imports []string // of ours
	why     string
}{
	{"findings/inventory", nil, "the vocabulary imports nothing of ours: everything else speaks it"},
	{"findings/inventory/generate", nil, "the generator reads source files, not packages"},
	{"findings", []string{"findings/inventory"}, "findings are plain data over the vocabulary"},
	{"findings/run", []string{"findings", "findings/inventory"}, "a saved run keeps facts; it knows no scanner and no rule"},
	{"findings/sink/*", []string{"findings", "findings/inventory"}, "a sink tells; it never judges and never knows another sink"},
	{"scanners", []string{"findings/inventory"}, "the contract knows no provider, no rule and no verdict"},
	{"scanners/internal/*", nil, "the door knows no provider"},
	{"scanners/scannertest", []string{"scanners", "findings/inventory"}, "the suite is the same for every provider"},
	{"scanners/*", []string{"scanners", "scanners/internal/*", "findings/inventory"}, "a provider never knows a neighbour, and never findings"},
	{"rules/policy", []string{"findings", "findings/inventory"}, "the regulation is data"},
	{"rules/ruletest", []string{"rules", "rules/policy", "findings", "findings/inventory"}, "support of tests"},
	{"rules", []string{"rules/policy", "findings", "findings/inventory"}, "rules are pure functions of an inventory, a policy and a date"},
	{"fixtures", nil, "provider servers over files know wire formats alone"},
	{"fixtures/*", []string{"fixtures"}, "provider servers over files know wire formats alone"},
	{"cmd/tenken", []string{"findings", "findings/*", "findings/sink/*", "scanners", "scanners/*", "rules", "rules/policy", "fixtures"}, "cmd wires the rooms together"},
}

// Test files may use these besides: they stand a scanner before its fixtures.
var testRooms = []string{"fixtures", "fixtures/*", "scanners/scannertest", "rules/ruletest"}

var topLevel = []string{"cmd", "scanners", "findings", "rules", "fixtures", "docs", "go.mod", "go.sum", "Makefile", "README.md", "LICENSE"}

func matches(pattern, room string) bool {
	if below, ok := strings.CutSuffix(pattern, "/*"); ok {
		return strings.HasPrefix(room, below+"/")
	}
	return pattern == room
}

type source struct {
	file string // path from the root
	room string
	ast  *ast.File
	fset *token.FileSet
	test bool
	gen  bool
}

// sources parses every Go file. It reads files instead of asking the go command, so that a cached test can't hide a change.
func sources(t *testing.T) []source {
	t.Helper()
	root := filepath.Join("..", "..")
	var all []source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if err == nil && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && d.Name() != "..") {
				return filepath.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		rel = filepath.ToSlash(rel)
		all = append(all, source{rel, path.Dir(rel), f, fset, strings.HasSuffix(p, "_test.go"), ast.IsGenerated(f)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("only %d files: the test stands in the wrong place", len(all))
	}
	return all
}

func TestImports(t *testing.T) {
	for _, s := range sources(t) {
		i := slices.IndexFunc(rooms, func(r struct {
			room    string
			imports []string
			why     string
		}) bool {
			return matches(r.room, s.room)
		})
		if i < 0 {
			t.Errorf("%s: the house has no room %s: add it to the plan with its reason, or move the file", s.file, s.room)
			continue
		}
		for _, im := range s.ast.Imports {
			to, ours := strings.CutPrefix(strings.Trim(im.Path.Value, `"`), module)
			if !ours || to == s.room && s.test {
				continue
			}
			allowed := rooms[i].imports
			if s.test {
				allowed = append(slices.Clone(allowed), testRooms...)
			}
			if !slices.ContainsFunc(allowed, func(p string) bool { return matches(p, to) }) {
				t.Errorf("%s imports %s, but %s", s.file, to, rooms[i].why)
			}
		}
	}
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(topLevel, e.Name()) && e.Name() != "tenken-out" {
			t.Errorf("%s does not belong to the top level", e.Name())
		}
	}
}

// A package says what its room is for; nothing runs before main; only main ends the program; files and functions are short.
// Tests are exempt from the lengths, and from nothing else: a table of cases is read case by case, and cutting one in two
// would part what belongs together.
func TestHabits(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		documented[s.room] = documented[s.room] || s.ast.Doc != nil && !s.test
		if s.gen {
			continue
		}
		lines := s.fset.File(s.ast.Pos()).LineCount()
		if lines > 300 && !s.test {
			t.Errorf("%s has %d lines: a reader wants at most 300", s.file, lines)
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					t.Errorf("%s: init() hides what runs and in which order", s.file)
				}
				if length := s.fset.Position(n.End()).Line - s.fset.Position(n.Pos()).Line + 1; length > 80 && !s.test {
					t.Errorf("%s: %s has %d lines; 40 is the aim and 80 the end", s.file, n.Name.Name, length)
				}
			case *ast.InterfaceType:
				if n.Methods.NumFields() > 3 {
					t.Errorf("%s: an interface of %d methods: a new ability is a second interface", s.file, n.Methods.NumFields())
				}
			case *ast.SelectorExpr:
				x, ok := n.X.(*ast.Ident)
				ends := ok && (x.Name == "os" && n.Sel.Name == "Exit" || x.Name == "log" && strings.HasPrefix(n.Sel.Name, "Fatal"))
				if ends && !s.test && s.file != "cmd/tenken/main.go" && s.room != "findings/inventory/generate" {
					t.Errorf("%s: only main ends the program", s.file)
				}
			case *ast.ImportSpec:
				if n.Name != nil && n.Name.Name == "_" && strings.Trim(n.Path.Value, `"`) != "embed" {
					t.Errorf("%s: a blank import for effect hides wiring", s.file)
				}
			}
			return true
		})
	}
	for room, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", room)
		}
	}
}
