package gateway

import (
	"context"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"github.com/grevy-io/grevy/protocol"
)

// PublishMessage goes to the partition of its correlation key, where all who wait
// for one of that key are known. Names and keys may be empty, and a time to live
// below zero is none (seen on Zeebe 8.6.0).
func (s service) PublishMessage(ctx context.Context, req *pb.PublishMessageRequest) (*pb.PublishMessageResponse, error) {
	if err := checkTenants("PublishMessage", req.GetTenantId()); err != nil {
		return nil, err
	}
	variables, err := document(req.GetVariables())
	if err != nil {
		return nil, err
	}
	partitions := s.messagePartitions()
	if partitions < 1 {
		return nil, noPartition(0)
	}
	reply, err := as[*protocol.KeyReply](s.ask(ctx, protocol.MessagePartition(req.GetCorrelationKey(), partitions), &protocol.PublishMessage{
		Name: req.GetName(), CorrelationKey: req.GetCorrelationKey(), TimeToLive: req.GetTimeToLive(), MessageID: req.GetMessageId(),
		Variables: variables, DeploymentSeq: s.broker.DeploymentSeq(),
	}))
	if err != nil {
		return nil, err
	}
	return &pb.PublishMessageResponse{Key: int64(reply.Key), TenantId: defaultTenant}, nil
}

// BroadcastSignal goes to one partition, which tells the others.
func (s service) BroadcastSignal(ctx context.Context, req *pb.BroadcastSignalRequest) (*pb.BroadcastSignalResponse, error) {
	if err := checkTenants("BroadcastSignal", req.GetTenantId()); err != nil {
		return nil, err
	}
	variables, err := document(req.GetVariables())
	if err != nil {
		return nil, err
	}
	cmd := &protocol.BroadcastSignal{Name: req.GetSignalName(), Variables: variables, DeploymentSeq: s.broker.DeploymentSeq()}
	reply, err := as[*protocol.KeyReply](s.askAnyone(ctx, cmd))
	if err != nil {
		return nil, err
	}
	return &pb.BroadcastSignalResponse{Key: int64(reply.Key), TenantId: defaultTenant}, nil
}
