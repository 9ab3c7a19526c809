package dmn

import (
	"fmt"
	"strings"

	"github.com/grevy-io/grevy/feel"
)

// onlyLogic compiles the expression that is a child of the element; nil if it
// has none, or one that is wrong.
func (b *builder) onlyLogic(n *node) logic {
	if l := logicsOf(n); len(l) > 0 {
		return b.logic(l[0])
	}
	return nil
}

// logicsOf gives the children that are expressions.
func logicsOf(n *node) (out []*node) {
	for _, c := range n.children {
		if _, ok := builders[c.name]; ok && !c.zeebe {
			out = append(out, c)
		}
	}
	return out
}

// builders are set in init because they refer to each other.
var builders map[string]func(b *builder, n *node) logic

func init() {
	builders = map[string]func(b *builder, n *node) logic{
		"literalExpression":  (*builder).literal,
		"decisionTable":      (*builder).table,
		"context":            (*builder).context,
		"list":               (*builder).list,
		"relation":           (*builder).relation,
		"functionDefinition": (*builder).function,
		"invocation":         (*builder).invocation,
		"conditional":        (*builder).conditional,
		"filter":             (*builder).filter,
		"for":                (*builder).loop,
		"some":               (*builder).quantified,
		"every":              (*builder).quantified,
	}
}

func (b *builder) logic(n *node) logic {
	if b.full() {
		return nil
	}
	return builders[n.name](b, n)
}

// expression compiles the text of a literalExpression or what is like one.
func (b *builder) expression(n *node) *feel.Expression {
	if lang := strings.TrimSpace(n.attr("expressionLanguage")); !isFEEL(lang) {
		b.fail("Expression language '" + lang + "' is not supported")
		return nil
	}
	if n.child("importedValues") != nil {
		b.fail("imported values are not supported")
		return nil
	}
	return b.compile(textOf(n))
}

// isFEEL says whether the expression language is FEEL, which has another URI
// in each version of DMN.
func isFEEL(lang string) bool {
	l := strings.TrimSuffix(strings.ToLower(lang), "/")
	uri := strings.HasPrefix(l, "http://www.omg.org/spec/") || strings.HasPrefix(l, "https://www.omg.org/spec/")
	return l == "" || l == "feel" || uri && strings.Contains(l, "feel")
}

func textOf(n *node) string {
	if t := n.child("text"); t != nil {
		return t.text
	}
	return ""
}

// literal compiles an expression. It gives no nil in an interface.
func (b *builder) literal(n *node) logic {
	if e := b.expression(n); e != nil {
		return &literalLogic{e}
	}
	return nil
}

// given is the logic of a decision that has none: its value is given as if it
// were an input (DMN 1.3, 6.3.7).
func (b *builder) given(d *Decision) logic {
	b.size += sizePerExpression
	if strings.Contains(d.variable, "`") {
		return &literalLogic{nullExpression}
	}
	return &literalLogic{mustCompile("`" + d.variable + "`")}
}

func (b *builder) context(n *node) logic {
	c := &contextLogic{}
	entries := n.all("contextEntry")
	for i, e := range entries {
		name := ""
		if v := e.child("variable"); v != nil {
			name = normalName(v.attr("name"))
		} else if i < len(entries)-1 {
			b.fail("only the last entry of a context can be without a variable")
		}
		c.entries = append(c.entries, contextEntry{name, b.onlyLogic(e)})
		b.size += 64 + len(name)
	}
	return c
}

func (b *builder) list(n *node) logic {
	l := &listLogic{}
	for _, c := range logicsOf(n) {
		l.items = append(l.items, b.logic(c))
		b.size += 16
	}
	return l
}

func (b *builder) relation(n *node) logic {
	r := &relationLogic{}
	for _, c := range n.all("column") {
		r.columns = append(r.columns, normalName(c.attr("name")))
		b.size += 16 + len(c.attr("name"))
	}
	for _, row := range n.all("row") {
		var cells []logic
		for _, c := range logicsOf(row) {
			cells = append(cells, b.logic(c))
			b.size += 16
		}
		if len(cells) != len(r.columns) {
			b.fail(fmt.Sprintf("a row of a relation has %d cells but there are %d columns", len(cells), len(r.columns)))
		}
		r.rows = append(r.rows, cells)
	}
	return r
}

func (b *builder) function(n *node) logic {
	told := len(b.wrong)
	body := b.functionLogic(n)
	if body == nil && told == len(b.wrong) {
		b.fail("a function definition has no body")
	}
	return &functionDefinition{parameters(n), body}
}

// functionLogic compiles the body of a function; only those in FEEL can be run.
func (b *builder) functionLogic(n *node) logic {
	if kind := n.attr("kind"); kind != "" && kind != "FEEL" {
		b.fail("functions of kind '" + kind + "' are not supported")
		return nil
	}
	return b.onlyLogic(n)
}

func parameters(n *node) []string {
	params := []string{}
	for _, p := range n.all("formalParameter") {
		params = append(params, normalName(p.attr("name")))
	}
	return params
}

func (b *builder) invocation(n *node) logic {
	called := n.child("literalExpression")
	if called == nil {
		b.fail("an invocation names no function")
		return nil
	}
	inv := &invocationLogic{name: normalName(textOf(called))}
	for _, bind := range n.all("binding") {
		binding := contextEntry{name: normalName(bind.child("parameter").attr("name"))}
		if len(logicsOf(bind)) > 0 {
			binding.logic = b.onlyLogic(bind)
		} else {
			binding.logic = &literalLogic{nullExpression}
		}
		inv.bindings = append(inv.bindings, binding)
		b.size += 64
	}
	if b.names.has(inv.name) {
		inv.called = b.compile("`" + inv.name + "`")
	} else {
		inv.called = b.compile(inv.name)
	}
	return inv
}

// has says whether this is one of the names.
func (names blankNames) has(name string) bool {
	for _, l := range names[name[:wordEnd(name)]] {
		if l == name {
			return true
		}
	}
	return false
}
