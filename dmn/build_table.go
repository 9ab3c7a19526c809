package dmn

import (
	"strings"

	"github.com/grevy-io/grevy/feel"
)

func (b *builder) table(n *node) logic {
	t := &tableLogic{hitPolicy: n.attr("hitPolicy"), aggregation: n.attr("aggregation")}
	if t.hitPolicy == "" {
		t.hitPolicy = "UNIQUE"
	}
	for _, in := range n.all("input") {
		t.inputs = append(t.inputs, b.tableInput(in))
	}
	outputs := n.all("output")
	for _, out := range outputs {
		t.outputs = append(t.outputs, b.tableOutput(out, len(outputs) > 1, t.byPriority()))
	}
	if len(outputs) > 1 && t.hitPolicy == "COLLECT" && t.aggregation != "" {
		b.fail("hit policy 'COLLECT' with aggregator is not defined for compound output")
	}
	for i, r := range n.all("rule") {
		if b.full() {
			break
		}
		t.rules = append(t.rules, b.tableRule(r, i+1, t))
	}
	return t
}

func (b *builder) tableInput(n *node) tableInput {
	expr := n.child("inputExpression")
	in := tableInput{id: n.id(), name: n.attr("label"), expr: b.expression(expr)}
	if in.name == "" {
		in.name = textOf(expr)
	}
	b.size += 64 + len(in.name)
	return in
}

func (b *builder) tableOutput(n *node, compound, ordered bool) tableOutput {
	out := tableOutput{id: n.id(), key: n.attr("name"), name: n.attr("label")}
	if compound && out.key == "" {
		label := out.name
		if label == "" {
			label = "null"
		}
		b.fail("no output name defined for `" + label + "`")
	}
	if out.name == "" {
		out.name = out.key
	}
	if d := n.child("defaultOutputEntry"); d != nil {
		out.unset = b.expression(d)
	}
	if v := n.child("outputValues"); v != nil && ordered {
		out.values = b.outputValues(textOf(v))
	}
	b.size += 96 + len(out.name) + len(out.key)
	return out
}

// outputValues gives the values an output may have, the first being the one
// of the highest priority (DMN 1.3, 8.2.8.2). Values that are no list of
// constants give no order, as in the original.
func (b *builder) outputValues(text string) feel.List {
	e, err := feel.Compile("[" + text + "]")
	if err != nil {
		return nil
	}
	r, err := e.Eval(nil)
	if err != nil {
		return nil
	}
	l, ok := r.Value.(feel.List)
	if !ok {
		return nil
	}
	b.size += 64 * len(l)
	return l
}

// tableRule compiles a rule. Cells beyond the inputs and outputs are not
// looked at, as in the original; one that is missing is fulfilled or null.
func (b *builder) tableRule(n *node, index int, t *tableLogic) tableRule {
	r := tableRule{id: n.id(), index: index}
	cells := n.all("inputEntry")
	for _, c := range cells[:min(len(cells), len(t.inputs))] {
		if lang := strings.TrimSpace(c.attr("expressionLanguage")); !isFEEL(lang) {
			b.fail("Expression language '" + lang + "' is not supported")
			continue
		}
		r.tests = append(r.tests, b.compileTests(textOf(c)))
	}
	entries := n.all("outputEntry")
	for _, e := range entries[:min(len(entries), len(t.outputs))] {
		r.outputs = append(r.outputs, b.expression(e))
	}
	for len(r.outputs) < len(t.outputs) {
		r.outputs = append(r.outputs, nullExpression)
	}
	b.size += 64 + len(r.id) + 8*len(r.tests) + 8*len(r.outputs)
	return r
}
