package cluster

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	adminpb "github.com/grevy-io/grevy/admin/v1"
)

// AskOperators asks one node after another, as operators do (grevy.admin.v1), until one
// answers otherwise than that it cannot: UNAVAILABLE, or nothing within the limit.
func AskOperators(ctx context.Context, nodes []*Node, limit time.Duration, f func(context.Context, adminpb.ClusterClient) error) (err error) {
	for _, n := range nodes {
		conn, dialing := grpc.NewClient("passthrough:///"+n.Gateway(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
		if dialing != nil {
			return dialing
		}
		asking, cancel := context.WithTimeout(ctx, limit)
		err = f(asking, adminpb.NewClusterClient(conn))
		cancel()
		if closing := conn.Close(); closing != nil {
			return closing
		}
		if c := status.Code(err); c != codes.Unavailable && c != codes.DeadlineExceeded {
			return err
		}
	}
	return err
}
