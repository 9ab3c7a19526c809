package e2e_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// serveTime is how long a cluster may take to serve again after it has lost a
// node without a word: silence has to be noticed (1.5 s), a leader elected.
const serveTime = 10 * time.Second

// TestKillEachNode kills every node in turn under load, then all at once.
// Nothing that was acknowledged may be lost, nothing may happen twice.
func TestKillEachNode(t *testing.T) {
	t.Parallel()
	c := three(t)
	l := startLoad(t, c)
	for range size(1, 5) {
		for _, n := range c.Nodes {
			l.flows(100)
			begun := time.Now()
			n.Kill()
			servesEverywhere(t, c)
			t.Logf("node %d killed: all partitions serve at both other gateways after %s", n.ID, time.Since(begun).Round(time.Millisecond))
			begun = time.Now()
			n.Start()
			n.WaitReady(serveTime)
			t.Logf("node %d started again: ready after %s", n.ID, time.Since(begun).Round(time.Millisecond))
		}
		l.flows(100)
		begun := time.Now()
		c.KillAll()
		c.StartAll()
		c.WaitReady(formTime)
		t.Logf("all killed and started again: ready after %s", time.Since(begun).Round(time.Millisecond))
	}
	l.flows(100)
	l.settle(formTime)
}

// flows waits until so many more instances have been created, so that what
// follows happens under load.
func (l *load) flows(n int) {
	l.t.Helper()
	want := l.of("create", codes.OK) + n
	cluster.Until(l.t, formTime, fmt.Sprintf("%d more creations", n), func(context.Context) error {
		if now := l.of("create", codes.OK); now < want {
			return fmt.Errorf("%d of %d creations", now, want)
		}
		return nil
	})
}

// servesEverywhere waits until every gateway that runs creates instances on
// every partition.
func servesEverywhere(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	for _, n := range c.Running() {
		left := map[int]bool{}
		for p := 1; p <= c.Partitions; p++ {
			left[p] = true
		}
		client := n.Client()
		cluster.Until(t, serveTime, fmt.Sprintf("every partition serves at gateway %d", n.ID), func(ctx context.Context) error {
			resp, err := create(ctx, client, resultProcess, -1, "")
			if judge(err) == wrong {
				t.Fatalf("gateway %d: %v", n.ID, err)
			}
			if err != nil {
				return err
			}
			if delete(left, partitionOf(resp.GetProcessInstanceKey())); len(left) > 0 {
				return fmt.Errorf("no instance on partitions %v yet", left)
			}
			return nil
		})
	}
}
