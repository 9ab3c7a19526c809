package gateway

import (
	"context"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"github.com/grevy-io/grevy/protocol"
)

func (s service) CompleteJob(ctx context.Context, req *pb.CompleteJobRequest) (*pb.CompleteJobResponse, error) {
	variables, err := document(req.GetVariables())
	if err != nil {
		return nil, err
	}
	cmd := &protocol.CompleteJob{JobKey: protocol.Key(req.GetJobKey()), Variables: variables}
	if _, err := as[*protocol.Done](s.byKey(ctx, req.GetJobKey(), cmd)); err != nil {
		return nil, err
	}
	return &pb.CompleteJobResponse{}, nil
}

func (s service) FailJob(ctx context.Context, req *pb.FailJobRequest) (*pb.FailJobResponse, error) {
	variables, err := document(req.GetVariables())
	if err != nil {
		return nil, err
	}
	cmd := &protocol.FailJob{
		JobKey: protocol.Key(req.GetJobKey()), Retries: req.GetRetries(), Message: req.GetErrorMessage(),
		BackOff: req.GetRetryBackOff(), Variables: variables,
	}
	if _, err := as[*protocol.Done](s.byKey(ctx, req.GetJobKey(), cmd)); err != nil {
		return nil, err
	}
	return &pb.FailJobResponse{}, nil
}

func (s service) UpdateJobRetries(ctx context.Context, req *pb.UpdateJobRetriesRequest) (*pb.UpdateJobRetriesResponse, error) {
	cmd := &protocol.UpdateJobRetries{JobKey: protocol.Key(req.GetJobKey()), Retries: req.GetRetries()}
	if _, err := as[*protocol.Done](s.byKey(ctx, req.GetJobKey(), cmd)); err != nil {
		return nil, err
	}
	return &pb.UpdateJobRetriesResponse{}, nil
}

func (s service) UpdateJobTimeout(ctx context.Context, req *pb.UpdateJobTimeoutRequest) (*pb.UpdateJobTimeoutResponse, error) {
	cmd := &protocol.UpdateJobTimeout{JobKey: protocol.Key(req.GetJobKey()), Timeout: req.GetTimeout()}
	if _, err := as[*protocol.Done](s.byKey(ctx, req.GetJobKey(), cmd)); err != nil {
		return nil, err
	}
	return &pb.UpdateJobTimeoutResponse{}, nil
}
