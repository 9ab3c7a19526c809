package gateway_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc/codes"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
)

func pollFor(jobType string, n int32, wait time.Duration) *pb.ActivateJobsRequest {
	return &pb.ActivateJobsRequest{Type: jobType, Worker: "w", Timeout: 60_000, MaxJobsToActivate: n, RequestTimeout: wait.Milliseconds()}
}

const atOnce = -time.Millisecond

// polled is how a poll ended.
type polled struct {
	name string
	keys []protocol.Key
	err  error
}

// poll starts a poll and returns when the gateway has it in line.
func (r *rig) poll(ctx context.Context, name string, req *pb.ActivateJobsRequest, out chan<- polled) {
	r.t.Helper()
	before := r.server.Lines(req.Type)
	go func() {
		jobs, err := activate(ctx, r.client, req)
		out <- polled{name, jobKeys(jobs), err}
	}()
	r.await(name+" in line", func() bool { return r.server.Lines(req.Type) == before+1 })
}

// TestPoll_WalksFromARotatingStart: jobs of all partitions, each poll beginning
// at the next one, per type.
func TestPoll_WalksFromARotatingStart(t *testing.T) {
	f := newFake(t, 3)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	for i, want := range []partitions{{1, 2, 3}, {2, 3, 1}, {3, 1, 2}, {1, 2, 3}} {
		if jobs, err := activate(callCtx(t), r.client, pollFor("t", 9, atOnce)); err != nil || len(jobs) != 0 {
			t.Fatal(jobs, err)
		}
		if got := f.visited(); !reflect.DeepEqual(got, want) {
			t.Errorf("poll %d walked %v, want %v", i, got, want)
		}
	}
	var want []protocol.Key
	for p := protocol.PartitionID(1); p <= 3; p++ {
		want = append(want, f.add(p, "u", 2, "{}")...)
	}
	jobs, err := activate(callCtx(t), r.client, pollFor("u", 5, atOnce))
	if got := jobKeys(jobs); err != nil || !reflect.DeepEqual(got, want[:5]) {
		t.Errorf("got %v, %v, want %v", got, err, want[:5])
	}
	var max []int32
	for _, c := range locked[*protocol.ActivateJobs](f) {
		max = append(max, c.Max)
	}
	if !reflect.DeepEqual(max, []int32{5, 3, 1}) {
		t.Errorf("asked for %v jobs, want what is left each time", max)
	}
	// Enough from the first: the others are not asked.
	f.add(2, "u", 1, "{}")
	f.visited()
	if _, err := activate(callCtx(t), r.client, pollFor("u", 1, atOnce)); err != nil {
		t.Fatal(err)
	}
	if got := f.visited(); !reflect.DeepEqual(got, partitions{2}) {
		t.Errorf("walked %v, want only partition 2", got)
	}
}

// TestPoll_WithoutALeader: such a partition holds nobody up; if there is none
// with one, the client is told.
func TestPoll_WithoutALeader(t *testing.T) {
	f := newFake(t, 3)
	f.leaders = map[protocol.PartitionID]bool{2: true}
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	want := f.add(2, "t", 1, "{}")
	if jobs, err := activate(callCtx(t), r.client, pollFor("t", 9, atOnce)); err != nil || !reflect.DeepEqual(jobKeys(jobs), want) {
		t.Errorf("%v, %v", jobs, err)
	}
	if got := f.visited(); !reflect.DeepEqual(got, partitions{2}) {
		t.Errorf("walked %v", got)
	}
	f.change(func() { clear(f.leaders) })
	_, err := activate(callCtx(t), r.client, pollFor("t", 9, atOnce))
	checkPrefix(t, "no leader", err, codes.Unavailable, "Expected to execute command, but it was not accepted: partition ")
}

// TestPoll_LargeJobs: an answer that was cut is continued at the same partition,
// responses stay under the message size, and a job larger than that comes alone.
func TestPoll_LargeJobs(t *testing.T) {
	f := newFake(t, 2)
	want := f.add(1, "t", 7, `{"a":"`+strings.Repeat("x", 400)+`"}`)
	want = append(want, f.add(1, "t", 1, `{"a":"`+strings.Repeat("y", 3000)+`"}`)...)
	want = append(want, f.add(1, "t", 1, `{}`)...)
	want = append(want, f.add(2, "t", 1, "{}")...)
	r := start(t, f, gateway.Config{MaxMessageSize: 1000}, gateway.Tuning{})
	jobs, sizes, err := activateBatches(callCtx(t), r.client, pollFor("t", 100, atOnce))
	if err != nil {
		t.Fatal(err)
	}
	if got := jobKeys(jobs); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if !reflect.DeepEqual(sizes, []int{2, 2, 2, 1, 1, 1, 1}) {
		t.Errorf("responses of %v jobs", sizes)
	}
	if got := f.visited(); !reflect.DeepEqual(got, partitions{1, 1, 1, 1, 1, 1, 2}) {
		t.Errorf("walked %v", got)
	}
}

func TestPoll_Rejected(t *testing.T) {
	f := newFake(t, 2)
	f.setHook(func(_ context.Context, _ protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error) {
		if c, ok := cmd.(*protocol.ActivateJobs); ok && c.Timeout < 1 {
			return nil, protocol.Reject(protocol.InvalidArgument, c.Intent(), "Expected to activate job batch with timeout to be greater than zero, but it was '%d'", c.Timeout)
		}
		return nil, nil
	})
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	out := make(chan polled, 1)
	r.poll(callCtx(t), "one that waits", pollFor("t", 1, patience), out)
	req := pollFor("t", 1, patience)
	req.Timeout = 0
	_, err := activate(callCtx(t), r.client, req) // not in line behind the other
	checkStatus(t, err, codes.InvalidArgument, "Command 'ACTIVATE' rejected with code 'INVALID_ARGUMENT': Expected to activate job batch with timeout to be greater than zero, but it was '0'")
	f.add(2, "t", 1, "{}")
	if p := <-out; p.err != nil || len(p.keys) != 1 {
		t.Errorf("%+v", p)
	}
}

// TestPoll_Busy: nothing found while a partition was full is said.
func TestPoll_Busy(t *testing.T) {
	f := newFake(t, 2)
	refusal := func(code protocol.RefusalCode, at protocol.PartitionID) hook {
		return func(_ context.Context, p protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error) {
			if _, ok := cmd.(*protocol.ActivateJobs); ok && (p == at || at == 0) {
				return nil, protocol.Refuse(code, p, "")
			}
			return nil, nil
		}
	}
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	busy := "Expected to activate jobs of type 't', but no jobs available and at least one broker returned 'RESOURCE_EXHAUSTED'. Please try again later."
	f.setHook(refusal(protocol.Full, 2))
	for _, wait := range []time.Duration{atOnce, patience} {
		_, err := activate(callCtx(t), r.client, pollFor("t", 1, wait))
		checkStatus(t, err, codes.ResourceExhausted, busy)
	}
	f.add(1, "t", 1, "{}") // something found: no error
	if jobs, err := activate(callCtx(t), r.client, pollFor("t", 2, atOnce)); err != nil || len(jobs) != 1 {
		t.Errorf("%v, %v", jobs, err)
	}
	f.setHook(refusal(protocol.Unreachable, 1)) // one answers, with nothing
	if jobs, err := activate(callCtx(t), r.client, pollFor("t", 2, atOnce)); err != nil || len(jobs) != 0 {
		t.Errorf("%v, %v", jobs, err)
	}
	f.setHook(refusal(protocol.Unreachable, 0)) // none does
	_, err := activate(callCtx(t), r.client, pollFor("t", 2, atOnce))
	checkPrefix(t, "none reachable", err, codes.Unavailable, "Expected to execute command, but it was not accepted: partition ")
}

// TestPoll_WaitsForJobs: woken by a job at any partition, ended by time without
// one, and what it waits for locks nothing.
func TestPoll_WaitsForJobs(t *testing.T) {
	f := newFake(t, 3)
	r := start(t, f, gateway.Config{LongPolling: 50 * time.Millisecond}, gateway.Tuning{})
	for _, req := range []*pb.ActivateJobsRequest{pollFor("t", 1, 50*time.Millisecond), pollFor("t", 1, 0), pollFor("t", 0, 0), pollFor("t", -1, 50*time.Millisecond)} {
		begin := time.Now()
		jobs, err := activate(callCtx(t), r.client, req)
		if took := time.Since(begin); err != nil || len(jobs) != 0 || took < 50*time.Millisecond {
			t.Errorf("%v: %v %v after %v", req, jobs, err, took)
		}
	}
	for p := protocol.PartitionID(1); p <= 3; p++ {
		out := make(chan polled, 1)
		r.poll(callCtx(t), "poll", pollFor("t", 5, patience), out)
		f.await("all partitions watched", func() bool {
			return f.parked[waitName("await", 1, "t")] == 1 && f.parked[waitName("await", 2, "t")] == 1 && f.parked[waitName("await", 3, "t")] == 1
		})
		want := f.add(p, "t", 1, "{}")
		if got := <-out; got.err != nil || !reflect.DeepEqual(got.keys, want) {
			t.Errorf("got %+v, want %v", got, want)
		}
	}
}

// TestPoll_Line: many idle polls share one AwaitJobs per partition, and jobs
// wake them one by one, in order of arrival.
func TestPoll_Line(t *testing.T) {
	const polls = 20
	for _, n := range []int{1, 3} {
		f := newFake(t, n)
		r := start(t, f, gateway.Config{}, gateway.Tuning{Width: 1})
		out := make(chan polled, polls)
		for i := range polls {
			r.poll(callCtx(t), fmt.Sprint(i), pollFor("t", 1, patience), out)
		}
		f.await("all partitions watched", func() bool { return len(commands[*protocol.AwaitJobs](f)) == n })
		if got := len(locked[*protocol.ActivateJobs](f)); got != n {
			t.Errorf("%d idle polls sent %d ActivateJobs, want one walk", polls, got)
		}
		for i := range polls {
			want := f.add(protocol.PartitionID(i%n+1), "t", 1, "{}")
			if got := <-out; got.err != nil || got.name != fmt.Sprint(i) || !reflect.DeepEqual(got.keys, want) {
				t.Fatalf("job %d went to %+v", i, got)
			}
		}
		// One AwaitJobs and one ActivateJobs for each job, beside the first ones.
		if got := len(locked[*protocol.ActivateJobs](f)); got > n+polls {
			t.Errorf("%d ActivateJobs for %d jobs", got, polls)
		}
		if got := len(locked[*protocol.AwaitJobs](f)); got > n+polls {
			t.Errorf("%d AwaitJobs for %d jobs", got, polls)
		}
	}
}

// TestPoll_LineAtABacklog: many jobs at once reach all who wait.
func TestPoll_LineAtABacklog(t *testing.T) {
	const polls = 30
	f := newFake(t, 3)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	out := make(chan polled, polls)
	for i := range polls {
		r.poll(callCtx(t), fmt.Sprint(i), pollFor("t", 2, patience), out)
	}
	var want, got []protocol.Key
	for p := protocol.PartitionID(1); p <= 3; p++ {
		want = append(want, f.add(p, "t", 2*polls/3, "{}")...)
	}
	for range polls {
		p := <-out
		if p.err != nil || len(p.keys) == 0 {
			t.Errorf("%+v", p)
		}
		got = append(got, p.keys...)
	}
	slices.Sort(got)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("delivered %d jobs, want %d", len(got), len(want))
	}
}

// TestPoll_KeepsItsPlace: a poll that was woken for a job which another gateway
// took goes on waiting, before those that came later.
func TestPoll_KeepsItsPlace(t *testing.T) {
	f := newFake(t, 1)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	out := make(chan polled, 2)
	r.poll(callCtx(t), "first", pollFor("t", 1, patience), out)
	r.poll(callCtx(t), "second", pollFor("t", 1, patience), out)
	f.await("watched", func() bool { return f.parked[waitName("await", 1, "t")] == 1 })
	stolen := false
	f.setHook(func(_ context.Context, _ protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error) {
		if _, ok := cmd.(*protocol.ActivateJobs); ok {
			f.change(func() {
				if !stolen {
					stolen, f.jobs = true, nil
				}
			})
		}
		return nil, nil
	})
	f.add(1, "t", 1, "{}")
	f.await("the job was stolen", func() bool { return stolen })
	want := f.add(1, "t", 1, "{}")
	if got := <-out; got.name != "first" || !reflect.DeepEqual(got.keys, want) {
		t.Errorf("got %+v", got)
	}
	f.add(1, "t", 1, "{}")
	if got := <-out; got.name != "second" || len(got.keys) != 1 {
		t.Errorf("got %+v", got)
	}
}

// TestPoll_WaitsOutRefusals: while it waits, a partition may be without leader,
// full, or lose an answer.
func TestPoll_WaitsOutRefusals(t *testing.T) {
	f := newFake(t, 2)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	answers := []error{
		protocol.Refuse(protocol.Unreachable, 2, ""), protocol.Refuse(protocol.Full, 2, ""), protocol.ErrOutcomeUnknown, protocol.ErrInternal,
	}
	f.setHook(func(_ context.Context, p protocol.PartitionID, cmd protocol.Command) (_ protocol.Reply, err error) {
		f.change(func() {
			if _, ok := cmd.(*protocol.AwaitJobs); ok && p == 2 && len(answers) > 0 {
				err, answers = answers[0], answers[1:]
			}
		})
		return nil, err
	})
	out := make(chan polled, 1)
	r.poll(callCtx(t), "poll", pollFor("t", 1, patience), out)
	want := f.add(2, "t", 1, "{}")
	if got := <-out; got.err != nil || !reflect.DeepEqual(got.keys, want) {
		t.Errorf("got %+v", got)
	}
	if len(answers) != 0 {
		t.Errorf("not asked again after a failure: %v are left", answers)
	}
}

// TestPoll_BusyToTheEnd: jobs are there, but their partition takes no commands
// until time is up.
func TestPoll_BusyToTheEnd(t *testing.T) {
	f := newFake(t, 1)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	out := make(chan polled, 1)
	r.poll(callCtx(t), "poll", pollFor("t", 1, 100*time.Millisecond), out)
	f.setHook(func(_ context.Context, p protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error) {
		if _, ok := cmd.(*protocol.ActivateJobs); ok {
			return nil, protocol.Refuse(protocol.Full, p, "")
		}
		return nil, nil
	})
	f.add(1, "t", 1, "{}")
	checkStatus(t, (<-out).err, codes.ResourceExhausted, "Expected to activate jobs of type 't', but no jobs available and at least one broker returned 'RESOURCE_EXHAUSTED'. Please try again later.")
	if n := len(locked[*protocol.ActivateJobs](f)); n < 2 || n > 10 {
		t.Errorf("%d tries in 100 ms, want some, with growing pauses", n)
	}
}

// TestPoll_AwaitIsRenewed: a leader that went without a word is asked again.
func TestPoll_AwaitIsRenewed(t *testing.T) {
	f := newFake(t, 1)
	lost := 0
	f.setHook(func(ctx context.Context, _ protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error) {
		if _, ok := cmd.(*protocol.AwaitJobs); !ok || lost >= 3 {
			return nil, nil
		}
		lost++
		<-ctx.Done()
		return nil, ctx.Err()
	})
	r := start(t, f, gateway.Config{}, gateway.Tuning{Await: 10 * time.Millisecond})
	out := make(chan polled, 1)
	r.poll(callCtx(t), "poll", pollFor("t", 1, patience), out)
	f.add(1, "t", 1, "{}")
	if got := <-out; got.err != nil || len(got.keys) != 1 || lost != 3 {
		t.Errorf("got %+v after %d lost", got, lost)
	}
}

// TestPoll_LetsGo: a type nobody polls any more costs nothing.
func TestPoll_LetsGo(t *testing.T) {
	f := newFake(t, 3)
	r := start(t, f, gateway.Config{}, gateway.Tuning{Linger: 20 * time.Millisecond})
	ctx, cancel := context.WithCancel(callCtx(t))
	out := make(chan polled, 2)
	r.poll(ctx, "a", pollFor("t", 1, patience), out)
	r.poll(ctx, "b", pollFor("t", 1, patience), out)
	f.await("watched", func() bool { return f.parked[waitName("await", 3, "t")] == 1 })
	cancel()
	<-out
	<-out
	f.await("given up", func() bool {
		return !r.server.Watched("t") && f.parked[waitName("await", 1, "t")]+f.parked[waitName("await", 2, "t")]+f.parked[waitName("await", 3, "t")] == 0
	})
	// And can come back.
	r.poll(callCtx(t), "c", pollFor("t", 1, patience), out)
	f.add(3, "t", 1, "{}")
	if got := <-out; got.err != nil || len(got.keys) != 1 {
		t.Errorf("got %+v", got)
	}
}

// abandon polls and goes away while the first ActivateJobs at p is on its way;
// it returns when the gateway knows that, before the answer.
func (r *rig) abandon(t *testing.T, p protocol.PartitionID, req *pb.ActivateJobsRequest, inner hook) {
	t.Helper()
	reached, release := make(chan context.Context, 1), make(chan struct{})
	r.setHook(func(ctx context.Context, at protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error) {
		if _, ok := cmd.(*protocol.ActivateJobs); ok && p == at {
			reached <- ctx
			<-release
		}
		return inner(ctx, at, cmd)
	})
	ctx, cancel := context.WithCancel(callCtx(t))
	ended := make(chan error, 1)
	go func() {
		_, err := activate(ctx, r.client, req)
		ended <- err
	}()
	cmdCtx := <-reached
	cancel()
	if err := <-ended; err == nil {
		t.Error("the cancelled poll succeeded")
	}
	// Frames of one connection are read in order: after this call the gateway
	// has seen the cancellation.
	if _, err := r.client.Topology(callCtx(t), &pb.TopologyRequest{}); err != nil {
		t.Fatal(err)
	}
	if cmdCtx.Err() != nil {
		t.Error("the command's context ended with the client's")
	}
	close(release)
}

// TestPoll_ClientGone: jobs that were locked for a client which has gone are
// handed back, with the deadline they were locked until.
func TestPoll_ClientGone(t *testing.T) {
	f := newFake(t, 2)
	keys := f.add(2, "t", 2, "{}")
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	r.abandon(t, 2, pollFor("t", 5, patience), func(context.Context, protocol.PartitionID, protocol.Command) (protocol.Reply, error) { return nil, nil })
	f.await("handed back", func() bool { return len(commands[*protocol.YieldJobs](f)) == 1 })
	y := locked[*protocol.YieldJobs](f)[0]
	if !reflect.DeepEqual(y.Keys, keys) || !reflect.DeepEqual(y.Deadlines, []int64{1_000_001, 1_000_002}) {
		t.Errorf("yielded %+v, want %v", y, keys)
	}
	f.await("open again", func() bool { return len(f.open(2, "t")) == 2 })
}

// TestPoll_YieldIsRepeated until the partition takes it.
func TestPoll_YieldIsRepeated(t *testing.T) {
	f := newFake(t, 1)
	f.add(1, "t", 1, "{}")
	answers := []error{protocol.Refuse(protocol.Full, 1, ""), protocol.ErrOutcomeUnknown}
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	r.abandon(t, 1, pollFor("t", 5, patience), func(_ context.Context, _ protocol.PartitionID, cmd protocol.Command) (_ protocol.Reply, err error) {
		f.change(func() {
			if _, ok := cmd.(*protocol.YieldJobs); ok && len(answers) > 0 {
				err, answers = answers[0], answers[1:]
			}
		})
		return nil, err
	})
	f.await("open again", func() bool { return len(f.open(1, "t")) == 1 && len(answers) == 0 })
}
