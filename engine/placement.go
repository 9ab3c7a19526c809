package engine

import (
	"slices"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// maxLookedAt bounds the element instances that one command looks at to find
// the scope in which an element is to begin.
const maxLookedAt = 10_000

// placement begins at elements in the middle of a process. Scopes that are not
// there are made: without their input mappings, but they wait for their events
// (seen on Zeebe 8.6.0).
type placement struct {
	r    *run
	root *elem
	// found are the active instances of scopes, as far as they were looked for.
	found  map[*bpmn.Element][]*elem
	looked int
	vars   []protocol.ScopeVariables // of the element that is to begin
	within *elem                     // the scope in which the last one has begun
}

// misplaced is why an element cannot begin.
type misplaced struct {
	reason  misplacement
	element string // the scope that is in the way
	text    string // why it cannot wait for its events
}

type misplacement byte

const (
	ambiguousScope misplacement = iota + 1
	multiInstanceScope
	tooManyInstances
	noSubscription
	noStartEvent
)

func (r *run) place(root *elem) *placement {
	return &placement{r: r, root: root, found: map[*bpmn.Element][]*elem{}}
}

// begin enters an element, inside the ancestor if one is given.
func (p *placement) begin(m *bpmn.Element, ancestor *elem, vars []protocol.ScopeVariables) *misplaced {
	p.vars = vars
	if m == p.root.model {
		// Zeebe 8.6.0 puts a process into the process instead.
		p.there(p.root)
		if m = m.NoneStart; m == nil {
			return &misplaced{reason: noStartEvent}
		}
		p.vars = nil
	}
	scope, bad := p.scope(m.Scope, ancestor)
	if bad != nil {
		return bad
	}
	el := p.r.enter(m, scope)
	p.within = scope
	p.set(el)
	if m.Type == bpmn.ParallelGateway {
		scope.useUp(m)
	}
	return nil
}

// scope finds the instance of a scope, or makes it. Below a given ancestor all
// are made anew.
func (p *placement) scope(m *bpmn.Element, ancestor *elem) (*elem, *misplaced) {
	if ancestor != nil && ancestor.model == m && !ancestor.isBody() {
		return p.there(ancestor), nil
	}
	if ancestor == nil {
		list, bad := p.instances(m)
		switch {
		case bad != nil:
			return nil, bad
		case len(list) > 1:
			return nil, &misplaced{reason: ambiguousScope, element: m.ID}
		case len(list) == 1:
			return p.there(list[0]), nil
		}
	}
	if m.Loop != nil {
		return nil, &misplaced{reason: multiInstanceScope, element: m.ID}
	}
	outer, bad := p.scope(m.Scope, ancestor)
	if bad != nil {
		return nil, bad
	}
	return p.open(m, outer)
}

// open makes a scope active without starting what is in it.
func (p *placement) open(m *bpmn.Element, outer *elem) (*elem, *misplaced) {
	el := p.r.instance(m, outer)
	p.set(el)
	p.r.activating(el)
	p.r.activated(el)
	if fail := p.r.scopeEvents(el); fail != nil {
		return nil, &misplaced{reason: noSubscription, element: m.ID, text: fail.text}
	}
	if list, known := p.found[m]; known {
		p.found[m] = append(list, el)
	}
	return el, nil
}

// there sets the variables of a scope that is there and of those around it.
func (p *placement) there(el *elem) *elem {
	for at := el; at != nil; at = p.r.scope(at) {
		if !at.isBody() {
			p.set(at)
		}
	}
	return el
}

// set gives an element instance the variables that are meant for it.
func (p *placement) set(el *elem) {
	for _, v := range p.vars {
		if v.ScopeID != el.model.ID && (v.ScopeID != "" || el != p.root) {
			continue
		}
		members, err := jsondoc.Parse(v.Variables)
		if err != nil {
			p.r.tx.Fail(err) // it was parsed before
			return
		}
		for i := range members {
			p.r.setLocal(el, members[i].Name, members[i].Value)
		}
	}
}

// instances finds the active instances of a scope in the whole process.
func (p *placement) instances(m *bpmn.Element) ([]*elem, *misplaced) {
	if m == p.root.model {
		return []*elem{p.root}, nil
	}
	if list, known := p.found[m]; known {
		return list, nil
	}
	around, bad := p.instances(m.Scope)
	if bad != nil {
		return nil, bad
	}
	list, bad := p.inside(around, m)
	if bad == nil && m.Loop != nil {
		list, bad = p.inside(list, m) // the bodies: go on to the instances in them
	}
	if bad == nil {
		p.found[m] = list
	}
	return list, bad
}

// inside finds the active instances of an element directly inside some scopes.
func (p *placement) inside(scopes []*elem, m *bpmn.Element) (list []*elem, _ *misplaced) {
	for _, scope := range scopes {
		left := maxLookedAt - p.looked
		keys := p.r.tx.Children(scope.ElementInstance, left+1)
		if len(keys) > left {
			return nil, &misplaced{reason: tooManyInstances, element: m.ID}
		}
		p.looked += len(keys)
		for _, key := range keys {
			if el := p.r.elem(key); el != nil && el.model == m && el.State == state.Activated {
				list = append(list, el)
			}
		}
	}
	return list, nil
}

// useUp takes one token of each flow that waits at a gateway, which begins by
// itself (seen on Zeebe 8.6.0).
func (el *elem) useUp(gateway *bpmn.Element) {
	for i := range el.Joins {
		j := &el.Joins[i]
		if j.Element != gateway.ID {
			continue
		}
		for k := range j.Flows {
			j.Flows[k].Count--
		}
		j.Flows = slices.DeleteFunc(j.Flows, func(c state.FlowCount) bool { return c.Count == 0 })
		if len(j.Flows) == 0 {
			el.Joins = slices.Delete(el.Joins, i, i+1)
		}
		el.dirty = true
		return
	}
}

// undo rejects a command that has changed something already: nothing of it
// remains.
func (r *run) undo(err *protocol.Rejection) {
	r.tx.Reset()
	r.e.run.begin(r.tx, r.now)
	r.reject(err)
}
