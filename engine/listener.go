package engine

import (
	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/state"
)

// Execution listeners are jobs around an element's own work, done one after
// another: those for its start once its input mappings are applied and before
// it waits for anything, those for its end once its output mappings are applied
// and nothing is waited for any more. Of a multi-instance activity each instance
// has them, the body none (all seen on Zeebe 8.6.0). Which one is at work stands
// in the element's Extra; its state tells the list.

// listening is the number of the listener at work, from 1; 0: none is.
func (el *elem) listening() int64 {
	if el.Extra == nil {
		return 0
	}
	return el.Extra.Listener
}

// listeners are those of the element's present state.
func (el *elem) listeners() []bpmn.Listener {
	switch {
	case el.isBody():
		return nil
	case el.State == state.Completing:
		return el.model.EndListeners
	}
	return el.model.StartListeners
}

// listen lets the next listener do its job. waits is false if there is none.
func (r *run) listen(el *elem) (waits bool) {
	list, n := el.listeners(), el.listening()
	if n >= int64(len(list)) { // more, if it has migrated to where there are fewer
		if n > 0 {
			el.Extra.Listener, el.dirty = 0, true
		}
		return false
	}
	if fail := r.createListenerJob(el, &list[n]); fail != nil {
		again := stepAgain
		if el.State == state.Completing {
			again = stepComplete
		}
		r.incident(el, fail.kind, fail.text, again)
		return true
	}
	el.More().Listener, el.dirty = n+1, true
	if r.rec != nil {
		r.recordJob(r.tx.Job(el.Job), "CREATED")
	}
	return true
}

// createListenerJob hands a listener's work to whoever activates it.
func (r *run) createListenerJob(el *elem, l *bpmn.Listener) *failure {
	if l.Wrong != "" {
		return &failure{"EXTRACT_VALUE_ERROR", l.Wrong}
	}
	jobType, fail := r.jobType(l.Type, el)
	if fail != nil {
		return fail
	}
	retries, fail := r.retries(l.Retries, el)
	if fail != nil {
		return fail
	}
	j := r.newJob(el, jobType, retries)
	j.Headers = noHeaders // those of the task are not for its listeners
	r.activatable(nil, j)
	return nil
}

var noHeaders = []byte("{}")

// listened takes in what a listener has left. Those for the start write to the
// element itself, those for the end to the scope around it and no further (seen
// on Zeebe 8.6.0).
func (r *run) listened(el *elem, members []jsondoc.Member) {
	at := el
	if scope := r.scope(el); scope != nil && el.State == state.Completing {
		at = scope
	}
	if r.rec != nil {
		r.processEvent(el, el.model, members)
	}
	if el.model.Type != bpmn.ParallelGateway { // it has no variables: nobody would see them (seen on Zeebe 8.6.0)
		for i := range members {
			r.setLocal(at, members[i].Name, members[i].Value)
		}
	}
	r.follow(stepListened, el)
}

// afterListener goes on where a listener has held an element up.
func (r *run) afterListener(el *elem) {
	r.eventTriggered(el)
	switch {
	case el.State == state.Terminating || el.Job != 0 || el.listening() == 0:
	case closing(r.scope(el)):
		r.terminate(el)
	case el.HasChildren() && el.State == state.Completing: // by a modification: it will be done again
		el.State, el.Extra.Listener, el.dirty = state.Activated, 0, true
	case r.listen(el):
	case el.State == state.Completing:
		r.finish(el)
	default:
		r.proceed(el)
	}
}

// startWith begins an instance at a start event.
func (r *run) startWith(root *elem, start *bpmn.Element, vars []state.Variable) {
	root.More().Pending, root.dirty = &state.Pending{Event: start.ID, Variables: vars}, true
	r.follow(stepActivate, root)
}
