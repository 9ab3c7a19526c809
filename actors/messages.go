package actors

import (
	"context"

	"github.com/grevy-io/grevy/protocol"
)

// Execute asks for a command on a partition. Done is called once, from any
// goroutine, and must not block. Partition 0 lets the broker choose: by the key
// in the command, or the next partition in turn.
//
// It is what an embedding program sends to Broker.PID, and what the helpers
// below make.
type Execute struct {
	Context   context.Context
	Partition protocol.PartitionID
	Command   protocol.Command
	Done      func(protocol.Reply, error)
}

// Deploy makes the message that deploys resources. Done gets *protocol.Deployed.
func Deploy(ctx context.Context, done func(protocol.Reply, error), resources ...protocol.Resource) *Execute {
	return &Execute{Context: ctx, Partition: protocol.DeploymentPartition, Command: &protocol.Deploy{Resources: resources}, Done: done}
}

// Create makes the message that starts an instance of the latest version of a
// process. variables is a JSON object. Done gets *protocol.Created.
func Create(ctx context.Context, processID string, variables []byte, done func(protocol.Reply, error)) *Execute {
	return &Execute{Context: ctx, Command: &protocol.CreateInstance{ProcessID: processID, Version: -1, DefinitionKey: -1, Variables: variables}, Done: done}
}

// Complete makes the message that reports a job as done.
func Complete(ctx context.Context, job protocol.Key, variables []byte, done func(protocol.Reply, error)) *Execute {
	return &Execute{Context: ctx, Partition: job.Partition(), Command: &protocol.CompleteJob{JobKey: job, Variables: variables}, Done: done}
}

// Fail makes the message that reports a job as failed.
func Fail(ctx context.Context, job protocol.Key, retries int32, message string, done func(protocol.Reply, error)) *Execute {
	return &Execute{Context: ctx, Partition: job.Partition(), Command: &protocol.FailJob{JobKey: job, Retries: retries, Message: message}, Done: done}
}

// Work makes an actor a job worker: from now on Broker.PID sends it a *JobOffer
// for every job of the type, as long as at most MaxActive of them are
// unanswered. It ends when the worker stops.
type Work struct {
	Worker    *PID
	Type      string
	Name      string // of the worker, shown with the job; default: its path
	Timeout   int64  // ms a job stays locked; default 5 minutes
	MaxActive int32  // default 32
	Fetch     []string
}

// JobOffer is a locked job, given to a worker. The worker ends it with Complete
// or Fail.
type JobOffer struct {
	protocol.Job
	broker func(*Execute)
	finish func()
}

// NewJobOffer makes an offer; execute sends a command to the broker, finish
// tells it that the job no longer counts as active.
func NewJobOffer(j protocol.Job, execute func(*Execute), finish func()) *JobOffer {
	return &JobOffer{Job: j, broker: execute, finish: finish}
}

// Complete reports the job as done, with variables (a JSON object or nil).
func (j *JobOffer) Complete(ctx context.Context, variables []byte, done func(error)) {
	j.end(Complete(ctx, j.Key, variables, j.ended(done)))
}

// Fail reports the job as failed; retries is how often it may still be tried.
func (j *JobOffer) Fail(ctx context.Context, retries int32, message string, done func(error)) {
	j.end(Fail(ctx, j.Key, retries, message, j.ended(done)))
}

func (j *JobOffer) end(e *Execute) { j.broker(e) }

func (j *JobOffer) ended(done func(error)) func(protocol.Reply, error) {
	return func(_ protocol.Reply, err error) {
		j.finish()
		if done != nil {
			done(err)
		}
	}
}

// Messages between a partition's leader and its distributor.
type (
	// RowsAdded: rows were written to the outbox and are committed.
	RowsAdded struct{ Rows []OutboxRow }
	// RowsDeleted: an acknowledgement is committed, its rows are gone.
	RowsDeleted struct{ Acks []protocol.Ack }
	// LinkNews: a node came back, or a partition has a new leader; Partition 0
	// stands for all.
	LinkNews struct{ Partition protocol.PartitionID }
	// OutboxStatus asks the distributor what is pending; it answers at once.
	OutboxStatus struct{ Reply func([]LaneStatus) }
)

// OutboxRow is the part of an outbox row that decides about sending it.
type OutboxRow struct {
	Target protocol.PartitionID
	Lane   protocol.Lane
	Seq    uint64
	Since  int64 // ms since 1970
	Size   int
}

// LaneStatus is how one lane to one target is doing.
type LaneStatus struct {
	Target   protocol.PartitionID
	Lane     protocol.Lane
	Pending  int
	Oldest   int64 // ms since 1970
	Attempts int
	Error    string
}

// Outbox is what a leader lets its distributor use. All methods may be called
// from any goroutine.
type Outbox interface {
	Partition() protocol.PartitionID
	// Epoch names the sender's life.
	Epoch() uint64
	// Pending lists the committed rows, per target and lane oldest first.
	Pending() ([]OutboxRow, error)
	// Items reads committed rows of a lane to a target, from and to included.
	Items(target protocol.PartitionID, lane protocol.Lane, from, to uint64) ([]protocol.Item, error)
	// Definitions reads up to limit definitions with keys above after, and the
	// counter of the deployment lane as of then.
	Definitions(after protocol.Key, limit int) (defs []protocol.Definition, seq uint64, err error)
	// Body reads a resource, nil if it is not there.
	Body(protocol.Hash) ([]byte, error)
	// Acknowledge deletes acknowledged rows by an entry of its own.
	Acknowledge(ack *protocol.Acknowledge, done func(error))
	// Execute sends a command to a partition's leader, wherever it is.
	Execute(ctx context.Context, p protocol.PartitionID, c protocol.Command, done func(protocol.Reply, error))
}
