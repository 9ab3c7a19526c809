package pb_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/grevy-io/grevy/gateway/pb"
)

// twoRPCs answers a plain call and a stream; the rest is unimplemented.
type twoRPCs struct {
	pb.UnimplementedGatewayServer
}

func (twoRPCs) Topology(context.Context, *pb.TopologyRequest) (*pb.TopologyResponse, error) {
	return &pb.TopologyResponse{ClusterSize: 3, Brokers: []*pb.BrokerInfo{{Partitions: []*pb.Partition{{PartitionId: 2, Role: pb.Partition_FOLLOWER}}}}}, nil
}

func (twoRPCs) ActivateJobs(r *pb.ActivateJobsRequest, s grpc.ServerStreamingServer[pb.ActivateJobsResponse]) error {
	for i := range r.GetMaxJobsToActivate() {
		if err := s.Send(&pb.ActivateJobsResponse{Jobs: []*pb.ActivatedJob{{Key: int64(i), Type: r.GetType()}}}); err != nil {
			return err
		}
	}
	return nil
}

// dial serves twoRPCs and reflection in memory and connects to it.
func dial(t *testing.T) (*grpc.ClientConn, context.Context) {
	t.Helper()
	lis := bufconn.Listen(1 << 20)
	srv := grpc.NewServer()
	pb.RegisterGatewayServer(srv, twoRPCs{})
	reflectionpb.RegisterServerReflectionServer(srv, reflection.NewServerV1(reflection.ServerOptions{
		Services: srv, DescriptorResolver: pb.Files, ExtensionResolver: pb.Types,
	}))
	served := make(chan error, 1)
	go func() { served <- srv.Serve(lis) }()
	conn, err := grpc.NewClient("passthrough:///gateway", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(func() {
		cancel()
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		srv.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return conn, ctx
}

func TestCalls(t *testing.T) {
	conn, ctx := dial(t)
	c := pb.NewGatewayClient(conn)
	top, err := c.Topology(ctx, &pb.TopologyRequest{})
	if err != nil || top.GetClusterSize() != 3 || top.GetBrokers()[0].GetPartitions()[0].GetRole() != pb.Partition_FOLLOWER {
		t.Errorf("topology: %v, %v", top, err)
	}
	jobs, err := c.ActivateJobs(ctx, &pb.ActivateJobsRequest{Type: "pay", MaxJobsToActivate: 3})
	if err != nil {
		t.Fatal(err)
	}
	for want := int64(0); ; want++ {
		r, err := jobs.Recv()
		if err == io.EOF {
			if want != 3 {
				t.Errorf("%d jobs, want 3", want)
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if j := r.GetJobs()[0]; j.GetKey() != want || j.GetType() != "pay" {
			t.Errorf("job %d: %v", want, j)
		}
	}
	if _, err := c.FailJob(ctx, &pb.FailJobRequest{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("fail job: %v, want %v", err, codes.Unimplemented)
	}
}

// TestReflection asks for the service by name, which a server answers from Files only.
func TestReflection(t *testing.T) {
	conn, ctx := dial(t)
	s, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Send(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "gateway_protocol.Gateway"}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Recv()
	if err != nil {
		t.Fatal(err)
	}
	files := r.GetFileDescriptorResponse().GetFileDescriptorProto()
	if len(files) != 1 {
		t.Fatalf("got %v, want one file", r)
	}
	var f descriptorpb.FileDescriptorProto
	if err := proto.Unmarshal(files[0], &f); err != nil {
		t.Fatal(err)
	}
	if f.GetPackage() != "gateway_protocol" || len(f.GetService()) != 1 || len(f.GetService()[0].GetMethod()) != 21 {
		t.Errorf("reflected file: %v", &f)
	}
	if err := s.CloseSend(); err != nil {
		t.Error(err)
	}
}
