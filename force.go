package grevy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/grevy-io/grevy/cluster"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/remote"
)

// When nodes are lost for good, a partition that they had the majority of has no
// leader any more. ForceRemove gives them up: of the replicas that are left the
// one whose log is the longest begins the group anew, alone, and takes the others
// in. What only the lost ones had is gone. It is the one operation that does not
// wait for a plan in partition 1, as that may be among those without a leader.

// kindForce asks a node about its replica of a partition (forceRequest as JSON),
// or to make it the only one. The answer is a forceReply as JSON.
const kindForce remote.Kind = 7

type forceRequest struct {
	Cluster   string               `json:"cluster"`
	Partition protocol.PartitionID `json:"partition"`
	Act       bool                 `json:"act"`
}

type forceReply struct {
	Leader string `json:"leader"` // a server id, "" if it knows of none
	Term   uint64 `json:"term"`   // of the last entry of its log
	Index  uint64 `json:"index"`
	Error  string `json:"error,omitempty"`
}

// ErrNotForced says why nodes cannot be given up.
var ErrNotForced = errors.New("not given up")

// ForceRemove gives nodes up that are lost for good, with what only they had. The
// notes say what that may be; with accept it is done. It may be called again if it
// has failed in between.
func (b *Broker) ForceRemove(ctx context.Context, lost []int, accept bool) (notes []string, err error) {
	plan := b.plan()
	if newest := b.newest.Load(); newest != nil && newest.Version > plan.Version {
		plan = newest
	}
	if err := b.mayForce(plan, lost); err != nil {
		return nil, err
	}
	chosen := map[protocol.PartitionID]int{}
	for i := range plan.Partitions {
		p := protocol.PartitionID(i + 1)
		node, note, err := b.survivor(ctx, plan, p, lost)
		if err != nil {
			return nil, err
		}
		if note != "" {
			chosen[p] = node
			notes = append(notes, note)
		}
	}
	if !accept {
		return notes, nil
	}
	for p, node := range chosen {
		if reply := b.force(ctx, node, forceRequest{plan.ClusterID, p, true}); reply.Error != "" {
			return nil, fmt.Errorf("partition %d on node %d: %s", p, node, reply.Error)
		}
		b.Log.Warn("a partition goes on with one replica, what only others had is lost", "partition", p, "node", node, "lost", lost)
	}
	return notes, b.writeForced(ctx, lost)
}

// mayForce refuses to give up what is there, and to go on without knowing what
// the others have.
func (b *Broker) mayForce(plan *cluster.Plan, lost []int) error {
	alive := b.aliveNodes()
	for _, n := range lost {
		if _, ok := plan.Member(n); !ok {
			return fmt.Errorf("%w: node %d is no member of this cluster", ErrNotForced, n)
		}
		if alive[n] {
			return fmt.Errorf("%w: node %d is there; grevy cluster remove %d loses nothing", ErrNotForced, n, n)
		}
	}
	if len(lost) == 0 {
		return fmt.Errorf("%w: say which nodes", ErrNotForced)
	}
	for _, m := range plan.Members {
		if !alive[m.Node] && !slices.Contains(lost, m.Node) {
			return fmt.Errorf("%w: node %d is away too; start it, or give it up with the others", ErrNotForced, m.Node)
		}
	}
	return nil
}

// survivor finds the replica with which a partition goes on; note is empty if it
// has its majority without the lost nodes.
func (b *Broker) survivor(ctx context.Context, plan *cluster.Plan, p protocol.PartitionID, lost []int) (node int, note string, err error) {
	layout := plan.Of(p)
	var left []int
	for _, n := range layout.Replicas {
		if !slices.Contains(lost, n) {
			left = append(left, n)
		}
	}
	if 2*len(left) > len(layout.Replicas) {
		return 0, "", nil
	}
	best := forceReply{}
	node = -1
	for _, n := range left {
		r := b.force(ctx, n, forceRequest{plan.ClusterID, p, false})
		if r.Error != "" {
			return 0, "", fmt.Errorf("%w: partition %d on node %d: %s", ErrNotForced, p, n, r.Error)
		}
		if node < 0 || r.Term > best.Term || r.Term == best.Term && r.Index > best.Index {
			node, best = n, r
		}
	}
	if node < 0 {
		return 0, "", fmt.Errorf("%w: partition %d was kept on %v only: nothing of it is left, and nothing can go on from there", ErrNotForced, p, layout.Replicas)
	}
	return node, fmt.Sprintf("partition %d: %d of %d replicas are left; it goes on from node %d with what stands there, up to entry %d. What was acknowledged after that, and stands on lost nodes only, is gone",
		p, len(left), len(layout.Replicas), node, best.Index), nil
}

// force asks a node, or does it here.
func (b *Broker) force(ctx context.Context, n int, r forceRequest) (reply forceReply) {
	if n == b.NodeID {
		return b.forced(r)
	}
	payload, err := json.Marshal(r)
	if err == nil {
		payload, err = b.post.Request(ctx, protocol.NodeID(n), kindForce, payload)
	}
	if err == nil {
		err = json.Unmarshal(payload, &reply)
	}
	if err != nil {
		reply.Error = err.Error()
	}
	return reply
}

func (b *Broker) takeForce(_ context.Context, from protocol.NodeID, payload []byte, reply func([]byte)) {
	answer := func(a forceReply) {
		encoded, err := json.Marshal(a)
		if err != nil {
			b.Log.Error("encode an answer", "err", err)
		}
		reply(encoded)
	}
	var r forceRequest
	if err := json.Unmarshal(payload, &r); err != nil {
		answer(forceReply{Error: err.Error()})
		return
	}
	b.Log.Info("asked about a partition that has lost its majority", "from", from, "partition", r.Partition, "act", r.Act)
	if !b.aside(func() { answer(b.forced(r)) }) { // it takes longer than the post's turn may
		answer(forceReply{Error: "the node is stopping"})
	}
}

// forced answers for this node's replica, and makes it the only one if it is asked to.
func (b *Broker) forced(r forceRequest) (reply forceReply) {
	b.following.Lock()
	defer b.following.Unlock()
	part := b.part(r.Partition)
	if part == nil || b.plan() == nil || b.plan().ClusterID != r.Cluster {
		return forceReply{Error: "it has no replica that runs"}
	}
	st := part.Group().Status()
	var err error
	reply.Leader = st.Leader
	if reply.Index, reply.Term, err = part.Group().LogEnd(); err != nil {
		return forceReply{Error: err.Error()}
	}
	alone := len(st.Servers) == 1 && st.Servers[0].ID == b.raft.ServerOf(r.Partition)
	if !r.Act || alone {
		return reply
	}
	if part.Gate().Serving() {
		return forceReply{Error: "it has a leader: its majority is there"}
	}
	b.stopPart(r.Partition)
	err = b.raft.ForceAlone(r.Partition)
	if started := b.startPartition(r.Partition); err == nil {
		err = started
	}
	if err != nil {
		return forceReply{Error: err.Error()}
	}
	b.report()
	return reply
}

// writeForced notes in partition 1 who is left, once it has a leader again.
func (b *Broker) writeForced(ctx context.Context, lost []int) error {
	_, err := b.rewrite(ctx, func(plan *cluster.Plan) (*cluster.Plan, error) {
		return plan.Force(lost, time.Now().UnixMilli())
	})
	return err
}
