package gateway_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
)

const patience = 10 * time.Second

// call is one command that a fake broker got.
type call struct {
	partition protocol.PartitionID
	cmd       protocol.Command
	impatient bool
}

// hook answers a command in place of the fake; nil, nil leaves it to the fake.
type hook func(ctx context.Context, p protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error)

// job is a job of the fake's.
type job struct {
	protocol.Job
	locked bool
}

// fake is a broker whose partitions hold nothing but jobs.
type fake struct {
	t          testing.TB
	partitions int
	seq        uint64
	described  atomic.Int64 // how often the topology was asked for
	existing   atomic.Int64 // partitions, if there are more than are given work

	mu       sync.Mutex
	changed  chan struct{} // closed at every change
	calls    []call
	hook     hook
	leaders  map[protocol.PartitionID]bool // nil: all lead
	jobs     []*job
	counter  int64
	parked   map[string]int // open waits, by what and where
	deadline int64
}

func newFake(t testing.TB, partitions int) *fake {
	return &fake{t: t, partitions: partitions, changed: make(chan struct{}), parked: map[string]int{}, deadline: 1_000_000}
}

// change runs f and wakes whoever waits for a change.
func (f *fake) change(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn()
	close(f.changed)
	f.changed = make(chan struct{})
}

// await waits until ok, called under the lock, says yes.
func (f *fake) await(what string, ok func() bool) {
	f.t.Helper()
	late := time.After(patience)
	for {
		f.mu.Lock()
		yes, changed := ok(), f.changed
		f.mu.Unlock()
		if yes {
			return
		}
		select {
		case <-changed:
		case <-time.After(5 * time.Millisecond): // what the gateway holds changes without us
		case <-late:
			f.t.Fatalf("waited in vain: %s", what)
		}
	}
}

func (f *fake) setHook(h hook) { f.change(func() { f.hook = h }) }

// add makes n jobs of a type at a partition and returns their keys.
func (f *fake) add(p protocol.PartitionID, jobType string, n int, variables string) []protocol.Key {
	var keys []protocol.Key
	f.change(func() {
		for range n {
			f.counter++
			k := protocol.NewKey(p, f.counter)
			keys = append(keys, k)
			f.jobs = append(f.jobs, &job{Job: protocol.Job{Key: k, Type: jobType, Variables: []byte(variables)}})
		}
	})
	return keys
}

// commands returns the calls of type C so far; to be called under the lock.
func commands[C protocol.Command](f *fake) []C {
	var list []C
	for _, c := range f.calls {
		if cmd, ok := c.cmd.(C); ok {
			list = append(list, cmd)
		}
	}
	return list
}

func locked[C protocol.Command](f *fake) []C {
	f.mu.Lock()
	defer f.mu.Unlock()
	return commands[C](f)
}

func (f *fake) Topology() gateway.Topology {
	f.described.Add(1)
	return gateway.Topology{
		ClusterSize: 2, Partitions: f.partitions, Existing: int(f.existing.Load()), ReplicationFactor: 2, Version: "cluster",
		Nodes: []gateway.Node{
			{ID: 0, Host: "a", Port: 26501, Version: "1.0", Partitions: []gateway.NodePartition{
				{ID: 1, Role: gateway.RoleLeader}, {ID: 2, Role: gateway.RoleFollower, Health: gateway.Unhealthy}}},
			{ID: 1, Host: "b", Port: 26601, Version: "1.1", Partitions: []gateway.NodePartition{
				{ID: 1, Role: gateway.RoleInactive, Health: gateway.Dead}, {ID: 2, Role: gateway.RoleLeader}}},
		},
	}
}

func (f *fake) HasLeader(p protocol.PartitionID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.leaders == nil || f.leaders[p]
}

func (f *fake) DeploymentSeq() uint64 { return f.seq }

func (f *fake) Execute(ctx context.Context, p protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error) {
	var h hook
	f.change(func() {
		f.calls = append(f.calls, call{p, cmd, gateway.IsImpatient(ctx)})
		h = f.hook
	})
	if h != nil {
		if reply, err := h(ctx, p, cmd); reply != nil || err != nil {
			return reply, err
		}
	}
	switch c := cmd.(type) {
	case *protocol.ActivateJobs:
		return f.activate(ctx, p, c)
	case *protocol.AwaitJobs:
		name := waitName("await", p, c.Type)
		return &protocol.Jobs{}, f.park(ctx, name, func() bool { return len(f.open(p, c.Type)) > 0 })
	case *protocol.YieldJobs:
		f.change(func() { f.unlock(c) })
		return &protocol.Done{}, nil
	}
	return nil, fmt.Errorf("the fake does not know %T", cmd)
}

func waitName(what string, p protocol.PartitionID, jobType string) string {
	return fmt.Sprintf("%s %d %s", what, p, jobType)
}

// park waits until ok, called under the lock, or the end of ctx.
func (f *fake) park(ctx context.Context, name string, ok func() bool) error {
	f.change(func() { f.parked[name]++ })
	defer f.change(func() { f.parked[name]-- })
	for {
		f.mu.Lock()
		yes, changed := ctx.Err() == nil && ok(), f.changed
		f.mu.Unlock()
		if yes {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// open lists the jobs that may be locked, oldest first.
func (f *fake) open(p protocol.PartitionID, jobType string) []*job {
	var list []*job
	for _, j := range f.jobs {
		if !j.locked && j.Type == jobType && j.Key.Partition() == p {
			list = append(list, j)
		}
	}
	return list
}

func (f *fake) activate(ctx context.Context, p protocol.PartitionID, c *protocol.ActivateJobs) (protocol.Reply, error) {
	reply := &protocol.Jobs{}
	take := func() bool {
		size := int64(0)
		for _, j := range f.open(p, c.Type) {
			if len(reply.Jobs) >= int(c.Max) {
				break
			}
			if size += int64(len(j.Variables)); c.MaxBytes > 0 && size > c.MaxBytes {
				reply.Truncated = true
				break
			}
			f.deadline++
			j.locked, j.Worker, j.Deadline = true, c.Worker, f.deadline
			reply.Jobs = append(reply.Jobs, j.Job)
		}
		return len(reply.Jobs) > 0
	}
	if !c.Park {
		f.change(func() { take() })
		return reply, nil
	}
	return reply, f.park(ctx, waitName("pull", p, c.Type), take)
}

func (f *fake) unlock(c *protocol.YieldJobs) {
	for _, j := range f.jobs {
		if i := slices.Index(c.Keys, j.Key); i >= 0 && j.locked && j.Deadline == c.Deadlines[i] {
			j.locked = false
		}
	}
}

// jobKeys are the keys of jobs that a client got.
func jobKeys(jobs []*pb.ActivatedJob) []protocol.Key {
	var keys []protocol.Key
	for _, j := range jobs {
		keys = append(keys, protocol.Key(j.Key))
	}
	return keys
}

// rig is a gateway with a connection to it.
type rig struct {
	*fake
	server *gateway.Server
	client pb.GatewayClient
	conn   *grpc.ClientConn
	listen *bufconn.Listener
}

func start(t testing.TB, f gateway.Broker, cfg gateway.Config, tuning gateway.Tuning) *rig {
	t.Helper()
	own, _ := f.(*fake) // else the test has a broker of its own
	r := &rig{fake: own, server: gateway.NewTuned(cfg, f, tuning), listen: bufconn.Listen(1 << 20)}
	served := make(chan error, 1)
	go func() { served <- r.server.Serve(r.listen) }()
	r.conn = r.dial(t)
	r.client = pb.NewGatewayClient(r.conn)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := r.server.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return r
}

func (r *rig) dial(t testing.TB, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	opts = append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64 << 20)),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return r.listen.DialContext(ctx) }),
	}, opts...)
	conn, err := grpc.NewClient("passthrough:///gateway", opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Errorf("close connection: %v", err)
		}
	})
	return conn
}

func callCtx(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
