package gateway

import (
	"context"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"github.com/grevy-io/grevy/protocol"
)

func (s service) ThrowError(ctx context.Context, req *pb.ThrowErrorRequest) (*pb.ThrowErrorResponse, error) {
	variables, err := document(req.GetVariables())
	if err != nil {
		return nil, err
	}
	cmd := &protocol.ThrowError{
		JobKey: protocol.Key(req.GetJobKey()), Code: req.GetErrorCode(), Message: req.GetErrorMessage(), Variables: variables,
	}
	if _, err := as[*protocol.Done](s.byKey(ctx, req.GetJobKey(), cmd)); err != nil {
		return nil, err
	}
	return &pb.ThrowErrorResponse{}, nil
}
