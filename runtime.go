package grevy

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/remote"
)

// openRuntime starts what a node looks after while it runs.
func (b *Broker) openRuntime(context.Context) error {
	b.every(300*time.Millisecond, b.marks.renew)
	b.every(time.Second, b.watchSpace)
	b.every(time.Second, b.leaveFullDisk)
	b.every(diskUseEvery, b.countDiskUse)
	b.openFollow()
	b.every(500*time.Millisecond, b.handOver)
	b.every(time.Second, b.balance)
	b.every(300*time.Millisecond, b.reconcile)
	b.every(300*time.Millisecond, b.drive)
	return nil
}

func (b *Broker) every(d time.Duration, f func(context.Context)) {
	b.wg.Go(func() {
		t := time.NewTicker(d)
		defer t.Stop()
		for {
			f(b.life)
			select {
			case <-t.C:
			case <-b.life.Done():
				return
			}
		}
	})
}

// aside runs f on a goroutine that Close waits for; false: the node is closing, and
// f is not run.
func (b *Broker) aside(f func()) bool {
	b.closing.Lock()
	defer b.closing.Unlock()
	if b.life.Err() != nil {
		return false
	}
	b.wg.Go(f)
	return true
}

// balance brings leadership back to the preferred nodes, one partition at a
// time over the whole cluster: only the lowest partition that is led elsewhere
// moves, and only to a node that every other one reaches.
func (b *Broker) balance(ctx context.Context) {
	if time.Since(b.started) < settleTime {
		return
	}
	for i := 1; i <= b.partitionCount(); i++ {
		p := protocol.PartitionID(i)
		node, _, ok := b.members.Leader(p)
		if !ok {
			return // first everybody needs a leader
		}
		preferred := protocol.NodeID(b.layout(p).Replicas[0])
		if node == preferred || !b.fit(preferred) {
			continue
		}
		if part := b.part(p); part != nil && node == protocol.NodeID(b.NodeID) {
			b.transfer(ctx, part, preferred)
		}
		return
	}
}

// settleTime is how long a node leaves leadership alone after its start.
const settleTime = 3 * time.Second

// fit tells whether a node may be made leader: it is alive, has been for a
// while, and no link of it is cut as far as this node sees.
func (b *Broker) fit(n protocol.NodeID) bool {
	m := b.member(n)
	unwell := slices.ContainsFunc(m.Partitions, func(p remote.PartitionInfo) bool { return !p.Healthy })
	if !m.Alive || time.Since(m.Started) < settleTime || unwell {
		return false
	}
	if n == protocol.NodeID(b.NodeID) {
		return true
	}
	for _, l := range b.post.Links() {
		if !l.Up {
			return false // some link is cut: this is no time to move leaders
		}
	}
	return b.post.Reachable(n)
}

// transfer moves a partition to a node if that votes under its present server
// id, has caught up, and is not about to stop: such a node has just handed its
// leadership over, and would let a transfer back run into its timeout. A transfer
// holds up commands until it has succeeded or timed out, so one that has failed is
// not repeated soon.
func (b *Broker) transfer(ctx context.Context, part *partitionactor.Partition, to protocol.NodeID) bool {
	id := b.serverOf(to, part.Partition)
	voter := slices.Contains(part.Group().Status().Servers, raftadapter.Server{ID: id, Voter: true})
	if !voter || time.Since(time.Unix(0, b.unmoved.Load())) < transferPause {
		return false
	}
	if caughtUp, ready := b.caughtUp(ctx, to, part); !caughtUp || !ready {
		return false
	}
	if err := part.Group().Transfer(id); err != nil {
		b.unmoved.Store(time.Now().UnixNano())
		b.Log.Info("leadership not moved yet", "partition", part.Partition, "to", to, "err", err)
		return false
	}
	b.Log.Info("leadership moved", "partition", part.Partition, "to", to)
	return true
}

// leadElsewhere moves a partition's leadership to one of some nodes: whoever has
// caught up and can write. Not always the same is tried first.
func (b *Broker) leadElsewhere(ctx context.Context, part *partitionactor.Partition, nodes []int) bool {
	for _, i := range rand.Perm(len(nodes)) {
		if n := protocol.NodeID(nodes[i]); nodes[i] != b.NodeID && b.well(n, part.Partition) && b.transfer(ctx, part, n) {
			return true
		}
	}
	return false
}

// well tells whether a node can be reached, and says of its replica of a partition
// that nothing is wrong with it.
func (b *Broker) well(n protocol.NodeID, p protocol.PartitionID) bool {
	m := b.member(n)
	return m.Alive && b.post.Reachable(n) && slices.ContainsFunc(m.Partitions, func(i remote.PartitionInfo) bool {
		return i.Partition == p && i.Healthy
	})
}

// otherVoters are the other nodes whose vote counts in a partition's group.
func (b *Broker) otherVoters(part *partitionactor.Partition) (nodes []int) {
	for _, s := range part.Group().Status().Servers {
		if n := int(b.nodeOf(s.ID)); s.Voter && n != b.NodeID {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// transferPause is how long leadership stays where it is after it could not be
// moved.
const transferPause = 15 * time.Second

// caughtUpBy is how many entries a replica may lack and count as caught up: those
// that came while it was asked.
const caughtUpBy = 1000

// caughtUp asks a node whether its replica has nearly all that this leader has,
// and whether the node serves: it does not while it starts and while it stops.
func (b *Broker) caughtUp(ctx context.Context, n protocol.NodeID, part *partitionactor.Partition) (ok, ready bool) {
	here := part.Group().Status().Applied
	info, err := b.nodeInfo(ctx, n)
	there, ok := info.Applied[int(part.Partition)]
	return err == nil && ok && there+caughtUpBy >= here, info.Ready
}

// handLeadershipOver gives all leadership away before a stop, so that the
// others need no election.
func (b *Broker) handLeadershipOver() {
	var wg sync.WaitGroup
	for _, p := range b.partitions() {
		wg.Go(func() { p.Handover(len(b.otherVoters(p)) == 0) })
	}
	wg.Wait()
}
