package grevy

import (
	"context"
	"errors"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// home is where a command belongs that names no partition: with the key in it,
// with its message's correlation key, or with the deployments. anywhere: each
// partition would do. What belongs to none of these must name its partition; 0 is
// refused by the router.
func (b *Broker) home(c protocol.Command) (p protocol.PartitionID, anywhere bool) {
	switch c := c.(type) {
	case *protocol.CreateInstance, *protocol.EvaluateDecision, *protocol.BroadcastSignal, *protocol.ActivateJobs, *protocol.AwaitJobs:
		return 0, true
	case *protocol.PublishMessage:
		_, messages := b.targets()
		return protocol.MessagePartition(c.CorrelationKey, messages), false
	case *protocol.Deploy, *protocol.ListDeployments, *protocol.AwaitDistributed, *protocol.PullDefinition,
		*protocol.ListDefinitions, *protocol.FetchDefinitions, *protocol.ReadPlan, *protocol.WritePlan:
		return protocol.DeploymentPartition, false
	}
	return keyIn(c).Partition(), false
}

// keyIn is the key of what a command is about, 0 if it is about no one thing.
func keyIn(c protocol.Command) protocol.Key {
	switch c := c.(type) {
	case *protocol.CompleteJob:
		return c.JobKey
	case *protocol.FailJob:
		return c.JobKey
	case *protocol.ThrowError:
		return c.JobKey
	case *protocol.UpdateJobRetries:
		return c.JobKey
	case *protocol.UpdateJobTimeout:
		return c.JobKey
	case *protocol.YieldJobs:
		if len(c.Keys) > 0 {
			return c.Keys[0]
		}
	case *protocol.CancelInstance:
		return c.InstanceKey
	case *protocol.ModifyInstance:
		return c.InstanceKey
	case *protocol.MigrateInstance:
		return c.InstanceKey
	case *protocol.InspectInstance:
		return c.Key
	case *protocol.SetVariables:
		return c.ElementKey
	case *protocol.ResolveIncident:
		return c.IncidentKey
	case *protocol.DeleteResource:
		return c.ResourceKey
	}
	return 0
}

// upToDate is a command that knows of every deployment which was acknowledged
// before it, if it says nothing of that itself. What its sender has is not
// changed: it may send it again.
func (b *Broker) upToDate(c protocol.Command) protocol.Command {
	switch c := c.(type) {
	case *protocol.CreateInstance:
		if c.Version < 0 {
			return knowing(b.marks, c, func(c *protocol.CreateInstance) *uint64 { return &c.DeploymentSeq })
		}
	case *protocol.EvaluateDecision:
		return knowing(b.marks, c, func(c *protocol.EvaluateDecision) *uint64 { return &c.DeploymentSeq })
	case *protocol.PublishMessage:
		return knowing(b.marks, c, func(c *protocol.PublishMessage) *uint64 { return &c.DeploymentSeq })
	case *protocol.BroadcastSignal:
		return knowing(b.marks, c, func(c *protocol.BroadcastSignal) *uint64 { return &c.DeploymentSeq })
	}
	return c
}

func knowing[C any](m *watermarks, c *C, seq func(*C) *uint64) *C {
	if *seq(c) != 0 {
		return c
	}
	now := *c
	*seq(&now) = m.current()
	return &now
}

// anywhere runs a command on the next partition that takes it.
func (b *Broker) anywhere(ctx context.Context, c protocol.Command) (protocol.Reply, error) {
	trying, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(b.life, cancel)()
	return inTurn(trying, b.nextInTurn, func(p protocol.PartitionID) (protocol.Reply, error) {
		return wait(func(done func(protocol.Reply, error)) { b.router.Once(ctx, p, c, done) })
	})
}

// roundPause is how long is waited before partitions that have all no leader are
// asked again.
const roundPause = 50 * time.Millisecond

// inTurn asks partitions, each once, until one says something else than a refusal,
// which proves that nothing was done. None is waited for while another may do it.
// If none has a leader that can be reached they are asked again, as long as there
// is time.
func inTurn(ctx context.Context, round func() []protocol.PartitionID, once func(protocol.PartitionID) (protocol.Reply, error)) (protocol.Reply, error) {
	for {
		var last *protocol.Refusal
		for _, p := range round() {
			reply, err := once(p)
			var refusal *protocol.Refusal
			if !errors.As(err, &refusal) {
				return reply, err
			}
			if last == nil || !passes(refusal) {
				last = refusal // one that says more than that nobody leads
			}
		}
		if last == nil {
			last = protocol.Refuse(protocol.NoPartition, 0, "")
		}
		if !passes(last) || !pause(ctx, roundPause) {
			return nil, last
		}
	}
}

// passes tells whether a refusal is over when a partition has a leader again.
func passes(r *protocol.Refusal) bool {
	return r.Code == protocol.NotLeader || r.Code == protocol.Unreachable
}

// nextInTurn lists all partitions, beginning with the one whose turn it is; only those
// with a leader, if there are any.
func (b *Broker) nextInTurn() (list []protocol.PartitionID) {
	n := b.partitionCount()
	start := int(b.turn.Add(1) % uint64(n))
	var led []protocol.PartitionID
	for i := range n {
		p := protocol.PartitionID((start+i)%n + 1)
		list = append(list, p)
		if b.hasLeader(p) {
			led = append(led, p)
		}
	}
	if len(led) > 0 {
		return led
	}
	return list
}
