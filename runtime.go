package grevy

import (
	"context"
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
	if b.ClusterSize == 1 {
		return nil
	}
	b.every(500*time.Millisecond, b.handOver)
	b.every(time.Second, b.balance)
	b.every(2*time.Second, b.reconcile)
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

// balance brings leadership back to the preferred nodes, one partition at a
// time over the whole cluster: only the lowest partition that is led elsewhere
// moves, and only to a node that every other one reaches.
func (b *Broker) balance(context.Context) {
	if time.Since(b.started) < settleTime {
		return
	}
	for i := 1; i <= b.Partitions; i++ {
		p := protocol.PartitionID(i)
		node, _, ok := b.members.Leader(p)
		if !ok {
			return // first everybody needs a leader
		}
		preferred := b.id.Plan.replicas(p)[0]
		if node == preferred || !b.fit(preferred) {
			continue
		}
		if part := b.part(p); part != nil && node == protocol.NodeID(b.NodeID) {
			b.transfer(part, preferred)
		}
		return
	}
}

// settleTime is how long a node leaves leadership alone after its start.
const settleTime = 3 * time.Second

// fit tells whether a node may be made leader: it is alive, has been for a
// while, and no link of it is cut as far as this node sees.
func (b *Broker) fit(n protocol.NodeID) bool {
	for _, m := range b.members.List() {
		if m.NodeID != n {
			continue
		}
		if !m.Alive || time.Since(m.Started) < settleTime {
			return false
		}
		for _, p := range m.Partitions {
			if !p.Healthy {
				return false
			}
		}
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

func (b *Broker) transfer(part *partitionactor.Partition, to protocol.NodeID) {
	for _, s := range part.Group().Status().Servers {
		if s.Voter && b.nodeOf(s.ID) == to {
			if err := part.Group().Transfer(s.ID); err != nil {
				b.Log.Info("leadership not moved yet", "partition", part.Partition, "to", to, "err", err)
				return
			}
			b.Log.Info("leadership moved to its preferred node", "partition", part.Partition, "to", to)
			return
		}
	}
}

// reconcile takes in nodes that came back with an empty disk: under their new
// server id as non-voters first, as voters once they have caught up; then their
// old id is removed. Only the leader of a partition does it.
func (b *Broker) reconcile(context.Context) {
	for _, part := range b.partitions() {
		if leader, _, _ := part.Role(); leader {
			b.reconcilePart(part)
		}
	}
}

func (b *Broker) reconcilePart(part *partitionactor.Partition) {
	st := part.Group().Status()
	for _, m := range b.members.List() {
		if !m.Alive || m.RaftID == "" || m.Cluster == "" || !b.keeps(m.NodeID, part.Partition) {
			continue
		}
		if err := b.takeIn(part, st, m); err != nil {
			b.Log.Info("node not taken in yet", "partition", part.Partition, "node", m.NodeID, "err", err)
		}
	}
}

func (b *Broker) keeps(n protocol.NodeID, p protocol.PartitionID) bool {
	for _, r := range b.id.Plan.replicas(p) {
		if r == n {
			return true
		}
	}
	return false
}

func (b *Broker) takeIn(part *partitionactor.Partition, st raftadapter.Status, m remote.Member) error {
	var old []string
	known, voter := false, false
	for _, s := range st.Servers {
		switch {
		case s.ID == m.RaftID:
			known, voter = true, s.Voter
		case b.nodeOf(s.ID) == m.NodeID:
			old = append(old, s.ID)
		}
	}
	switch {
	case !known:
		b.Log.Info("node taken in under its new id", "partition", part.Partition, "node", m.NodeID, "server", m.RaftID)
		return part.Group().AddServer(raftadapter.Server{ID: m.RaftID})
	case !voter && b.caughtUp(m, part.Partition):
		return part.Group().AddServer(raftadapter.Server{ID: m.RaftID, Voter: true})
	case voter && len(old) > 0:
		return part.Group().RemoveServer(old[0])
	}
	return nil
}

// caughtUp tells whether a member reports the partition as healthy in the
// leader's term: it has applied an entry of this leadership.
func (b *Broker) caughtUp(m remote.Member, p protocol.PartitionID) bool {
	for _, i := range m.Partitions {
		if i.Partition == p {
			return i.Healthy && i.Term == b.part(p).Group().Term()
		}
	}
	return false
}

// handLeadershipOver gives all leadership away before a stop, so that the
// others need no election.
func (b *Broker) handLeadershipOver() {
	if b.ClusterSize == 1 {
		return
	}
	var wg sync.WaitGroup
	for _, p := range b.partitions() {
		wg.Go(func() { p.Handover(b.ReplicationFactor == 1) })
	}
	wg.Wait()
}
