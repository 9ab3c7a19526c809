package e2e_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// deployWaiting deploys with a wait and returns what the trailer says.
func deployWaiting(t *testing.T, c pb.GatewayClient, id string, note int, wait string, deadline time.Duration) (text string, took time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	var trailer metadata.MD
	begun := time.Now()
	_, err := c.DeployResource(metadata.AppendToOutgoingContext(ctx, "grevy-wait-distributed", wait),
		&pb.DeployResourceRequest{Resources: []*pb.Resource{{Name: id + ".bpmn", Content: straight(id, note)}}}, grpc.Trailer(&trailer))
	if err != nil {
		t.Fatalf("deploy with a wait of %s: %v", wait, err)
	}
	return strings.Join(trailer.Get("grevy-distributed"), "|"), time.Since(begun)
}

// TestWaitForDistribution: a deployment that waits is answered when every
// partition has it. While one is away it is answered OK when its time is over,
// and says who lacks it; or at once if only what is reachable counts.
func TestWaitForDistribution(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t, cluster.Options{Binary: binary, ReplicationFactor: 1})
	one, away := c.Leader(1), c.Leader(3)
	if one == nil || away == nil || one == away {
		t.Fatalf("leaders of partitions 1 and 3: %v, %v", one, away)
	}
	for i, n := range c.Nodes {
		if text, _ := deployWaiting(t, n.Client(), "whole", i, "9s", callTime); text != "3 of 3" {
			t.Errorf("through node %d: %q", n.ID, text)
		}
	}
	away.Kill()
	const limit = 1500 * time.Millisecond
	text, took := deployWaiting(t, one.Client(), "late", 0, limit.String(), callTime)
	if !strings.HasPrefix(text, "2 of 3; missing 3 (pending since ") || took < limit {
		t.Errorf("partition 3 is away, after %s: %q", took, text)
	}
	linkDown(t, one, away)
	if text, took = deployWaiting(t, one.Client(), "late", 1, "reachable 8s", callTime); !strings.HasPrefix(text, "2 of 3; missing 3 (pending since ") || took > 4*time.Second {
		t.Errorf("only what is reachable, after %s: %q", took, text)
	}
	// A client's deadline comes before the end of its wait: the answer before both.
	if text, took = deployWaiting(t, one.Client(), "late", 2, "1h", 2*time.Second); !strings.Contains(text, "missing 3") {
		t.Errorf("a wait beyond the call's deadline, after %s: %q", took, text)
	}
	away.Start()
	if text, _ = deployWaiting(t, one.Client(), "late", 3, "9s", callTime); text != "3 of 3" {
		t.Errorf("partition 3 is back: %q", text)
	}
}

// linkDown waits until a node has noticed that another is gone.
func linkDown(t *testing.T, from, to *cluster.Node) {
	t.Helper()
	cluster.Until(t, drainTime, "node noticed as gone", func(ctx context.Context) error {
		s, err := from.Status(ctx)
		if err == nil && s.Nodes[to.ID].Link == "up" {
			err = context.DeadlineExceeded
		}
		return err
	})
}
