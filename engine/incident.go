package engine

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

func incidentRecord(key protocol.Key, el *elem, job protocol.Key, kind, text string, again stepOp) *state.Incident {
	i := &state.Incident{Key: key, Job: job, Type: kind, Message: text, Step: byte(again)}
	if el != nil {
		i.Element, i.Instance = el.Key, el.Instance
	}
	return i
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
	r.tx.DeleteIncident(i.Key)
	if el := r.elem(i.Element); el != nil {
		el.Incident, el.dirty = 0, true
		r.enqueue(stepOp(i.Step), el.Key)
	}
}

func (r *run) resolveJob(c *protocol.ResolveIncident, i *state.Incident) {
	old := r.tx.Job(i.Job)
	if old != nil && old.Retries < 1 {
		r.reject(protocol.Reject(protocol.NotFound, c.Intent(), "Expected to resolve incident with key '%d', but job with key '%d' has no retries left. Please update the job retries and retry resolving the incident", i.Key, i.Job))
		return
	}
	r.tx.DeleteIncident(i.Key)
	if old != nil {
		j := *old
		j.Incident = 0
		r.activatable(old, &j)
	}
}
