package gateway_test

import (
	"context"
	"errors"
	"io"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
)

// activate polls once and joins the jobs of all responses.
func activate(ctx context.Context, c pb.GatewayClient, req *pb.ActivateJobsRequest) ([]*pb.ActivatedJob, error) {
	jobs, _, err := activateBatches(ctx, c, req)
	return jobs, err
}

// activateBatches also tells how many jobs each response had.
func activateBatches(ctx context.Context, c pb.GatewayClient, req *pb.ActivateJobsRequest) (jobs []*pb.ActivatedJob, sizes []int, err error) {
	stream, err := c.ActivateJobs(ctx, req)
	if err != nil {
		return nil, nil, err
	}
	for {
		resp, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return jobs, sizes, nil
		}
		if err != nil {
			return jobs, sizes, err
		}
		jobs, sizes = append(jobs, resp.Jobs...), append(sizes, len(resp.Jobs))
	}
}
