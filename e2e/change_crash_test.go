package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	adminpb "github.com/grevy-io/grevy/admin/v1"
	"github.com/grevy-io/grevy/e2e/cluster"
)

// crashCase is one operation that is brought to its end although whoever drives it is
// killed in every step.
type crashCase struct {
	name string
	full bool // only with GREVY_E2E_FULL
	calm bool // nobody is killed, but with GREVY_E2E_FULL: the next case needs it
	// needed: a majority needs whoever is killed, so that nobody goes on without it.
	needed bool
	// request makes it for the cluster as it is.
	request func(c *crashes, s *adminpb.ClusterState) *adminpb.ChangeRequest
	// wished says what is not as was asked for.
	wished func(before, after *adminpb.ClusterState) error
}

// crashes is a cluster of which nodes are killed while it is changed.
type crashes struct {
	operator
	l *load
}

var crashCases = []crashCase{
	{name: "move the partition of the plan", request: func(_ *crashes, s *adminpb.ClusterState) *adminpb.ChangeRequest {
		return moveRequest(s, 1)
	}, wished: leaderWent(1)},
	{name: "move another one to the same node", calm: true, request: func(_ *crashes, s *adminpb.ClusterState) *adminpb.ChangeRequest {
		return moveRequest(s, 2)
	}, wished: leaderWent(2)},
	{name: "rebalance", request: func(*crashes, *adminpb.ClusterState) *adminpb.ChangeRequest {
		return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_RebalanceLeaders{RebalanceLeaders: &adminpb.RebalanceLeaders{}}}
	}, wished: func(_, after *adminpb.ClusterState) error { return spread(after) }},
	{name: "add a partition", request: func(_ *crashes, s *adminpb.ClusterState) *adminpb.ChangeRequest {
		return partitionsRequest(len(s.Partitions) + 1)
	}, wished: func(before, after *adminpb.ClusterState) error {
		if n := len(after.Partitions); n != len(before.Partitions)+1 || !after.Partitions[n-1].Active {
			return fmt.Errorf("%d partitions", n)
		}
		return nil
	}},
	{name: "fewer copies", full: true, needed: true, request: func(*crashes, *adminpb.ClusterState) *adminpb.ChangeRequest { return factorRequest(2) }, wished: copies(2)},
	{name: "more copies", full: true, needed: true, request: func(*crashes, *adminpb.ClusterState) *adminpb.ChangeRequest { return factorRequest(3) }, wished: copies(3)},
	{name: "remove a node", full: true, request: func(*crashes, *adminpb.ClusterState) *adminpb.ChangeRequest {
		return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_RemoveNode{RemoveNode: &adminpb.RemoveNode{Node: 2}}}
	}, wished: left(2)},
	{name: "add a node", full: true, request: func(c *crashes, _ *adminpb.ClusterState) *adminpb.ChangeRequest {
		c.join(4)
		return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_AddNode{AddNode: &adminpb.AddNode{Node: 4}}}
	}, wished: func(_, after *adminpb.ClusterState) error {
		if n := len(held(after, 4)); n < 2 {
			return fmt.Errorf("node 4 keeps %d partitions", n)
		}
		return nil
	}},
	{name: "replace a dead node", full: true, needed: true, request: func(c *crashes, _ *adminpb.ClusterState) *adminpb.ChangeRequest {
		c.c.Nodes[0].Kill()
		c.join(5)
		return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_ReplaceNode{ReplaceNode: &adminpb.ReplaceNode{Node: 0, By: 5}}}
	}, wished: left(0)},
}

// TestChange_DriverKilledInEveryStep carries one operation after the other out while
// clients work. When a step begins the node that drives it is killed, so that another
// one goes on from what stands in the plan. At its end each operation has done what was
// asked for, raft's groups are what the plan says, and all that was acknowledged is
// there.
func TestChange_DriverKilledInEveryStep(t *testing.T) {
	c := &crashes{operator: operator{t, three(t)}}
	c.join(3)
	c.l = startTrickle(t, c.c)
	for _, cc := range crashCases {
		if cc.full && !full {
			continue
		}
		before := c.state()
		after := c.throughCrashes(&cc, cc.request(c, before))
		if err := cc.wished(before, after); err != nil {
			t.Fatalf("%s: %v: %v", cc.name, err, after)
		}
		c.asPlanned(after)
		c.l.flows(20)
	}
	c.c.Partitions = len(c.state().Partitions) // from here on no node is started with it
	c.l.settle(formTime)
}

// join starts a node beside the cluster and waits until it is a member.
func (c *crashes) join(node int32) {
	c.t.Helper()
	n := c.c.Join()
	n.WaitReady(formTime)
	cluster.Until(c.t, formTime, fmt.Sprintf("node %d is a member", node), func(context.Context) error {
		if s := c.state(); !slices.ContainsFunc(s.Members, func(m *adminpb.Member) bool { return m.Node == node && m.Alive }) {
			return fmt.Errorf("%v", s.Members)
		}
		return nil
	})
}

// throughCrashes begins an operation, kills its driver in each of its steps, and waits
// for its end.
func (c *crashes) throughCrashes(cc *crashCase, r *adminpb.ChangeRequest) *adminpb.ClusterState {
	c.t.Helper()
	begun := time.Now()
	steps := c.begin(r)
	if steps == 0 {
		c.t.Fatalf("%s: nothing to do", cc.name)
	}
	if cc.calm && !full {
		return c.await()
	}
	for step := range steps {
		c.reached(step)
		driver := c.driver(nil)
		driver.Kill()
		if !cc.needed {
			c.driver(driver) // another one goes on
		}
		driver.Start()
		driver.WaitReady(formTime)
	}
	s := c.await()
	c.t.Logf("%s: %d steps, as many crashes, %s", cc.name, steps, time.Since(begun).Round(time.Millisecond))
	return s
}

// driver waits for a node that leads partition 1, other than one that is dead.
func (c *crashes) driver(dead *cluster.Node) (n *cluster.Node) {
	c.t.Helper()
	cluster.Until(c.t, formTime, "partition 1 has a leader", func(context.Context) error {
		if n = c.c.Leader(1); n == nil || n == dead {
			return errors.New("none is known")
		}
		return nil
	})
	return n
}

// asPlanned waits until every group's voters are the replicas of the plan, and nothing
// is wrong.
func (c *crashes) asPlanned(s *adminpb.ClusterState) {
	c.t.Helper()
	cluster.Until(c.t, changeTime, "groups as planned", func(ctx context.Context) error {
		now, err := c.c.Running()[0].Status(ctx)
		if err != nil {
			return err
		}
		if len(now.Problems) > 0 {
			return fmt.Errorf("%v", now.Problems)
		}
		for i, p := range now.Partitions {
			var on []int32
			for _, v := range p.Voters {
				var node int32
				if _, err := fmt.Sscanf(v, "%d-", &node); err != nil {
					return fmt.Errorf("voter %q: %w", v, err)
				}
				on = append(on, node)
			}
			want := slices.Clone(s.Partitions[i].Replicas)
			slices.Sort(on)
			slices.Sort(want)
			if !slices.Equal(on, want) {
				return fmt.Errorf("partition %d: nodes %v vote, the plan says %v", p.ID, on, want)
			}
		}
		return nil
	})
}

// moveRequest moves the first replica of a partition to a node that has none of it.
func moveRequest(s *adminpb.ClusterState, id int32) *adminpb.ChangeRequest {
	p := s.Partitions[id-1]
	i := slices.IndexFunc(s.Members, func(m *adminpb.Member) bool { return !slices.Contains(p.Replicas, m.Node) })
	return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_MoveReplica{
		MoveReplica: &adminpb.MoveReplica{Partition: id, From: p.Replicas[0], To: s.Members[i].Node},
	}}
}

func partitionsRequest(n int) *adminpb.ChangeRequest {
	return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_AddPartitions{AddPartitions: &adminpb.AddPartitions{Count: int32(n)}}}
}

func factorRequest(n int32) *adminpb.ChangeRequest {
	return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_SetReplicationFactor{SetReplicationFactor: &adminpb.SetReplicationFactor{Count: n}}}
}

// leaderWent tells whether a partition's first replica is elsewhere.
func leaderWent(id int32) func(before, after *adminpb.ClusterState) error {
	return func(before, after *adminpb.ClusterState) error {
		was, is := before.Partitions[id-1].Replicas, after.Partitions[id-1].Replicas
		if slices.Contains(is, was[0]) || len(is) != len(was) {
			return fmt.Errorf("it was on %v and is on %v", was, is)
		}
		return nil
	}
}

func copies(n int) func(before, after *adminpb.ClusterState) error {
	return func(_, after *adminpb.ClusterState) error {
		for _, p := range after.Partitions {
			if len(p.Replicas) != n {
				return fmt.Errorf("partition %d is on %v", p.Id, p.Replicas)
			}
		}
		return nil
	}
}

// left tells whether a node is no member and keeps nothing.
func left(node int32) func(before, after *adminpb.ClusterState) error {
	return func(_, after *adminpb.ClusterState) error {
		member := slices.ContainsFunc(after.Members, func(m *adminpb.Member) bool { return m.Node == node })
		if keeps := held(after, node); member || len(keeps) > 0 {
			return fmt.Errorf("node %d: member %v, keeps %v", node, member, keeps)
		}
		return nil
	}
}

// spread tells whether no node is the first one of two partitions more than another.
func spread(s *adminpb.ClusterState) error {
	leads := map[int32]int{}
	for _, p := range s.Partitions {
		leads[p.Replicas[0]]++
	}
	for n, count := range leads {
		if count > 1 && len(leads) < len(s.Partitions) {
			return fmt.Errorf("node %d is the first of %d: %v", n, count, leads)
		}
	}
	return nil
}

// startTrickle is a load that leaves a machine time for crashes: one client creates
// instances with a job each, two do the jobs, one deploys.
func startTrickle(t *testing.T, c *cluster.Cluster) *load {
	t.Helper()
	l := &load{ledger: newLedger(), t: t, c: c, clients: c.Clients()}
	mustDeploy(t, l.clients[0], taskProcess, oneTask(taskProcess))
	mustDeploy(t, l.clients[0], rolledProcess, straight(rolledProcess, 0))
	creating, stop := context.WithCancel(context.Background())
	working, finish := context.WithCancel(context.Background())
	l.stop, l.finish = stop, finish
	t.Cleanup(func() { stop(); finish(); l.create.Wait(); l.work.Wait() })
	turn := 0
	l.create.Go(func() {
		l.paced(creating, func() {
			turn++
			l.createTask(l.clients[turn%len(l.clients)])
		})
	})
	for _, client := range l.clients[len(l.clients)-2:] {
		l.work.Go(func() { l.paced(working, func() { l.workOnce(working, client) }) })
	}
	l.create.Go(func() { l.deploys(creating) })
	return l
}
