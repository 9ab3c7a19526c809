package actors

import (
	"context"
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/protocol"
)

// Execute asks for a command on a partition. It is what an embedding program
// sends to Broker.PID; the functions below make it. Whoever sends it as a
// request gets an [Answer].
type Execute struct {
	// Context bounds the work; nil: as long as the broker runs.
	Context context.Context
	// Partition 0 lets the broker choose: by the key in the command, by the
	// correlation key of a message, partition 1 for deployments, the next in turn for
	// what any partition can do. A command that is about a partition as a whole is
	// refused without one (protocol.NoPartition).
	Partition protocol.PartitionID
	Command   protocol.Command
	// Done, if set, is called once, from any goroutine, and must not block. It is
	// for callers who are no actors and want no future.
	Done func(protocol.Reply, error)

	finish func() // of a job offer
}

// Answer is sent to whoever has requested an Execute.
type Answer struct {
	To *Execute
	// Reply is set if Err is nil.
	Reply protocol.Reply
	// Err is a *protocol.Rejection if the command was looked at and refused, a
	// *protocol.Refusal if it was certainly not executed, and wraps
	// protocol.ErrOutcomeUnknown if nobody can tell.
	Err error
}

// IgnoreDeadLetterLogging says that nobody minds an answer that comes too late.
func (*Answer) IgnoreDeadLetterLogging() {}

// Settle gives the answer to everybody who waits for it. The broker calls it
// once; sender is nil if the message was not a request.
func (m *Execute) Settle(s *actor.ActorSystem, sender *actor.PID, reply protocol.Reply, err error) {
	if m.finish != nil {
		m.finish()
	}
	if m.Done != nil {
		m.Done(reply, err)
	}
	if sender != nil {
		s.Root.Send(sender, &Answer{To: m, Reply: reply, Err: err})
	}
}

// Undelivered is called if the broker has stopped, or has too much to do to take
// the message. Whoever has requested it hears of a dead letter.
func (m *Execute) Undelivered() {
	if m.finish != nil {
		m.finish()
	}
	if m.Done != nil {
		m.Done(nil, notTaken(m.Partition))
	}
}

func notTaken(p protocol.PartitionID) error {
	return protocol.Refuse(protocol.Unreachable, p, "the broker has stopped or takes no more messages")
}

// Result waits for the answer to an Execute that was sent with RequestFuture.
func Result(f *actor.Future) (protocol.Reply, error) {
	res, err := f.Result()
	answer, ok := res.(*Answer)
	switch {
	case errors.Is(err, actor.ErrDeadLetter):
		return nil, notTaken(0)
	case err != nil:
		return nil, fmt.Errorf("%w: no answer in time: %w", protocol.ErrOutcomeUnknown, err)
	case !ok:
		return nil, fmt.Errorf("%w: answered with %T", protocol.ErrOutcomeUnknown, res)
	}
	return answer.Reply, answer.Err
}

// Deploy makes the message that deploys resources, answered by
// *protocol.Deployed.
func Deploy(resources ...protocol.Resource) *Execute {
	return &Execute{Partition: protocol.DeploymentPartition, Command: &protocol.Deploy{Resources: resources}}
}

// Create makes the message that starts an instance of the latest version of a
// process, answered by *protocol.Created. variables is a JSON object.
func Create(processID string, variables []byte) *Execute {
	return &Execute{Command: newInstance(processID, variables)}
}

// CreateWithResult is Create, answered by *protocol.Result when the instance
// has ended.
func CreateWithResult(processID string, variables []byte) *Execute {
	c := newInstance(processID, variables)
	c.AwaitResult = true
	return &Execute{Command: c}
}

func newInstance(processID string, variables []byte) *protocol.CreateInstance {
	return &protocol.CreateInstance{ProcessID: processID, Version: -1, DefinitionKey: -1, Variables: variables}
}

// Complete makes the message that reports a job as done.
func Complete(job protocol.Key, variables []byte) *Execute {
	return &Execute{Partition: job.Partition(), Command: &protocol.CompleteJob{JobKey: job, Variables: variables}}
}

// FailJob makes the message that reports a job as failed; retries is how often it
// may still be tried.
func FailJob(job protocol.Key, retries int32, message string) *Execute {
	return &Execute{Partition: job.Partition(), Command: &protocol.FailJob{JobKey: job, Retries: retries, Message: message}}
}
