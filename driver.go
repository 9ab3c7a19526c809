package grevy

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/grevy-io/grevy/cluster"
	"github.com/grevy-io/grevy/protocol"
)

// The driver brings an operation on the cluster's plan from step to step. It
// works on the node that leads partition 1, where the plan is, and has no state
// that matters: whoever leads next reads in the plan where the operation stands.
// It carries nothing out itself: each partition's leader makes its raft group what
// the plan says (reconcile.go), each node starts and stops replicas by it
// (follow.go). The driver looks whether that is done.

// driverMemory is since when a step is under way, as far as this node has seen.
type driverMemory struct {
	operation uint64
	at        int
	since     time.Time
}

// leadPatience is how long a leadership is tried to be moved.
const leadPatience = 30 * time.Second

// drive does one round.
func (b *Broker) drive(ctx context.Context) {
	part := b.part(protocol.DeploymentPartition)
	if part == nil || !part.Gate().Serving() || !b.ready.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	// What is applied here is the newest there is, or the write below fails.
	plan := b.storedPlan(0)
	if plan == nil {
		plan = b.plan()
	}
	next := b.joiners(plan)
	if next == nil && plan.Operation != nil {
		next = b.progress(ctx, plan)
	}
	if next == nil {
		return
	}
	if err := b.writePlan(ctx, plan, next); err != nil && ctx.Err() == nil {
		b.Log.Info("the cluster's plan could not be written, it is tried again", "err", err)
	}
}

// readPlan reads the plan from partition 1. Before the first change it is the one
// with which the cluster began.
func (b *Broker) readPlan(ctx context.Context) (*cluster.Plan, error) {
	r, err := ask[*protocol.Plan](ctx, b, protocol.DeploymentPartition, &protocol.ReadPlan{})
	if err != nil {
		return nil, err
	}
	if known := b.plan(); r.Version == 0 || r.Version == known.Version {
		return known, nil
	}
	p, err := cluster.Decode(r.Plan)
	if err == nil {
		b.news(p)
	}
	return p, err
}

// writePlan replaces a plan if it still is the newest, and tells everybody.
func (b *Broker) writePlan(ctx context.Context, old, next *cluster.Plan) error {
	encoded, err := next.Encode()
	if err != nil {
		return err
	}
	if _, err := b.Execute(ctx, protocol.DeploymentPartition, &protocol.WritePlan{Expected: old.Version, Plan: encoded}); err != nil {
		return err
	}
	b.news(next)
	b.spread(next)
	return nil
}

// joiners notes nodes that were started beside the cluster, and new server ids of
// those that lost their disks.
func (b *Broker) joiners(plan *cluster.Plan) (next *cluster.Plan) {
	for _, m := range b.members.List() {
		if !m.Alive || m.Cluster != plan.ClusterID || m.RaftID == "" {
			continue
		}
		if next = plan.Join(int(m.NodeID), m.RaftID); next != nil {
			b.Log.Info("node is a member of the cluster", "node", m.NodeID, "server", m.RaftID)
			return next
		}
	}
	return nil
}

// progress gives the plan after the step under way, nil while it is not done.
func (b *Broker) progress(ctx context.Context, plan *cluster.Plan) *cluster.Plan {
	o := plan.Operation
	if m := &b.driving; m.operation != o.ID || m.at != o.At {
		*m = driverMemory{o.ID, o.At, time.Now()}
		b.Log.Info("changing the cluster", "operation", o.Request.String(), "step", o.At+1, "of", len(o.Steps), "what", o.Steps[o.At].String())
	}
	done, note := b.observe(ctx, plan)
	if s := o.Steps[o.At]; !done && s.Kind == cluster.Lead && time.Since(b.driving.since) > leadPatience {
		done, note = true, "not moved: "+note // a leader where it is does no harm
	}
	if !done {
		return nil
	}
	next := plan.Advance(note, time.Now().UnixMilli())
	if next.Operation == nil {
		b.Log.Info("the cluster is changed", "operation", o.Request.String())
	}
	return next
}

// observe tells whether the step under way is done, with what is to be told of
// it, or what it waits for. Any node can ask.
func (b *Broker) observe(ctx context.Context, plan *cluster.Plan) (done bool, note string) {
	s := plan.Operation.Steps[plan.Operation.At]
	switch s.Kind {
	case cluster.Leave, cluster.Factor, cluster.Activate:
		return true, "" // the plan says so, and that is all
	}
	leader, known := b.leaderInfo(ctx, s.Partition)
	if !known {
		return false, fmt.Sprintf("partition %d has no leader that answers", s.Partition)
	}
	if leader.info.Plan < plan.Version && s.Kind != cluster.Lead {
		return false, fmt.Sprintf("node %d has not heard of it yet", leader.node)
	}
	switch s.Kind {
	case cluster.Learn, cluster.Promote:
		return b.observeReplica(ctx, s, leader)
	case cluster.Drop:
		return b.observeDrop(ctx, s, leader)
	case cluster.Lead:
		if leader.node == s.Node {
			return true, ""
		}
		return false, fmt.Sprintf("node %d leads it", leader.node)
	case cluster.Found:
		return true, ""
	case cluster.Define:
		return b.observeDefinitions(ctx, plan, s.Partition)
	}
	return false, fmt.Sprintf("there is no step %q in this version", s.Kind)
}

// leaderView is what the leader of a partition tells.
type leaderView struct {
	node int
	info nodeInfo
}

func (b *Broker) leaderInfo(ctx context.Context, p protocol.PartitionID) (leaderView, bool) {
	n := directory{b}.Leader(p)
	if n == protocol.NoNode {
		return leaderView{}, false
	}
	info, err := b.infoOf(ctx, int(n))
	return leaderView{int(n), info}, err == nil && slices.Contains(info.Leads, int(p))
}

func (b *Broker) infoOf(ctx context.Context, n int) (nodeInfo, error) {
	if n == b.NodeID {
		return b.ownInfo(), nil
	}
	return b.nodeInfo(ctx, protocol.NodeID(n))
}

// observeReplica looks whether a node's replica is there and has caught up, or
// votes.
func (b *Broker) observeReplica(ctx context.Context, s cluster.Step, leader leaderView) (bool, string) {
	p := int(s.Partition)
	info, err := b.infoOf(ctx, s.Node)
	if err != nil {
		return false, fmt.Sprintf("node %d does not answer: %v", s.Node, err)
	}
	server, ok := info.Servers[p]
	switch voters := leader.info.Voters[p]; {
	case !ok:
		return false, fmt.Sprintf("node %d has not started its replica yet", s.Node)
	case s.Kind == cluster.Promote && slices.Contains(voters, server):
		return true, ""
	case s.Kind == cluster.Promote:
		return false, fmt.Sprintf("node %d does not vote yet", s.Node)
	case !slices.Contains(voters, server) && !slices.Contains(leader.info.Learners[p], server):
		return false, fmt.Sprintf("node %d is not taken in yet", s.Node)
	}
	there, here := info.Applied[p], leader.info.Applied[p]
	if there+caughtUpBy >= here {
		return true, ""
	}
	return false, fmt.Sprintf("node %d has %d of %d entries", s.Node, there, here)
}

// observeDrop looks whether a group does without a node, and whether that node has
// given its replica up, if it can be asked.
func (b *Broker) observeDrop(ctx context.Context, s cluster.Step, leader leaderView) (bool, string) {
	p := int(s.Partition)
	for _, server := range append(slices.Clone(leader.info.Voters[p]), leader.info.Learners[p]...) {
		if int(b.nodeOf(server)) == s.Node {
			return false, fmt.Sprintf("server %s is still counted, node %d leads the partition", server, leader.node)
		}
	}
	if !b.aliveNodes()[s.Node] {
		return true, ""
	}
	info, err := b.infoOf(ctx, s.Node)
	if _, has := info.Servers[p]; err == nil && has {
		return false, fmt.Sprintf("node %d has not given its replica up yet", s.Node)
	}
	return true, ""
}
