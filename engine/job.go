package engine

import (
	"strconv"

	"github.com/grevy-io/grevy/feel"
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// jobValues are what a job's expressions make.
type jobValues struct {
	kind    string
	retries int32
	headers []byte
}

func (r *run) jobValues(el *elem) (v jobValues, fail *failure) {
	if v.kind, fail = r.jobType(el.model.Job.Type, el); fail != nil {
		return v, fail
	}
	if v.retries, fail = r.retries(el.model.Job.Retries, el); fail != nil {
		return v, fail
	}
	v.headers, fail = r.headers(el)
	return v, fail
}

// createJob hands the element's work to whoever activates it.
func (r *run) createJob(el *elem, v *jobValues) {
	j := r.newJob(el, v.kind, v.retries)
	j.Headers = v.headers
	r.activatable(nil, j)
	r.recordJob(j, "CREATED")
}

// newJob makes a job of an element. The caller writes it.
func (r *run) newJob(el *elem, jobType string, retries int32) *state.Job {
	j := &state.Job{
		Key: r.key(), Element: el.Key, Instance: el.Instance, Definition: el.Definition,
		Type: jobType, ElementID: el.Element, ProcessID: el.def.ID, Version: el.def.Version,
		State: state.JobActivatable, Retries: retries,
	}
	el.Job, el.dirty = j.Key, true
	return j
}

// jobType works out a job's type.
func (r *run) jobType(x *feel.Expression, el *elem) (string, *failure) {
	if x.IsStatic() {
		return x.Static(), nil
	}
	v, fail := r.eval(x, el, "STRING", feel.KindString)
	if fail != nil {
		return "", fail
	}
	if v.(feel.String) == "" {
		return "", &failure{"EXTRACT_VALUE_ERROR", "Expected result of the expression '" + x.Source() + "' to be a not-empty string, but was an empty string."}
	}
	return string(v.(feel.String)), nil
}

// retries works out how often a job may fail.
func (r *run) retries(x *feel.Expression, el *elem) (int32, *failure) {
	if x.IsStatic() {
		if n, err := strconv.ParseInt(x.Static(), 10, 32); err == nil {
			return int32(n), nil
		}
	}
	v, fail := r.eval(x, el, "NUMBER", feel.KindNumber)
	if fail != nil {
		return 0, fail
	}
	n, err := strconv.ParseFloat(string(feel.AppendJSON(nil, v)), 64)
	if err != nil {
		return 0, &failure{"EXTRACT_VALUE_ERROR", err.Error()}
	}
	return int32(max(min(n, 1<<31-1), -1<<31)), nil
}

// activatable makes a job one that may be activated, and tells so.
func (r *run) activatable(old, j *state.Job) {
	j.State, j.Deadline, j.Worker = state.JobActivatable, 0, ""
	r.tx.PutJob(old, j)
	r.e.offered(j)
	for _, t := range r.out.Effects.JobTypes {
		if t == j.Type {
			return
		}
	}
	r.out.Effects.JobTypes = append(r.out.Effects.JobTypes, j.Type)
}

// offered lowers the cursor of a type if a job before it may be activated again.
func (e *Engine) offered(j *state.Job) {
	if at, ok := e.cursors[j.Type]; ok && j.Key < at {
		e.cursors[j.Type] = j.Key
	}
}

const (
	reasonNoJob = "Expected to %s job with key '%d', but no such job was found"
	reasonState = "Expected to %s job with key '%d', but it is in state '%s'"
)

// openJob finds a job that a worker may still end: one that is waiting or
// locked (Zeebe 8.6).
func (r *run) openJob(c protocol.Command, verb string, key protocol.Key) *state.Job {
	j := r.tx.Job(key)
	if j == nil {
		r.reject(protocol.Reject(protocol.NotFound, c.Intent(), reasonNoJob, verb, key))
		return nil
	}
	if j.State != state.JobActivatable && j.State != state.JobActivated {
		r.reject(protocol.Reject(protocol.InvalidState, c.Intent(), reasonState, verb, key, j.State))
		return nil
	}
	return j
}

func (r *run) completeJob(c *protocol.CompleteJob) {
	j := r.openJob(c, "complete", c.JobKey)
	if j == nil {
		return
	}
	members, err := jsondoc.Parse(c.Variables)
	if err != nil {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "%s", err))
		return
	}
	r.tx.DeleteJob(j)
	r.out.Reply = &protocol.Done{}
	el := r.elem(j.Element)
	if el == nil {
		return
	}
	el.Job, el.dirty = 0, true
	r.recordJobSent(j, "COMPLETED", "", "", members)
	if el.listening() > 0 {
		r.listened(el, members)
		return
	}
	r.gave(el, members)
	r.follow(stepComplete, el)
}

// failJob counts a failure: tried again at once, after a back-off, or not
// until somebody has looked at it.
func (r *run) failJob(c *protocol.FailJob) {
	old := r.openJob(c, "fail", c.JobKey)
	if old == nil {
		return
	}
	members, err := jsondoc.Parse(c.Variables)
	if err != nil {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "%s", err))
		return
	}
	r.out.Reply = &protocol.Done{}
	j := *old
	j.Retries = c.Retries
	el := r.elem(j.Element)
	r.recordJobFailed(&j, c, members)
	for i := range members {
		r.setLocal(el, members[i].Name, members[i].Value)
	}
	switch {
	case c.Retries > 0 && c.BackOff <= 0:
		r.activatable(old, &j)
	case c.Retries > 0:
		j.State, j.Deadline, j.Worker = state.JobFailed, r.later(c.BackOff), ""
		r.tx.PutJob(old, &j)
	default:
		j.State, j.Deadline = state.JobFailed, 0
		text := c.Message
		if text == "" {
			text = "No more retries left."
		}
		kind := "JOB_NO_RETRIES"
		if el != nil && el.listening() > 0 {
			kind = "EXECUTION_LISTENER_NO_RETRIES"
		}
		j.Incident = r.jobIncident(el, &j, kind, text)
		r.tx.PutJob(old, &j)
	}
}

func (r *run) updateRetries(c *protocol.UpdateJobRetries) {
	if c.Retries < 1 {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected to update retries for job with key '%d' with a positive amount of retries, but the amount given was '%d'", c.JobKey, c.Retries))
		return
	}
	old := r.tx.Job(c.JobKey)
	if old == nil {
		r.reject(protocol.Reject(protocol.NotFound, c.Intent(), reasonNoJob, "update", c.JobKey))
		return
	}
	j := *old
	j.Retries = c.Retries
	r.tx.PutJob(old, &j)
	r.recordJob(&j, "RETRIES_UPDATED")
	r.out.Reply = &protocol.Done{}
}

func (r *run) updateTimeout(c *protocol.UpdateJobTimeout) {
	old := r.tx.Job(c.JobKey)
	if old == nil {
		r.reject(protocol.Reject(protocol.NotFound, c.Intent(), reasonNoJob, "update", c.JobKey))
		return
	}
	if old.State != state.JobActivated {
		r.reject(protocol.Reject(protocol.InvalidState, c.Intent(), "Expected to update the timeout of job with key '%d', but it is not active", c.JobKey))
		return
	}
	j := *old
	j.Deadline = r.later(c.Timeout)
	r.tx.PutJob(old, &j)
	r.recordJob(&j, "TIMEOUT_UPDATED")
	r.out.Reply = &protocol.Done{}
}

// maxDue bounds how many jobs one tick moves. The rest is due at the next one.
const maxDue = 500

// dueIntent is what is recorded of a job whose time has come.
var dueIntent = map[state.Table]string{state.TableDeadline: "TIMED_OUT", state.TableBackOff: "RECURRED_AFTER_BACKOFF"}

// tick gives back jobs whose lock has run out, and those whose back-off is
// over; then it fires timers.
func (r *run) tick() {
	for _, index := range []state.Table{state.TableDeadline, state.TableBackOff} {
		for _, d := range r.tx.Due(index, r.now, maxDue) {
			if r.spent() || r.large() {
				break
			}
			if !r.unit(Unit{kind: unitJob, key: d.Key}) {
				continue
			}
			if old := r.tx.Job(d.Key); old != nil {
				j := *old
				r.recordJob(old, dueIntent[index])
				r.activatable(old, &j)
			}
		}
	}
	r.fireTimers()
	r.drainDeleted()
	r.expire()
	r.out.Reply = &protocol.Done{}
}
