package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminpb "github.com/grevy-io/grevy/admin/v1"
	"github.com/grevy-io/grevy/e2e/cluster"
)

// changeTime is how long one operation on a running cluster may take on two
// shared cores, with a node killed meanwhile.
const changeTime = 90 * time.Second

// operator speaks the protocol of operators with any node that runs.
type operator struct {
	t *testing.T
	c *cluster.Cluster
}

// do asks one node after the other until one has an answer that is not only that
// it could not be asked.
func (o operator) do(what string, f func(context.Context, adminpb.ClusterClient) error) {
	o.t.Helper()
	cluster.Until(o.t, changeTime, what, func(ctx context.Context) (err error) {
		return cluster.AskOperators(ctx, o.c.Running(), 5*time.Second, f)
	})
}

func (o operator) state() (s *adminpb.ClusterState) {
	o.t.Helper()
	o.do("the cluster's state", func(ctx context.Context, c adminpb.ClusterClient) (err error) {
		s, err = c.Get(ctx, &adminpb.GetRequest{})
		return err
	})
	return s
}

// begin begins an operation and tells how many steps it has. That it is under way
// already is no error after a call whose outcome is unknown: that one has begun it.
func (o operator) begin(r *adminpb.ChangeRequest) (steps int) {
	o.t.Helper()
	again := false
	o.do("begin an operation", func(ctx context.Context, c adminpb.ClusterClient) error {
		resp, err := c.Change(ctx, r)
		steps = len(resp.GetSteps())
		if status.Code(err) == codes.FailedPrecondition {
			if s := o.state(); again && s.Operation != nil {
				steps = len(s.Operation.Steps)
				return nil
			}
			o.t.Fatal(err)
		}
		again = again || status.Code(err) == codes.DeadlineExceeded
		return err
	})
	return steps
}

// await waits until nothing is under way any more.
func (o operator) await() *adminpb.ClusterState {
	o.t.Helper()
	var last *adminpb.ClusterState
	cluster.Until(o.t, changeTime, "the operation ends", func(context.Context) error {
		if last = o.state(); last.Operation != nil {
			return fmt.Errorf("%s: %s", last.Operation.Request, last.Operation.Waiting)
		}
		return nil
	})
	if last.Last == nil || last.Last.Outcome != "done" {
		o.t.Fatalf("%v", last.Last)
	}
	return last
}

// reached waits until the operation under way is at a step or beyond it.
func (o operator) reached(step int) {
	o.t.Helper()
	cluster.Until(o.t, changeTime, fmt.Sprintf("step %d", step+1), func(context.Context) error {
		if s := o.state(); s.Operation != nil && s.Operation.Steps[step].State == adminpb.StepState_STEP_STATE_WAITING {
			return fmt.Errorf("not there yet: %s", s.Operation.Waiting)
		}
		return nil
	})
}

func held(s *adminpb.ClusterState, node int32) (list []int32) {
	for _, p := range s.Partitions {
		if slices.Contains(p.Replicas, node) {
			list = append(list, p.Id)
		}
	}
	return list
}

// TestChangeUnderLoad adds a fourth node to a cluster under load, moves a
// partition to it, kills the node that drives the operation in the middle of it,
// and removes a node. Nothing that was acknowledged may be lost.
func TestChangeUnderLoad(t *testing.T) {
	t.Parallel()
	c := three(t)
	l := startLoad(t, c)
	o := operator{t, c}
	l.flows(100)

	fourth := c.Join()
	fourth.WaitReady(formTime)
	cluster.Until(t, formTime, "node 3 is a member", func(context.Context) error {
		if s := o.state(); len(s.Members) != 4 {
			return fmt.Errorf("%d members", len(s.Members))
		}
		return nil
	})
	l.flows(100)
	o.begin(&adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_AddNode{AddNode: &adminpb.AddNode{Node: 3}}})
	o.reached(1)
	driver := c.Leader(1)
	t.Logf("node %d, which drives the operation, is killed", driver.ID)
	driver.Kill()
	l.flows(50)
	driver.Start()
	driver.WaitReady(formTime)
	s := o.await()
	if got := held(s, 3); len(got) != 2 {
		t.Errorf("node 3 keeps %v", got)
	}
	l.flows(100)

	for id := int32(1); id <= 3; id++ {
		if p := s.Partitions[id-1]; !slices.Contains(p.Replicas, 3) {
			o.begin(&adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_MoveReplica{
				MoveReplica: &adminpb.MoveReplica{Partition: id, From: p.Replicas[0], To: 3},
			}})
			s = o.await()
		}
	}
	l.flows(100)

	o.begin(&adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_RemoveNode{RemoveNode: &adminpb.RemoveNode{Node: 2}}})
	if s = o.await(); len(held(s, 2)) > 0 || len(s.Members) != 3 {
		t.Errorf("node 2 keeps %v, %d members", held(s, 2), len(s.Members))
	}
	line, err := c.Nodes[2].Exited(formTime)
	if err == nil {
		t.Errorf("the node that was removed ends well: %s", line)
	}
	l.flows(100)
	l.settle(formTime)
}
