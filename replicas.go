package grevy

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/remote"
)

// replica is the number of this node's replica of a partition.
func (b *Broker) replica(p protocol.PartitionID) uint64 {
	b.partsMu.RLock()
	defer b.partsMu.RUnlock()
	return b.id.Replicas[p]
}

// serverIn is the server id of a member in a partition's group, "" while the
// member has not said that it keeps the partition.
func serverIn(m remote.Member, p protocol.PartitionID) string {
	for _, i := range m.Partitions {
		if i.Partition == p && m.RaftID != "" {
			return raftadapter.ReplicaID(m.RaftID, i.Replica)
		}
	}
	return ""
}

// serverOf is the server id that node n has in a partition's group now.
func (b *Broker) serverOf(n protocol.NodeID, p protocol.PartitionID) string {
	for _, m := range b.members.List() {
		if m.NodeID == n {
			return serverIn(m, p)
		}
	}
	return ""
}

// startPartition opens this node's replica of a partition. One that is damaged
// must not vote any more. It is set aside, and another one begins with nothing,
// as if its disk were new: the leader takes it in (see reconcile). If there is no
// other replica, nothing may be thrown away: the node refuses to start.
func (b *Broker) startPartition(p protocol.PartitionID) (*partitionactor.Partition, error) {
	part, err := b.tryPartition(p)
	if !raftadapter.Damaged(err) {
		return part, err
	}
	if b.ReplicationFactor == 1 {
		return nil, fmt.Errorf("%w (no other node keeps partition %d; docs/operations.md, \"A damaged replica\")", err, p)
	}
	if err := b.setAside(p, err); err != nil {
		return nil, err
	}
	return b.tryPartition(p)
}

func (b *Broker) tryPartition(p protocol.PartitionID) (*partitionactor.Partition, error) {
	if _, err := os.Stat(b.raft.LogDir(p)); b.id.Begun && b.replicaBegun(p) && errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("start partition %d: %w: its log is gone: %s", p, raftadapter.ErrStateLost, b.raft.LogDir(p))
	}
	return partitionactor.Start(b.partitionConfig(p))
}

// replicaBegun tells whether the replica may have had a log: not if it was made
// since this process started.
func (b *Broker) replicaBegun(p protocol.PartitionID) bool {
	b.partsMu.RLock()
	defer b.partsMu.RUnlock()
	_, anew := b.anew[p]
	return !anew
}

// setAside gives a partition's replica up. The next one's number is on the disk
// before anything is done under it.
func (b *Broker) setAside(p protocol.PartitionID, why error) error {
	dir := b.raft.LogDir(p)
	if err := b.raft.SetAside(p); err != nil {
		return errors.Join(why, err)
	}
	b.partsMu.Lock()
	replicas := maps.Clone(b.id.Replicas)
	if replicas == nil {
		replicas = map[protocol.PartitionID]uint64{}
	}
	replicas[p]++
	b.id.Replicas = replicas
	b.anew[p] = fmt.Sprintf("its replica was damaged and is set aside in %s, it is copied anew from the others: %v", dir, why)
	b.partsMu.Unlock()
	if err := b.id.save(b.DataDir); err != nil {
		return err
	}
	b.Log.Warn("damaged replica set aside, it is copied anew from the others", "partition", p, "err", why,
		"kept", dir, "server", b.raft.ServerOf(p))
	return nil
}

// begun notes that each partition has its log from now on.
func (b *Broker) begun() error {
	if b.id.Begun {
		return nil
	}
	b.id.Begun = true
	return b.id.save(b.DataDir)
}

// copied lists the partitions that have a new replica here which does not vote yet.
func (b *Broker) copied() (list []string) {
	b.partsMu.RLock()
	anew := maps.Clone(b.anew)
	b.partsMu.RUnlock()
	for _, p := range slices.Sorted(maps.Keys(anew)) {
		part := b.part(p)
		if part != nil && slices.Contains(part.Group().Status().Servers, raftadapter.Server{ID: b.raft.ServerOf(p), Voter: true}) {
			continue
		}
		list = append(list, fmt.Sprintf("partition %d: %s", p, anew[p]))
	}
	return list
}
