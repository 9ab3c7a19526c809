package dmn

import (
	"fmt"
	"strings"

	"github.com/grevy-io/grevy/feel"
)

// Sizes for Model.Size: what a part holds besides its texts.
const (
	sizePerDecision   = 400
	sizePerExpression = 150
)

// builder makes the model of a document that keeps to the schema, and collects
// what is wrong with it.
type builder struct {
	names     blankNames
	decisions map[string]*Decision
	knowledge map[string]*knowledge
	types     map[string]*feel.Type
	wrong     []string
	size      int
	looked    int // bytes that were searched for names with blanks
}

func newBuilder(root *node) *builder {
	return &builder{
		names:     newBlankNames(root),
		decisions: map[string]*Decision{},
		knowledge: map[string]*knowledge{},
		types:     newTypes(root),
	}
}

func (b *builder) fail(text string) {
	if len(b.wrong) < maxFindings {
		b.wrong = append(b.wrong, cut(text, maxReport/3))
	}
}

// full says that no more is told, so that looking on is of no use.
func (b *builder) full() bool { return len(b.wrong) == maxFindings }

func (b *builder) model(root *node) *Model {
	m := &Model{ID: root.id(), Name: root.attr("name"), Namespace: root.attr("namespace"), byID: b.decisions, types: b.types}
	if m.ID == "" { // it is optional in DMN, and clients need one
		m.ID = m.Name
	}
	for _, part := range []struct{ name, value string }{{"a name", m.Name}, {"a namespace", m.Namespace}} {
		if part.value == "" {
			b.fail("Expected the definitions to have " + part.name)
		}
	}
	b.declare(root, m)
	if len(b.wrong) > 0 {
		return nil // nothing can be named
	}
	b.requirements(root)
	if len(b.wrong) > 0 {
		return nil
	}
	if text := b.cycles(m); text != "" {
		b.fail("Invalid DMN model: " + text)
		return nil
	}
	b.logics(root)
	return m
}

// declare makes the decisions and knowledge models, so that they can refer to
// each other.
func (b *builder) declare(root *node, m *Model) {
	for _, n := range root.children {
		if n.zeebe || n.name != "decision" && n.name != "businessKnowledgeModel" && n.name != "decisionService" {
			continue
		}
		id, name := n.id(), n.attr("name")
		b.size += sizePerDecision + len(id) + len(name)
		variable := normalName(n.child("variable").attrOr("name", ""))
		if n.name != "decision" {
			if variable == "" {
				variable = normalName(name)
			}
			b.knowledge[id] = &knowledge{id: id, name: name, variable: variable}
			continue
		}
		switch {
		case id == "":
			b.fail(fmt.Sprintf("Expected the decision '%s' to have an id", name))
		case name == "":
			b.fail(fmt.Sprintf("Expected the decision '%s' to have a name", id))
		}
		if variable == "" {
			variable = id
		}
		d := &Decision{ID: id, Name: name, VersionTag: versionTag(n), variable: variable, typeRef: n.child("variable").attrOr("typeRef", "")}
		b.decisions[id] = d
		m.Decisions = append(m.Decisions, d)
	}
}

// attrOr gives an attribute of a node that may not be there.
func (n *node) attrOr(name, unset string) string {
	if n == nil {
		return unset
	}
	if v, ok := n.lookup(name); ok {
		return v
	}
	return unset
}

func versionTag(n *node) string {
	if e := n.child("extensionElements"); e != nil {
		for _, c := range e.children {
			if c.zeebe && c.name == "versionTag" {
				return c.attr("value")
			}
		}
	}
	return ""
}

// requirements resolves what decisions and knowledge models require. Input
// data need not exist, as in the original: it says nothing to the evaluation.
func (b *builder) requirements(root *node) {
	for _, n := range root.children {
		if n.zeebe {
			continue
		}
		switch n.name {
		case "decision":
			d := b.decisions[n.id()]
			d.requires = resolve(b, n, "informationRequirement", "requiredDecision", b.decisions)
			d.knows = resolve(b, n, "knowledgeRequirement", "requiredKnowledge", b.knowledge)
		case "businessKnowledgeModel":
			k := b.knowledge[n.id()]
			k.knows = resolve(b, n, "knowledgeRequirement", "requiredKnowledge", b.knowledge)
		case "decisionService":
			b.service(root, n)
		}
	}
}

func resolve[T any](b *builder, n *node, requirement, required string, among map[string]*T) (out []*T) {
	for _, r := range n.all(requirement) {
		ref := r.child(required)
		if ref == nil {
			continue // requires an input
		}
		href := strings.TrimSpace(ref.attr("href"))
		id := href[strings.LastIndexByte(href, '#')+1:]
		t := among[id]
		if t == nil || id == "" {
			b.fail("Unable to find a model element instance for id " + id)
			continue
		}
		out = append(out, t)
		b.size += 16
	}
	return out
}

// cycles looks for a decision or knowledge model that requires itself.
func (b *builder) cycles(m *Model) string {
	decisions := map[*Decision]bool{} // false while it is looked at
	for _, d := range m.Decisions {
		if cyclic(d, decisions, func(d *Decision) []*Decision { return d.requires }) {
			return "Cyclic dependencies between decisions detected."
		}
	}
	models := map[*knowledge]bool{}
	for _, k := range b.knowledge {
		if cyclic(k, models, func(k *knowledge) []*knowledge { return k.knows }) {
			return "Cyclic dependencies between BKMs detected."
		}
	}
	return ""
}

func cyclic[T comparable](t T, done map[T]bool, next func(T) []T) bool {
	if finished, seen := done[t]; seen {
		return !finished
	}
	done[t] = false
	for _, n := range next(t) {
		if cyclic(n, done, next) {
			return true
		}
	}
	done[t] = true
	return false
}

// logics compiles the logic of everything.
func (b *builder) logics(root *node) {
	for _, n := range root.children {
		if n.zeebe || b.full() {
			continue
		}
		switch n.name {
		case "decision":
			d := b.decisions[n.id()]
			if len(logicsOf(n)) == 0 {
				d.logic = b.given(d)
			} else {
				d.logic = b.onlyLogic(n)
			}
			if d.logic != nil {
				d.Type = d.logic.kind()
			}
		case "businessKnowledgeModel":
			if e := n.child("encapsulatedLogic"); e != nil {
				k := b.knowledge[n.id()]
				k.params = parameters(e)
				k.logic = b.functionLogic(e)
			}
		}
	}
}
