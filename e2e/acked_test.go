package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc/codes"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// seenBy creates instances of the latest version through every gateway that
// runs until each partition has made one. A call may find nobody while leaders
// change; it must never find no process, or an older one.
func seenBy(t *testing.T, c *cluster.Cluster, id string, version int32) {
	t.Helper()
	for _, n := range c.Running() {
		left := map[int]bool{1: true, 2: true, 3: true}
		cluster.Until(t, 2*serveTime, fmt.Sprintf("version %d on all partitions through node %d", version, n.ID), func(ctx context.Context) error {
			resp, err := create(ctx, n.Client(), id, -1, "")
			switch code(err) {
			case codes.OK:
				if resp.GetVersion() != version {
					t.Fatalf("node %d: version %d of %s after version %d was acknowledged", n.ID, resp.GetVersion(), id, version)
				}
				delete(left, partitionOf(resp.GetProcessInstanceKey()))
			case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted:
			default:
				t.Fatalf("node %d: %s after version %d was acknowledged: %v", n.ID, id, version, err)
			}
			if len(left) > 0 {
				return fmt.Errorf("partitions %v left: %w", left, err)
			}
			return nil
		})
	}
}

// TestAcknowledged_LeaderOfPartitionOneKilled: the leader dies as soon as its
// answer is out, before the others can have what was deployed (#7062, #63712).
func TestAcknowledged_LeaderOfPartitionOneKilled(t *testing.T) {
	t.Parallel()
	c := three(t)
	c.WaitPreferred(formTime)
	for version := int32(1); version <= int32(size(2, 10)); version++ {
		var leader *cluster.Node
		cluster.Until(t, serveTime, "a leader of partition 1", func(context.Context) error {
			if leader = c.Leader(1); leader == nil {
				return fmt.Errorf("none is known")
			}
			return nil
		})
		other := c.Nodes[(leader.ID+1)%3]
		p := mustDeploy(t, other.Client(), "workflow", straight("workflow", int(version)))
		leader.Kill()
		if p.GetVersion() != version {
			t.Fatalf("version %d, want %d", p.GetVersion(), version)
		}
		seenBy(t, c, "workflow", version)
		leader.Start()
		leader.WaitReady(serveTime)
	}
	drained(t, c.Nodes[0], drainTime)
}

// TestAcknowledged_AllRestarted: every kind of resource is there after all nodes
// were killed right after the answer (#16406: nodes did not start with a DMN).
func TestAcknowledged_AllRestarted(t *testing.T) {
	t.Parallel()
	c := three(t)
	dmn := `<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="rules" name="rules" namespace="x">` +
		`<decision id="d" name="d"><literalExpression><text>a + 1</text></literalExpression></decision></definitions>`
	ctx, cancel := context.WithTimeout(t.Context(), callTime)
	defer cancel()
	if _, err := c.Nodes[1].Client().DeployResource(ctx, &pb.DeployResourceRequest{Resources: []*pb.Resource{
		{Name: "workflow.bpmn", Content: straight("workflow", 1)}, {Name: "rules.dmn", Content: []byte(dmn)}, {Name: "f.form", Content: []byte(`{"id":"f"}`)},
	}}); err != nil {
		t.Fatal(err)
	}
	c.KillAll()
	c.StartAll()
	c.WaitReady(2 * serveTime)
	seenBy(t, c, "workflow", 1)
	for _, n := range c.Nodes {
		for range 3 { // in turn on all partitions
			got, err := n.Client().EvaluateDecision(ctx, &pb.EvaluateDecisionRequest{DecisionId: "d", Variables: `{"a":1}`})
			if err != nil || got.GetDecisionOutput() != "2" {
				t.Errorf("node %d: %v, %v", n.ID, got, err)
			}
		}
	}
	drained(t, c.Nodes[0], drainTime)
	healthy(t, c.Nodes[0])
}

// TestNearTheSizeLimit: what fits into a request comes to all partitions (#5776:
// only to the first), and what does not is refused with both sizes, and holds up
// nothing (#9946, #12591).
func TestNearTheSizeLimit(t *testing.T) {
	t.Parallel()
	c := alone(t)
	large := func(id string, size int) *pb.DeployResourceRequest {
		content := append(straight(id, 1), []byte("<!-- "+strings.Repeat("x", size)+" -->")...)
		return &pb.DeployResourceRequest{Resources: []*pb.Resource{{Name: id + ".bpmn", Content: content}}}
	}
	ctx, cancel := context.WithTimeout(t.Context(), callTime)
	defer cancel()
	if _, err := c.Nodes[1].Client().DeployResource(ctx, large("large", 4<<20-2000)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Nodes[1].Client().DeployResource(ctx, large("larger", 4<<20)); code(err) != codes.ResourceExhausted {
		t.Errorf("more than fits: %v", err)
	}
	mustDeploy(t, c.Nodes[2].Client(), "small", straight("small", 1))
	drained(t, c.Nodes[0], drainTime)
	for _, n := range c.Nodes {
		onEveryPartition(t, n, 3, "large", 1)
		onEveryPartition(t, n, 3, "small", 1)
	}
}
