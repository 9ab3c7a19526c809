package engine

import (
	"slices"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/internal/jsondoc"
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
		r.eventTriggering(el, event, vars)
		el.given = members(vars)
		r.follow(stepComplete, el)
	case el.model.Type == bpmn.EventBasedGateway:
		r.interruptAt(el, event, vars, stepComplete)
	case event.Type == bpmn.StartEvent:
		r.triggerInside(el, event, vars)
	case closing(r.scope(el)): // it is about to end
	case event.Interrupting:
		r.interruptAt(el, event, vars, stepTerminate)
	default:
		r.eventTriggering(el, event, vars)
		r.eventTriggered(el)
		r.occur(event, r.scope(el), vars)
	}
}

// interruptAt ends an element by an event that happens at it, or a gateway by
// one behind it: the first one counts. What follows it is entered when the
// element has ended.
func (r *run) interruptAt(el *elem, event *bpmn.Element, vars []state.Variable, op stepOp) {
	if el.interrupted() || el.model.Type == bpmn.EventBasedGateway && el.pending() != nil {
		return
	}
	r.eventTriggering(el, event, vars)
	el.More().Pending, el.dirty = &state.Pending{Event: event.ID, Variables: vars}, true
	r.enqueue(op, el.Key)
}

// occur makes an instance of an event that has happened: a boundary event, or
// one behind an event-based gateway. It is active at once, with the variables
// that came with the event as its own.
func (r *run) occur(m *bpmn.Element, scope *elem, vars []state.Variable) {
	el := r.instance(m, scope)
	r.activating(el)
	r.activated(el)
	for _, v := range vars {
		r.setLocal(el, v.Name, v.Value)
	}
	r.follow(stepComplete, el)
}

// triggerInside starts an event sub-process. An interrupting one first ends
// all else in its scope, and nothing interrupts that any more.
func (r *run) triggerInside(scope *elem, event *bpmn.Element, vars []state.Variable) {
	if scope.State != state.Activated || closing(scope) {
		return
	}
	r.eventTriggering(scope, event, vars)
	if !event.Interrupting {
		r.startInside(scope, event, vars)
		return
	}
	r.cutOff(scope, &state.Pending{Event: event.ID, Variables: vars})
	r.empty(scope)
}

// interrupt ends all that is inside a scope, which then completes. It takes
// one step more than an event sub-process does, as in the original.
func (r *run) interrupt(scope *elem, p *state.Pending) {
	if scope.unbegun() {
		r.dropJob(scope)
		r.dropIncident(scope)
		scope.More().Listener = 0
		r.activated(scope)
	}
	r.cutOff(scope, p)
	if !scope.HasChildren() {
		r.scopeDone(scope)
		return
	}
	r.follow(stepEmpty, scope)
}

// cutOff keeps anything new from beginning inside a scope; p is what happens
// when it is empty.
func (r *run) cutOff(scope *elem, p *state.Pending) {
	r.closeInside(scope)
	scope.More().Pending, scope.Joins, scope.dirty = p, nil, true
}

// closeInside ends the wait for the events of a scope's event sub-processes; it
// goes on for those of its boundary events.
func (r *run) closeInside(scope *elem) {
	inside := func(id string) bool {
		m := scope.def.process.Element(id)
		return m != nil && m.Type == bpmn.StartEvent
	}
	for _, t := range slices.Clone(scope.More().Timers) {
		if inside(t.Event) {
			r.tx.DeleteTimer(scope.ElementInstance, t.Key)
			r.recordTimer(scope, &t, "CANCELED")
		}
	}
	for i, s := range slices.Backward(scope.Extra.Subscriptions) {
		if inside(s.Event) {
			r.closeEvent(scope, i)
		}
	}
}

// emptied goes on in a scope that was interrupted.
func (r *run) emptied(scope *elem, p *state.Pending) {
	scope.Extra.Pending, scope.dirty = nil, true
	if p.Event == "" {
		r.follow(stepComplete, scope)
		return
	}
	r.startInside(scope, scope.def.process.Element(p.Event), p.Variables)
}

// startInside enters an event sub-process; the variables that came with the
// event wait in it for its start event.
func (r *run) startInside(scope *elem, start *bpmn.Element, vars []state.Variable) {
	el := r.enter(start.Scope, scope)
	el.More().Pending = &state.Pending{Event: start.ID, Variables: vars}
	el.event, scope.event = scope.event, nil
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
	start := r.enter(el.def.process.Element(p.Event), el)
	start.event = el.event
	for i := range p.Variables {
		r.held += len(p.Variables[i].Value)
	}
	if el.Scope != 0 {
		start.given = members(p.Variables)
		return
	}
	for _, v := range p.Variables { // a process's own start event has them itself
		start.SetVariable(v.Name, v.Value)
	}
}

// passOn hands the variables that came with a message or signal to the process,
// unless the event's output mappings choose. Those of an error stay with the
// boundary event that has caught it (seen on Zeebe 8.6.0).
func (r *run) passOn(el *elem) {
	m := el.model
	if len(m.Outputs) > 0 || m.Event != bpmn.EventMessage && m.Event != bpmn.EventSignal {
		return
	}
	root := m.Type == bpmn.StartEvent && m.Scope.Type == bpmn.ProcessElement
	if !root && m.Type != bpmn.BoundaryEvent && !behindGateway(m) {
		return // they went there at once
	}
	r.tx.LoadVariables(el.ElementInstance)
	for _, v := range el.Variables {
		r.propagate(r.scope(el), v.Name, v.Value)
	}
}

// behindGateway tells whether an event is waited for by an event-based gateway.
func behindGateway(m *bpmn.Element) bool {
	return m.Type == bpmn.IntermediateCatchEvent && len(m.Incoming) > 0 && m.Incoming[0].Source.Type == bpmn.EventBasedGateway
}

// members makes of an event's variables what an element takes in.
func members(vars []state.Variable) []jsondoc.Member {
	if len(vars) == 0 {
		return nil
	}
	list := make([]jsondoc.Member, len(vars))
	for i, v := range vars {
		list[i] = jsondoc.Member{Name: v.Name, Value: v.Value}
	}
	return list
}

// takeOver enters the boundary event that has interrupted el.
func (r *run) takeOver(el, scope *elem) {
	p := el.pending()
	if p == nil || closing(scope) {
		return
	}
	if m := el.def.process.Element(p.Event); m != nil && m.AttachedTo == el.model {
		r.eventTriggered(el)
		r.occur(m, scope, p.Variables)
	}
}

// endsScope tells whether el is a terminate end event: all else in its scope
// ends, and the scope completes (Zeebe 8.6).
func endsScope(m *bpmn.Element) bool {
	return m.Type == bpmn.EndEvent && m.Event == bpmn.EventTerminate
}

// waitsFor lists the events that an element instance waits for from its
// activation on. The event sub-processes in it are opened later, by its start event.
func waitsFor(el *elem) []*bpmn.Element {
	switch {
	case el.model.Type == bpmn.IntermediateCatchEvent:
		return []*bpmn.Element{el.model}
	case el.model.Type == bpmn.ReceiveTask && !el.isBody():
		return append([]*bpmn.Element{el.model}, el.boundary()...)
	case el.model.Type == bpmn.EventBasedGateway:
		events := make([]*bpmn.Element, len(el.model.Outgoing))
		for i, f := range el.model.Outgoing {
			events[i] = f.Target
		}
		return events
	}
	return el.boundary()
}
