package partitionactor

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/internal/diskspace"
	"github.com/grevy-io/grevy/protocol"
)

// request is one command on its way through a leader.
type request struct {
	ctx       context.Context
	partition protocol.PartitionID
	command   protocol.Command
	done      func(protocol.Reply, error) // called exactly once
	begun     func()                      // called when it only waits for a result from now on; may be nil
	asked     []engine.Asked              // of the deployment partition, on its behalf
	own       bool                        // it is the leader's own, and asks for nothing
}

// Gate lets commands in to the leader of a partition, if it serves here. It is
// safe for concurrent use.
type Gate struct {
	partition protocol.PartitionID
	system    *actor.ActorSystem
	models    *engine.Models
	limiter   *limiter
	space     *diskspace.Watch
	leader    atomic.Pointer[actor.PID] // nil: nobody serves here
	inFlight  atomic.Int64
	refused   atomic.Uint64 // because of the limit
	// outOfSpace counts what was refused because of the disk.
	outOfSpace atomic.Uint64
}

// privileged commands pass a full gate: they make room, or they are part of
// what keeps the cluster together. The original admits job completion and
// failure in the same way (Zeebe 8.6).
func privileged(c protocol.Command) bool {
	switch c.Kind() {
	case protocol.KindCompleteJob, protocol.KindFailJob, protocol.KindThrowError, protocol.KindYieldJobs, protocol.KindAcknowledge,
		protocol.KindReceive, protocol.KindTakeBase, protocol.KindPullDefinition, protocol.KindPartitionInfo, protocol.KindSurvey, protocol.KindReconcile, protocol.KindContinue, protocol.KindTick, protocol.KindExported,
		protocol.KindReadPlan, protocol.KindWritePlan, protocol.KindHold, protocol.KindCut, protocol.KindRestore:
		return true
	}
	return false
}

// timed tells whether the time that a command takes says how busy the partition is.
// Deployments wait for other nodes, too, and an operator's list is as long as what
// is in it.
func timed(c protocol.Command) bool {
	switch c.Kind() {
	case protocol.KindDeploy, protocol.KindDeleteResource, protocol.KindPartitionInfo, protocol.KindListDeployments,
		protocol.KindListIncidents, protocol.KindListInstances, protocol.KindInspectInstance, protocol.KindListMessages, protocol.KindRestore:
		return false
	}
	return true
}

// parks tells whether a command only waits at the leader, until there is something
// for it: it does not count as work under way.
func parks(c protocol.Command) bool {
	switch c := c.(type) {
	case *protocol.AwaitJobs, *protocol.AwaitDistributed:
		return true
	case *protocol.ActivateJobs:
		return c.Park
	}
	return false
}

// Serving tells whether a leader takes commands here.
func (g *Gate) Serving() bool { return g.leader.Load() != nil }

// InFlight is how many commands are under way.
func (g *Gate) InFlight() int64 { return g.inFlight.Load() }

// Limit is how many commands may be under way now.
func (g *Gate) Limit() int64 { return g.limiter.limit.Load() }

// Refused is how many commands the limit has turned away.
func (g *Gate) Refused() uint64 { return g.refused.Load() }

// OutOfSpace is how many commands were turned away because of the disk.
func (g *Gate) OutOfSpace() uint64 { return g.outOfSpace.Load() }

// Execute hands a command to the leader. done is called once, from any
// goroutine; it must not block. A *protocol.Refusal proves that the command was
// not executed.
func (g *Gate) Execute(ctx context.Context, c protocol.Command, done func(protocol.Reply, error)) {
	// path: write 2/8 gate: is there a leader, and room?
	pid := g.leader.Load()
	if pid == nil {
		done(nil, protocol.Refuse(protocol.NotLeader, g.partition, ""))
		return
	}
	if !roomFor(c, g.space.Level()) {
		g.outOfSpace.Add(1)
		done(nil, protocol.Refuse(protocol.NoSpace, g.partition, "%d bytes are free", g.space.Free()))
		return
	}
	r := &request{ctx: ctx, partition: g.partition, command: c, done: done}
	if !parks(c) && !g.admit(r) {
		g.refused.Add(1)
		done(nil, protocol.Refuse(protocol.Full, g.partition, "%d commands are under way", g.Limit()))
		return
	}
	g.prepare(c)
	g.system.Root.Send(pid, r)
}

// admit counts a command as under way until it is answered, or has begun what its
// sender waits for.
func (g *Gate) admit(r *request) bool {
	if n := g.inFlight.Add(1); n > g.Limit() && !privileged(r.command) {
		g.inFlight.Add(-1)
		return false
	}
	start, timed, left, done := time.Now(), timed(r.command), new(atomic.Bool), r.done
	leave := func(timed bool) {
		if left.Swap(true) {
			return
		}
		if n := g.inFlight.Add(-1); timed {
			g.limiter.done(start, time.Now(), n)
		}
	}
	r.begun = func() { leave(timed) }
	r.done = func(reply protocol.Reply, err error) {
		leave(timed && err == nil)
		done(reply, err)
	}
	return true
}

// prepare reads resources here, and not in the leader's turn.
func (g *Gate) prepare(c protocol.Command) {
	switch c := c.(type) {
	case *protocol.Deploy:
		g.models.Prepare(c.Resources)
	case *protocol.Receive:
		for i := range c.Items {
			if d, ok := c.Items[i].Command.(*protocol.Distribute); ok && len(c.Bodies) > 0 {
				g.models.Prepare(resources(d.Deployment.Definitions, c.Bodies))
			}
		}
	}
}

// resources are the bodies that came along with definitions, by their names.
func resources(defs []protocol.Definition, bodies []protocol.Body) (list []protocol.Resource) {
	for i := range defs {
		for k := range bodies {
			if bodies[k].Hash == defs[i].Hash {
				list = append(list, protocol.Resource{Name: defs[i].ResourceName, Content: bodies[k].Data})
				break
			}
		}
	}
	return list
}

// Undelivered answers a command that a leader has not looked at.
func (r *request) Undelivered() {
	r.done(nil, protocol.Refuse(protocol.NotLeader, r.partition, "the leader has stopped"))
}

// IgnoreDeadLetterLogging says that its sender is told.
func (r *request) IgnoreDeadLetterLogging() {}
