package gateway

import (
	"context"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"github.com/grevy-io/grevy/protocol"
)

// PublishMessage goes to the partition of the correlation key, where those wait
// who want the message.
func (s service) PublishMessage(ctx context.Context, req *pb.PublishMessageRequest) (*pb.PublishMessageResponse, error) {
	if err := checkTenants("PublishMessage", req.GetTenantId()); err != nil {
		return nil, err
	}
	variables, err := document(req.GetVariables())
	if err != nil {
		return nil, err
	}
	cmd := &protocol.PublishMessage{
		Name: req.GetName(), CorrelationKey: req.GetCorrelationKey(), TimeToLive: req.GetTimeToLive(),
		MessageID: req.GetMessageId(), Variables: variables, DeploymentSeq: s.broker.DeploymentSeq(),
	}
	at := protocol.MessagePartition(cmd.CorrelationKey, max(s.partitions(), 1))
	reply, err := as[*protocol.KeyReply](s.ask(ctx, at, cmd))
	if err != nil {
		return nil, err
	}
	return &pb.PublishMessageResponse{Key: int64(reply.Key), TenantId: defaultTenant}, nil
}

// BroadcastSignal goes to any partition, which tells the others (seen on Zeebe
// 8.6.0: round robin, not to partition 1).
func (s service) BroadcastSignal(ctx context.Context, req *pb.BroadcastSignalRequest) (*pb.BroadcastSignalResponse, error) {
	if err := checkTenants("BroadcastSignal", req.GetTenantId()); err != nil {
		return nil, err
	}
	variables, err := document(req.GetVariables())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.RequestTimeout)
	defer cancel()
	p, reply, err := s.anywhere(ctx, &protocol.BroadcastSignal{
		Name: req.GetSignalName(), Variables: variables, DeploymentSeq: s.broker.DeploymentSeq(),
	})
	if err != nil && expired(ctx, err) {
		return nil, outcomeUnknown(timedOut(p, s.address(p), s.cfg.RequestTimeout))
	}
	key, err := as[*protocol.KeyReply](reply, err)
	if err != nil {
		return nil, err
	}
	return &pb.BroadcastSignalResponse{Key: int64(key.Key), TenantId: defaultTenant}, nil
}
