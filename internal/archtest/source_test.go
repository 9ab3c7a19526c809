package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/grevy-io/grevy"

// source is one Go file.
type source struct {
	path string // from the root, with slashes
	dir  string // "." for the root
	test bool
	file *ast.File
	fset *token.FileSet
}

// root is the top of the repository, from this package's directory.
var root = filepath.Join("..", "..")

// files lists every file of the repository but for those that are hidden or
// test data, with slashes and relative to the root.
var files = sync.OnceValues(func() ([]string, error) {
	var list []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && (name == "testdata" || strings.HasPrefix(name, ".") && name != ".ci") {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		list = append(list, filepath.ToSlash(rel))
		return nil
	})
	return list, err
})

// sources parses every Go file once, whatever its build constraints.
var sources = sync.OnceValues(func() ([]*source, error) {
	paths, err := files()
	if err != nil {
		return nil, err
	}
	var list []*source
	for _, p := range paths {
		if !strings.HasSuffix(p, ".go") {
			continue
		}
		s := &source{path: p, test: strings.HasSuffix(p, "_test.go"), fset: token.NewFileSet()}
		s.dir = filepath.ToSlash(filepath.Dir(p))
		if s.file, err = parser.ParseFile(s.fset, filepath.Join(root, p), nil, parser.ParseComments|parser.SkipObjectResolution); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
})

func allSources(t *testing.T) []*source {
	t.Helper()
	list, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 100 {
		t.Fatalf("only %d Go files found below %s: is this the root?", len(list), root)
	}
	return list
}

func allFiles(t *testing.T) []string {
	t.Helper()
	list, err := files()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// imports lists what a file imports.
func (s *source) imports() []string {
	var list []string
	for _, i := range s.file.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil {
			list = append(list, p)
		}
	}
	return list
}

// generated files are not written by hand.
func (s *source) generated() bool { return ast.IsGenerated(s.file) }

// own tells whether an import is a package of this module, and its directory.
func own(path string) (dir string, ok bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

// within tells whether path is dir or lies below it.
func within(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }
