package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
)

// checkStatus compares an error with the status that a client should get.
func checkStatus(t *testing.T, err error, code codes.Code, text string) {
	t.Helper()
	if st := status.Convert(err); st.Code() != code || st.Message() != text {
		t.Errorf("\n got %s %q\nwant %s %q", st.Code(), st.Message(), code, text)
	}
}

// TestErrorTable: what the broker says against what the client gets.
func TestErrorTable(t *testing.T) {
	cases := []struct {
		err  error
		code codes.Code
		text string
	}{
		{protocol.Reject(protocol.InvalidArgument, "X", "a"), codes.InvalidArgument, "Command 'X' rejected with code 'INVALID_ARGUMENT': a"},
		{protocol.Reject(protocol.NotFound, "X", "a"), codes.NotFound, "Command 'X' rejected with code 'NOT_FOUND': a"},
		{protocol.Reject(protocol.AlreadyExists, "X", "a"), codes.AlreadyExists, "Command 'X' rejected with code 'ALREADY_EXISTS': a"},
		{protocol.Reject(protocol.InvalidState, "X", "a"), codes.FailedPrecondition, "Command 'X' rejected with code 'INVALID_STATE': a"},
		{protocol.Reject(protocol.ProcessingError, "X", "a"), codes.Internal, "Command 'X' rejected with code 'PROCESSING_ERROR': a"},
		{protocol.Reject(protocol.ExceededBatchRecordSize, "X", "9 > 8"), codes.InvalidArgument, "Command 'X' rejected with code 'EXCEEDED_BATCH_RECORD_SIZE': 9 > 8"},
		{protocol.Reject(protocol.RejectionType(99), "X", "a"), codes.Unknown, "Command 'X' rejected with code 'REJECTION_99': a"},
		{fmt.Errorf("wrapped: %w", protocol.Reject(protocol.NotFound, "X", "a")), codes.NotFound, "Command 'X' rejected with code 'NOT_FOUND': a"},
		{protocol.Refuse(protocol.Full, 2, "64"), codes.ResourceExhausted, "Reached maximum capacity of requests handled by partition 2"},
		{protocol.Refuse(protocol.NotLeader, 2, ""), codes.Unavailable, "Expected to execute command, but it was not accepted: partition 2: not the leader"},
		{protocol.Refuse(protocol.Unreachable, 2, "x"), codes.Unavailable, "Expected to execute command, but it was not accepted: partition 2: unreachable: x"},
		{protocol.Refuse(protocol.NoPartition, 2, ""), codes.Unavailable, "Expected to execute command on partition 2, but either it does not exist, or the gateway is not yet aware of it"},
		{fmt.Errorf("%w: leader lost", protocol.ErrOutcomeUnknown), codes.DeadlineExceeded, "outcome unknown: leader lost"},
		{fmt.Errorf("send: %w", protocol.ErrOutcomeUnknown), codes.DeadlineExceeded, "outcome unknown: send: outcome unknown"},
		{context.DeadlineExceeded, codes.DeadlineExceeded, "outcome unknown: context deadline exceeded"},
		{context.Canceled, codes.Canceled, "the caller has cancelled the call"},
		{fmt.Errorf("%w: boom", protocol.ErrInternal), codes.Internal, "Unexpected error occurred: internal error: boom"},
		{errors.New("odd"), codes.Internal, "Unexpected error occurred between gateway and broker: odd"},
	}
	f := newFake(t, 2)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	for _, c := range cases {
		f.setHook(func(context.Context, protocol.PartitionID, protocol.Command) (protocol.Reply, error) {
			return nil, c.err
		})
		_, err := r.client.CompleteJob(callCtx(t), &pb.CompleteJobRequest{JobKey: int64(protocol.NewKey(2, 1))})
		checkStatus(t, err, c.code, c.text)
	}
}

// TestTimeout: a command without an answer may have been executed.
func TestTimeout(t *testing.T) {
	f := newFake(t, 2)
	r := start(t, f, gateway.Config{RequestTimeout: 30 * time.Millisecond}, gateway.Tuning{})
	silent := func(ctx context.Context, _ protocol.PartitionID, _ protocol.Command) (protocol.Reply, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	f.setHook(silent)
	_, err := r.client.CompleteJob(callCtx(t), &pb.CompleteJobRequest{JobKey: int64(protocol.NewKey(2, 1))})
	checkStatus(t, err, codes.DeadlineExceeded, "outcome unknown: Time out between gateway and broker: Request command-api-2 to b:26601 timed out in PT0.03S")
	_, err = r.client.CreateProcessInstance(callCtx(t), &pb.CreateProcessInstanceRequest{})
	checkStatus(t, err, codes.DeadlineExceeded, "outcome unknown: Time out between gateway and broker: Request command-api-1 to a:26501 timed out in PT0.03S")
	_, err = r.client.CreateProcessInstanceWithResult(callCtx(t), &pb.CreateProcessInstanceWithResultRequest{RequestTimeout: 70})
	checkStatus(t, err, codes.DeadlineExceeded, "Time out between gateway and broker: Request command-api-2 to b:26601 timed out in PT0.07S")
	_, err = r.client.CreateProcessInstanceWithResult(callCtx(t), &pb.CreateProcessInstanceWithResultRequest{RequestTimeout: -1})
	checkStatus(t, err, codes.DeadlineExceeded, "Time out between gateway and broker: Request command-api-1 to a:26501 timed out in PT0.03S")

	// A refusal at the very end is still proof.
	f.setHook(func(ctx context.Context, p protocol.PartitionID, _ protocol.Command) (protocol.Reply, error) {
		<-ctx.Done()
		return nil, protocol.Refuse(protocol.Unreachable, p, "no leader")
	})
	_, err = r.client.CompleteJob(callCtx(t), &pb.CompleteJobRequest{JobKey: int64(protocol.NewKey(2, 1))})
	checkStatus(t, err, codes.Unavailable, "Expected to execute command, but it was not accepted: partition 2: unreachable: no leader")
}

// TestCancel: a client that goes away takes its command's context along.
func TestCancel(t *testing.T) {
	f := newFake(t, 1)
	entered, ended := make(chan struct{}), make(chan error, 1)
	f.setHook(func(ctx context.Context, _ protocol.PartitionID, _ protocol.Command) (protocol.Reply, error) {
		close(entered)
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	})
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	ctx, cancel := context.WithCancel(callCtx(t))
	go func() {
		<-entered
		cancel()
	}()
	_, err := r.client.CreateProcessInstanceWithResult(ctx, &pb.CreateProcessInstanceWithResultRequest{})
	if status.Code(err) != codes.Canceled {
		t.Errorf("got %v", err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the command's context ended with %v", err)
	}
}

func TestUnexpectedReply(t *testing.T) {
	f := newFake(t, 1)
	f.setHook(func(context.Context, protocol.PartitionID, protocol.Command) (protocol.Reply, error) {
		return &protocol.Done{}, nil
	})
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	_, err := r.client.CreateProcessInstance(callCtx(t), &pb.CreateProcessInstanceRequest{})
	checkStatus(t, err, codes.Internal, "Unexpected error occurred: internal error: unexpected reply *protocol.Done")
}

// TestResultTooLarge: never a status with which clients would start another
// instance, and both numbers in the text.
func TestResultTooLarge(t *testing.T) {
	f := newFake(t, 1)
	f.setHook(func(context.Context, protocol.PartitionID, protocol.Command) (protocol.Reply, error) {
		return &protocol.Result{Created: protocol.Created{InstanceKey: 77}, Variables: []byte(`{"a":"` + strings.Repeat("x", 2000) + `"}`)}, nil
	})
	r := start(t, f, gateway.Config{MaxMessageSize: 1000}, gateway.Tuning{})
	_, err := r.client.CreateProcessInstanceWithResult(callCtx(t), &pb.CreateProcessInstanceWithResultRequest{})
	checkStatus(t, err, codes.OutOfRange, "The process instance with key '77' has completed, but its result of 2024 bytes is larger than the maximum message size 1000. Fetch fewer variables.")
}

func TestISODuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "PT0S", 700 * time.Millisecond: "PT0.7S", 4 * time.Second: "PT4S", 15 * time.Second: "PT15S", time.Minute: "PT1M",
		90 * time.Second: "PT1M30S", time.Hour: "PT1H", 25*time.Hour + time.Millisecond: "PT25H0.001S", 10 * time.Second: "PT10S",
	} {
		if got := gateway.ISODuration(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}
