package grevy_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// docs/operations.md has a row for each problem that a status can have.
func TestDocs_StatusProblems(t *testing.T) {
	b, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(b), "\n## Status problems\n")
	if !ok {
		t.Fatal("docs/operations.md has no section of status problems")
	}
	text, _, _ = strings.Cut(text, "\n## ")
	var rows []*regexp.Regexp
	for _, m := range tableRow.FindAllStringSubmatch(text, -1) {
		rows = append(rows, template(strings.TrimSpace(strings.Split(m[1], "|")[0]), placeholder))
	}
	all := append(problems(t, "status.go"), problems(t, "cmd/grevy/status.go")...)
	for _, what := range append(said(t, "replicas.go", "copied"), said(t, "disk.go", "spaceProblem")...) {
		all = append(all, "node 0: "+what)
	}
	if len(rows) < 10 || len(all) < 10 {
		t.Fatalf("%d rows, %d problems", len(rows), len(all))
	}
	for _, p := range all {
		if p == "node %d: %s" {
			continue // what a node says of itself
		}
		documented := false
		for _, r := range rows {
			documented = documented || r.MatchString(verb.ReplaceAllString(p, "0"))
		}
		if !documented {
			t.Errorf("docs/operations.md, \"Status problems\", does not tell of %q", p)
		}
	}
}

var (
	verb        = regexp.MustCompile(`%[a-z]`)
	placeholder = regexp.MustCompile(`…|\b[A-Z]\b|HOST:PORT`)
)

// template matches whatever begins like text, with anything in its gaps.
func template(text string, gap *regexp.Regexp) *regexp.Regexp {
	parts := gap.Split(text, -1)
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*"))
}

// problems gives the texts of the problems that are made in a file.
func problems(t *testing.T, file string) (list []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok || len(lit.Elts) == 0 || !named(lit.Type, "Problem") {
			return true
		}
		list = append(list, literals(t, lit.Elts[0])...)
		return true
	})
	return list
}

// said gives the texts in a function or method of a file.
func said(t *testing.T, file, function string) (list []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == function {
			list = append(list, literals(t, fn.Body)...)
		}
	}
	if len(list) == 0 {
		t.Fatalf("%s in %s says nothing", function, file)
	}
	return list
}

// literals gives the texts in a piece of code that are not empty.
func literals(t *testing.T, n ast.Node) (list []string) {
	t.Helper()
	ast.Inspect(n, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			text, err := strconv.Unquote(l.Value)
			if err != nil {
				t.Fatal(err)
			}
			if text != "" {
				list = append(list, text)
			}
		}
		return true
	})
	return list
}

// named tells whether an expression is a type of that name, of any package.
func named(e ast.Expr, name string) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == name
	case *ast.SelectorExpr:
		return e.Sel.Name == name
	}
	return false
}
