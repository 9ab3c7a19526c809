package engine

import (
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// jobDetails are the parts of a job's record that its row does not keep.
type jobDetails struct {
	code, message string
	variables     []byte // JSON object
	backOff       int64
}

// recordJob records what happens to a job.
func (r *run) recordJob(j *state.Job, intent string) {
	if r.rec != nil {
		r.jobRecord(j, intent, jobDetails{})
	}
}

// recordJobSent records what a worker says of a job.
func (r *run) recordJobSent(j *state.Job, intent string, code, message string, list []jsondoc.Member) {
	if r.rec != nil {
		r.jobRecord(j, intent, jobDetails{code: code, message: message, variables: jsondoc.Append(nil, list)})
	}
}

// recordJobFailed records that a worker has failed.
func (r *run) recordJobFailed(j *state.Job, c *protocol.FailJob, list []jsondoc.Member) {
	if r.rec != nil {
		r.jobRecord(j, "FAILED", jobDetails{message: c.Message, backOff: c.BackOff, variables: jsondoc.Append(nil, list)})
	}
}

func (r *run) jobRecord(j *state.Job, intent string, d jobDetails) {
	r.jobValue(r.rec.begin(), j, &d)
	r.rec.event("JOB", intent, j.Key)
}

func (r *run) jobValue(o *object, j *state.Job, d *jobDetails) {
	headers := j.Headers
	kind, event := "BPMN_ELEMENT", "UNSPECIFIED"
	if el := r.elem(j.Element); el != nil && el.listening() > 0 {
		if kind, event = "EXECUTION_LISTENER", "START"; el.State == state.Completing || el.ending {
			event = "END"
		}
	} else if el != nil && el.model.Job != nil && headers == nil {
		headers = el.model.Job.HeadersJSON
	}
	deadline, recurring := j.Deadline, int64(-1)
	if d.backOff > 0 {
		recurring = r.later(d.backOff)
	}
	if deadline == 0 || j.State == state.JobFailed {
		deadline = -1
	}
	o.str("type", j.Type).str("worker", j.Worker).num("deadline", deadline).num("retries", int64(j.Retries)).num("retryBackoff", d.backOff).
		num("recurringTime", recurring).str("jobKind", kind).str("jobListenerEventType", event).
		str("errorMessage", d.message).str("errorCode", d.code).num("timeout", -1).json("variables", d.variables).json("customHeaders", headers).
		key("elementInstanceKey", j.Element).key("processInstanceKey", j.Instance).key("processDefinitionKey", j.Definition).
		str("bpmnProcessId", j.ProcessID).num("processDefinitionVersion", int64(j.Version)).str("elementId", j.ElementID).json("changedAttributes", []byte("[]"))
}

// recordBatch records that a worker was given jobs.
func (r *run) recordBatch(c *protocol.ActivateJobs, jobs *protocol.Jobs) {
	if r.rec == nil || len(jobs.Jobs) == 0 {
		return
	}
	o := r.rec.begin()
	batchValue(o, c, jobs.Truncated)
	keys := make([]protocol.Key, len(jobs.Jobs))
	o.name("jobs")
	*o = append(*o, '[')
	for i := range jobs.Jobs {
		j := &jobs.Jobs[i]
		keys[i] = j.Key
		if i > 0 {
			*o = append(*o, ',')
		}
		r.handed(o, j)
	}
	*o = append(*o, ']')
	o.keys("jobKeys", keys)
	r.rec.event("JOB_BATCH", "ACTIVATED", r.key())
}

// handed writes a job as its worker gets it.
func (r *run) handed(o *object, j *protocol.Job) {
	row := state.Job{
		Key: j.Key, Element: j.ElementKey, Instance: j.InstanceKey, Definition: j.DefinitionKey, Type: j.Type, ElementID: j.ElementID,
		ProcessID: j.ProcessID, Version: j.Version, State: state.JobActivated, Retries: j.Retries, Deadline: j.Deadline, Worker: j.Worker, Headers: j.Headers,
	}
	*o = append(*o, `{"tenantId":"<default>"`...)
	r.jobValue(o, &row, &jobDetails{variables: j.Variables})
	*o = append(*o, '}')
}

func batchValue(o *object, c *protocol.ActivateJobs, truncated bool) {
	o.str("type", c.Type).str("worker", c.Worker).num("timeout", c.Timeout).num("maxJobsToActivate", int64(c.Max)).
		bool("truncated", truncated).json("tenantIds", []byte(`["<default>"]`))
}
