package grevy

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/grevy-io/grevy/cluster"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/remote"
)

// The cluster's plan is state of partition 1. Each node has a copy in node.json
// and follows the newest one that it hears of: from its own replica of partition
// 1, from that partition's leader, which it asks, or from who has just changed it.

// kindNewer asks the leader of partition 1 for the plan, with the version that
// the asker knows. The answer is the plan as JSON if that is newer, or empty.
const kindNewer remote.Kind = 6

// plan is the layout that this node follows, nil before the cluster has begun.
func (b *Broker) plan() *cluster.Plan { return b.self().Plan }

func (b *Broker) layout(p protocol.PartitionID) cluster.Partition { return b.plan().Of(p) }

// nodes lists the members of the cluster; before it has begun, those with which
// it is to begin.
func (b *Broker) nodes() (list []int) {
	p := b.plan()
	if p == nil {
		for n := range b.ClusterSize {
			list = append(list, n)
		}
		return list
	}
	for _, m := range p.Members {
		list = append(list, m.Node)
	}
	return list
}

// partitionCount is how many partitions are given work.
func (b *Broker) partitionCount() int {
	if p := b.plan(); p != nil {
		return p.Active
	}
	return b.Partitions
}

// targets is how many partitions are told what all are told, and by how many
// messages are spread.
func (b *Broker) targets() (partitions, messages int) {
	p := b.plan()
	return p.Targets(), p.MessagePartitions()
}

func (b *Broker) targetCount() int {
	partitions, _ := b.targets()
	return partitions
}

func (b *Broker) factor() int {
	if p := b.plan(); p != nil {
		return p.ReplicationFactor
	}
	return b.ReplicationFactor
}

// news is called with a plan that this node may not know yet.
func (b *Broker) news(p *cluster.Plan) {
	for {
		known := b.newest.Load()
		if p.ClusterID != b.plan().ClusterID || p.Version <= b.plan().Version || known != nil && p.Version <= known.Version {
			return
		}
		if b.newest.CompareAndSwap(known, p) {
			break
		}
	}
	select {
	case b.followNow <- struct{}{}:
	default: // it is about to look anyhow
	}
}

// tellPlan answers who asks for a newer plan.
func (b *Broker) tellPlan(_ context.Context, _ protocol.NodeID, payload []byte, reply func([]byte)) {
	if len(payload) != 8 {
		reply(nil)
		return
	}
	p := b.storedPlan(binary.BigEndian.Uint64(payload))
	if p == nil {
		reply(nil)
		return
	}
	encoded, err := p.Encode()
	if err != nil {
		b.Log.Error("encode plan", "err", err)
	}
	reply(encoded)
}

// storedPlan reads the plan from this node's replica of partition 1; nil if it
// has none, or none that is newer than the given version.
func (b *Broker) storedPlan(after uint64) *cluster.Plan {
	part := b.part(protocol.DeploymentPartition)
	if part == nil {
		return nil
	}
	version, stored, err := part.Plan()
	if err == nil && version <= after {
		return nil
	}
	if known := b.plan(); err == nil && version == known.Version {
		return known
	}
	var p *cluster.Plan
	if err == nil {
		p, err = cluster.Decode(stored)
	}
	if err != nil {
		b.Log.Error("read plan", "err", err)
		return nil
	}
	return p
}

// lookForNews asks who should know the newest plan.
func (b *Broker) lookForNews(ctx context.Context) {
	if p := b.storedPlan(b.plan().Version); p != nil {
		b.news(p)
	}
	b.askLeader(ctx)
}

// askLeader asks the leader of partition 1 for a newer plan and tells whether it
// has answered.
func (b *Broker) askLeader(ctx context.Context) bool {
	leader := directory{b}.Leader(protocol.DeploymentPartition)
	if leader == protocol.NoNode {
		return false
	}
	if leader == protocol.NodeID(b.NodeID) {
		part := b.part(protocol.DeploymentPartition)
		return part != nil && part.Gate().Serving()
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	answer, err := b.post.Request(ctx, leader, kindNewer, binary.BigEndian.AppendUint64(nil, b.plan().Version))
	if err != nil || len(answer) == 0 {
		return err == nil
	}
	p, err := cluster.Decode(answer)
	if err != nil {
		b.Log.Error("a plan that was told", "from", leader, "err", err)
		return false
	}
	b.news(p)
	return true
}

// spread tells a plan that has just been written to everybody. Who does not hear
// it asks. Whoever has written it does not wait.
func (b *Broker) spread(p *cluster.Plan) {
	payload, err := p.Encode()
	if err != nil {
		b.Log.Error("encode plan", "err", err)
		return
	}
	for _, m := range b.members.List() {
		if m.Alive && m.Cluster == p.ClusterID && int(m.NodeID) != b.NodeID {
			telling, cancel := context.WithTimeout(b.life, time.Second)
			b.post.Go(telling, m.NodeID, kindPlan, payload, func([]byte, error) { cancel() })
		}
	}
}

// aliveNodes are the members that this node can reach.
func (b *Broker) aliveNodes() map[int]bool {
	alive := map[int]bool{b.NodeID: true}
	for _, m := range b.members.List() {
		if m.Alive && b.post.Reachable(m.NodeID) {
			alive[int(m.NodeID)] = true
		}
	}
	return alive
}
