package gateway_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
)

// deafConn reads nothing while its gate is closed.
type deafConn struct {
	net.Conn
	gate *sync.RWMutex // held for writing: closed
}

func (c deafConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.gate.RLock()
	defer c.gate.RUnlock()
	return n, err
}

// TestResult_SlowClient: a result waits for a client that does not read, of
// whatever size, and meanwhile nobody else waits for that client. Its instance
// is created once.
func TestResult_SlowClient(t *testing.T) {
	f := newFake(t, 1)
	result := `{"a":"` + strings.Repeat("x", 3<<20) + `"}`
	release := make(chan struct{})
	f.setHook(func(_ context.Context, _ protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error) {
		if c, ok := cmd.(*protocol.CreateInstance); ok && c.AwaitResult {
			<-release
			return &protocol.Result{Created: protocol.Created{InstanceKey: 7}, Variables: []byte(result)}, nil
		}
		return &protocol.Done{}, nil
	})
	answered := make(chan string, 8)
	r := start(t, f, gateway.Config{Observer: observerFunc(func(method string) { answered <- method })}, gateway.Tuning{})
	var gate sync.RWMutex
	deaf := r.dial(t, grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		conn, err := r.listen.DialContext(ctx)
		return deafConn{conn, &gate}, err
	}))
	got := make(chan error, 1)
	go func() {
		resp, err := pb.NewGatewayClient(deaf).CreateProcessInstanceWithResult(callCtx(t), &pb.CreateProcessInstanceWithResultRequest{
			Request: &pb.CreateProcessInstanceRequest{BpmnProcessId: "p"}, RequestTimeout: patience.Milliseconds(),
		})
		if err == nil && resp.GetVariables() != result {
			t.Errorf("%d bytes of variables, want %d", len(resp.GetVariables()), len(result))
		}
		got <- err
	}()
	f.await("created", func() bool { return len(commands[*protocol.CreateInstance](f)) == 1 })
	gate.Lock() // from now on it hears nothing
	close(release)
	if m := <-answered; m != "CreateProcessInstanceWithResult" {
		t.Fatal(m)
	}
	for range 20 { // others are served
		if _, err := r.client.CompleteJob(callCtx(t), &pb.CompleteJobRequest{JobKey: int64(protocol.NewKey(1, 1))}); err != nil {
			t.Fatal(err)
		}
		<-answered
	}
	select {
	case err := <-got:
		t.Fatalf("a client that does not read was answered: %v", err)
	default:
	}
	gate.Unlock()
	if err := <-got; err != nil {
		t.Error(err)
	}
	if n := len(commands[*protocol.CreateInstance](f)); n != 1 {
		t.Errorf("%d instances were created", n)
	}
}

// observerFunc is told of the name of each call that is over.
type observerFunc func(method string)

func (o observerFunc) ObserveCall(method string, _ codes.Code, _ time.Duration) { o(method) }
