package e2e_test

import (
	"testing"
	"time"
)

// drainTime is how long distribution may take after the last deployment or
// after a cut has healed, with room for a busy machine.
const drainTime = 10 * time.Second

// TestManyDeployments: many versions of a process are deployed, then instances
// of the last one created until each partition has made one. The original answers
// NOT_FOUND for a while; here every creation succeeds, through every gateway, at
// once.
func TestManyDeployments(t *testing.T) {
	t.Parallel()
	c := three(t)
	n := size(200, 1000)
	begun := time.Now()
	for i := range n {
		p := mustDeploy(t, c.Nodes[i%3].Client(), "workflow", straight("workflow", i))
		if p.GetVersion() != int32(i+1) {
			t.Fatalf("deployment %d made version %d: a version is missing or there twice", i+1, p.GetVersion())
		}
	}
	took := time.Since(begun)
	for _, node := range c.Nodes {
		onEveryPartition(t, node, 3, "workflow", int32(n))
		onEveryPartition(t, node, 3, "workflow", -1)
	}
	drained(t, c.Nodes[0], drainTime)
	t.Logf("%d deployments in %s (%.1f ms each), everywhere after %s", n, took.Round(time.Millisecond),
		float64(took.Microseconds())/1000/float64(n), time.Since(begun).Round(time.Millisecond))
}
