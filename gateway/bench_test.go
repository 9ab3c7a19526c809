package gateway_test

import (
	"context"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
)

// instant is a broker that answers at once.
type instant struct{}

func (instant) Execute(_ context.Context, p protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error) {
	switch c := cmd.(type) {
	case *protocol.CreateInstance:
		return &protocol.Created{DefinitionKey: 1, InstanceKey: protocol.NewKey(p, 1), ProcessID: c.ProcessID, Version: 1}, nil
	default:
		return &protocol.Done{}, nil
	}
}
func (instant) Topology() gateway.Topology          { return gateway.Topology{Partitions: 3} }
func (instant) HasLeader(protocol.PartitionID) bool { return true }
func (instant) DeploymentSeq() uint64               { return 1 }

// BenchmarkCreate is a creation through a loopback connection, client included,
// with a broker that answers at once: what the gateway and gRPC cost. cpu-µs/op
// is the CPU time of the whole process.
func BenchmarkCreate(b *testing.B) {
	for _, callers := range []int{1, 32} {
		b.Run(map[int]string{1: "callers=1", 32: "callers=32"}[callers], func(b *testing.B) { benchCreate(b, callers) })
	}
}

func benchCreate(b *testing.B, callers int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := gateway.New(gateway.Config{}, instant{})
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	client := pb.NewGatewayClient(conn)
	req := &pb.CreateProcessInstanceRequest{BpmnProcessId: "order-process", Version: -1, Variables: `{"orderId":"4711","amount":12.5}`}
	if _, err := client.CreateProcessInstance(context.Background(), req); err != nil {
		b.Fatal(err)
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	runtime.GC()
	b.ReportAllocs()
	before := cpu(b)
	b.ResetTimer()
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := client.CreateProcessInstance(context.Background(), req); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric((cpu(b)-before)/float64(b.N), "cpu-µs/op")
	if err := conn.Close(); err != nil {
		b.Error(err)
	}
	if err := s.Stop(context.Background()); err != nil {
		b.Error(err)
	}
	if err := <-served; err != nil {
		b.Error(err)
	}
}

// cpu is the process's CPU time in microseconds.
func cpu(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Sec+u.Stime.Sec)*1e6 + float64(u.Utime.Usec+u.Stime.Usec)
}
