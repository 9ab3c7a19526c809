package engine

import (
	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/feel"
	"github.com/grevy-io/grevy/state"
)

// The order of steps is the original's, as its log shows it (seen on Zeebe
// 8.6.0): each follow-up is a step at the end of the queue. Activation does an
// element's work, or leaves it to a worker; an element that only passes the
// token on is completed by a step of its own, a gateway at once.

// work is what an element is about to do. It is worked out before anything is
// done, so that an incident leaves nothing half done: all of it is worked out
// anew when that is resolved.
type work struct {
	job    jobValues
	flows  []*bpmn.Flow
	items  feel.List
	callee *definition
	depth  int64
	thrown *thrown
	signal string
}

// activate brings an element instance to life. first says that it is not tried
// again after an incident.
func (r *run) activate(el *elem, first bool) {
	if el.State == state.Terminating {
		return
	}
	el.begun = true
	if closing(r.scope(el)) {
		if first {
			r.scopeDone(r.exit(el)) // it was cut off before it began
		} else {
			r.terminate(el)
		}
		return
	}
	if first {
		r.activating(el)
	}
	if !el.isBody() {
		if err := r.applyInputs(el); err != nil {
			r.incident(el, "IO_MAPPING_ERROR", err.Error(), stepAgain)
			return
		}
	}
	if !r.listen(el) {
		r.proceed(el)
	}
}

// proceed makes an element instance active and lets it do what it is there for.
func (r *run) proceed(el *elem) {
	var w work
	if fail := r.prepare(el, &w); fail != nil {
		r.incident(el, fail.kind, fail.text, stepAgain)
		return
	}
	if r.out.Miss != nil {
		return // the command is executed again
	}
	r.activated(el)
	r.act(el, &w)
}

// prepare works out what the element will do, begins to wait for its events and
// hands its work to a worker.
func (r *run) prepare(el *elem, w *work) *failure {
	if fail := r.workOut(el, w); fail != nil {
		return fail
	}
	if fail := r.openEvents(el, waitsFor(el)); fail != nil {
		return fail
	}
	if el.model.Job != nil && !el.isBody() {
		r.createJob(el, &w.job)
	}
	return nil
}

func (r *run) workOut(el *elem, w *work) (fail *failure) {
	switch m := el.model; {
	case el.isBody():
		w.items, fail = r.loopItems(el)
	case m.Job != nil:
		w.job, fail = r.jobValues(el)
	case m.Script != nil:
		fail = r.runScript(el)
	case m.Decision != nil:
		fail = r.decide(el)
	case m.Native != nil:
		fail = r.openUserTask(el)
	case m.Type == bpmn.ExclusiveGateway, m.Type == bpmn.InclusiveGateway:
		w.flows, fail = r.outgoing(el)
	case m.Type == bpmn.CallActivity:
		w.callee, w.depth, fail = r.callee(el)
	case throws(m):
		w.thrown, fail = r.throwing(el)
	case throwsSignal(m):
		w.signal, fail = r.text(m.Signal, el)
	}
	return fail
}

// act does what the element is there for, once it is active.
func (r *run) act(el *elem, w *work) {
	if el.isBody() {
		r.openLoop(el, w.items)
		return
	}
	switch m := el.model; {
	case m.Job != nil || m.Native != nil: // somebody's turn
	case w.thrown != nil:
		r.throwFrom(el, w.thrown)
	case compensates(m):
		r.compensate(el)
	case m.Type == bpmn.EventSubProcess, m.Type == bpmn.ProcessElement && el.pending() != nil:
		r.enterEventStart(el)
	case m.Type == bpmn.SubProcess, m.Type == bpmn.ProcessElement:
		r.enter(m.NoneStart, el)
	case m.Type == bpmn.CallActivity:
		r.call(el, w.callee, w.depth)
	case m.Type == bpmn.EventBasedGateway: // waits for the events behind it
	case m.Type == bpmn.ReceiveTask, m.Type == bpmn.IntermediateCatchEvent && m.Event != bpmn.EventLink: // waits
	case throwsSignal(m):
		r.throwSignal(el, w.signal)
	case m.Type == bpmn.ExclusiveGateway, m.Type == bpmn.InclusiveGateway, m.Type == bpmn.ParallelGateway:
		el.flows = w.flows
		r.complete(el)
	default:
		r.follow(stepComplete, el)
	}
}

// activating notes that an element instance begins.
func (r *run) activating(el *elem) {
	el.begun = true
	r.recordElement(el, "ELEMENT_ACTIVATING")
	if el.Scope != 0 {
		r.recordVariables(el)
	}
}

// activated notes that an element instance is active.
func (r *run) activated(el *elem) {
	el.State, el.dirty = state.Activated, true
	r.recordElement(el, "ELEMENT_ACTIVATED")
}

// closing tells whether a scope is being emptied: what comes to it or goes on
// inside it ends. A scope that a boundary event has interrupted goes on until
// it is told to end.
func closing(scope *elem) bool {
	return scope != nil && (scope.State == state.Terminating || scope.pending() != nil && !scope.unbegun() && !scope.interrupted())
}

// unbegun tells whether an element has not become active. A modification may
// have begun something in it.
func (el *elem) unbegun() bool { return el.State == state.Activating }

// interrupted tells whether an interrupting boundary event has happened at el,
// which is about to be told.
func (el *elem) interrupted() bool {
	p := el.pending()
	if p == nil || p.Event == "" {
		return false
	}
	m := el.def.process.Element(p.Event)
	return m != nil && m.AttachedTo == el.model
}

// complete ends an element instance with success: what was brought to it is
// taken in, output mappings, then out.
func (r *run) complete(el *elem) {
	if el.State == state.Terminating || el.HasChildren() || el.listening() > 0 || el.unbegun() || el.interrupted() {
		return // something has begun inside it or happened at it: there will be another step
	}
	if el.State != state.Completing {
		el.State, el.dirty = state.Completing, true
		r.recordElement(el, "ELEMENT_COMPLETING")
		r.takeIn(el)
	}
	r.dropIncident(el)
	if el.Scope != 0 && !el.isBody() {
		if err := r.applyOutputs(el); err != nil {
			r.incident(el, "IO_MAPPING_ERROR", err.Error(), stepComplete)
			return
		}
	}
	r.closeEvents(el)
	if !r.listen(el) {
		r.finish(el)
	}
}

// finish ends an element instance that has nothing left to do.
func (r *run) finish(el *elem) {
	if el.Scope != 0 {
		if fail := r.handOut(el); fail != nil {
			r.incident(el, fail.kind, fail.text, stepComplete)
			return
		}
	}
	r.conclude(el)
}

// conclude takes an element instance out of its scope, or ends the instance.
func (r *run) conclude(el *elem) {
	switch {
	case !r.settle(el):
		r.follow(stepConclude, el)
	case el.Scope == 0:
		r.completeProcess(el)
	default:
		r.leave(el)
	}
}

// takeIn takes in the variables that a worker, a script or an event has brought.
func (r *run) takeIn(el *elem) {
	given := el.given
	if p := el.pending(); p != nil && p.Event == el.Element {
		given, el.Extra.Pending = members(p.Variables), nil
	}
	r.eventTriggered(el)
	r.mergeCompletion(el, given)
	el.given = nil
}

// handOut gives what an element leaves to the scopes around it. A start event
// also lets its scope wait for the event sub-processes (seen on Zeebe 8.6.0:
// they are opened while it completes, and their incidents are its own).
func (r *run) handOut(el *elem) *failure {
	if el.isBody() {
		r.closeLoop(el)
		return nil
	}
	if el.isInner() {
		return r.collect(el)
	}
	r.passOn(el)
	if el.model.Type == bpmn.StartEvent {
		if scope := r.scope(el); len(scope.model.EventStarts) > 0 && !closing(scope) {
			return r.openEvents(scope, scope.eventStarts())
		}
	}
	return nil
}

// leave takes the outgoing flows of an element that is done, the last one of the
// file first (seen on Zeebe 8.6.0). In a scope that is being emptied it only ends:
// what it entered would not be told to.
func (r *run) leave(el *elem) {
	flows, fail := r.flowsOf(el)
	if fail != nil {
		r.incident(el, fail.kind, fail.text, stepComplete)
		return
	}
	r.recordElement(el, "ELEMENT_COMPLETED")
	switch {
	case closing(r.scope(el)):
		r.scopeDone(r.exit(el))
		return
	case el.isInner():
		r.leaveLoop(el)
		return
	}
	scope := r.exit(el)
	switch {
	case el.model.Type == bpmn.EventBasedGateway:
		p := el.pending()
		r.occur(el.def.process.Element(p.Event), scope, p.Variables)
		return
	case endsScope(el.model):
		r.interrupt(scope, &state.Pending{})
		return
	}
	for i := len(flows) - 1; i >= 0; i-- {
		r.take(flows[i], scope)
	}
	if to := el.model.LinkTarget; to != nil {
		r.enter(to, scope)
	}
	r.scopeDone(scope)
}

// flowsOf are the flows that an element takes when it is done.
func (r *run) flowsOf(el *elem) ([]*bpmn.Flow, *failure) {
	switch {
	case el.flows != nil:
		return el.flows, nil
	case el.model.Type == bpmn.EventBasedGateway:
		return nil, nil
	}
	return r.outgoing(el)
}

// take brings a token over a sequence flow. A parallel gateway is entered only
// when each of its incoming flows has brought one.
func (r *run) take(f *bpmn.Flow, scope *elem) {
	r.recordFlow(f, scope)
	if f.Target.Type == bpmn.ParallelGateway && len(f.Target.Incoming) > 1 && !r.join(f, scope) {
		return
	}
	r.enter(f.Target, scope)
}

// scopeDone completes a scope when nothing is left in it. Tokens that wait at a
// gateway keep it open, as in the original.
func (r *run) scopeDone(scope *elem) {
	if scope == nil || scope.HasChildren() {
		return
	}
	if scope.State == state.Terminating {
		r.terminated(scope)
		return
	}
	if scope.interrupted() {
		return // it will be told to end
	}
	if p := scope.pending(); p != nil {
		r.emptied(scope, p)
		return
	}
	if scope.isBody() && scope.Extra.Loop.Created < scope.Extra.Loop.Total {
		return // more instances are on their way
	}
	if len(scope.Joins) == 0 {
		r.follow(stepComplete, scope)
	}
}

// completeProcess ends an instance and tells who waits for its result.
func (r *run) completeProcess(el *elem) {
	el.gone = true
	r.recordElement(el, "ELEMENT_COMPLETED")
	r.unlock(el)
	if el.AwaitResult {
		r.out.Effects.Completed = append(r.out.Effects.Completed, Completed{Instance: el.Key, Result: r.result(el)})
	}
	r.returned(el)
}
