package engine

import (
	"slices"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/state"
)

// pending is what follows once all inside the element has ended, nil if
// nothing was decided.
func (el *elem) pending() *state.Pending {
	if el.Extra == nil {
		return nil
	}
	return el.Extra.Pending
}

// trigger lets an event happen that el waits for: at it (a boundary event), in
// it (an event sub-process), or el itself.
func (r *run) trigger(el *elem, event *bpmn.Element, vars []state.Variable) {
	switch {
	case event == el.model:
		r.enqueue(stepComplete, el.Key)
	case el.model.Type == bpmn.EventBasedGateway:
		r.choose(el, event, vars)
	case event.Type == bpmn.StartEvent:
		r.triggerInside(el, event, vars)
	case event.Interrupting:
		el.More().Pending, el.dirty = &state.Pending{Event: event.ID, Variables: vars}, true
		r.terminate(el)
	default:
		r.enterWith(event, r.scope(el), vars)
	}
}

// choose goes on behind an event-based gateway with the event that came first;
// nobody waits for the others any more.
func (r *run) choose(gateway *elem, event *bpmn.Element, vars []state.Variable) {
	r.tx.DeleteTimers(gateway.ElementInstance)
	scope := r.exit(gateway)
	if closing(scope) {
		r.scopeDone(scope)
		return
	}
	el := r.enterWith(event, scope, vars)
	el.More().Happened = true
}

// triggerInside starts an event sub-process. An interrupting one first ends
// all else in its scope, and nothing interrupts that any more.
func (r *run) triggerInside(scope *elem, event *bpmn.Element, vars []state.Variable) {
	if scope.State != state.Activated || closing(scope) {
		return
	}
	if event.Interrupting {
		r.interrupt(scope, &state.Pending{Event: event.ID, Variables: vars})
		return
	}
	r.startInside(scope, event, vars)
}

// interrupt ends all that is inside a scope; p is what happens then.
func (r *run) interrupt(scope *elem, p *state.Pending) {
	if scope.unbegun() {
		r.dropJob(scope)
		r.dropIncident(scope.Incident)
		scope.State, scope.Incident, scope.Extra.Listener = state.Activated, 0, 0
	}
	r.closeInside(scope)
	scope.More().Pending, scope.Joins, scope.dirty = p, nil, true
	r.empty(scope)
}

// closeInside forgets the timers of a scope's event sub-processes; those of its
// boundary events stay.
func (r *run) closeInside(scope *elem) {
	for _, t := range slices.Clone(scope.More().Timers) {
		if m := scope.def.process.Element(t.Event); m != nil && m.Type == bpmn.StartEvent {
			r.tx.DeleteTimer(scope.ElementInstance, t.Key)
		}
	}
}

// emptied goes on in a scope that was interrupted.
func (r *run) emptied(scope *elem, p *state.Pending) {
	scope.Extra.Pending, scope.dirty = nil, true
	if p.Event == "" {
		r.enqueue(stepComplete, scope.Key)
		return
	}
	r.startInside(scope, scope.def.process.Element(p.Event), p.Variables)
}

// startInside enters an event sub-process; the variables that came with the
// event wait in it for its start event.
func (r *run) startInside(scope *elem, start *bpmn.Element, vars []state.Variable) {
	el := r.enter(start.Scope, scope)
	el.More().Pending = &state.Pending{Event: start.ID, Variables: vars}
}

// enterEventStart begins an event sub-process that was entered.
func (r *run) enterEventStart(el *elem) {
	p := el.pending()
	if p == nil { // an instance may be created right inside
		p = &state.Pending{}
		for _, m := range el.model.Children {
			if m.Type == bpmn.StartEvent {
				p.Event = m.ID
			}
		}
	} else {
		el.Extra.Pending = nil
	}
	r.enterWith(el.def.process.Element(p.Event), el, p.Variables)
}

// enterWith makes an instance of an event that has happened, with the
// variables that came with it as its own.
func (r *run) enterWith(m *bpmn.Element, scope *elem, vars []state.Variable) *elem {
	el := r.enter(m, scope)
	for _, v := range vars {
		el.SetVariable(v.Name, v.Value)
	}
	return el
}

// takeOver enters the boundary event that has interrupted el.
func (r *run) takeOver(el, scope *elem) {
	p := el.pending()
	if p == nil || closing(scope) {
		return
	}
	if m := el.def.process.Element(p.Event); m != nil && m.AttachedTo == el.model {
		r.enterWith(m, scope, p.Variables)
	}
}

// passOn hands the variables that came with the start event of an event
// sub-process to the process, unless its output mappings choose: those of a
// boundary event stay there (seen on Zeebe 8.6.0).
func (r *run) passOn(el *elem) {
	if el.model.Type != bpmn.StartEvent || el.model.Event == bpmn.EventNone || len(el.model.Outputs) > 0 {
		return
	}
	r.tx.LoadVariables(el.ElementInstance)
	for _, v := range el.Variables {
		r.propagate(r.scope(el), v.Name, v.Value)
	}
}

// end is what an end event does beside ending its path.
func (r *run) end(el *elem) {
	switch {
	case el.model.Job != nil:
		r.createJob(el)
	case el.model.Event == bpmn.EventError:
		r.throwAtEnd(el)
	case el.model.Event == bpmn.EventEscalation:
		r.escalate(el)
	default:
		r.complete(el)
	}
}

// throwEvent is what an intermediate throw event does.
func (r *run) throwEvent(el *elem) {
	switch {
	case el.model.Job != nil:
		r.createJob(el)
	case el.model.Event == bpmn.EventEscalation:
		r.escalate(el)
	default:
		r.complete(el)
	}
}

// endsScope tells whether el is a terminate end event: all else in its scope
// ends, and the scope completes (Zeebe 8.6).
func endsScope(m *bpmn.Element) bool {
	return m.Type == bpmn.EndEvent && m.Event == bpmn.EventTerminate
}

// happened tells whether the event that el is has come already.
func (el *elem) happened() bool { return el.Extra != nil && el.Extra.Happened }

// waitsFor lists the events that an element instance waits for while it is
// active.
func waitsFor(el *elem) []*bpmn.Element {
	switch {
	case el.happened():
		return nil
	case el.model.Type == bpmn.IntermediateCatchEvent:
		return []*bpmn.Element{el.model}
	case el.model.Type == bpmn.EventBasedGateway:
		events := make([]*bpmn.Element, len(el.model.Outgoing))
		for i, f := range el.model.Outgoing {
			events[i] = f.Target
		}
		return events
	}
	return slices.Concat(el.boundary(), el.eventStarts())
}
