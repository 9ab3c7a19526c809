package grevy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grevy-io/grevy/cluster"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/remote"
)

// kindPlan hands a cluster's plan to a node that has none, or an older one. The answer is empty,
// or says why it was refused.
const kindPlan remote.Kind = 2

// join makes this node part of a cluster: the one that its directory knows, the
// one whose plan another node hands over, or a new one, made by node 0 once it
// has seen every node and none of them knows a cluster (architecture §4 "Identity and
// bootstrap").
func (b *Broker) join(ctx context.Context) error {
	alone := b.ClusterSize == 1 && !b.joins()
	if b.plan() == nil && alone {
		return b.adopt(b.newPlan(map[int]string{b.NodeID: b.self().ServerID}))
	}
	if b.plan() == nil {
		b.Progress("waiting for the other nodes")
	}
	for b.plan() == nil {
		if b.NodeID == 0 && !b.joins() {
			if servers := b.everybody(); servers != nil {
				return b.adopt(b.newPlan(servers))
			}
		}
		select {
		case p := <-b.plans:
			if err := (&identity{NodeID: b.NodeID, ServerID: b.self().ServerID, Plan: p}).fits(b.Config); err != nil {
				return err
			}
			return b.adopt(p)
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("the cluster did not form: %s", b.missing())
		}
	}
	return nil
}

func (b *Broker) newPlan(servers map[int]string) *cluster.Plan {
	return cluster.New(randomHex(16), cluster.Began{
		Nodes: b.ClusterSize, Partitions: b.Partitions, ReplicationFactor: b.ReplicationFactor, Servers: servers,
	})
}

// adopt writes the cluster's plan down before anything is done by it.
func (b *Broker) adopt(p *cluster.Plan) error {
	if err := b.note(func(id *identity) { id.Plan = p }); err != nil {
		return err
	}
	b.post.SetCluster(p.ID())
	b.members.SetCluster(p.ID())
	return nil
}

// everybody lists the servers of all nodes if all are there and none of them
// has a cluster.
func (b *Broker) everybody() map[int]string {
	servers := map[int]string{}
	for _, m := range b.members.List() {
		if m.Cluster != "" {
			return nil
		}
		if m.Alive && m.RaftID != "" && int(m.NodeID) < b.ClusterSize {
			servers[int(m.NodeID)] = m.RaftID
		}
	}
	if len(servers) < b.ClusterSize {
		return nil
	}
	return servers
}

func (b *Broker) missing() string {
	seen := map[int]bool{}
	for _, m := range b.members.List() {
		seen[int(m.NodeID)] = m.Alive
	}
	if b.joins() {
		return "no node of it handed over its plan; check --join and that they run"
	}
	var away []int
	for n := range b.ClusterSize {
		if !seen[n] {
			away = append(away, n)
		}
	}
	if len(away) == 0 {
		return "no node handed over a plan"
	}
	return fmt.Sprintf("nodes %v were not seen; check --join and that they run", away)
}

// ErrOtherCluster says that the data directory belongs to another cluster than
// the nodes that are there.
var ErrOtherCluster = errors.New("data-dir: belongs to another cluster")

// strangerTime is how long a node that starts looks for nodes of its own
// cluster after it may have met one of another.
const strangerTime = 2 * time.Second

// strangers tells, while this node starts, that those it was told to join are of
// another cluster. Nodes that see one of their own stay: whoever is alone among
// strangers has the wrong directory.
func (b *Broker) strangers() error {
	met := b.members.Foreign()
	plan := b.plan()
	if met == "" || plan == nil || time.Since(b.started) < strangerTime {
		return nil
	}
	for _, m := range b.members.List() {
		if m.Alive && m.Cluster == plan.ClusterID && int(m.NodeID) != b.NodeID {
			return nil
		}
	}
	return fmt.Errorf("%w: %s is of cluster %s, but there is %s", ErrOtherCluster, b.DataDir, plan.ClusterID, met)
}

// takePlan is called when another node hands over its cluster's plan.
func (b *Broker) takePlan(_ context.Context, from protocol.NodeID, payload []byte, reply func([]byte)) {
	p, err := cluster.Decode(payload)
	if err != nil {
		reply([]byte(err.Error()))
		return
	}
	if b.plan() != nil {
		b.news(p)
		reply(nil)
		return
	}
	select {
	case b.plans <- p:
		b.Log.Info("cluster plan received", "from", from, "cluster", p.ClusterID, "version", p.Version)
	default: // one is waiting already; node.json refuses a second one
	}
	reply(nil)
}

// handOver gives the plan to nodes that have none. The lowest node that is
// alive and knows the cluster does it.
func (b *Broker) handOver(ctx context.Context) {
	var fresh []protocol.NodeID
	for _, m := range b.members.List() {
		if !m.Alive {
			continue
		}
		if m.Cluster == "" {
			fresh = append(fresh, m.NodeID)
		} else if int(m.NodeID) < b.NodeID {
			return
		}
	}
	payload, err := b.plan().Encode()
	if err != nil || len(fresh) == 0 {
		return
	}
	for _, n := range fresh {
		asking, cancel := context.WithTimeout(ctx, time.Second)
		refused, err := b.post.Request(asking, n, kindPlan, payload)
		cancel()
		if err != nil || len(refused) > 0 {
			b.Log.Info("cluster plan not handed over yet", "to", n, "err", err, "refused", string(refused))
		}
	}
}
