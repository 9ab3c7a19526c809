package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// alone is a cluster whose nodes keep one partition each, once.
func alone(t *testing.T) *cluster.Cluster {
	t.Helper()
	c := cluster.Start(t, cluster.Options{Binary: binary, ReplicationFactor: 1})
	c.WaitPreferred(formTime)
	return c
}

// bringBack puts an older copy of a node's directory in its place.
func bringBack(t *testing.T, n *cluster.Node, old string) {
	t.Helper()
	n.Stop()
	if err := os.RemoveAll(n.Dir); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(n.Dir, os.DirFS(old)); err != nil {
		t.Fatal(err)
	}
	n.Start()
	n.WaitReady(serveTime)
}

// copyOf copies a node's directory while the node is stopped.
func copyOf(t *testing.T, n *cluster.Node) string {
	t.Helper()
	n.Stop()
	old := t.TempDir()
	if err := os.CopyFS(old, os.DirFS(n.Dir)); err != nil {
		t.Fatal(err)
	}
	n.Start()
	n.WaitReady(serveTime)
	return old
}

// equalAgain waits until all partitions have compared and agree.
func equalAgain(t *testing.T, n *cluster.Node, repaired int) {
	t.Helper()
	cluster.Until(t, drainTime, fmt.Sprintf("partition %d has taken what it lacked", repaired), func(ctx context.Context) error {
		s, err := n.Status(ctx)
		if err != nil {
			return err
		}
		for _, p := range s.Partitions {
			if p.Problem != "" || p.Behind > 0 || p.Compared.Differs > 0 {
				return fmt.Errorf("partition %d: %q, behind %d, %+v", p.ID, p.Problem, p.Behind, p.Compared)
			}
			if p.ID == repaired && p.Compared.Repaired == 0 {
				return fmt.Errorf("partition %d: %+v", p.ID, p.Compared)
			}
		}
		return nil
	})
}

// TestRestore_OldCopyOfAPartition: somebody brings an old directory back, and
// partition 1 has nothing pending for it. In the original such a partition runs
// the old version until something else is deployed, and longer (#63712).
func TestRestore_OldCopyOfAPartition(t *testing.T) {
	t.Parallel()
	c := alone(t)
	n := c.Leader(3)
	mustDeploy(t, c.Nodes[0].Client(), "workflow", straight("workflow", 1))
	drained(t, c.Nodes[0], drainTime)
	old := copyOf(t, n)
	for i := range 20 {
		mustDeploy(t, c.Nodes[0].Client(), "workflow", straight("workflow", i+2))
	}
	mustDeploy(t, c.Nodes[0].Client(), "other", straight("other", 1))
	drained(t, c.Nodes[0], drainTime)
	bringBack(t, n, old)
	equalAgain(t, c.Nodes[0], 3)
	for _, node := range c.Nodes {
		onEveryPartition(t, node, 3, "workflow", 21)
		onEveryPartition(t, node, 3, "other", -1)
	}
	healthy(t, c.Nodes[0])
}

// TestRestore_OldCopyOfPartitionOne: an older partition 1 takes what the others have, and gives
// no key and no version out again.
func TestRestore_OldCopyOfPartitionOne(t *testing.T) {
	t.Parallel()
	c := alone(t)
	n, other := c.Leader(1), c.Leader(2)
	mustDeploy(t, n.Client(), "workflow", straight("workflow", 1))
	drained(t, n, drainTime)
	old := copyOf(t, n)
	var last int64
	for i := range 20 {
		last = mustDeploy(t, n.Client(), "workflow", straight("workflow", i+2)).GetProcessDefinitionKey()
	}
	drained(t, n, drainTime)
	bringBack(t, n, old)
	equalAgain(t, other, 1)
	if p := mustDeploy(t, other.Client(), "workflow", straight("workflow", 99)); p.GetVersion() != 22 || p.GetProcessDefinitionKey() <= last {
		t.Errorf("after version 21 with key %d: version %d with key %d", last, p.GetVersion(), p.GetProcessDefinitionKey())
	}
	drained(t, other, drainTime)
	for _, node := range c.Nodes {
		onEveryPartition(t, node, 3, "workflow", 22)
		onEveryPartition(t, node, 3, "workflow", -1)
	}
	healthy(t, other)
}

// slowLinks delays what nodes say to each other.
func slowLinks(c *cluster.Cluster, d time.Duration) {
	var rules []string
	for _, a := range c.Nodes {
		for _, b := range c.Nodes {
			if a != b {
				rules = append(rules, fmt.Sprintf("delay %d %d %s", a.ID, b.ID, d))
			}
		}
	}
	c.SetRules(rules...)
}

// TestRestore_DeploysAtOnce: nobody waits until an older partition 1 has compared with
// the others. It gives out no key, no version and no number of a row again.
func TestRestore_DeploysAtOnce(t *testing.T) {
	c := alone(t)
	n, other := c.Leader(1), c.Leader(2)
	mustDeploy(t, n.Client(), "workflow", straight("workflow", 1))
	drained(t, n, drainTime)
	old := copyOf(t, n)
	var last int64
	for i := range 20 {
		last = mustDeploy(t, n.Client(), "workflow", straight("workflow", i+2)).GetProcessDefinitionKey()
	}
	drained(t, n, drainTime)
	n.Stop()
	if err := errors.Join(os.RemoveAll(n.Dir), os.CopyFS(n.Dir, os.DirFS(old))); err != nil {
		t.Fatal(err)
	}
	slowLinks(c, 50*time.Millisecond) // a comparison takes longer than a deployment here
	n.Start()
	var first *pb.ProcessMetadata
	for deadline := time.Now().Add(serveTime); first == nil; {
		var err error
		if first, err = deploy(t.Context(), n.Client(), "workflow", straight("workflow", 99)); err != nil && time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	if first.GetVersion() != 22 || first.GetProcessDefinitionKey() <= last {
		t.Errorf("after version 21 with key %d: version %d with key %d", last, first.GetVersion(), first.GetProcessDefinitionKey())
	}
	drained(t, other, drainTime)
	for _, node := range c.Nodes {
		onEveryPartition(t, node, 3, "workflow", 22)
	}
	healthy(t, other)
}
