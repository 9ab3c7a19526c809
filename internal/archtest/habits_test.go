package archtest

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryPackageSaysWhatItIs: a package comment in exactly one file: doc.go, or
// in small packages the file that is named like the package, or for a program any.
func TestEveryPackageSaysWhatItIs(t *testing.T) {
	where := map[string][]string{}
	programs := map[string]bool{}
	for _, s := range allSources(t) {
		if _, ok := where[s.dir]; !ok {
			where[s.dir] = nil
		}
		programs[s.dir] = programs[s.dir] || s.file.Name.Name == "main"
		if s.file.Doc == nil || s.test || s.generated() {
			continue
		}
		where[s.dir] = append(where[s.dir], s.path)
		first := "Package " + s.file.Name.Name + " "
		if s.file.Name.Name == "main" {
			first = "Command " + path.Base(s.dir) + " "
		}
		if text := s.file.Doc.Text(); !strings.HasPrefix(text, first) {
			t.Errorf("%s: the package comment does not begin with %q", s.path, first)
		}
	}
	for dir, docs := range where {
		switch {
		case len(docs) != 1:
			t.Errorf("package %s has %d package comments %v, want one", dir, len(docs), docs)
		case !programs[dir] && path.Base(docs[0]) != "doc.go" && path.Base(docs[0]) != path.Base(dir)+".go":
			t.Errorf("package %s has its comment in %s, want doc.go", dir, docs[0])
		}
	}
}

// TestNoTestSleeps: a test that waits for a time to pass is slow where the
// machine is fast and fails where it is slow.
func TestNoTestSleeps(t *testing.T) {
	for _, s := range allSources(t) {
		if !s.test || !slices.Contains(s.imports(), "time") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sleep" {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" {
					t.Errorf("%s: a test sleeps; wait for a condition instead", s.fset.Position(sel.Pos()))
				}
			}
			return true
		})
	}
}

// The words are put together here so that this file does not hold them.
var unfinished = regexp.MustCompile(`\b(` + strings.Join([]string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"}, "|") + `)\b`)

// elsewhere finds paths of one machine, and places outside of the repository.
var elsewhere = regexp.MustCompile(`(^|[^\w.])(/ro` + `ot/|/ho` + `me/\w|/Us` + `ers/)|\.\./sha` + `red\b`)

// TestNothingIsLeftLying: what is unfinished is said in the documents or in an
// issue, not in a comment that nobody reads again.
func TestNothingIsLeftLying(t *testing.T) {
	texts := []string{".go", ".md", ".proto", ".yml", ".yaml", ".sh", ".html", ".js", ".css"}
	for _, f := range allFiles(t) {
		if !slices.Contains(texts, path.Ext(f)) && path.Base(f) != "Makefile" && path.Dir(f) != ".ci" {
			continue
		}
		for i, line := range strings.Split(readFile(t, f), "\n") {
			if w := unfinished.FindString(line); w != "" {
				t.Errorf("%s:%d: %s", f, i+1, w)
			}
			if w := elsewhere.FindString(line); w != "" {
				t.Errorf("%s:%d: a path that only one machine has: %s", f, i+1, w)
			}
		}
	}
}

// TestEveryFuzzFunctionIsFuzzed: .ci/fuzz finds what is to be fuzzed by a pattern
// in the sources. It finds all of it.
func TestEveryFuzzFunctionIsFuzzed(t *testing.T) {
	m := regexp.MustCompile(`(?m)^pattern='(.+)'$`).FindStringSubmatch(readFile(t, ".ci/fuzz"))
	if m == nil {
		t.Fatal(".ci/fuzz has no pattern")
	}
	pattern := regexp.MustCompile("(?m)" + m[1])
	count := 0
	for _, s := range allSources(t) {
		var found, want []string
		for _, m := range pattern.FindAllStringSubmatch(readFile(t, s.path), -1) {
			found = append(found, m[1])
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Fuzz") {
				want = append(want, f.Name.Name)
			}
		}
		if !slices.Equal(found, want) || len(want) > 0 && !s.test {
			t.Errorf("%s has %v, .ci/fuzz finds %v", s.path, want, found)
		}
		count += len(want)
	}
	if count < 30 {
		t.Errorf("only %d functions are fuzzed", count)
	}
}
