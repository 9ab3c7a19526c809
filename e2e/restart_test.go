package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// TestRestartLeaderWhileDeploying: the leader of partition 1 is restarted twice
// in the middle of the deployments, once with care and once without. All of them
// are everywhere afterwards.
func TestRestartLeaderWhileDeploying(t *testing.T) {
	t.Parallel()
	c := three(t)
	n := size(200, 1000)
	acked := map[int32]bool{}
	unsure := 0
	for i := range n {
		switch i {
		case n / 3:
			restartLeader(t, c, (*cluster.Node).Stop)
		case 2 * n / 3:
			restartLeader(t, c, (*cluster.Node).Kill)
		}
		cluster.Until(t, serveTime, fmt.Sprintf("deployment %d", i+1), func(ctx context.Context) error {
			p, err := deploy(ctx, c.Nodes[i%3].Client(), "workflow", straight("workflow", i))
			switch judge(err) {
			case wrong:
				t.Fatalf("deployment %d: %v", i+1, err)
			case unknown:
				unsure++ // the same content again: a version that exists is answered with itself
			case acknowledged:
				acked[p.GetVersion()] = true
			}
			return err
		})
	}
	c.WaitReady(serveTime)
	drained(t, c.Nodes[0], drainTime)
	if versions := withoutGaps(t, c.Nodes[0], "workflow"); versions != n || len(acked) != n {
		t.Errorf("%d deployments made %d versions, of which %d were acknowledged", n, versions, len(acked))
	}
	for _, node := range c.Nodes {
		onEveryPartition(t, node, 3, "workflow", int32(n))
		onEveryPartition(t, node, 3, "workflow", -1)
	}
	t.Logf("%d deployments over two restarts of the leader, %d calls with unknown outcome", n, unsure)
}

func restartLeader(t *testing.T, c *cluster.Cluster, end func(*cluster.Node)) {
	t.Helper()
	n := c.Leader(1)
	if n == nil {
		t.Fatal("nobody leads partition 1")
	}
	end(n)
	n.Start()
}

// withoutGaps counts the versions of a process and looks for missing ones.
func withoutGaps(t *testing.T, n *cluster.Node, id string) int {
	t.Helper()
	list, err := n.Deployments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var versions []int32
	for _, d := range list {
		for _, def := range d.Definitions {
			if def.ID == id {
				versions = append(versions, def.Version)
			}
		}
	}
	slices.Sort(versions)
	for i, v := range versions {
		if v != int32(i+1) {
			t.Fatalf("version %d of %s stands where %d should: %v", v, id, i+1, versions)
		}
	}
	return len(versions)
}

// TestPendingDeploymentsOutliveLeaders: what could not be sent is kept, shown,
// and sent by whoever leads partition 1 when it can be. Of five nodes, those
// that are down keep partition 3 and not partition 1.
func TestPendingDeploymentsOutliveLeaders(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t, cluster.Options{Binary: binary, Size: 5})
	c.WaitPreferred(formTime)
	c.Nodes[3].Kill()
	c.Nodes[4].Kill()
	n := size(50, 1000)
	for i := range n {
		p := mustDeploy(t, c.Nodes[i%3].Client(), "workflow", straight("workflow", i))
		if p.GetVersion() != int32(i+1) {
			t.Fatalf("deployment %d made version %d", i+1, p.GetVersion())
		}
	}
	pending(t, c.Nodes[1], n)
	c.Nodes[0].Stop()
	second := newLeader(t, c, 0)
	pending(t, second, n)
	c.Nodes[0].Start()
	linked(t, second, c.Nodes[0]) // it will not be ready: partition 3 is still away
	second.Kill()
	next := newLeader(t, c, second.ID)
	pending(t, next, n)
	if want := fmt.Sprintf("rows=%d", n); !strings.Contains(next.Log(), want) {
		t.Errorf("node %d does not say that it found %s", next.ID, want)
	}
	begun := time.Now()
	c.StartAll()
	drained(t, next, formTime)
	t.Logf("%d deployments reached the partition that was down %s after its nodes were started", n, time.Since(begun).Round(time.Millisecond))
	for _, node := range c.Nodes {
		node.WaitReady(serveTime)
		onEveryPartition(t, node, 3, "workflow", int32(n))
	}
}

// newLeader waits until another node than the one that is down leads partition 1.
func newLeader(t *testing.T, c *cluster.Cluster, down int) (n *cluster.Node) {
	t.Helper()
	cluster.Until(t, serveTime, "partition 1 has a new leader", func(context.Context) error {
		if n = c.Leader(1); n == nil || n.ID == down {
			return fmt.Errorf("it is %v", n)
		}
		return nil
	})
	return n
}

// pending waits until a node shows all n deployments as pending for partition 3
// only, and an operator sees the same.
func pending(t *testing.T, n *cluster.Node, want int) {
	t.Helper()
	cluster.Until(t, drainTime, fmt.Sprintf("%d deployments are pending for partition 3 alone", want), func(ctx context.Context) error {
		list, err := n.Deployments(ctx)
		if err != nil {
			return err
		}
		if len(list) != want {
			return fmt.Errorf("%d deployments", len(list))
		}
		for _, d := range list {
			if d.State != "spreading" || len(d.Pending) != 1 || d.Pending[0].Partition != 3 || d.Pending[0].Since.IsZero() {
				return fmt.Errorf("deployment %s is %s, pending: %+v", d.Key, d.State, d.Pending)
			}
		}
		return nil
	})
	text, err := n.Ask(t.Context(), "deployments", "--limit", "3")
	if err != nil || strings.Count(text, "▮▮▯ 2/3") != 3 {
		t.Errorf("grevy deployments: %v\n%s", err, text)
	}
}

// linked waits until a node sees another one and reaches it.
func linked(t *testing.T, n, other *cluster.Node) {
	t.Helper()
	cluster.Until(t, serveTime, fmt.Sprintf("node %d reaches node %d", n.ID, other.ID), func(ctx context.Context) error {
		s, err := n.Status(ctx)
		if err != nil {
			return err
		}
		if there := s.Nodes[other.ID]; !there.Alive || there.Link != "up" {
			return fmt.Errorf("alive: %v, link: %s", there.Alive, there.Link)
		}
		return nil
	})
}
