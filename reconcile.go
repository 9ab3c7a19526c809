package grevy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/grevy-io/grevy/cluster"
	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
)

// reconcile makes raft's groups what the cluster's plan says, one change of one
// group at a time. It takes in nodes that are to keep a partition, that came back
// with an empty disk, or with a new replica in place of a damaged one: under
// their present server id as non-voters first, then their old id is removed, and
// once they have caught up they become voters. So a commit never needs the vote of
// one that is still catching up. Only the leader of a partition does it.
func (b *Broker) reconcile(ctx context.Context) {
	for _, part := range b.partitions() {
		if leader, _, _ := part.Role(); leader {
			if err := b.reconcilePart(ctx, part); err != nil {
				b.Log.Info("replicas not as planned yet", "partition", part.Partition, "err", err)
			}
		}
	}
}

func (b *Broker) reconcilePart(ctx context.Context, part *partitionactor.Partition) error {
	plan, st := b.plan(), part.Group().Status()
	layout := plan.Of(part.Partition)
	if len(layout.Replicas) == 0 {
		return nil
	}
	for _, m := range b.members.List() {
		id := serverIn(m, part.Partition)
		if !m.Alive || id == "" || m.Cluster == "" || !slices.Contains(layout.Nodes(), int(m.NodeID)) {
			continue
		}
		changed, err := b.takeIn(ctx, part, st, m.NodeID, id, slices.Contains(layout.Replicas, int(m.NodeID)))
		if changed || err != nil {
			return err
		}
	}
	return b.letGo(ctx, part, st, plan)
}

// takeIn brings one node's server a step further. A learner stays without a vote.
func (b *Broker) takeIn(ctx context.Context, part *partitionactor.Partition, st raftadapter.Status, n protocol.NodeID, id string, votes bool) (changed bool, err error) {
	known, voter := false, false
	for _, s := range st.Servers {
		if s.ID == id {
			known, voter = true, s.Voter
		}
	}
	old := votersFirst(st.Servers, func(s raftadapter.Server) bool { return s.ID != id && b.nodeOf(s.ID) == n })
	switch {
	case !known:
		b.Log.Info("node taken in", "partition", part.Partition, "node", n, "server", id)
		return true, part.Group().AddServer(raftadapter.Server{ID: id}, st)
	case len(old) > 0:
		b.Log.Info("former id of a node removed", "partition", part.Partition, "node", n, "server", old[0].ID)
		return true, part.Group().RemoveServer(old[0].ID, st)
	case votes && !voter:
		if caughtUp, _ := b.caughtUp(ctx, n, part); !caughtUp {
			return false, nil
		}
		b.Log.Info("node votes", "partition", part.Partition, "node", n, "server", id)
		return true, part.Group().AddServer(raftadapter.Server{ID: id, Voter: true}, st)
	}
	return false, nil
}

// letGo removes one server of a node that does not keep the partition any more,
// by a plan that is certainly the newest, and only if a majority of those that
// stay is there.
func (b *Broker) letGo(ctx context.Context, part *partitionactor.Partition, st raftadapter.Status, plan *cluster.Plan) error {
	layout := plan.Of(part.Partition)
	gone := votersFirst(st.Servers, func(s raftadapter.Server) bool {
		return !slices.Contains(layout.Nodes(), int(b.nodeOf(s.ID)))
	})
	if len(gone) == 0 {
		return nil
	}
	if !b.confirmed(ctx, plan) {
		return errors.New("it is not certain that the plan known here is the newest")
	}
	var kept error
	for _, s := range gone {
		if s.ID == st.Leader {
			if b.leadElsewhere(ctx, part, layout.Replicas) {
				return nil // the rest is the next leader's
			}
			kept = errors.New("no node that keeps it can lead it yet")
			continue
		}
		if why := b.majorityWithout(ctx, part, st, s); why != "" {
			kept = fmt.Errorf("server %s is not removed: %s", s.ID, why)
			continue
		}
		b.Log.Info("server removed, its node does not keep the partition any more", "partition", part.Partition, "server", s.ID)
		return part.Group().RemoveServer(s.ID, st)
	}
	return kept
}

// votersFirst lists those of a group's servers that are to go. As long as a server
// that is gone votes, a commit needs one more of those that stay.
func votersFirst(servers []raftadapter.Server, goes func(raftadapter.Server) bool) (list []raftadapter.Server) {
	for _, voter := range []bool{true, false} {
		for _, s := range servers {
			if s.Voter == voter && goes(s) {
				list = append(list, s)
			}
		}
	}
	return list
}

// majorityWithout says why the voters that stay could not commit, "" if they can.
// Without one that does not vote they can as before.
func (b *Broker) majorityWithout(ctx context.Context, part *partitionactor.Partition, st raftadapter.Status, gone raftadapter.Server) string {
	if !gone.Voter {
		return ""
	}
	voters, there := 0, 0
	for _, s := range st.Servers {
		if !s.Voter || s.ID == gone.ID {
			continue
		}
		voters++
		if s.ID == st.Leader {
			there++
		} else if caughtUp, _ := b.caughtUp(ctx, b.nodeOf(s.ID), part); caughtUp {
			there++
		}
	}
	if 2*there > voters {
		return ""
	}
	return fmt.Sprintf("only %d of the %d that stay are there and have caught up", there, voters)
}
