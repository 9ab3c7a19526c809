package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"sort"
)

// insertion is text to put at a byte offset.
type insertion struct {
	at   int
	text string
}

// The composite literals of protoc-gen-go's init function that name the registries, with the
// field that each gets. An absent field means the process-wide registry.
var registryFields = map[string]string{
	"TypeBuilder": "TypeRegistry: Types,",
	"DescBuilder": "FileRegistry: Files,",
}

// privateRegistry adds the registry fields to the stubs. It fails unless there is exactly one
// literal of either kind and neither names a registry yet: another layout means another
// version of protoc-gen-go, whose output must be looked at first.
func privateRegistry(src []byte) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, typesFile, src, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("parse stubs: %w", err)
	}
	var todo []insertion
	found := map[string]int{}
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		name := builderName(lit)
		field, ok := registryFields[name]
		if !ok {
			return true
		}
		found[name]++
		if namesRegistry(lit) {
			err = fmt.Errorf("add registry: %s names one already", name)
		}
		todo = append(todo, insertion{fset.Position(lit.Lbrace).Offset + 1, "\n" + field})
		return true
	})
	if err != nil {
		return nil, err
	}
	for name := range registryFields {
		if found[name] != 1 {
			return nil, fmt.Errorf("add registry: %d literals of protoimpl.%s, want 1", found[name], name)
		}
	}
	out, err := format.Source(insert(src, todo))
	if err != nil {
		return nil, fmt.Errorf("format stubs: %w", err)
	}
	return out, nil
}

// builderName is T of a literal protoimpl.T{…}, else empty.
func builderName(lit *ast.CompositeLit) string {
	sel, ok := lit.Type.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if pkg, ok := sel.X.(*ast.Ident); !ok || pkg.Name != "protoimpl" {
		return ""
	}
	return sel.Sel.Name
}

func namesRegistry(lit *ast.CompositeLit) bool {
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if k, ok := kv.Key.(*ast.Ident); ok && (k.Name == "FileRegistry" || k.Name == "TypeRegistry") {
			return true
		}
	}
	return false
}

func insert(src []byte, todo []insertion) []byte {
	sort.Slice(todo, func(i, j int) bool { return todo[i].at < todo[j].at })
	var b bytes.Buffer
	last := 0
	for _, x := range todo {
		b.Write(src[last:x.at])
		b.WriteString(x.text)
		last = x.at
	}
	b.Write(src[last:])
	return b.Bytes()
}
