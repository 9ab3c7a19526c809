package grevy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminpb "github.com/grevy-io/grevy/admin/v1"
	"github.com/grevy-io/grevy/cluster"
	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
)

// adminService answers operators (grevy.admin.v1) on the clients' port.
type adminService struct {
	adminpb.UnimplementedClusterServer
	b *Broker
}

// Get tells the cluster's state.
func (s *adminService) Get(ctx context.Context, _ *adminpb.GetRequest) (*adminpb.ClusterState, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	state, err := s.b.ClusterState(ctx)
	if err != nil {
		return nil, adminStatus(err)
	}
	return stateMessage(&state), nil
}

// Change begins an operation or plans it.
func (s *adminService) Change(ctx context.Context, r *adminpb.ChangeRequest) (*adminpb.ChangeResponse, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	if err := s.b.mayChange(ctx); err != nil && !onlyAsks(r) {
		return nil, err
	}
	if f := r.GetForceRemove(); f != nil {
		return s.forceRemove(ctx, f, r.GetDryRun())
	}
	request, err := requestOf(r)
	if err != nil {
		return nil, err
	}
	o, err := s.b.Change(ctx, request, r.DryRun)
	if errors.Is(err, cluster.ErrNothing) {
		return &adminpb.ChangeResponse{}, nil
	}
	if err != nil {
		return nil, adminStatus(err)
	}
	resp := new(adminpb.ChangeResponse)
	if !r.DryRun {
		resp.Id = o.ID
	}
	for _, step := range o.Steps {
		resp.Steps = append(resp.Steps, step.String())
	}
	return resp, nil
}

// onlyAsks tells whether a request is answered without anything being changed.
func onlyAsks(r *adminpb.ChangeRequest) bool {
	f := r.GetForceRemove()
	return r.GetDryRun() || f != nil && !f.GetAcceptLoss()
}

// forceRemove gives nodes up, or tells what would be lost with them.
func (s *adminService) forceRemove(ctx context.Context, f *adminpb.ForceRemove, dry bool) (*adminpb.ChangeResponse, error) {
	var lost []int
	for _, n := range f.GetNodes() {
		lost = append(lost, int(n))
	}
	accept := f.GetAcceptLoss() && !dry
	notes, err := s.b.ForceRemove(ctx, lost, accept)
	if err != nil {
		return nil, adminStatus(err)
	}
	if len(notes) == 0 {
		notes = []string{"no partition has lost its majority, so nothing is lost"}
	}
	if accept {
		notes = append(notes, fmt.Sprintf("done: nodes %v are given up; they must not be started with their directories again", lost))
	} else {
		notes = append(notes, "nothing was done: repeat it with --accept-loss, once it is certain that these nodes never come back")
	}
	return &adminpb.ChangeResponse{Notes: notes}, nil
}

// Cancel ends what is under way.
func (s *adminService) Cancel(ctx context.Context, _ *adminpb.CancelRequest) (*adminpb.ClusterState, error) {
	if err := s.b.mayChange(ctx); err != nil {
		return nil, err
	}
	bound, cancel := s.bound(ctx)
	defer cancel()
	if err := s.b.Cancel(bound); err != nil {
		return nil, adminStatus(err)
	}
	return s.Get(ctx, nil)
}

// Backup sends all partitions as of one moment: to who may change the cluster, for it
// gives away everything that is in it.
func (s *adminService) Backup(_ *adminpb.BackupRequest, stream grpc.ServerStreamingServer[adminpb.BackupPart]) error {
	if err := s.b.mayChange(stream.Context()); err != nil {
		return err
	}
	if err := s.b.Backup(stream.Context(), stream.Send); err != nil {
		return adminStatus(err)
	}
	return nil
}

// Restore fills an empty cluster.
func (s *adminService) Restore(stream grpc.ClientStreamingServer[adminpb.BackupPart, adminpb.RestoreResponse]) error {
	if err := s.b.mayChange(stream.Context()); err != nil {
		return err
	}
	ends, err := s.b.Restore(stream.Context(), stream.Recv)
	if err != nil {
		return adminStatus(err)
	}
	return stream.SendAndClose(&adminpb.RestoreResponse{Partitions: ends})
}

// bound limits a call whose client sets no deadline.
func (s *adminService) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := s.b.RequestTimeout
	if limit == 0 {
		limit = adminTimeout
	}
	return context.WithTimeout(ctx, limit)
}

// adminTimeout bounds a call of an operator where no other bound is set.
const adminTimeout = 15 * time.Second

// adminStatus: what cannot be done now is FAILED_PRECONDITION with the reason,
// what certainly was not done and may be tried again is UNAVAILABLE.
func adminStatus(err error) error {
	var refusal *protocol.Refusal
	switch {
	case status.Code(err) != codes.Unknown:
		return err // of the call itself
	case errors.As(err, &refusal):
		return status.Error(codes.Unavailable, err.Error())
	case errors.Is(err, partitionactor.ErrNoCut):
		return status.Error(codes.Unavailable, err.Error())
	case errors.Is(err, protocol.ErrCorrupt):
		return status.Error(codes.DataLoss, err.Error())
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, protocol.ErrOutcomeUnknown):
		return status.Error(codes.DeadlineExceeded, err.Error())
	case errors.Is(err, protocol.ErrInternal):
		return status.Error(codes.Internal, err.Error())
	}
	return status.Error(codes.FailedPrecondition, err.Error())
}

func requestOf(r *adminpb.ChangeRequest) (c cluster.Request, err error) {
	switch o := r.Operation.(type) {
	case *adminpb.ChangeRequest_AddNode:
		c = cluster.Request{What: cluster.Add, Node: int(o.AddNode.GetNode())}
	case *adminpb.ChangeRequest_RemoveNode:
		c = cluster.Request{What: cluster.Remove, Node: int(o.RemoveNode.GetNode())}
	case *adminpb.ChangeRequest_ReplaceNode:
		c = cluster.Request{What: cluster.Replace, Node: int(o.ReplaceNode.GetNode()), By: int(o.ReplaceNode.GetBy())}
	case *adminpb.ChangeRequest_MoveReplica:
		m := o.MoveReplica
		if m.GetPartition() < 1 || m.GetPartition() > cluster.MaxPartitions {
			return c, status.Errorf(codes.InvalidArgument, "there is no partition %d", m.GetPartition())
		}
		c = cluster.Request{What: cluster.Move, Partition: protocol.PartitionID(m.GetPartition()), Node: int(m.GetFrom()), By: int(m.GetTo())}
	case *adminpb.ChangeRequest_SetReplicationFactor:
		c = cluster.Request{What: cluster.SetFactor, Count: int(o.SetReplicationFactor.GetCount())}
	case *adminpb.ChangeRequest_RebalanceLeaders:
		c = cluster.Request{What: cluster.Rebalance}
	case *adminpb.ChangeRequest_AddPartitions:
		c = cluster.Request{What: cluster.AddPartitions, Count: int(o.AddPartitions.GetCount())}
	default:
		return c, status.Error(codes.InvalidArgument, "an operation that this version knows is needed")
	}
	return c, nil
}

func stateMessage(s *ClusterState) *adminpb.ClusterState {
	p := s.Plan
	m := &adminpb.ClusterState{
		ClusterId: p.ClusterID, Version: p.Version, ReplicationFactor: int32(p.ReplicationFactor),
		Operation: operationMessage(p.Operation), Last: operationMessage(p.Last),
	}
	if m.Operation != nil {
		m.Operation.Waiting = s.Waiting
	}
	for i := range p.Partitions {
		m.Partitions = append(m.Partitions, partitionMessage(s, protocol.PartitionID(i+1)))
	}
	for _, member := range p.Members {
		n := &adminpb.Member{Node: int32(member.Node), Server: member.Server, Alive: s.Seen.Alive[member.Node]}
		for _, part := range m.Partitions {
			if slices.Contains(part.Replicas, n.Node) {
				n.Replicas++
			}
			if part.Leader == n.Node {
				n.Leads++
			}
		}
		m.Members = append(m.Members, n)
	}
	return m
}

func partitionMessage(s *ClusterState, id protocol.PartitionID) *adminpb.Partition {
	layout := s.Plan.Of(id)
	m := &adminpb.Partition{Id: int32(id), Replicas: numbers(layout.Replicas), Learners: numbers(layout.Learners), Leader: -1, Active: int(id) <= s.Plan.Active}
	if n, ok := s.Seen.Leaders[id]; ok {
		m.Leader = int32(n)
	}
	return m
}

func numbers(list []int) (out []int32) {
	for _, n := range list {
		out = append(out, int32(n))
	}
	return out
}

func operationMessage(o *cluster.Operation) *adminpb.Operation {
	if o == nil {
		return nil
	}
	m := &adminpb.Operation{Id: o.ID, Request: o.Request.String(), Started: o.Started, Ended: o.Ended, Outcome: o.Outcome}
	for i, s := range o.Steps {
		step := &adminpb.Step{Text: s.String(), Note: s.Note, State: adminpb.StepState_STEP_STATE_DONE}
		switch {
		case o.Outcome == cluster.Done || i < o.At:
		case i == o.At && o.Ended == 0:
			step.State = adminpb.StepState_STEP_STATE_RUNNING
		default:
			step.State = adminpb.StepState_STEP_STATE_WAITING
		}
		m.Steps = append(m.Steps, step)
	}
	return m
}
