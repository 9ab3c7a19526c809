package bpmn

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/grevy-io/grevy/feel"
)

// builder makes the model of a document whose design is sound. It compiles
// what is an expression and collects what is wrong with those, and the
// elements that cannot be run yet.
type builder struct {
	doc                *document
	wrong, unsupported findings
	process            *Process
	nodes              map[*node]*Element // of the process at hand
	order              []*node            // the same by Index
	flows              []*node
	messages           map[*node]*Message // what is compiled, by where it is defined
	signals            map[*node]*feel.Expression
	checked            map[*Message]bool // whether the start of a process may wait for it
	size               int
}

func newBuilder(doc *document) *builder {
	return &builder{doc: doc, messages: map[*node]*Message{}, signals: map[*node]*feel.Expression{}, checked: map[*Message]bool{}}
}

// executable gives the processes that are meant to be run. "1" does not say
// so: the original reads the attribute's text.
func executable(doc *document) (out []*node) {
	for _, n := range doc.root.children {
		if n.is("process") && n.attr("isExecutable") == "true" {
			out = append(out, n)
		}
	}
	return out
}

func (b *builder) model() (*Model, error) {
	m := &Model{}
	for _, n := range executable(b.doc) {
		p, err := b.buildProcess(n)
		if err != nil {
			return nil, err
		}
		m.Processes = append(m.Processes, p)
	}
	m.Size = b.size + int(unsafe.Sizeof(*m))
	return m, nil
}

// keep copies a text out of the document, so that the model does not hold all of it.
func (b *builder) keep(s string) string {
	b.size += len(s)
	return strings.Clone(s)
}

func (b *builder) buildProcess(n *node) (*Process, error) {
	p := &Process{ID: b.keep(n.id()), Name: b.keep(n.attr("name")), byID: map[string]*Element{}}
	b.size += int(unsafe.Sizeof(*p))
	b.process, b.nodes, b.order, b.flows = p, map[*node]*Element{}, nil, nil
	if t := n.extension("versionTag"); t != nil {
		p.VersionTag = b.keep(t.attr("value"))
	}
	root, err := b.element(n, nil, ProcessElement)
	if err != nil {
		return nil, err
	}
	p.Root = root
	for _, f := range b.flows {
		if err := b.flow(f); err != nil {
			return nil, err
		}
	}
	for i, e := range p.Elements {
		connect(b.order[i], e)
		b.attach(b.order[i], e)
	}
	b.checkLoops(p, n)
	return p, b.checkRefs()
}

// element adds a flow node, or the process, and what is inside.
func (b *builder) element(n *node, scope *Element, t ElementType) (*Element, error) {
	if n.id() == "" {
		return nil, fmt.Errorf("Expected element '%s' in line %d to have an id", n.name, n.line)
	}
	e := &Element{
		Index: len(b.process.Elements), ID: b.keep(n.id()), Name: b.keep(n.attr("name")),
		Type: t, Event: eventOf(n, t), Scope: scope,
	}
	b.size += int(unsafe.Sizeof(*e)) + 80 // entries of slices and maps
	b.process.Elements = append(b.process.Elements, e)
	b.process.byID[e.ID] = e
	b.nodes[n], b.order = e, append(b.order, n)
	e.ForCompensation = isActivity(n) && n.bool("isForCompensation", false)
	b.expressions(n, e)
	checkSupported(&b.unsupported, n, e)
	for _, c := range n.children {
		if err := b.inside(c, e); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// inside adds what stands in a process or sub-process; all that is not
// executed (lanes, data, artifacts) is passed over.
func (b *builder) inside(n *node, scope *Element) error {
	if n.is("sequenceFlow") {
		b.flows = append(b.flows, n)
		return nil
	}
	t, ok := typeOf(n)
	if !ok {
		return nil
	}
	e, err := b.element(n, scope, t)
	if err != nil {
		return err
	}
	scope.Children = append(scope.Children, e)
	if e.Type != StartEvent {
		return nil
	}
	switch {
	case e.Event == EventNone && scope.NoneStart == nil:
		scope.NoneStart = e
	case scope.Type == ProcessElement && (e.Timer != nil || e.Message != nil || e.Signal != nil):
		scope.RootStarts = append(scope.RootStarts, e)
	}
	return nil
}

func (b *builder) flow(n *node) error {
	if n.id() == "" {
		return fmt.Errorf("Expected element '%s' in line %d to have an id", n.name, n.line)
	}
	f := &Flow{Index: len(b.process.Flows), ID: b.keep(n.id())}
	b.size += int(unsafe.Sizeof(*f)) + 32
	for _, end := range []struct {
		attr string
		to   **Element
	}{{"sourceRef", &f.Source}, {"targetRef", &f.Target}} {
		e := b.nodes[b.doc.ids[n.attr(end.attr)]]
		if e == nil || e == b.process.Root {
			return fmt.Errorf("Expected the %s '%s' of sequence flow '%s' to be a flow node of process '%s'",
				end.attr, n.attr(end.attr), f.ID, b.process.ID)
		}
		*end.to = e
	}
	if c := n.child("conditionExpression"); c != nil {
		f.Condition = b.expression(c, c.text, true)
	}
	b.process.Flows = append(b.process.Flows, f)
	f.Source.Outgoing = append(f.Source.Outgoing, f)
	f.Target.Incoming = append(f.Target.Incoming, f)
	return nil
}

// attach tells an activity of its boundary events, and a scope of the events
// that start its event sub-processes.
func (b *builder) attach(n *node, e *Element) {
	switch {
	case e.Type == IntermediateThrowEvent && e.Event == EventLink:
		e.LinkTarget = b.linkTarget(n, e)
	case e.Type == BoundaryEvent:
		e.Interrupting = n.bool("cancelActivity", true)
		if on := b.nodes[b.doc.ids[n.ref("attachedToRef")]]; on != nil {
			e.AttachedTo = on
			if e.Event == EventCompensation {
				on.Compensation = e
				return
			}
			on.Boundary = append(on.Boundary, e)
		}
	case e.Event == EventCompensation:
		e.Compensates = b.keep(n.child("compensateEventDefinition").ref("activityRef"))
	case e.Type == StartEvent && e.Scope.Type == EventSubProcess:
		e.Interrupting = n.bool("isInterrupting", true)
		e.Scope.Scope.EventStarts = append(e.Scope.Scope.EventStarts, e)
	}
}

// linkTarget finds the catch event of the same name in the scope of a link
// throw event. The design rules say that there is one.
func (b *builder) linkTarget(n *node, e *Element) *Element {
	name := n.child("linkEventDefinition").attr("name")
	for _, m := range e.Scope.Children {
		if m.Type != IntermediateCatchEvent || m.Event != EventLink {
			continue
		}
		if b.order[m.Index].child("linkEventDefinition").attr("name") == name {
			return m
		}
	}
	return nil
}

// connect fills in what refers to flows.
func connect(n *node, e *Element) {
	if e.Type != ExclusiveGateway && e.Type != InclusiveGateway {
		return
	}
	id := n.attr("default")
	for _, f := range e.Outgoing {
		if f.ID == id {
			e.Default = f
		}
	}
}
