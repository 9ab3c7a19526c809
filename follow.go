package grevy

import (
	"context"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/grevy-io/grevy/cluster"
	"github.com/grevy-io/grevy/protocol"
)

// followPause is how long is waited before what the plan says is tried again.
const followPause = 500 * time.Millisecond

// openFollow lets this node follow the cluster's plan while it runs.
func (b *Broker) openFollow() {
	b.every(300*time.Millisecond, b.lookForNews)
	b.wg.Go(func() {
		for {
			select {
			case <-b.followNow:
			case <-time.After(followPause): // what could not be started, or not given up, is tried again
			case <-b.life.Done():
				return
			}
			b.follow()
		}
	})
}

// follow takes the newest plan over and starts and stops partitions by it.
func (b *Broker) follow() {
	b.following.Lock()
	defer b.following.Unlock()
	if p := b.newest.Load(); p != nil && p.Version > b.plan().Version {
		if err := b.note(func(id *identity) { id.Plan = p }); err != nil {
			b.Log.Error("the cluster's plan could not be written down, it is not followed", "err", err)
			return
		}
		b.Log.Info("following the cluster's plan", "version", p.Version)
	}
	if self := b.self(); self.Plan.Left(self.ServerID) {
		b.fail(ErrRemoved)
		return
	}
	b.dropPartitions()
	b.startPartitions()
}

// startPartitions starts what this node keeps and does not run, and starts anew
// what has run alone and is to have fellows: a group of one has an impatient leader.
func (b *Broker) startPartitions() {
	plan, changed := b.plan(), false
	for _, p := range plan.Held(b.NodeID) {
		part := b.part(p)
		if _, damaged := b.repairs()[p]; part == nil && damaged {
			continue
		}
		layout := plan.Of(p)
		if part != nil && (len(part.Bootstrap) != 1 || len(layout.Nodes()) == 1) {
			continue
		}
		changed = true
		if part != nil {
			b.Log.Info("partition is started anew, to have other replicas", "partition", p)
			b.stopPart(p)
		}
		if err := b.startPartition(p); err != nil {
			b.Log.Warn("partition not started yet", "partition", p, "err", err)
		}
	}
	if changed {
		b.report()
	}
}

// dropPartitions gives up what this node does not keep any more, once the others do
// without it.
func (b *Broker) dropPartitions() {
	for _, p := range b.surplus() {
		if b.counts(b.life, p) {
			continue
		}
		if err := b.drop(p); err != nil {
			b.Log.Warn("replica not given up yet", "partition", p, "err", err)
		}
	}
}

// surplus lists the partitions of which this node has a replica that it is not to keep.
func (b *Broker) surplus() []protocol.PartitionID {
	here := map[protocol.PartitionID]bool{}
	for _, p := range b.partitions() {
		here[p.Partition] = true
	}
	for _, p := range b.self().Begun {
		here[p] = true
	}
	for _, p := range b.plan().Held(b.NodeID) {
		delete(here, p)
	}
	return slices.Sorted(maps.Keys(here))
}

// counts tells whether this node's vote may count in a partition's group: it does
// until a leader says that it does not. To give the replica up before would be as if
// its disk were lost: one failure more, and what only it has.
func (b *Broker) counts(ctx context.Context, p protocol.PartitionID) bool {
	leader, known := b.leaderInfo(ctx, p)
	return !known || leader.node == b.NodeID || slices.Contains(leader.info.Voters[int(p)], b.raft.ServerOf(p))
}

// drop gives a replica up for good: another one of this node would be another
// server. Its log is moved away before that is noted: if the process ends in
// between, the replica counts as damaged, not as one that may vote.
func (b *Broker) drop(p protocol.PartitionID) error {
	b.stopPart(p)
	dropped, err := b.raft.Drop(p)
	if err != nil {
		return err
	}
	err = b.note(func(id *identity) {
		id.Replicas[p]++
		id.Begun = slices.DeleteFunc(id.Begun, func(q protocol.PartitionID) bool { return q == p })
	})
	if err != nil {
		return err
	}
	b.partsMu.Lock()
	delete(b.damaged, p)
	b.partsMu.Unlock()
	b.report()
	b.Log.Info("replica given up, the partition is kept elsewhere", "partition", p)
	if err := b.raft.Forget(p); err != nil {
		return err
	}
	return os.RemoveAll(dropped)
}

// confirmed tells whether the plan that this node follows is the newest there is.
func (b *Broker) confirmed(ctx context.Context, plan *cluster.Plan) bool {
	if !b.askLeader(ctx) {
		return false
	}
	if p := b.storedPlan(plan.Version); p != nil {
		b.news(p)
	}
	newest := b.newest.Load()
	return newest == nil || newest.Version <= plan.Version
}
