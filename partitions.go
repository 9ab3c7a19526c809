package grevy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/cluster"
	"github.com/grevy-io/grevy/distributor"
	"github.com/grevy-io/grevy/internal/diskspace"
	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/remote"
)

func (b *Broker) setPart(p protocol.PartitionID, part *partitionactor.Partition) {
	b.partsMu.Lock()
	defer b.partsMu.Unlock()
	if part == nil {
		delete(b.parts, p)
		return
	}
	b.parts[p] = part
}

func (b *Broker) part(p protocol.PartitionID) *partitionactor.Partition {
	b.partsMu.RLock()
	defer b.partsMu.RUnlock()
	return b.parts[p]
}

// partitions lists this node's partitions in order.
func (b *Broker) partitions() []*partitionactor.Partition {
	b.partsMu.RLock()
	defer b.partsMu.RUnlock()
	var list []*partitionactor.Partition
	for _, p := range b.parts {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, c *partitionactor.Partition) int { return int(a.Partition) - int(c.Partition) })
	return list
}

// bootstrapOf is the configuration a group begins with, and it only begins on the
// nodes with which the cluster began, or on the one that was chosen for it. A node that is not in
// the plan under its present server id has lost its disk, and one that set its
// first replica aside has lost that: it waits until the leader takes it in (see
// reconcile).
func (b *Broker) bootstrapOf(p protocol.PartitionID) []raftadapter.Server {
	self, layout := b.self(), b.layout(p)
	switch began := self.Plan.Began; {
	case b.replica(p) > 0:
		return nil
	case slices.Contains(self.Begun, p) && slices.Equal(layout.Nodes(), []int{b.NodeID}):
		return []raftadapter.Server{{ID: self.ServerID, Voter: true}} // it has begun, and has nobody else to wait for
	case slices.Contains(self.Begun, p):
		return nil
	case layout.Founder != "":
		return foundedBy(self.ServerID, layout.Founder)
	case began.Servers[b.NodeID] != self.ServerID || !slices.Contains(began.Replicas(p), b.NodeID):
		return nil
	default:
		return firstGroup(&began, p)
	}
}

// foundedBy is the group of a partition that was added, on the server that
// founds it: the others are taken in.
func foundedBy(self, founder string) []raftadapter.Server {
	if self != founder {
		return nil
	}
	return []raftadapter.Server{{ID: self, Voter: true}}
}

// firstGroup is the group of a partition when the cluster begins.
func firstGroup(began *cluster.Began, p protocol.PartitionID) (servers []raftadapter.Server) {
	for _, n := range began.Replicas(p) {
		servers = append(servers, raftadapter.Server{ID: began.Servers[n], Voter: true})
	}
	return servers
}

// directory tells the router who leads what (remote.Directory).
type directory struct{ b *Broker }

func (d directory) Partitions() int { return len(d.b.plan().Partitions) }

func (d directory) Executor(p protocol.PartitionID) remote.Executor {
	if part := d.b.part(p); part != nil {
		return part.Gate()
	}
	return nil
}

// Leader asks this node's own replica first, whose word comes from raft, and
// gossip otherwise; the higher term wins.
func (d directory) Leader(p protocol.PartitionID) protocol.NodeID {
	node, term, ok := d.b.members.Leader(p)
	if part := d.b.part(p); part != nil {
		if id := part.Group().Leader(); id != "" && (!ok || part.Group().Term() >= term) {
			return d.b.nodeOf(id)
		}
	}
	if !ok {
		return protocol.NoNode
	}
	return node
}

// nodeOf reads the node out of a server id, "nodeId-random".
func (b *Broker) nodeOf(serverID string) protocol.NodeID {
	var n int
	if _, err := fmt.Sscanf(serverID, "%d-", &n); err != nil || !strings.Contains(serverID, "-") {
		return protocol.NoNode
	}
	return protocol.NodeID(n)
}

// member is what gossip knows of a node; the zero Member if nothing is known.
func (b *Broker) member(n protocol.NodeID) (m remote.Member) {
	list := b.members.List()
	if i := slices.IndexFunc(list, func(m remote.Member) bool { return m.NodeID == n }); i >= 0 {
		m = list[i]
	}
	return m
}

// raftAddr finds where a server listens for raft, "" if it is not known.
func (b *Broker) raftAddr(serverID string) string {
	m := b.member(b.nodeOf(serverID))
	if m.RaftID == "" || m.RaftID != raftadapter.NodeServer(serverID) {
		return ""
	}
	return joinHostPort(m.Host, m.Ports.Raft)
}

func (b *Broker) distributor(out actors.Outbox) *actor.Props {
	return distributor.Props(distributor.Config{Log: b.Log, Reachable: b.reachable, Partitions: b.targetCount}, out)
}

// reachable tells whether a partition has a leader to which there is a way.
func (b *Broker) reachable(p protocol.PartitionID) bool {
	leader := directory{b}.Leader(p)
	return leader != protocol.NoNode && b.post.Reachable(leader)
}

// onMembers is called when gossip has news.
func (b *Broker) onMembers() {
	b.post.SetPeers(b.members.RemoteAddrs())
	for _, p := range b.partitions() {
		p.News(actors.LinkNews{})
	}
}

// onLink is called when a link went up or down.
func (b *Broker) onLink(ev remote.LinkEvent) {
	if ev.Reachable {
		for _, p := range b.partitions() {
			p.News(actors.LinkNews{})
		}
	}
}

// onChange is called by a partition whose role here has changed.
func (b *Broker) onChange() {
	if b.members != nil {
		b.report()
	}
}

// report tells the others what this node is for its partitions.
func (b *Broker) report() {
	var list []remote.PartitionInfo
	for _, p := range b.partitions() {
		info := remote.PartitionInfo{Partition: p.Partition, Role: remote.Follower, Healthy: true, Replica: b.replica(p.Partition)}
		leader, term, problem := p.Role()
		info.Term = term
		if leader {
			info.Role = remote.Leader
		}
		if problem != "" {
			info.Role, info.Healthy, info.Reason = remote.Inactive, false, problem
		} else if b.space.Level() == diskspace.Ended { // nobody should make it a leader
			info.Healthy, info.Reason = false, b.spaceProblem()
		}
		list = append(list, info)
	}
	b.members.SetPartitions(list)
}

// hasLeader tells whether somebody is known to lead a partition.
func (b *Broker) hasLeader(p protocol.PartitionID) bool {
	if part := b.part(p); part != nil && part.Gate().Serving() {
		return true
	}
	n := directory{b}.Leader(p)
	return n != protocol.NoNode && (n == protocol.NodeID(b.NodeID) || b.post.Reachable(n))
}

// awaitLeaders waits until every partition has a leader that serves. A partition
// that has none for long must not keep the others from being served.
func (b *Broker) awaitLeaders(ctx context.Context) error {
	late := time.NewTimer(b.LeaderTimeout)
	defer late.Stop()
	for {
		without := b.withoutLeader()
		if len(without) == 0 {
			return nil
		}
		if err := b.strangers(); err != nil {
			return err
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case err := <-b.fatal:
			return err
		case <-late.C:
			b.Log.Warn("partitions have no leader: does a majority of their nodes run?", "partitions", without)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b *Broker) withoutLeader() (list []int) {
	for i := 1; i <= b.partitionCount(); i++ {
		if !b.serves(protocol.PartitionID(i)) {
			list = append(list, i)
		}
	}
	return list
}

// serves tells whether a partition's leader is known to take commands.
func (b *Broker) serves(p protocol.PartitionID) bool {
	if part := b.part(p); part != nil && part.Gate().Serving() {
		return true
	}
	n, _, ok := b.members.Leader(p)
	return ok && n != protocol.NodeID(b.NodeID) && b.post.Reachable(n)
}
