package engine

import (
	"strconv"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// activateJobs locks the oldest waiting jobs of a type for a worker.
func (r *run) activateJobs(c *protocol.ActivateJobs) {
	if c.Type == "" {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected to activate job batch with type to be present, but it was blank"))
		return
	}
	if c.Timeout < 1 {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected to activate job batch with timeout to be greater than zero, but it was '%d'", c.Timeout))
		return
	}
	b := batch{r: r, c: c, limit: r.e.MaxJobBytes, reply: &protocol.Jobs{}}
	if c.MaxBytes > 0 {
		b.limit = min(b.limit, c.MaxBytes)
	}
	b.fill()
	if len(b.reply.Jobs) == 0 && c.Park && c.Max > 0 && !b.reply.Truncated {
		r.out.Park = c.Type
		return
	}
	r.recordBatch(c, b.reply)
	r.out.Reply = b.reply
}

// maxJobs bounds the jobs of one answer, maxTooLarge those that one command
// puts aside: both are work that holds up the partition.
const (
	maxJobs     = 1000
	maxTooLarge = 16
)

// batch is the answer to an activation while it is being filled.
type batch struct {
	r           *run
	c           *protocol.ActivateJobs
	reply       *protocol.Jobs
	size, limit int64
	tooLarge    int
}

// fill takes waiting jobs until enough are there, or none is left. A job that
// was put aside makes room for the next.
func (b *batch) fill() {
	for most := min(int(b.c.Max), maxJobs); len(b.reply.Jobs) < most; {
		keys := b.r.waiting(b.c.Type, most-len(b.reply.Jobs))
		for _, k := range keys {
			j := b.r.tx.Job(k)
			if j != nil && !b.take(j) {
				b.reply.Truncated = true
				return
			}
			b.r.e.cursors[b.c.Type] = k + 1
		}
		if len(keys) == 0 {
			return
		}
	}
	b.reply.Truncated = int(b.c.Max) > maxJobs
}

// take locks a job and adds it, or puts it aside. It says no when the answer
// is full.
func (b *batch) take(old *state.Job) bool {
	job := b.r.hand(old, b.c)
	n := jobSize(&job)
	if n > b.r.e.MaxJobBytes {
		if b.tooLarge++; b.tooLarge > maxTooLarge {
			return false
		}
		b.r.tooLarge(old, n)
		return true
	}
	if b.size += n; b.size > b.limit {
		return false
	}
	b.r.lock(old, b.c)
	b.reply.Jobs = append(b.reply.Jobs, job)
	return true
}

// waiting lists up to limit waiting jobs of a type, from where the last search
// ended.
func (r *run) waiting(jobType string, limit int) (keys []protocol.Key) {
	r.tx.ActivatableJobs(jobType, r.e.cursors[jobType], func(k protocol.Key) bool {
		keys = append(keys, k)
		return len(keys) < limit
	})
	return keys
}

// hand makes what the worker gets to see of a job.
func (r *run) hand(j *state.Job, c *protocol.ActivateJobs) protocol.Job {
	el := r.elem(j.Element)
	job := protocol.Job{
		Key: j.Key, InstanceKey: j.Instance, DefinitionKey: j.Definition, ElementKey: j.Element,
		Type: j.Type, ProcessID: j.ProcessID, ElementID: j.ElementID, Worker: c.Worker,
		Version: j.Version, Retries: j.Retries, Deadline: r.later(c.Timeout),
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

// later is a time so many milliseconds from now; what no calendar holds is the
// end of time, not its beginning.
func (r *run) later(ms int64) int64 {
	const most = 1 << 60
	return r.now + max(min(ms, most), -most)
}

func (r *run) lock(old *state.Job, c *protocol.ActivateJobs) {
	j := *old
	j.State, j.Deadline, j.Worker = state.JobActivated, r.later(c.Timeout), c.Worker
	r.tx.PutJob(old, &j)
}

// tooLarge takes a job out of the way that fits in no answer (Zeebe 8.6).
func (r *run) tooLarge(old *state.Job, size int64) {
	j := *old
	j.State, j.Deadline = state.JobFailed, 0
	el := r.elem(j.Element)
	text := "The job with key '" + j.Key.String() + "' can not be activated, because with " + protocol.Key(size).String() +
		" bytes it is larger than the " + protocol.Key(r.e.MaxJobBytes).String() + " that one answer may have. Try to reduce the size of its variables or headers, or fetch fewer of them."
	j.Incident = r.jobIncident(el, &j, "MESSAGE_SIZE_EXCEEDED", text)
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
		r.recordJob(old, "YIELDED")
		r.activatable(old, &j)
	}
	r.out.Reply = &protocol.Done{}
}

// headers returns a job's headers if they differ from the model's constant ones.
func (r *run) headers(el *elem) ([]byte, *failure) {
	job := el.model.Job
	if len(job.Dynamic) == 0 && el.model.Form == nil {
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
	if el.model.Form != nil {
		key, _, fail := r.formKey(el)
		if fail != nil {
			return nil, fail
		}
		members = setMember(members, bpmn.HeaderFormKey, jsondoc.AppendName(nil, strconv.FormatInt(int64(key), 10)))
	}
	return jsondoc.Append(nil, members), nil
}
