package e2e_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// TestCutLeaders: the leader of partition 1 is cut off from the leader of another
// partition. In the original deployments stop to arrive there and clients get
// NOT_FOUND until the cut is healed. Here the third node carries everything:
// deployments arrive, every gateway serves.
func TestCutLeaders(t *testing.T) {
	t.Parallel()
	c := three(t)
	c.WaitPreferred(formTime)
	one, other := c.Leader(1), c.Leader(3)
	if one == nil || other == nil || one == other {
		t.Fatalf("leaders of partitions 1 and 3: %v, %v", one, other)
	}
	l := startLoad(t, c)
	version := 0
	for _, cut := range []struct {
		name string
		do   func()
	}{
		{"both directions", func() { c.Cut(one, other) }},
		{"from the leader of partition 1", func() { c.CutOneWay(one, other) }},
		{"to the leader of partition 1", func() { c.CutOneWay(other, one) }},
	} {
		t.Run(cut.name, func(t *testing.T) {
			before := terms(t, one)
			cut.do()
			linksAre(t, "relayed through node 1", one, other)
			version = deployCut(t, c, version)
			arrived(t, one, drainTime)
			if after := terms(t, one); after != before {
				t.Errorf("leaders have changed: %s, then %s", before, after)
			}
			c.Heal()
			linksAre(t, "up", one, other)
			for _, n := range c.Nodes {
				healthy(t, n)
			}
		})
	}
	l.settle(drainTime)
}

// formTime is how long leaders may take to come to their preferred nodes.
const formTime = 30 * time.Second

// deployCut deploys while a link is cut, and proves after each deployment that a
// client sees it at once, through any gateway.
func deployCut(t *testing.T, c *cluster.Cluster, version int) int {
	t.Helper()
	begun := time.Now()
	n := size(60, 1000)
	for i := range n {
		version++
		p := mustDeploy(t, c.Nodes[i%3].Client(), "workflow", straight("workflow", version))
		if p.GetVersion() != int32(version) {
			t.Fatalf("deployment %d made version %d", version, p.GetVersion())
		}
		resp, err := create(t.Context(), c.Nodes[(i+1)%3].Client(), "workflow", -1, "")
		if err != nil || resp.GetVersion() != int32(version) {
			t.Fatalf("latest after version %d was acknowledged: version %d, %v", version, resp.GetVersion(), err)
		}
	}
	for _, node := range c.Nodes {
		onEveryPartition(t, node, 3, "workflow", int32(version))
		onEveryPartition(t, node, 3, "workflow", -1)
	}
	t.Logf("%d deployments, each seen at another gateway, in %s", n, time.Since(begun).Round(time.Millisecond))
	return version
}

// linksAre waits until two nodes say of the link between them what it is.
func linksAre(t *testing.T, want string, a, b *cluster.Node) {
	t.Helper()
	cluster.Until(t, drainTime, "link "+want, func(ctx context.Context) error {
		for _, pair := range [][2]*cluster.Node{{a, b}, {b, a}} {
			s, err := pair[0].Status(ctx)
			if err != nil {
				return err
			}
			if link := s.Nodes[pair[1].ID].Link; link != want {
				return fmt.Errorf("from node %d to node %d: %s", pair[0].ID, pair[1].ID, link)
			}
		}
		return nil
	})
}

// healthy waits until a node has nothing to complain about.
func healthy(t *testing.T, n *cluster.Node) {
	t.Helper()
	cluster.Until(t, drainTime, fmt.Sprintf("node %d finds everything healthy", n.ID), func(ctx context.Context) error {
		s, err := n.Status(ctx)
		if err != nil || s.Healthy {
			return err
		}
		return fmt.Errorf("problems: %v", s.Problems)
	})
}

// terms tells who leads what, in which term.
func terms(t *testing.T, n *cluster.Node) (text string) {
	t.Helper()
	cluster.Until(t, drainTime, "all partitions answer", func(ctx context.Context) error {
		s, err := n.Status(ctx)
		text = ""
		for _, p := range s.Partitions {
			if p.Problem != "" {
				err = fmt.Errorf("partition %d: %s", p.ID, p.Problem)
			}
			text += fmt.Sprintf("partition %d: node %d in term %d; ", p.ID, p.Leader, p.Term)
		}
		return err
	})
	return text
}
