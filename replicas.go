package grevy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/remote"
)

// replica is the number of this node's replica of a partition.
func (b *Broker) replica(p protocol.PartitionID) uint64 { return b.self().Replicas[p] }

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
	return serverIn(b.member(n), p)
}

// repair is a damaged replica on its way to be replaced.
type repair struct {
	why  error
	dir  string // of its log
	anew bool   // it is set aside: the next one's number is on the disk
}

// startPartition opens this node's replica of a partition. One that is damaged
// must not vote any more; repair looks after it. If there is no other
// replica, nothing may be thrown away: the node refuses to start.
func (b *Broker) startPartition(p protocol.PartitionID) error {
	part, err := b.tryPartition(p)
	switch {
	case err == nil:
		return b.begin(p, part)
	case !raftadapter.Damaged(err):
		return err
	case slices.Equal(b.layout(p).Replicas, []int{b.NodeID}):
		return fmt.Errorf("%w (no other node keeps partition %d; docs/operations.md, \"A damaged replica\")", err, p)
	}
	if b.storeKept != "" {
		err = fmt.Errorf("the store was damaged and is kept in %s: %w", b.storeKept, err)
	}
	b.Log.Warn("replica is damaged, it takes no part", "partition", p, "err", err)
	b.setRepair(p, repair{why: err, dir: b.raft.LogDir(p)})
	return nil
}

func (b *Broker) tryPartition(p protocol.PartitionID) (*partitionactor.Partition, error) {
	if _, err := os.Stat(b.raft.LogDir(p)); slices.Contains(b.self().Begun, p) && !b.repairs()[p].anew && errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("start partition %d: %w: its log is gone: %s", p, raftadapter.ErrStateLost, b.raft.LogDir(p))
	}
	return partitionactor.Start(b.partitionConfig(p))
}

func (b *Broker) repairs() map[protocol.PartitionID]repair {
	b.partsMu.RLock()
	defer b.partsMu.RUnlock()
	return maps.Clone(b.damaged)
}

func (b *Broker) setRepair(p protocol.PartitionID, r repair) {
	b.partsMu.Lock()
	defer b.partsMu.Unlock()
	b.damaged[p] = r
}

// repairEvery is how often it is looked whether a damaged replica can be replaced.
const repairEvery = 500 * time.Millisecond

// repair replaces each damaged replica as soon as the others have a leader, who
// takes the new one in. Not before: while there is none, what is here may be
// needed to have a majority once more, by somebody who brings it back.
func (b *Broker) repair(context.Context) {
	if len(b.repairs()) == 0 {
		return
	}
	b.following.Lock()
	defer b.following.Unlock()
	for p, r := range b.repairs() {
		if b.part(p) != nil || !b.serves(p) {
			continue
		}
		if err := b.replace(p, r); err != nil {
			b.Log.Warn("damaged replica not replaced yet", "partition", p, "err", err)
		}
	}
}

// replace sets a replica aside, and another one begins with nothing, as if its
// disk were new (see reconcile).
func (b *Broker) replace(p protocol.PartitionID, r repair) error {
	if !r.anew {
		if err := b.setAside(p); err != nil {
			return err
		}
		r.anew = true
		b.setRepair(p, r)
		b.Log.Warn("damaged replica set aside, it is copied anew from the others", "partition", p, "err", r.why,
			"kept", r.dir, "server", b.raft.ServerOf(p))
	}
	part, err := b.tryPartition(p)
	if err != nil {
		return err
	}
	if err := b.begin(p, part); err != nil {
		return err
	}
	b.report()
	return nil
}

// setAside gives a replica up. The next one's number is on the disk before
// anything is done under it.
func (b *Broker) setAside(p protocol.PartitionID) error {
	if err := b.raft.SetAside(p); err != nil {
		return err
	}
	return b.note(func(id *identity) { id.Replicas[p]++ })
}

// begin lets a partition take part that was started, and notes that it has its
// log from now on.
func (b *Broker) begin(p protocol.PartitionID, part *partitionactor.Partition) error {
	b.setPart(p, part)
	if slices.Contains(b.self().Begun, p) {
		return nil
	}
	err := b.note(func(id *identity) { id.Begun = append(id.Begun, p) })
	if err != nil {
		b.stopPart(p) // or the next start would not know that it may have voted
	}
	return err
}

// stopPart ends this node's replica of a partition, if it runs.
func (b *Broker) stopPart(p protocol.PartitionID) {
	part := b.part(p)
	if part == nil {
		return
	}
	b.setPart(p, nil)
	if err := part.Stop(); err != nil {
		b.Log.Warn("stop partition", "partition", p, "err", err)
	}
}

// copied lists the partitions of which this node had a damaged replica, until the
// new one votes.
func (b *Broker) copied() (list []string) {
	all := b.repairs()
	for _, p := range slices.Sorted(maps.Keys(all)) {
		r, part := all[p], b.part(p)
		switch {
		case !r.anew:
			list = append(list, fmt.Sprintf("partition %d: its replica is damaged; it is copied anew once the others have a leader: %v", p, r.why))
		case part == nil || !slices.Contains(part.Group().Status().Servers, raftadapter.Server{ID: b.raft.ServerOf(p), Voter: true}):
			list = append(list, fmt.Sprintf("partition %d: its replica was damaged and is set aside in %s, it is being copied anew: %v", p, r.dir, r.why))
		}
	}
	return list
}
