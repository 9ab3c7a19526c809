package dmn

import (
	"strings"

	"github.com/grevy-io/grevy/feel"
)

// serviceLogic is a decision service (DMN 1.3, 10.4): a function of its input
// data and input decisions, which it takes for given, whose value is that of
// its output decision, or a context of several.
type serviceLogic struct {
	inputs  []string    // the input data
	given   []*Decision // the input decisions
	outputs []*Decision
}

func (*serviceLogic) kind() Type { return Service }

func (l *serviceLogic) eval(e *evaluation, vars feel.Scope, _ *Evaluated) (feel.Value, error) {
	base, known := e.base, e.decided
	defer func() { e.base, e.decided = base, known }()
	inner := &layer{outer: base, vars: map[string]feel.Value{}}
	for _, name := range l.inputs {
		inner.vars[name], _ = vars.Lookup(name)
	}
	e.base, e.decided = inner, map[*Decision]decided{}
	for _, d := range l.given {
		v, _ := vars.Lookup(d.variable)
		e.decided[d] = decided{value: v}
	}
	out := feel.NewContext()
	for _, d := range l.outputs {
		v, err := e.decide(d)
		if err != nil || len(l.outputs) == 1 {
			return v, err
		}
		out.Put(d.variable, v)
	}
	return out, nil
}

// service makes the function of a decision service. Its parameters are the
// input data, then the input decisions.
func (b *builder) service(root, n *node) {
	k, l := b.knowledge[n.id()], &serviceLogic{}
	l.outputs = b.referred(n, "outputDecision")
	l.given = b.referred(n, "inputDecision")
	for _, ref := range n.all("inputData") {
		data := find(root, "inputData", hrefID(ref))
		if data == nil {
			b.fail("Unable to find a model element instance for id " + hrefID(ref))
			continue
		}
		variable := data.child("variable")
		name := normalName(variable.attrOr("name", data.attr("name")))
		l.inputs = append(l.inputs, name)
		k.params = append(k.params, name)
		k.types = append(k.types, typeOf(variable.attrOr("typeRef", "")))
	}
	for _, d := range l.given {
		k.params = append(k.params, d.variable)
		k.types = append(k.types, typeOf(d.typeRef))
	}
	b.size += 64 * (len(k.params) + len(l.outputs))
	if len(l.outputs) > 0 {
		k.logic = l
	}
}

// referred gives the decisions that children of the element refer to.
func (b *builder) referred(n *node, name string) (out []*Decision) {
	for _, ref := range n.all(name) {
		d := b.decisions[hrefID(ref)]
		if d == nil {
			b.fail("Unable to find a model element instance for id " + hrefID(ref))
			continue
		}
		out = append(out, d)
	}
	return out
}

// hrefID gives the id that an element refers to.
func hrefID(ref *node) string {
	href := strings.TrimSpace(ref.attr("href"))
	return href[strings.LastIndexByte(href, '#')+1:]
}

// find gives the child with this name and id, nil without one.
func find(root *node, name, id string) *node {
	for _, n := range root.all(name) {
		if n.id() == id {
			return n
		}
	}
	return nil
}
