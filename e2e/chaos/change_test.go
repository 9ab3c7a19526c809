package chaos

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminpb "github.com/grevy-io/grevy/admin/v1"
	"github.com/grevy-io/grevy/e2e/cluster"
)

// beginTime is how long it is tried to begin an operation while faults last.
const beginTime = 10 * time.Second

// ask asks nodes until one has an answer that is not only that it could not be
// asked.
func (r *run) ask(ctx context.Context, f func(context.Context, adminpb.ClusterClient) error) (err error) {
	var up []*cluster.Node
	for i, n := range r.c.Nodes[:r.nodes] {
		if r.up(i) {
			up = append(up, n)
		}
	}
	return cluster.AskOperators(ctx, up, 2*time.Second, f)
}

func (r *run) clusterState(ctx context.Context) (s *adminpb.ClusterState, err error) {
	err = r.ask(ctx, func(ctx context.Context, c adminpb.ClusterClient) (err error) {
		s, err = c.Get(ctx, &adminpb.GetRequest{})
		return err
	})
	if err == nil && s == nil {
		err = fmt.Errorf("no node could be asked")
	}
	return s, err
}

// beginChange begins an operation, which goes on by itself whatever happens.
func (r *run) beginChange(k kind) (string, error) {
	req := &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_RebalanceLeaders{RebalanceLeaders: &adminpb.RebalanceLeaders{}}}
	what := "leaders to their places"
	if k == changeSize {
		var err error
		if req, what, err = r.resize(); err != nil {
			return what, err
		}
	}
	err := cluster.Wait(beginTime, func(ctx context.Context) error {
		err := r.ask(ctx, func(ctx context.Context, c adminpb.ClusterClient) error {
			_, err := c.Change(ctx, req)
			return err
		})
		if status.Code(err) == codes.FailedPrecondition { // also: it is under way, by a call of unknown outcome
			return nil
		}
		return err
	})
	if err != nil {
		return what, fmt.Errorf("%w: %w", errSkipped, err)
	}
	r.change = what
	return what, nil
}

// resize adds the spare node, or removes it if it is in.
func (r *run) resize() (*adminpb.ChangeRequest, string, error) {
	if r.spareIn() {
		node := int32(r.spare.ID)
		return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_RemoveNode{RemoveNode: &adminpb.RemoveNode{Node: node}}}, fmt.Sprintf("remove node %d", node), nil
	}
	if r.spare == nil {
		r.spare = r.c.Join()
	} else {
		r.spare.Kill()
		if err := os.RemoveAll(r.spare.Dir); err != nil {
			return nil, "", err
		}
		r.spare.Start()
	}
	what := fmt.Sprintf("add node %d", r.spare.ID)
	err := cluster.Wait(beginTime, func(ctx context.Context) error {
		s, err := r.clusterState(ctx)
		if err == nil && !slices.ContainsFunc(s.Members, func(m *adminpb.Member) bool { return int(m.Node) == r.spare.ID }) {
			err = fmt.Errorf("it is no member yet")
		}
		return err
	})
	if err != nil {
		return nil, what, fmt.Errorf("%w: %w", errSkipped, err)
	}
	return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_AddNode{AddNode: &adminpb.AddNode{Node: int32(r.spare.ID)}}}, what, nil
}

// spareIn tells whether the spare node is a member of the cluster.
func (r *run) spareIn() (in bool) {
	if r.spare == nil {
		return false
	}
	r.wait(servesWithin, "the cluster tells who is in it", func(ctx context.Context) error {
		s, err := r.clusterState(ctx)
		if err == nil {
			in = slices.ContainsFunc(s.Members, func(m *adminpb.Member) bool { return int(m.Node) == r.spare.ID })
		}
		return err
	})
	return in
}

// awaitChange waits for the end of the operation under way. One that faults have
// ended is no mistake; that it does not end would be.
func (r *run) awaitChange() {
	if r.change == "" {
		return
	}
	what := r.change
	r.change = ""
	var outcome string
	took := r.wait(changesWithin, what+" ends", func(ctx context.Context) error {
		s, err := r.clusterState(ctx)
		switch {
		case err != nil:
			return err
		case s.Operation != nil:
			return fmt.Errorf("%s: %s", s.Operation.Request, s.Operation.Waiting)
		case s.Last != nil:
			outcome = s.Last.Outcome
		}
		return nil
	})
	r.progress("    %s: %s after %s", what, outcome, took.Round(time.Millisecond))
	if r.spare != nil && r.spare.Running() && !r.spareIn() {
		if line, err := r.spare.Exited(formTime); err == nil {
			r.h.Violation("the node that was removed ends well: %s", line)
		}
	}
}
