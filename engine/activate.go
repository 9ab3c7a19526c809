package engine

import (
	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/state"
)

// activate brings an element instance to life: input mappings, then what the
// element is there for.
func (r *run) activate(el *elem) {
	if el.State == state.Terminating {
		return
	}
	if closing(r.scope(el)) {
		r.terminate(el) // it was cut off before it began
		return
	}
	if el.isBody() {
		r.openLoop(el)
		return
	}
	if err := r.applyInputs(el); err != nil {
		r.incident(el, "IO_MAPPING_ERROR", err.Error(), stepActivate)
		return
	}
	if !el.happened() && r.listen(el) {
		return
	}
	r.activated(el)
}

// activated makes an element instance active and lets it do what it is there for.
func (r *run) activated(el *elem) {
	if fail := r.openTimers(el); fail != nil {
		r.incident(el, fail.kind, fail.text, stepActivate)
		return
	}
	el.State, el.dirty = state.Activated, true
	r.act(el)
}

// act does what the element is there for.
func (r *run) act(el *elem) {
	switch el.model.Type {
	case bpmn.SubProcess:
		r.enter(el.model.NoneStart, el)
	case bpmn.ProcessElement:
		p := el.pending()
		el.Extra.Pending = nil
		r.enterWith(el.def.process.Element(p.Event), el, p.Variables)
	case bpmn.EventSubProcess:
		r.enterEventStart(el)
	case bpmn.IntermediateCatchEvent:
		if el.model.Timer == nil || el.happened() {
			r.complete(el)
		}
	case bpmn.EventBasedGateway: // waits for the events behind it
	case bpmn.EndEvent:
		r.end(el)
	case bpmn.CallActivity:
		r.call(el)
	case bpmn.IntermediateThrowEvent:
		r.throwEvent(el)
	default:
		switch {
		case el.model.Job != nil:
			r.createJob(el)
		case el.model.Script != nil:
			r.runScript(el)
		default:
			r.complete(el)
		}
	}
}

// closing tells whether a scope is being emptied: what comes to it or goes on
// inside it ends.
func closing(scope *elem) bool {
	return scope != nil && (scope.State == state.Terminating || scope.pending() != nil && scope.State != state.Activating)
}

// unbegun tells whether an element has not become active and knows with which
// event it will begin inside. A modification may have begun something there.
func (el *elem) unbegun() bool { return el.State == state.Activating && el.pending() != nil }

// complete ends an element instance with success: output mappings, then out.
func (r *run) complete(el *elem) {
	if el.State == state.Terminating || el.HasChildren() || el.listening() > 0 || el.unbegun() {
		return // something has begun inside it meanwhile: it will be done again
	}
	el.State, el.dirty = state.Completing, true
	r.dropIncident(el.Incident)
	el.Incident = 0
	if el.Scope != 0 && !el.isBody() {
		if err := r.applyOutputs(el); err != nil {
			r.incident(el, "IO_MAPPING_ERROR", err.Error(), stepComplete)
			return
		}
	}
	r.tx.DeleteTimers(el.ElementInstance)
	if !r.listen(el) {
		r.finish(el)
	}
}

// finish ends an element instance that has nothing left to do.
func (r *run) finish(el *elem) {
	switch {
	case el.Scope == 0:
		r.completeProcess(el)
		return
	case el.isBody():
		r.closeLoop(el)
	case el.isInner():
		if fail := r.collect(el); fail != nil {
			r.incident(el, fail.kind, fail.text, stepComplete)
			return
		}
	}
	r.passOn(el)
	r.leave(el)
}

// leave takes the outgoing flows of an element that is done. In a scope that is
// being terminated it only ends: what it entered would not be told to.
func (r *run) leave(el *elem) {
	if closing(r.scope(el)) {
		r.scopeDone(r.exit(el))
		return
	}
	if el.isInner() {
		r.leaveLoop(el)
		return
	}
	flows, failure := r.outgoing(el)
	if failure != nil {
		r.incident(el, failure.kind, failure.text, stepLeave)
		return
	}
	scope := r.exit(el)
	if endsScope(el.model) {
		r.interrupt(scope, &state.Pending{})
		return
	}
	for _, f := range flows {
		r.take(f, scope)
	}
	if to := el.model.LinkTarget; to != nil {
		r.enter(to, scope)
	}
	r.scopeDone(scope)
}

// take brings a token over a sequence flow. A parallel gateway is entered only
// when each of its incoming flows has brought one.
func (r *run) take(f *bpmn.Flow, scope *elem) {
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
	if p := scope.pending(); p != nil {
		r.emptied(scope, p)
		return
	}
	if scope.isBody() && scope.Extra.Loop.Created < scope.Extra.Loop.Total {
		return // more instances are on their way
	}
	if len(scope.Joins) == 0 {
		r.enqueue(stepComplete, scope.Key)
	}
}

// completeProcess ends an instance and tells who waits for its result.
func (r *run) completeProcess(el *elem) {
	el.gone = true
	if el.AwaitResult {
		r.out.Effects.Completed = append(r.out.Effects.Completed, Completed{Instance: el.Key, Result: r.result(el)})
	}
	r.returned(el)
}
