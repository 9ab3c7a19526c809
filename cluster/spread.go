package cluster

import (
	"errors"

	"github.com/grevy-io/grevy/protocol"
)

// rebalance spreads the leaders: as long as a leader has a fellow with two fewer,
// that one gets the partition.
func (w *planner) rebalance() {
	first := make([]int, len(w.Partitions))
	leads := map[int]int{}
	for i := range w.Partitions {
		first[i] = w.Partitions[i].Replicas[0]
		leads[first[i]]++
	}
	for changed := true; changed; {
		changed = false
		for i := range w.Partitions {
			for _, n := range w.Partitions[i].Replicas {
				if w.seen.Alive[n] && (leads[n]+1 < leads[first[i]] || !w.seen.Alive[first[i]]) {
					leads[first[i]]--
					leads[n]++
					first[i], changed = n, true
				}
			}
		}
	}
	for i, n := range first {
		id := protocol.PartitionID(i + 1)
		if leader, ok := w.seen.Leaders[id]; w.Partitions[i].Replicas[0] != n || ok && leader != n && w.seen.Alive[n] {
			w.do(Step{Kind: Lead, Partition: id, Node: n})
		}
	}
}

// addPartitions lets new partitions begin one after the other. Each gets all
// definitions before it gets work.
func (w *planner) addPartitions(count int) {
	if count > MaxPartitions || count < len(w.Partitions) {
		w.refuse("the number of partitions must be from %d (partitions are never taken away) to %d, not %d", len(w.Partitions), MaxPartitions, count)
		return
	}
	for id := protocol.PartitionID(w.Active + 1); int(id) <= count && w.err == nil; id++ {
		if int(id) > len(w.Partitions) {
			w.found(id)
		}
		for w.err == nil && len(w.Of(id).Replicas) < w.ReplicationFactor {
			w.grow(id)
		}
		w.do(Step{Kind: Define, Partition: id})
		w.do(Step{Kind: Activate, Partition: id})
	}
}

// found begins a partition on the node that leads the fewest.
func (w *planner) found(id protocol.PartitionID) {
	leads, load, best := map[int]int{}, w.loads(), -1
	for i := range w.Partitions {
		leads[w.Partitions[i].Replicas[0]]++
	}
	for _, m := range w.Members {
		n := m.Node
		if w.seen.Alive[n] && (best < 0 || leads[n] < leads[best] || leads[n] == leads[best] && load[n] < load[best]) {
			best = n
		}
	}
	if best < 0 {
		w.err = errors.Join(w.err, errors.New("no node is there"))
		return
	}
	w.do(Step{Kind: Found, Partition: id, Node: best})
}
