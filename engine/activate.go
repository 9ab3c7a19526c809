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
	if scope := r.scope(el); scope != nil && scope.State == state.Terminating {
		r.terminate(el) // it was cut off before it began
		return
	}
	if err := r.applyInputs(el); err != nil {
		r.incident(el, "IO_MAPPING_ERROR", err.Error(), stepActivate)
		return
	}
	el.State, el.dirty = state.Activated, true
	switch el.model.Type {
	case bpmn.SubProcess:
		r.enter(el.model.NoneStart, el)
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

// complete ends an element instance with success: output mappings, then out.
func (r *run) complete(el *elem) {
	if el.State == state.Terminating {
		return
	}
	el.State, el.dirty = state.Completing, true
	if el.Scope == 0 {
		r.completeProcess(el)
		return
	}
	if err := r.applyOutputs(el); err != nil {
		r.incident(el, "IO_MAPPING_ERROR", err.Error(), stepComplete)
		return
	}
	r.leave(el)
}

// leave takes the outgoing flows of an element that is done. In a scope that is
// being terminated it only ends: what it entered would not be told to.
func (r *run) leave(el *elem) {
	if scope := r.scope(el); scope != nil && scope.State == state.Terminating {
		r.scopeDone(r.exit(el))
		return
	}
	flows, failure := r.outgoing(el)
	if failure != nil {
		r.incident(el, failure.kind, failure.text, stepLeave)
		return
	}
	scope := r.exit(el)
	for _, f := range flows {
		r.take(f, scope)
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
}
