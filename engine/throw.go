package engine

import (
	"strings"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// thrown is an error or escalation on its way to whoever catches it.
type thrown struct {
	event         bpmn.EventType
	at            *elem         // where it is caught
	by            *bpmn.Element // the event that catches it
	code, message string
	vars          []state.Variable
	// available are the codes that are caught on its way.
	available []string
}

// throwJobError ends a job with an error. If nothing catches it the job waits
// for its incident (recorded with 8.6.0: error-from-job-uncaught).
func (r *run) throwJobError(c *protocol.ThrowError) {
	old := r.openJob(c, "throw an error for", c.JobKey)
	if old == nil {
		return
	}
	el := r.elem(old.Element)
	if el != nil && el.listening() > 0 {
		r.reject(protocol.Reject(protocol.InvalidState, c.Intent(), "Cannot throw BPMN error from EXECUTION_LISTENER job with key '%d', type '%s' and processInstanceKey '%d'", old.Key, old.Type, old.Instance))
		return
	}
	members, err := jsondoc.Parse(c.Variables)
	if err != nil {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "%s", err))
		return
	}
	r.out.Reply = &protocol.Done{}
	if el == nil {
		return
	}
	x := thrown{event: bpmn.EventError, code: c.Code, message: c.Message}
	for i := range members {
		x.vars = append(x.vars, state.Variable{Name: members[i].Name, Value: members[i].Value})
	}
	j := *old
	r.recordJobSent(old, "ERROR_THROWN", c.Code, c.Message, members)
	if r.find(el, &x) {
		r.tx.DeleteJob(old)
		el.Job, el.dirty = 0, true
		r.hit(&x)
		return
	}
	j.State, j.Deadline = state.JobErrorThrown, 0
	j.Incident = r.jobIncident(el, &j, "UNHANDLED_ERROR_EVENT", x.text())
	r.tx.PutJob(old, &j)
}

// throws tells whether an event throws an error or an escalation.
func throws(m *bpmn.Element) bool {
	return m.Type == bpmn.EndEvent && m.Event == bpmn.EventError ||
		(m.Type == bpmn.EndEvent || m.Type == bpmn.IntermediateThrowEvent) && m.Event == bpmn.EventEscalation
}

// throwing finds out what an event throws, and who catches it. An error that
// nobody catches is an incident; with an escalation nothing happens then
// (recorded with 8.6.0: escalation-uncaught).
func (r *run) throwing(el *elem) (*thrown, *failure) {
	code, fail := r.code(el)
	if fail != nil {
		return nil, fail
	}
	x := &thrown{event: el.model.Event, code: code}
	if !r.find(el, x) && x.event == bpmn.EventError {
		return nil, &failure{"UNHANDLED_ERROR_EVENT", x.text()}
	}
	return x, nil
}

// throwFrom lets an error or escalation reach who catches it. An event that has
// thrown an error stays where it is until it is ended by that; one that has
// thrown an escalation goes on unless that has interrupted it.
func (r *run) throwFrom(el *elem, x *thrown) {
	r.hit(x)
	if x.event == bpmn.EventError {
		return
	}
	r.recordEscalation(el, x)
	if x.by == nil || !x.by.Interrupting {
		r.follow(stepComplete, el)
	}
}

// hit triggers the event that catches x, if there is one.
func (r *run) hit(x *thrown) {
	if x.by != nil {
		r.trigger(x.at, x.by, x.vars)
	}
}

// code works out the code that an event throws.
func (r *run) code(el *elem) (string, *failure) {
	x := el.model.Code
	if x == nil {
		return "", nil
	}
	return r.text(x, el)
}

// find looks for an event that catches x, from el outwards. At
// each place the event with the error's code comes before one without. What is
// thrown inside an interrupting event sub-process does not reach what stands at
// the scope that it has interrupted (seen on Zeebe 8.6.0).
func (r *run) find(el *elem, x *thrown) (caught bool) {
	for at := el; at != nil; {
		scope := r.scope(at)
		if at.State == state.Terminating || closing(scope) {
			return true // it ends anyway
		}
		if event := x.catch(at.boundary()); event != nil {
			x.at, x.by = at, event
			return true
		}
		if scope == nil {
			at = r.caller(at)
			continue
		}
		if at.model.Type == bpmn.EventSubProcess && interrupts(at.model) {
			return false
		}
		if event := x.catch(scope.eventStarts()); event != nil {
			x.at, x.by = scope, event
			return true
		}
		at = scope
	}
	return false
}

// interrupts tells whether an event sub-process ends what is beside it.
func interrupts(m *bpmn.Element) bool {
	for _, start := range m.Scope.EventStarts {
		if start.Scope == m {
			return start.Interrupting
		}
	}
	return false
}

// catch picks the event that catches x, nil if none does.
func (x *thrown) catch(events []*bpmn.Element) (found *bpmn.Element) {
	for _, e := range events {
		switch {
		case e.Event != x.event:
		case e.Code == nil:
			if found == nil {
				found = e
			}
		case e.Code.IsStatic() && e.Code.Static() == x.code:
			return e
		case e.Code.IsStatic():
			x.available = append(x.available, e.Code.Static())
		}
	}
	return found
}

// text is the original's text of an error that nothing catches.
func (x *thrown) text() string {
	text := "Expected to throw an error event with the code '" + x.code + "'"
	if x.message != "" {
		text += " with message '" + x.message + "'"
	}
	text += ", but it was not caught. "
	if len(x.available) == 0 {
		return text + "No error events are available in the scope."
	}
	return text + "Available error events are [" + strings.Join(x.available, ", ") + "]"
}
