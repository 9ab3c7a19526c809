package engine

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// incident stops an element until somebody has looked at it. again is the step
// that is taken then.
func (r *run) incident(el *elem, kind, text string, again stepOp) {
	if el.Extra != nil {
		el.Extra.Listener = 0 // all begin anew, as in the original
	}
	el.Incident, el.dirty = r.openIncident(el, 0, kind, text, again), true
}

// jobIncident stops a job until somebody has looked at it.
func (r *run) jobIncident(el *elem, j *state.Job, kind, text string) protocol.Key {
	return r.openIncident(el, j.Key, kind, text, 0)
}

func (r *run) openIncident(el *elem, job protocol.Key, kind, text string, again stepOp) protocol.Key {
	i := &state.Incident{Key: r.key(), Job: job, Type: kind, Message: text, Step: byte(again), Since: r.now}
	if el != nil {
		i.Element, i.Instance = el.Key, el.Instance
	}
	r.tx.InsertIncident(i)
	r.recordIncident(el, i, "CREATED")
	return i.Key
}

// dropIncident ends the incident of an element that goes on or ends.
func (r *run) dropIncident(el *elem) {
	r.closeIncident(el.Incident, el)
	el.Incident = 0
}

func (r *run) closeIncident(key protocol.Key, el *elem) {
	if key == 0 {
		return
	}
	if r.rec != nil {
		r.recordIncident(el, r.tx.Incident(key), "RESOLVED")
	}
	r.tx.DeleteIncident(key)
}

// resolve tries again what an incident stopped. A job needs retries first
// (seen on Zeebe 8.6.0: NOT_FOUND, not FAILED_PRECONDITION).
func (r *run) resolve(c *protocol.ResolveIncident) {
	i := r.tx.Incident(c.IncidentKey)
	if i == nil {
		r.reject(protocol.Reject(protocol.NotFound, c.Intent(), "Expected to resolve incident with key '%d', but no such incident was found", c.IncidentKey))
		return
	}
	r.out.Reply = &protocol.Done{}
	if i.Job != 0 {
		r.resolveJob(c, i)
		return
	}
	el := r.elem(i.Element)
	r.closeIncident(i.Key, el)
	if el != nil {
		el.Incident, el.dirty = 0, true
		r.releaseTimers(el)
		if i.Step != 0 {
			r.enqueue(stepOp(i.Step), el.Key)
		}
	}
}

func (r *run) resolveJob(c *protocol.ResolveIncident, i *state.Incident) {
	old := r.tx.Job(i.Job)
	if old != nil && old.Retries < 1 {
		r.reject(protocol.Reject(protocol.NotFound, c.Intent(), "Expected to resolve incident with key '%d', but job with key '%d' has no retries left. Please update the job retries and retry resolving the incident", i.Key, i.Job))
		return
	}
	r.closeIncident(i.Key, r.elem(i.Element))
	if old != nil {
		j := *old
		j.Incident = 0
		r.activatable(old, &j)
	}
}
