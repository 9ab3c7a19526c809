package engine

import (
	"strings"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/feel"
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// thrown is an error or escalation on its way to whoever catches it.
type thrown struct {
	event         bpmn.EventType
	by            *bpmn.Element // the event that has caught it
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
	if r.throw(el, &x) {
		return // its element ends, and the job with it
	}
	j := *old
	j.State, j.Deadline, j.Incident = state.JobErrorThrown, 0, r.key()
	r.tx.InsertIncident(incidentRecord(j.Incident, el, j.Key, "UNHANDLED_ERROR_EVENT", x.text(), 0))
	r.tx.PutJob(old, &j)
}

// throwAtEnd throws the error of an end event. The end event stays where it is
// until whoever catches the error ends it.
func (r *run) throwAtEnd(el *elem) {
	code, fail := r.code(el)
	if fail == nil {
		x := thrown{event: bpmn.EventError, code: code}
		if r.throw(el, &x) {
			return
		}
		fail = &failure{"UNHANDLED_ERROR_EVENT", x.text()}
	}
	el.State = state.Activating // as in the original
	r.incident(el, fail.kind, fail.text, stepActivate)
}

// escalate throws the escalation of an event, which then goes on unless that has
// interrupted it. If nothing catches it, nothing happens (recorded with 8.6.0:
// escalation-uncaught).
func (r *run) escalate(el *elem) {
	code, fail := r.code(el)
	if fail != nil {
		el.State = state.Activating
		r.incident(el, fail.kind, fail.text, stepActivate)
		return
	}
	x := thrown{event: bpmn.EventEscalation, code: code}
	if !r.throw(el, &x) || x.by != nil && !x.by.Interrupting {
		r.complete(el)
	}
}

// code works out the code that an event throws.
func (r *run) code(el *elem) (string, *failure) {
	x := el.model.Code
	if x == nil {
		return "", nil
	}
	if x.IsStatic() {
		return x.Static(), nil
	}
	v, fail := r.eval(x, el, "STRING", feel.KindString)
	if fail != nil {
		return "", fail
	}
	return string(v.(feel.String)), nil
}

// throw looks for an event that catches x, from el outwards, and triggers it. At
// each place the event with the error's code comes before one without. What is
// thrown inside an interrupting event sub-process does not reach what stands at
// the scope that it has interrupted (seen on Zeebe 8.6.0).
func (r *run) throw(el *elem, x *thrown) (caught bool) {
	for at := el; at != nil; {
		scope := r.scope(at)
		if at.State == state.Terminating || closing(scope) {
			return true // it ends anyway
		}
		if event := x.catch(at.boundary()); event != nil {
			x.by = event
			r.trigger(at, event, x.vars)
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
			x.by = event
			r.trigger(scope, event, x.vars)
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
