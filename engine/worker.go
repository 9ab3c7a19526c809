package engine

import (
	"strings"

	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// activateJobs locks the oldest waiting jobs of a type for a worker.
func (r *run) activateJobs(c *protocol.ActivateJobs) {
	if strings.TrimSpace(c.Type) == "" && c.Type == "" {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected to activate job batch with type to be present, but it was blank"))
		return
	}
	if c.Timeout < 1 {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected to activate job batch with timeout to be greater than zero, but it was '%d'", c.Timeout))
		return
	}
	limit := r.e.MaxJobBytes
	if c.MaxBytes > 0 {
		limit = min(limit, c.MaxBytes)
	}
	reply := &protocol.Jobs{}
	size := int64(0)
	r.waiting(c, func(old *state.Job) bool {
		job := r.hand(old, c)
		n := jobSize(&job)
		if n > r.e.MaxJobBytes {
			r.tooLarge(old, n)
			return true
		}
		if size += n; size > limit {
			reply.Truncated = true
			return false
		}
		r.lock(old, c)
		reply.Jobs = append(reply.Jobs, job)
		return true
	})
	if len(reply.Jobs) == 0 && c.Park && c.Max > 0 && !reply.Truncated {
		r.out.Park = c.Type
		return
	}
	r.out.Reply = reply
}

// waiting gives up to c.Max waiting jobs to take, which says whether to go on,
// and keeps the cursor of the type where the next search should begin.
func (r *run) waiting(c *protocol.ActivateJobs, take func(*state.Job) bool) {
	var keys []protocol.Key
	r.tx.ActivatableJobs(c.Type, r.e.cursors[c.Type], func(k protocol.Key) bool {
		if int32(len(keys)) >= c.Max {
			return false
		}
		keys = append(keys, k)
		return int32(len(keys)) < c.Max
	})
	next := r.e.cursors[c.Type]
	for _, k := range keys {
		j := r.tx.Job(k)
		if j == nil {
			continue
		}
		if !take(j) {
			break
		}
		next = k + 1
	}
	r.e.cursors[c.Type] = next
}

// hand makes what the worker gets to see of a job.
func (r *run) hand(j *state.Job, c *protocol.ActivateJobs) protocol.Job {
	el := r.elem(j.Element)
	job := protocol.Job{
		Key: j.Key, InstanceKey: j.Instance, DefinitionKey: j.Definition, ElementKey: j.Element,
		Type: j.Type, ProcessID: j.ProcessID, ElementID: j.ElementID, Worker: c.Worker,
		Version: j.Version, Retries: j.Retries, Deadline: r.now + c.Timeout,
		Headers: j.Headers, Variables: r.visible(el, c.FetchVariables),
	}
	if job.Headers == nil && el != nil {
		job.Headers = el.model.Job.HeadersJSON
	}
	return job
}

func jobSize(j *protocol.Job) int64 {
	return int64(len(j.Headers)+len(j.Variables)+len(j.Type)+len(j.ProcessID)+len(j.ElementID)+len(j.Worker)) + 128
}

func (r *run) lock(old *state.Job, c *protocol.ActivateJobs) {
	j := *old
	j.State, j.Deadline, j.Worker = state.JobActivated, r.now+c.Timeout, c.Worker
	r.tx.PutJob(old, &j)
}

// tooLarge takes a job out of the way that fits in no answer (zeebe.md §1.5).
func (r *run) tooLarge(old *state.Job, size int64) {
	j := *old
	j.State, j.Deadline = state.JobFailed, 0
	j.Incident = r.key()
	el := r.elem(j.Element)
	text := "The job with key '" + j.Key.String() + "' can not be activated, because with " + protocol.Key(size).String() +
		" bytes it is larger than the " + protocol.Key(r.e.MaxJobBytes).String() + " that one answer may have. Try to reduce the size of its variables or headers, or fetch fewer of them."
	r.tx.InsertIncident(incidentRecord(j.Incident, el, j.Key, "MESSAGE_SIZE_EXCEEDED", text, 0))
	r.tx.PutJob(old, &j)
}

// awaitJobs is answered when a job of the type waits.
func (r *run) awaitJobs(c *protocol.AwaitJobs) {
	found := false
	r.tx.ActivatableJobs(c.Type, r.e.cursors[c.Type], func(protocol.Key) bool {
		found = true
		return false
	})
	if found {
		r.out.Reply = &protocol.Jobs{}
		return
	}
	r.out.Park = c.Type
}

// yieldJobs gives back jobs that never reached their worker. One that was given
// to somebody else meanwhile has another deadline and stays there.
func (r *run) yieldJobs(c *protocol.YieldJobs) {
	for i, key := range c.Keys {
		old := r.tx.Job(key)
		if old == nil || old.State != state.JobActivated || old.Deadline != c.Deadlines[i] {
			continue
		}
		j := *old
		r.activatable(old, &j)
	}
	r.out.Reply = &protocol.Done{}
}

// headers returns a job's headers if they differ from the model's constant ones.
func (r *run) headers(el *elem) ([]byte, *failure) {
	job := el.model.Job
	if len(job.Dynamic) == 0 {
		return nil, nil
	}
	var members []jsondoc.Member
	for _, h := range job.Headers {
		members = setMember(members, h.Key, jsondoc.AppendName(nil, h.Value))
	}
	for i := range job.Dynamic {
		text, ok, fail := r.dynamicHeader(&job.Dynamic[i], el)
		if fail != nil {
			return nil, fail
		}
		if ok {
			members = setMember(members, job.Dynamic[i].Key, jsondoc.AppendName(nil, text))
		}
	}
	return jsondoc.Append(nil, members), nil
}
