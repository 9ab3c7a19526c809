package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/feel"
)

// An element's mappings are one context expression in the original: targets
// with the same first name are gathered where the first of them stands, an
// expression sees what stands before it, and nothing is written unless all
// succeed (observed on 8.6.0, see testdata/mappings.txt).
type mappingNode struct {
	name   string
	source *feel.Expression // nil if inner holds nested targets
	inner  []*mappingNode
}

// mappingTree gathers mappings by their targets. Of a target that is given
// twice the last one stands.
func mappingTree(list []bpmn.Mapping) (tree []*mappingNode) {
	for i := range list {
		level, path := &tree, list[i].Target
		for ; len(path) > 1; path = path[1:] {
			n := place(level, path[0])
			n.source = nil
			level = &n.inner
		}
		n := place(level, path[0])
		n.source, n.inner = list[i].Source, nil
	}
	return tree
}

func place(level *[]*mappingNode, name string) *mappingNode {
	for _, n := range *level {
		if n.name == name {
			return n
		}
	}
	n := &mappingNode{name: name}
	*level = append(*level, n)
	return n
}

// mapping is one evaluation of a tree.
type mapping struct {
	r        *run
	merge    bool // nested targets are merged into the value that is there
	warnings []feel.Warning
}

// partial is a context that is being made: what it has, then what is around it.
type partial struct {
	*feel.Context
	outer feel.Scope
}

// Lookup finds a variable for an expression.
func (p partial) Lookup(name string) (feel.Value, bool) {
	if v, ok := p.Get(name); ok {
		return v, ok
	}
	return p.outer.Lookup(name)
}

// evaluate makes the context of one level; path are the names above it.
func (m *mapping) evaluate(tree []*mappingNode, outer feel.Scope, path []string) (*feel.Context, error) {
	p := partial{feel.NewContext(), outer}
	for _, n := range tree {
		v, err := m.node(n, p, path)
		if err != nil {
			return nil, err
		}
		p.Put(n.name, v)
	}
	return p.Context, nil
}

func (m *mapping) node(n *mappingNode, p partial, path []string) (feel.Value, error) {
	if n.source != nil {
		res, err := m.r.evaluate(n.source, p)
		m.warnings = append(m.warnings, res.Warnings...)
		if res.Value == nil {
			res.Value = feel.Null{}
		}
		return res.Value, err
	}
	path = append(slices.Clip(path), n.name)
	made, err := m.evaluate(n.inner, p, path)
	if err != nil || !m.merge {
		return made, err
	}
	return merged(valueAt(p, path), made), nil
}

// valueAt follows a path from a variable through contexts.
func valueAt(scope feel.Scope, path []string) feel.Value {
	v, _ := scope.Lookup(path[0])
	for _, name := range path[1:] {
		ctx, ok := v.(*feel.Context)
		if !ok {
			return nil
		}
		v, _ = ctx.Get(name)
	}
	return v
}

// merged puts the entries of made over those of old. What is no context cannot
// be merged: the original makes null of it.
func merged(old feel.Value, made *feel.Context) feel.Value {
	if old == nil || old.Kind() == feel.KindNull {
		return made
	}
	ctx, ok := old.(*feel.Context)
	if !ok {
		return feel.Null{}
	}
	both := feel.NewContext()
	for _, e := range slices.Concat(ctx.Entries(), made.Entries()) {
		both.Put(e.Key, e.Value)
	}
	return both
}

// maxMappingText bounds the expression in an incident's text: with nested
// outputs the original's doubles at each level.
const maxMappingText = 8 << 10

// text writes a tree as the original's expression, which incidents show.
func (m *mapping) text(tree []*mappingNode, path []string) string {
	parts := make([]string, len(tree))
	for i, n := range tree {
		parts[i] = n.name + ":" + m.nodeText(n, path)
	}
	all := "{" + strings.Join(parts, ",") + "}"
	if len(all) > maxMappingText {
		return "{…}"
	}
	return all
}

func (m *mapping) nodeText(n *mappingNode, path []string) string {
	if n.source != nil {
		if n.source.IsStatic() {
			return string(feel.AppendJSON(nil, feel.String(n.source.Static())))
		}
		return n.source.Source()
	}
	path = append(slices.Clip(path), n.name)
	inner := m.text(n.inner, path)
	if !m.merge {
		return inner
	}
	at := strings.Join(path, ".")
	return fmt.Sprintf("if (%s != null) then context merge(%s,%s) else %s", at, at, inner, inner)
}

// apply evaluates an element's mappings and gives each variable to set.
func (m *mapping) apply(el *elem, list []bpmn.Mapping, set func(name string, value []byte)) error {
	if len(list) == 0 {
		return nil
	}
	tree := mappingTree(list)
	made, err := m.evaluate(tree, scopeChain{m.r, el}, nil)
	if err != nil {
		var failed *feel.EvalError
		if errors.As(err, &failed) {
			whole := *failed
			whole.Source = m.text(tree, nil)
			err = &whole
		}
		return fmt.Errorf("%w%s", err, warnings(m.warnings))
	}
	for _, e := range made.Entries() {
		set(e.Key, feel.AppendJSON(nil, e.Value))
	}
	return nil
}

// applyInputs makes the element's local variables.
func (r *run) applyInputs(el *elem) error {
	m := mapping{r: r}
	return m.apply(el, el.model.Inputs, func(name string, value []byte) { r.setLocal(el, name, value) })
}

// applyOutputs writes to the scopes above what the mappings make of the
// variables that the element sees.
func (r *run) applyOutputs(el *elem) error {
	m := mapping{r: r, merge: true}
	return m.apply(el, el.model.Outputs, func(name string, value []byte) { r.propagate(r.scope(el), name, value) })
}
