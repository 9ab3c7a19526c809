package gateway_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc/codes"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
)

type partitions = []protocol.PartitionID

// visited returns the partitions called since the last time.
func (f *fake) visited() partitions {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list partitions
	for _, c := range f.calls {
		list = append(list, c.partition)
	}
	f.calls = nil
	return list
}

func TestRouting_KeyOfNoPartition(t *testing.T) {
	f := newFake(t, 3)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	for key, shown := range map[int64]string{
		-1: "-1", 0: "0", 5: "0", 1<<63 - 1: "4095", int64(protocol.NewKey(1000, 7)): "1000", int64(protocol.NewKey(4, 0)): "4", -1 << 63: "-4096",
	} {
		ctx := callCtx(t)
		_, e1 := r.client.CompleteJob(ctx, &pb.CompleteJobRequest{JobKey: key})
		_, e2 := r.client.FailJob(ctx, &pb.FailJobRequest{JobKey: key})
		_, e3 := r.client.UpdateJobRetries(ctx, &pb.UpdateJobRetriesRequest{JobKey: key})
		_, e4 := r.client.UpdateJobTimeout(ctx, &pb.UpdateJobTimeoutRequest{JobKey: key})
		_, e5 := r.client.CancelProcessInstance(ctx, &pb.CancelProcessInstanceRequest{ProcessInstanceKey: key})
		_, e6 := r.client.SetVariables(ctx, &pb.SetVariablesRequest{ElementInstanceKey: key})
		_, e7 := r.client.ResolveIncident(ctx, &pb.ResolveIncidentRequest{IncidentKey: key})
		for _, err := range []error{e1, e2, e3, e4, e5, e6, e7} {
			checkStatus(t, err, codes.Unavailable, "Expected to execute command on partition "+shown+", but either it does not exist, or the gateway is not yet aware of it")
		}
	}
	if v := f.visited(); v != nil {
		t.Errorf("commands were sent to %v", v)
	}
}

// TestRouting_RoundRobin: creations go around, without the partitions that have
// no leader; each is sent once.
func TestRouting_RoundRobin(t *testing.T) {
	f := newFake(t, 3)
	f.setHook(func(context.Context, protocol.PartitionID, protocol.Command) (protocol.Reply, error) {
		return &protocol.Created{}, nil
	})
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	create := func(n int) partitions {
		for range n {
			if _, err := r.client.CreateProcessInstance(callCtx(t), &pb.CreateProcessInstanceRequest{}); err != nil {
				t.Fatal(err)
			}
		}
		return f.visited()
	}
	if got, want := create(6), (partitions{1, 2, 3, 1, 2, 3}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	f.change(func() { f.leaders = map[protocol.PartitionID]bool{1: true, 3: true} })
	if got, want := create(6), (partitions{1, 3, 3, 1, 3, 3}); !reflect.DeepEqual(got, want) {
		t.Errorf("without 2: got %v, want %v", got, want)
	}
	f.change(func() { f.leaders = map[protocol.PartitionID]bool{} })
	if got, want := create(3), (partitions{1, 2, 3}); !reflect.DeepEqual(got, want) {
		t.Errorf("with no leader known: got %v, want %v", got, want)
	}
}

// TestRouting_AfterARefusal: another partition is tried after what proves that
// nothing was executed, and after nothing else.
func TestRouting_AfterARefusal(t *testing.T) {
	unknownID := protocol.Reject(protocol.NotFound, "CREATE", "none")
	cases := []struct {
		name    string
		answers map[protocol.PartitionID]error
		visited partitions
		code    codes.Code
		text    string
	}{
		{"full", map[protocol.PartitionID]error{1: protocol.Refuse(protocol.Full, 1, "")}, partitions{1, 2}, codes.OK, ""},
		{"not the leader", map[protocol.PartitionID]error{1: protocol.Refuse(protocol.NotLeader, 1, "")}, partitions{1, 2}, codes.OK, ""},
		{"unreachable", map[protocol.PartitionID]error{1: protocol.Refuse(protocol.Unreachable, 1, ""), 2: protocol.Refuse(protocol.Unreachable, 2, "")}, partitions{1, 2, 3}, codes.OK, ""},
		{"definition unknown", map[protocol.PartitionID]error{1: protocol.Refuse(protocol.DefinitionUnknown, 1, ""), 2: unknownID}, partitions{1, 2}, codes.NotFound,
			"Command 'CREATE' rejected with code 'NOT_FOUND': none"},
		{"rejected", map[protocol.PartitionID]error{1: unknownID}, partitions{1}, codes.NotFound, "Command 'CREATE' rejected with code 'NOT_FOUND': none"},
		{"outcome unknown", map[protocol.PartitionID]error{1: protocol.ErrOutcomeUnknown}, partitions{1}, codes.DeadlineExceeded, "outcome unknown"},
		{"internal", map[protocol.PartitionID]error{1: protocol.ErrInternal}, partitions{1}, codes.Internal, "Unexpected error occurred: internal error"},
		{"all, one full", map[protocol.PartitionID]error{
			1: protocol.Refuse(protocol.Full, 1, ""), 2: protocol.Refuse(protocol.Unreachable, 2, ""), 3: protocol.Refuse(protocol.DefinitionUnknown, 3, "")},
			partitions{1, 2, 3}, codes.ResourceExhausted,
			"Expected to execute the command on one of the partitions, but all failed; there are no more partitions available to retry. Please try again. (partition 1: in-flight limit reached; partition 2: unreachable; partition 3: definition unknown here)"},
		{"all, none full", map[protocol.PartitionID]error{
			1: protocol.Refuse(protocol.NotLeader, 1, ""), 2: protocol.Refuse(protocol.Unreachable, 2, ""), 3: protocol.Refuse(protocol.DefinitionUnknown, 3, "")},
			partitions{1, 2, 3}, codes.Unavailable,
			"Expected to execute the command on one of the partitions, but all failed; there are no more partitions available to retry. Please try again. (partition 1: not the leader; partition 2: unreachable; partition 3: definition unknown here)"},
	}
	for _, c := range cases {
		for _, result := range []bool{false, true} {
			f := newFake(t, 3)
			f.setHook(func(_ context.Context, p protocol.PartitionID, _ protocol.Command) (protocol.Reply, error) {
				if err := c.answers[p]; err != nil {
					return nil, err
				}
				if result {
					return &protocol.Result{}, nil
				}
				return &protocol.Created{}, nil
			})
			r := start(t, f, gateway.Config{}, gateway.Tuning{})
			var err error
			if result {
				_, err = r.client.CreateProcessInstanceWithResult(callCtx(t), &pb.CreateProcessInstanceWithResultRequest{})
			} else {
				_, err = r.client.CreateProcessInstance(callCtx(t), &pb.CreateProcessInstanceRequest{})
			}
			checkStatus(t, err, c.code, c.text)
			if got := f.visited(); !reflect.DeepEqual(got, c.visited) {
				t.Errorf("%s: visited %v, want %v", c.name, got, c.visited)
			}
		}
	}
}

// TestRouting_Patience: only the last partition may be waited for, and not if a
// full one has already answered for the cluster.
func TestRouting_Patience(t *testing.T) {
	for code, want := range map[protocol.RefusalCode][]bool{protocol.Unreachable: {true, true, false}, protocol.Full: {true, true, true}} {
		f := newFake(t, 3)
		f.setHook(func(_ context.Context, p protocol.PartitionID, _ protocol.Command) (protocol.Reply, error) {
			return nil, protocol.Refuse(code, p, "")
		})
		r := start(t, f, gateway.Config{}, gateway.Tuning{})
		if _, err := r.client.CreateProcessInstance(callCtx(t), &pb.CreateProcessInstanceRequest{}); err == nil {
			t.Fatal("no error")
		}
		var got []bool
		for _, c := range f.calls {
			got = append(got, c.impatient)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: impatient %v, want %v", code, got, want)
		}
	}
}

// The cluster is not described anew for each command; but a key of a partition
// that was not there a moment ago is no mistake.
func TestRouting_TheNumbersOfPartitionsAreKept(t *testing.T) {
	f := newFake(t, 3)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	f.setHook(func(_ context.Context, p protocol.PartitionID, _ protocol.Command) (protocol.Reply, error) {
		return &protocol.KeyReply{Key: protocol.NewKey(p, 9)}, nil
	})
	begun := time.Now()
	for range 300 {
		if _, err := r.client.PublishMessage(callCtx(t), &pb.PublishMessageRequest{Name: "m", CorrelationKey: "k"}); err != nil {
			t.Fatal(err)
		}
	}
	if n, most := f.described.Load(), 1+int64(time.Since(begun)/time.Second); n > most {
		t.Errorf("the cluster was described %d times for 300 messages, want at most %d", n, most)
	}
	resolve := func() error {
		_, err := r.client.DeleteResource(callCtx(t), &pb.DeleteResourceRequest{ResourceKey: int64(protocol.NewKey(4, 1))})
		return err
	}
	checkStatus(t, resolve(), codes.Unavailable, "Expected to execute command on partition 4, but either it does not exist, or the gateway is not yet aware of it")
	f.existing.Store(4)
	if err := resolve(); err != nil {
		t.Error(err)
	}
}
