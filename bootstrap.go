package grevy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/remote"
)

// kindPlan hands a cluster's plan to a node that has none. The answer is empty,
// or says why it was refused.
const kindPlan remote.Kind = 2

// join makes this node part of a cluster: the one that its directory knows, the
// one whose plan another node hands over, or a new one, made by node 0 once it
// has seen every node and none of them knows a cluster (DESIGN §4 "Identity and
// bootstrap").
func (b *Broker) join(ctx context.Context) error {
	b.plans = make(chan *plan, 1)
	b.post.Handle(kindPlan, b.takePlan)
	if b.id.Plan == nil && b.ClusterSize == 1 {
		return b.adopt(b.newPlan(map[int]string{b.NodeID: b.id.ServerID}))
	}
	if b.id.Plan == nil {
		b.Progress("waiting for the other nodes")
	}
	for b.id.Plan == nil {
		if b.NodeID == 0 {
			if servers := b.everybody(); servers != nil {
				return b.adopt(b.newPlan(servers))
			}
		}
		select {
		case p := <-b.plans:
			if err := p.fits(b.Config); err != nil {
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

func (b *Broker) newPlan(servers map[int]string) *plan {
	return &plan{
		ClusterID: randomHex(16), ClusterSize: b.ClusterSize, Partitions: b.Partitions,
		ReplicationFactor: b.ReplicationFactor, Servers: servers,
	}
}

func (p *plan) fits(c Config) error {
	return (&identity{NodeID: c.NodeID, Plan: p}).fits(c)
}

// adopt writes the plan down before anything is done by it.
func (b *Broker) adopt(p *plan) error {
	b.id.Plan = p
	if err := b.id.save(b.DataDir); err != nil {
		return err
	}
	b.post.SetCluster(p.id())
	b.members.SetCluster(p.id())
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
		if m.Alive && m.RaftID != "" {
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
	if met == "" || b.id.Plan == nil || time.Since(b.started) < strangerTime {
		return nil
	}
	for _, m := range b.members.List() {
		if m.Alive && m.Cluster == b.id.Plan.ClusterID && int(m.NodeID) != b.NodeID {
			return nil
		}
	}
	return fmt.Errorf("%w: %s is of cluster %s, but there is %s", ErrOtherCluster, b.DataDir, b.id.Plan.ClusterID, met)
}

// takePlan is called when another node hands over its cluster's plan.
func (b *Broker) takePlan(_ context.Context, from protocol.NodeID, payload []byte, reply func([]byte)) {
	p := new(plan)
	if err := json.Unmarshal(payload, p); err != nil {
		reply([]byte(err.Error()))
		return
	}
	select {
	case b.plans <- p:
		b.Log.Info("cluster plan received", "from", from, "cluster", p.ClusterID)
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
	payload, err := json.Marshal(b.id.Plan)
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
