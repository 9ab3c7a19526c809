package gateway_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
)

// TestEveryRPC: the protocol has no call that only its clients know.
func TestEveryRPC(t *testing.T) {
	r := start(t, newFake(t, 1), gateway.Config{}, gateway.Tuning{})
	methods := pb.File_gateway_proto.Services().ByName("Gateway").Methods()
	for i := range methods.Len() {
		name := methods.Get(i).Name()
		if methods.Get(i).IsStreamingServer() {
			continue // called by many tests
		}
		err := r.conn.Invoke(callCtx(t), "/gateway_protocol.Gateway/"+string(name), &pb.TopologyRequest{}, &pb.TopologyResponse{})
		if status.Code(err) == codes.Unimplemented {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := r.conn.Invoke(callCtx(t), "/gateway_protocol.Gateway/Nope", &pb.TopologyRequest{}, &pb.TopologyResponse{})
	checkStatus(t, err, codes.Unimplemented, "Method not found: gateway_protocol.Gateway/Nope")
}

func TestUnknownMethod(t *testing.T) {
	r := start(t, newFake(t, 1), gateway.Config{}, gateway.Tuning{})
	for _, method := range []string{"gateway_protocol.Gateway/Nope", "nope.Nope/Topology"} {
		err := r.conn.Invoke(callCtx(t), "/"+method, &pb.TopologyRequest{}, &pb.TopologyResponse{})
		checkStatus(t, err, codes.Unimplemented, "Method not found: "+method)
	}
}

func TestHealth(t *testing.T) {
	r := start(t, newFake(t, 1), gateway.Config{}, gateway.Tuning{})
	c := grpc_health_v1.NewHealthClient(r.conn)
	for _, name := range []string{"", "gateway_protocol.Gateway"} {
		resp, err := c.Check(callCtx(t), &grpc_health_v1.HealthCheckRequest{Service: name})
		if err != nil || resp.Status != grpc_health_v1.HealthCheckResponse_SERVING {
			t.Errorf("%q: %v, %v", name, resp, err)
		}
	}
}

// TestReflection: tools find all services and the files that describe them.
func TestReflection(t *testing.T) {
	r := start(t, newFake(t, 1), gateway.Config{}, gateway.Tuning{})
	s, err := reflectionv1.NewServerReflectionClient(r.conn).ServerReflectionInfo(callCtx(t))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(req *reflectionv1.ServerReflectionRequest) *reflectionv1.ServerReflectionResponse {
		t.Helper()
		if err := s.Send(req); err != nil {
			t.Fatal(err)
		}
		resp, err := s.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	var names []string
	for _, n := range ask(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}).GetListServicesResponse().GetService() {
		names = append(names, n.Name)
	}
	for _, want := range []string{"gateway_protocol.Gateway", "grpc.health.v1.Health"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not among %v", want, names)
		}
		resp := ask(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: want}})
		if len(resp.GetFileDescriptorResponse().GetFileDescriptorProto()) == 0 {
			t.Errorf("%s: %v", want, resp)
		}
	}
}

// buffer is a log for tests.
type buffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// TestPanic: one call that panics is INTERNAL, in the log with its stack, and
// alone: also where no call is under way.
func TestPanic(t *testing.T) {
	f := newFake(t, 1)
	log := &buffer{}
	r := start(t, f, gateway.Config{Logger: slog.New(slog.NewTextHandler(log, nil))}, gateway.Tuning{})
	panics := true
	f.setHook(func(context.Context, protocol.PartitionID, protocol.Command) (protocol.Reply, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if panics {
			panic("on purpose")
		}
		return nil, nil
	})
	_, err := r.client.CompleteJob(callCtx(t), &pb.CompleteJobRequest{JobKey: int64(protocol.NewKey(1, 1))})
	checkStatus(t, err, codes.Internal, "Unexpected error occurred between gateway and broker: execute COMPLETE: panic: on purpose")
	if text := log.String(); !strings.Contains(text, "on purpose") || !strings.Contains(text, "service_test.go") {
		t.Errorf("log without panic and stack: %s", text)
	}
	s := r.open(callCtx(t), t, streamFor("t")) // its pulls panic, outside of any call
	f.await("pulled twice", func() bool { return len(commands[*protocol.ActivateJobs](f)) >= 2 })
	f.change(func() { panics = false })
	want := f.add(1, "t", 1, "{}")
	if got := receive(t, s, 1); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// sick panics where the gateway's own code calls it.
type sick struct{ *fake }

func (sick) DeploymentSeq() uint64 { panic("on purpose") }

func TestPanic_InAHandler(t *testing.T) {
	f := newFake(t, 1)
	log := &buffer{}
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	s := gateway.New(gateway.Config{Logger: slog.New(slog.NewTextHandler(log, nil))}, sick{f})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	_, err = pb.NewGatewayClient(conn).CreateProcessInstance(callCtx(t), &pb.CreateProcessInstanceRequest{})
	checkStatus(t, err, codes.Internal, "Unexpected error occurred while handling CreateProcessInstance")
	if !strings.Contains(log.String(), "on purpose") {
		t.Errorf("log: %s", log)
	}
	if _, err := r.client.Topology(callCtx(t), &pb.TopologyRequest{}); err != nil {
		t.Error(err)
	}
	if err := errors.Join(conn.Close(), s.Stop(callCtx(t)), <-served); err != nil {
		t.Error(err)
	}
}

// strange is a service that the program registers, and that panics.
type strange struct {
	grpc_health_v1.UnimplementedHealthServer
}

func (strange) Check(context.Context, *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	panic("in a call")
}

func (strange) Watch(*grpc_health_v1.HealthCheckRequest, grpc.ServerStreamingServer[grpc_health_v1.HealthCheckResponse]) error {
	panic("in a stream")
}

// A panic in a service that is served beside the gateway's is no more than one
// call's.
func TestPanic_InAnotherService(t *testing.T) {
	log := &buffer{}
	desc := grpc_health_v1.Health_ServiceDesc
	desc.ServiceName = "strange.v1.Strange"
	r := start(t, newFake(t, 1), gateway.Config{
		Logger:   slog.New(slog.NewTextHandler(log, nil)),
		Services: func(s grpc.ServiceRegistrar) { s.RegisterService(&desc, strange{}) },
	}, gateway.Tuning{})
	ctx := callCtx(t)
	err := r.conn.Invoke(ctx, "/strange.v1.Strange/Check", &grpc_health_v1.HealthCheckRequest{}, new(grpc_health_v1.HealthCheckResponse))
	checkStatus(t, err, codes.Internal, "Unexpected error occurred while handling grpc.health.v1.Health/Check") // as its stub calls itself
	stream, err := r.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/strange.v1.Strange/Watch")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(stream.SendMsg(&grpc_health_v1.HealthCheckRequest{}), stream.CloseSend()); err != nil {
		t.Fatal(err)
	}
	err = stream.RecvMsg(new(grpc_health_v1.HealthCheckResponse))
	checkStatus(t, err, codes.Internal, "Unexpected error occurred while handling strange.v1.Strange/Watch")
	for _, want := range []string{"in a call", "in a stream", "service_test.go"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log without %q: %s", want, log)
		}
	}
	if _, err := r.client.Topology(ctx, &pb.TopologyRequest{}); err != nil {
		t.Error(err)
	}
}

// counter is an observer.
type counter struct {
	mu   sync.Mutex
	seen map[string]map[codes.Code]int
}

func (c *counter) ObserveCall(method string, code codes.Code, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen[method] == nil {
		c.seen[method] = map[codes.Code]int{}
	}
	if took > 0 {
		c.seen[method][code]++
	}
}

func TestObserver(t *testing.T) {
	f := newFake(t, 1)
	c := &counter{seen: map[string]map[codes.Code]int{}}
	r := start(t, f, gateway.Config{Observer: c}, gateway.Tuning{})
	ctx := callCtx(t)
	_, e1 := r.client.Topology(ctx, &pb.TopologyRequest{})
	_, e2 := r.client.CompleteJob(ctx, &pb.CompleteJobRequest{JobKey: 1})
	_, e3 := r.client.DeleteResource(ctx, &pb.DeleteResourceRequest{})
	_, e4 := activate(ctx, r.client, pollFor("t", 1, atOnce))
	_, e5 := r.client.CompleteJob(ctx, &pb.CompleteJobRequest{JobKey: 1, Variables: strings.Repeat("x", 5<<20)})
	if e1 != nil || e2 == nil || e3 == nil || e4 != nil || e5 == nil {
		t.Fatal(e1, e2, e3, e4, e5)
	}
	want := map[string]map[codes.Code]int{
		"Topology": {codes.OK: 1}, "CompleteJob": {codes.Unavailable: 1, codes.ResourceExhausted: 1},
		"DeleteResource": {codes.Unavailable: 1}, "ActivateJobs": {codes.OK: 1},
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !reflect.DeepEqual(c.seen, want) {
		t.Errorf("\n got %v\nwant %v", c.seen, want)
	}
}

// TestStop: calls under way are finished, long polls and streams end with
// UNAVAILABLE, jobs that nobody took are handed back before Stop returns.
func TestStop(t *testing.T) {
	f := newFake(t, 2)
	release, entered := make(chan struct{}), make(chan struct{})
	finish := sync.OnceFunc(func() { close(release) })
	f.setHook(func(ctx context.Context, p protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error) {
		switch c := cmd.(type) {
		case *protocol.CompleteJob:
			close(entered)
			<-release
			return &protocol.Done{}, nil
		case *protocol.ActivateJobs: // the answer of a pull comes only when it is cancelled
			if c.Park {
				<-ctx.Done()
				return f.activate(context.Background(), p, c)
			}
		}
		return nil, nil
	})
	f.add(1, "pushed", 2, "{}")
	f.add(2, "pushed", 2, "{}")
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	t.Cleanup(finish)
	completed := make(chan error, 1)
	go func() {
		_, err := r.client.CompleteJob(callCtx(t), &pb.CompleteJobRequest{JobKey: int64(protocol.NewKey(1, 9))})
		completed <- err
	}()
	<-entered
	poll, none := make(chan polled, 1), make(chan polled, 1)
	r.poll(callCtx(t), "poll", pollFor("t", 1, patience), poll)
	go func() {
		_, err := activate(callCtx(t), r.client, pollFor("none", 0, patience))
		none <- polled{err: err}
	}()
	f.await("poll for none has walked", func() bool { return len(commands[*protocol.ActivateJobs](f)) >= 4 })
	stream := r.open(callCtx(t), t, streamFor("pushed"))
	f.await("pulled", func() bool {
		n := 0
		for _, c := range commands[*protocol.ActivateJobs](f) {
			if c.Park {
				n++
			}
		}
		return n == 2
	})
	watch, err := grpc_health_v1.NewHealthClient(r.conn).Watch(callCtx(t), &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := watch.Recv(); err != nil {
		t.Fatal(err)
	}
	silent, err := reflectionv1.NewServerReflectionClient(r.conn).ServerReflectionInfo(callCtx(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := silent.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	if _, err := silent.Recv(); err != nil {
		t.Fatal(err)
	}

	stopped := make(chan error, 1)
	go func() { stopped <- r.server.Stop(callCtx(t)) }()
	down := "The gateway is shutting down"
	checkStatus(t, (<-poll).err, codes.Unavailable, down)
	checkStatus(t, (<-none).err, codes.Unavailable, down)
	_, err = stream.Recv()
	checkStatus(t, err, codes.Unavailable, down)
	for err = nil; err == nil; {
		_, err = watch.Recv() // tells NOT_SERVING first
	}
	checkStatus(t, err, codes.Unavailable, down)
	_, err = silent.Recv()
	checkStatus(t, err, codes.Unavailable, down)
	select {
	case err := <-stopped:
		t.Fatalf("stopped before a call under way was done: %v", err)
	default:
	}
	finish()
	if err := <-completed; err != nil {
		t.Errorf("a call under way: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if open := len(f.open(1, "pushed")) + len(f.open(2, "pushed")); open != 4 {
		t.Errorf("%d of 4 jobs were handed back", open)
	}
	for name, n := range f.parked {
		if n != 0 {
			t.Errorf("%s is still open", name)
		}
	}
}

// TestStop_CutsOff what is not done in time, and says so.
func TestStop_CutsOff(t *testing.T) {
	f := newFake(t, 1)
	entered := make(chan struct{})
	f.setHook(func(ctx context.Context, _ protocol.PartitionID, _ protocol.Command) (protocol.Reply, error) {
		close(entered)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	ended := make(chan error, 1)
	go func() {
		_, err := r.client.CompleteJob(callCtx(t), &pb.CompleteJobRequest{JobKey: int64(protocol.NewKey(1, 9))})
		ended <- err
	}()
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := r.server.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("the call succeeded")
	}
}

func TestBackoff(t *testing.T) {
	d := gateway.Backoffs(12)
	for i, want := range []time.Duration{5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000, 1000} {
		if full := want * time.Millisecond; d[i] < full/2 || d[i] > full {
			t.Errorf("pause %d is %v, want half to all of %v", i, d[i], full)
		}
	}
}
