package actors

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/protocol"
)

// Work makes an actor a job worker: from now on Broker.PID sends it a *JobOffer
// for every job of the type, as long as at most MaxActive of them are
// unanswered. It ends when the worker stops.
type Work struct {
	Worker    *actor.PID // default: the sender of the request
	Type      string
	Name      string // of the worker, shown with the job; default: its id
	Timeout   int64  // ms a job stays locked; default 5 minutes
	MaxActive int32  // default 32
	Fetch     []string
}

// JobOffer is a locked job, requested of a worker, who ends it by sending what
// [JobOffer.Complete] or [JobOffer.Fail] makes to the broker. As a response it
// is answered with nothing but the next job; as a request, with an [Answer]:
//
//	ctx.Respond(job.Complete(variables))
//	ctx.Request(job.Broker, job.Complete(variables))
//
// A job that is not ended before its lock is over is offered again.
type JobOffer struct {
	protocol.Job
	Broker *actor.PID
	finish func()
	back   func()
}

// NewJobOffer makes an offer: finish tells that the job no longer counts as
// active, back is called if nobody reads the offer.
func NewJobOffer(j protocol.Job, broker *actor.PID, finish, back func()) *JobOffer {
	return &JobOffer{Job: j, Broker: broker, finish: finish, back: back}
}

// Complete makes the message that reports the job as done, with variables (a
// JSON object or nil).
func (j *JobOffer) Complete(variables []byte) *Execute { return j.end(Complete(j.Key, variables)) }

// Fail makes the message that reports the job as failed; retries is how often
// it may still be tried.
func (j *JobOffer) Fail(retries int32, message string) *Execute {
	return j.end(FailJob(j.Key, retries, message))
}

func (j *JobOffer) end(m *Execute) *Execute {
	m.finish = j.finish
	return m
}

// Undelivered is called if the worker is gone.
func (j *JobOffer) Undelivered() { j.back() }
