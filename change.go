package grevy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grevy-io/grevy/cluster"
	"github.com/grevy-io/grevy/protocol"
)

// Change begins an operation on the running cluster, or with dry only plans it.
// The error says why it cannot be: another one is under way (cluster.ErrBusy), the
// cluster is already so (cluster.ErrNothing), or what stands in its way. It returns
// when the operation has begun; ClusterState tells how it goes on.
func (b *Broker) Change(ctx context.Context, r cluster.Request, dry bool) (*cluster.Operation, error) {
	begin := func(plan *cluster.Plan) (*cluster.Plan, error) {
		return plan.Begin(r, b.seen(plan), time.Now().UnixMilli())
	}
	if dry {
		plan, err := b.readPlan(ctx)
		if err == nil {
			plan, err = begin(plan)
		}
		if err != nil {
			return nil, err
		}
		return plan.Operation, nil
	}
	plan, err := b.rewrite(ctx, begin)
	if err != nil {
		return nil, err
	}
	b.Log.Info("operation on the cluster begins", "operation", r.String(), "id", plan.Version)
	return plan.Operation, nil
}

// Cancel ends the operation under way, if there is one. What it has done stays.
func (b *Broker) Cancel(ctx context.Context) error {
	_, err := b.rewrite(ctx, func(plan *cluster.Plan) (*cluster.Plan, error) {
		if plan.Operation == nil {
			return nil, nil
		}
		return plan.Cancel("cancelled", time.Now().UnixMilli()), nil
	})
	return err
}

// rewrite puts another plan in the place of the newest one, whichever that is when
// it is written. change gives nil if there is nothing to do.
func (b *Broker) rewrite(ctx context.Context, change func(*cluster.Plan) (*cluster.Plan, error)) (*cluster.Plan, error) {
	for {
		plan, err := b.readPlan(ctx)
		if err != nil {
			return nil, err
		}
		next, err := change(plan)
		if err != nil || next == nil {
			return nil, err
		}
		if err = b.writePlan(ctx, plan, next); err == nil {
			return next, nil
		}
		if !overtaken(err) {
			return nil, err
		}
	}
}

// overtaken tells whether a plan was not written because another one was.
func overtaken(err error) bool {
	var rejection *protocol.Rejection
	return errors.As(err, &rejection) && rejection.Type == protocol.InvalidState
}

// seen is what this node knows of the others.
func (b *Broker) seen(plan *cluster.Plan) cluster.Seen {
	s := cluster.Seen{Alive: b.aliveNodes(), Leaders: map[protocol.PartitionID]int{}}
	for i := range plan.Partitions {
		p := protocol.PartitionID(i + 1)
		if n := (directory{b}).Leader(p); n != protocol.NoNode && s.Alive[int(n)] {
			s.Leaders[p] = int(n)
		}
	}
	return s
}

// ClusterState is how a cluster is laid out, and what is under way in it.
type ClusterState struct {
	Plan    *cluster.Plan
	Seen    cluster.Seen
	Waiting string // what the step under way waits for
}

// ClusterState reads the plan from partition 1.
func (b *Broker) ClusterState(ctx context.Context) (ClusterState, error) {
	plan, err := b.readPlan(ctx)
	if err != nil {
		return ClusterState{}, fmt.Errorf("read the cluster's plan: %w", err)
	}
	s := ClusterState{Plan: plan, Seen: b.seen(plan)}
	if plan.Operation != nil {
		if done, note := b.observe(ctx, plan); !done {
			s.Waiting = note
		}
	}
	return s, nil
}
