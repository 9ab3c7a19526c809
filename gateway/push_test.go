package gateway_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
)

func streamFor(jobType string) *pb.StreamActivatedJobsRequest {
	return &pb.StreamActivatedJobsRequest{Type: jobType, Worker: "w", Timeout: 60_000, FetchVariable: []string{"a"}}
}

type jobStream = pb.Gateway_StreamActivatedJobsClient

// open opens a stream and returns when the gateway has it.
func (r *rig) open(ctx context.Context, t *testing.T, req *pb.StreamActivatedJobsRequest) jobStream {
	t.Helper()
	before := r.clients()
	s, err := r.client.StreamActivatedJobs(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	r.await("stream open", func() bool { return r.clients() == before+1 })
	return s
}

func (r *rig) clients() int {
	n := 0
	for _, c := range r.server.Clients() {
		n += c
	}
	return n
}

// pulls tells how many pulls are parked for a type; under the lock.
func (f *fake) pulls(jobType string) int {
	n := 0
	for name, k := range f.parked {
		if strings.HasPrefix(name, "pull") && strings.HasSuffix(name, " "+jobType) {
			n += k
		}
	}
	return n
}

func receive(t *testing.T, s jobStream, n int) []protocol.Key {
	t.Helper()
	var keys []protocol.Key
	for range n {
		j, err := s.Recv()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, protocol.Key(j.Key))
	}
	return keys
}

func TestPush_Arguments(t *testing.T) {
	r := start(t, newFake(t, 1), gateway.Config{}, gateway.Tuning{})
	for want, req := range map[string]*pb.StreamActivatedJobsRequest{
		"Expected to stream activated jobs with type to be present, but it was blank":            {Type: " \t", Worker: "w", Timeout: 1},
		"Expected to stream activated jobs with timeout to be greater than zero, but it was 0":   {Type: "t"},
		"Expected to stream activated jobs with timeout to be greater than zero, but it was -10": {Type: "t", Timeout: -10},
	} {
		s, err := r.client.StreamActivatedJobs(callCtx(t), req)
		if err == nil {
			_, err = s.Recv()
		}
		checkStatus(t, err, codes.InvalidArgument, want)
	}
}

// TestPush: jobs of all partitions, those of one in order; one parked pull per
// partition asks for what one client may have in hand.
func TestPush(t *testing.T) {
	f := newFake(t, 3)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	s := r.open(callCtx(t), t, streamFor("t"))
	f.await("parked", func() bool { return f.pulls("t") == 3 })
	for _, c := range locked[*protocol.ActivateJobs](f) {
		want := &protocol.ActivateJobs{Type: "t", Worker: "w", Timeout: 60_000, FetchVariables: []string{"a"}, Park: true, Max: 10}
		if !reflect.DeepEqual(c, want) {
			t.Errorf("got %+v, want %+v", c, want)
		}
	}
	var want []protocol.Key
	for p := protocol.PartitionID(1); p <= 3; p++ {
		want = append(want, f.add(p, "t", 100, "{}")...)
	}
	f.add(1, "other", 5, "{}")
	got := receive(t, s, 300)
	for p := protocol.PartitionID(1); p <= 3; p++ {
		mine := slices.DeleteFunc(slices.Clone(got), func(k protocol.Key) bool { return k.Partition() != p })
		if !reflect.DeepEqual(mine, want[100*(p-1):100*p]) {
			t.Errorf("partition %d: got %v", p, mine)
		}
	}
	f.await("parked again", func() bool { return f.pulls("t") == 3 })
	if y := locked[*protocol.YieldJobs](f); len(y) != 0 {
		t.Errorf("yielded %v", y)
	}
}

// TestPush_EqualStreamsAreOne: they share the pulls, and the jobs in turn.
func TestPush_EqualStreamsAreOne(t *testing.T) {
	f := newFake(t, 2)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	for range 4 {
		r.open(callCtx(t), t, streamFor("t"))
	}
	other, named := streamFor("t"), streamFor("t")
	other.Worker = "other"
	r.open(callCtx(t), t, other)
	named.TenantIds = []string{"<default>"} // is what the others mean
	r.open(callCtx(t), t, named)
	if got := r.server.Clients(); len(got) != 2 || got[0]+got[1] != 6 {
		t.Errorf("groups of %v streams, want 5 and 1", got)
	}
	f.await("parked", func() bool { return f.pulls("t") == 4 })
	// A group of its own type, so that nothing else takes its jobs.
	var own []jobStream
	for range 5 {
		own = append(own, r.open(callCtx(t), t, streamFor("u")))
	}
	f.await("parked", func() bool { return f.pulls("u") == 2 })
	f.add(1, "u", 500, "{}")
	seen := make(chan int, len(own))
	for _, s := range own {
		go func() {
			n := 0
			for {
				if _, err := s.Recv(); err != nil {
					break
				}
				n++
				if n == 16 {
					seen <- n
				}
			}
		}()
	}
	for range own { // each has its turn before one gets more than its queue holds
		select {
		case <-seen:
		case <-time.After(patience):
			t.Fatal("a stream got fewer than 16 of 500 jobs for 5")
		}
	}
}

// TestPush_SlowClient: who does not read gets no more than its connection holds
// and what was pulled for it, and that is handed back; when it reads again it
// gets jobs again. A second client meanwhile gets everything.
func TestPush_SlowClient(t *testing.T) {
	const size, jobs = 30_000, 400
	f := newFake(t, 2)
	r := start(t, f, gateway.Config{}, gateway.Tuning{Stall: 50 * time.Millisecond})
	// A connection of its own with a small fixed window.
	conn := r.dial(t, grpc.WithInitialWindowSize(64<<10), grpc.WithInitialConnWindowSize(64<<10))
	slow, err := pb.NewGatewayClient(conn).StreamActivatedJobs(callCtx(t), streamFor("t"))
	if err != nil {
		t.Fatal(err)
	}
	f.await("parked", func() bool { return f.pulls("t") == 2 })
	var want []protocol.Key
	for p := protocol.PartitionID(1); p <= 2; p++ {
		want = append(want, f.add(p, "t", jobs/2, `{"a":"`+strings.Repeat("x", size)+`"}`)...)
	}
	f.await("pulled jobs handed back", func() bool { return len(commands[*protocol.YieldJobs](f)) > 0 })
	quiet := func() bool { // nothing parked and nothing on its way: the client is not free
		return f.pulls("t") == 0 && len(f.open(1, "t"))+len(f.open(2, "t")) > jobs-40
	}
	f.await("no more pulls", quiet)
	pulls := len(locked[*protocol.ActivateJobs](f))
	if pulls > 20 {
		t.Errorf("%d pulls for a client that does not read", pulls)
	}

	fast := r.open(callCtx(t), t, streamFor("t"))
	keys := make(chan protocol.Key)
	read := func(s jobStream) {
		for j, err := s.Recv(); err == nil; j, err = s.Recv() {
			keys <- protocol.Key(j.Key)
		}
	}
	go read(fast)
	got := map[protocol.Key]int{}
	count := func(n int) {
		for range n {
			select {
			case k := <-keys:
				got[k]++
			case <-time.After(patience):
				t.Fatalf("only %d of %d jobs were delivered", len(got), jobs)
			}
		}
	}
	count(jobs - 40)
	go read(slow)
	count(40)
	for _, k := range want {
		if got[k] != 1 { // each went to one of them, none was lost
			t.Errorf("job %d was delivered %d times", k, got[k])
		}
	}
}

// TestPush_LastClientGone: the parked pulls end with their context, and nothing
// is locked any more.
func TestPush_LastClientGone(t *testing.T) {
	f := newFake(t, 3)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	ctx, cancel := context.WithCancel(callCtx(t))
	a := r.open(ctx, t, streamFor("t"))
	stays := r.open(callCtx(t), t, streamFor("t"))
	f.await("parked", func() bool { return f.pulls("t") == 3 })
	cancel()
	if _, err := a.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("got %v", err)
	}
	f.await("one client", func() bool { return r.clients() == 1 })
	want := f.add(1, "t", 3, "{}")
	if got := receive(t, stays, 3); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	ctx2, cancel2 := context.WithCancel(callCtx(t))
	last := r.open(ctx2, t, streamFor("u"))
	f.await("parked", func() bool { return f.pulls("u") == 3 })
	cancel2()
	if _, err := last.Recv(); err == nil {
		t.Error("no error")
	}
	f.await("pulls ended", func() bool { return f.pulls("u") == 0 })
	f.add(2, "u", 1, "{}")
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.open(2, "u")) != 1 {
		t.Error("a job was locked for nobody")
	}
}

// TestPush_AnswerAfterTheLastClient: jobs that come although nobody waits any
// more are handed back.
func TestPush_AnswerAfterTheLastClient(t *testing.T) {
	f := newFake(t, 1)
	keys := f.add(1, "t", 3, "{}")
	f.setHook(func(ctx context.Context, p protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error) {
		c, ok := cmd.(*protocol.ActivateJobs)
		if !ok {
			return nil, nil
		}
		<-ctx.Done() // the answer and the cancellation cross
		return f.activate(context.Background(), p, c)
	})
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	ctx, cancel := context.WithCancel(callCtx(t))
	s := r.open(ctx, t, streamFor("t"))
	f.await("pulled", func() bool { return len(commands[*protocol.ActivateJobs](f)) == 1 })
	cancel()
	if _, err := s.Recv(); err == nil {
		t.Error("no error")
	}
	f.await("handed back", func() bool {
		return len(commands[*protocol.YieldJobs](f)) > 0 && len(f.open(1, "t")) == len(keys)
	})
	if y := locked[*protocol.YieldJobs](f); len(y) != 1 || !reflect.DeepEqual(y[0].Keys, keys) {
		t.Errorf("yielded %+v", y)
	}
}

// TestPush_Refusals: a pull is sent anew after a refusal, a lost answer, an
// empty one and in silence.
func TestPush_Refusals(t *testing.T) {
	f := newFake(t, 1)
	answers := []error{protocol.Refuse(protocol.Full, 1, ""), protocol.ErrOutcomeUnknown, protocol.ErrInternal, nil}
	silent := 2
	f.setHook(func(ctx context.Context, _ protocol.PartitionID, cmd protocol.Command) (reply protocol.Reply, err error) {
		if _, ok := cmd.(*protocol.ActivateJobs); !ok {
			return nil, nil
		}
		f.mu.Lock()
		if len(answers) > 0 {
			err, answers = answers[0], answers[1:]
			f.mu.Unlock()
			return &protocol.Jobs{}, err
		}
		silent--
		quiet := silent >= 0
		f.mu.Unlock()
		if quiet {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return nil, nil
	})
	r := start(t, f, gateway.Config{}, gateway.Tuning{Park: 10 * time.Millisecond})
	s := r.open(callCtx(t), t, streamFor("t"))
	want := f.add(1, "t", 2, "{}")
	if got := receive(t, s, 2); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPush_Rejected(t *testing.T) {
	f := newFake(t, 2)
	f.setHook(func(_ context.Context, _ protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error) {
		return nil, protocol.Reject(protocol.InvalidArgument, cmd.Intent(), "no")
	})
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	s, err := r.client.StreamActivatedJobs(callCtx(t), streamFor("t"))
	if err == nil {
		_, err = s.Recv()
	}
	checkStatus(t, err, codes.InvalidArgument, "Command 'ACTIVATE' rejected with code 'INVALID_ARGUMENT': no")
	f.await("group gone", func() bool { return len(r.server.Clients()) == 0 })
}
