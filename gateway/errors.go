package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grevy-io/grevy/protocol"
)

// This file is the only table from what went wrong to a gRPC status (Zeebe
// §1.3). Its one rule above all: UNAVAILABLE and RESOURCE_EXHAUSTED are said
// only of what was not executed, since clients send such calls again by
// themselves; what may have been executed is DEADLINE_EXCEEDED.

var rejectionCodes = map[protocol.RejectionType]codes.Code{
	protocol.InvalidArgument: codes.InvalidArgument,
	protocol.NotFound:        codes.NotFound,
	protocol.AlreadyExists:   codes.AlreadyExists,
	protocol.InvalidState:    codes.FailedPrecondition,
	protocol.ProcessingError: codes.Internal,
	// The original says UNKNOWN and gives no reason (#12873).
	protocol.ExceededBatchRecordSize: codes.InvalidArgument,
}

// toStatus turns the error of a call into the status its client gets.
func toStatus(err error) error {
	if err == nil {
		return nil
	}
	var rejection *protocol.Rejection
	var refusal *protocol.Refusal
	var withStatus interface{ GRPCStatus() *status.Status }
	switch {
	case errors.As(err, &withStatus):
		return withStatus.GRPCStatus().Err()
	case errors.As(err, &rejection):
		code, known := rejectionCodes[rejection.Type]
		if !known {
			code = codes.Unknown
		}
		return status.Error(code, rejection.Error())
	case errors.As(err, &refusal):
		return refused(refusal)
	case errors.Is(err, protocol.ErrOutcomeUnknown), errors.Is(err, context.DeadlineExceeded):
		return outcomeUnknown(err.Error())
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, "the caller has cancelled the call")
	case errors.Is(err, protocol.ErrInternal):
		return status.Error(codes.Internal, "Unexpected error occurred: "+err.Error())
	}
	return status.Error(codes.Internal, "Unexpected error occurred between gateway and broker: "+err.Error())
}

func refused(r *protocol.Refusal) error {
	switch r.Code {
	case protocol.Full:
		return status.Errorf(codes.ResourceExhausted, "Reached maximum capacity of requests handled by partition %d", r.Partition)
	case protocol.NoSpace:
		return status.Errorf(codes.Unavailable, "Cannot accept requests for partition %d. Broker is out of disk space", r.Partition)
	case protocol.NoPartition:
		return noPartition(int64(r.Partition))
	}
	return status.Errorf(codes.Unavailable, "Expected to execute command, but it was not accepted: %s", r)
}

// noPartition is said of a key that names a partition the cluster does not have.
func noPartition(n int64) error {
	return status.Errorf(codes.Unavailable, "Expected to execute command on partition %d, but either it does not exist, or the gateway is not yet aware of it", n)
}

// noneAccepted is said when every partition that may take a command refused it.
func noneAccepted(refusals []*protocol.Refusal) error {
	code, each := codes.Unavailable, make([]string, len(refusals))
	for i, r := range refusals {
		if r.Code == protocol.Full {
			code = codes.ResourceExhausted
		}
		each[i] = r.Error()
	}
	return status.Errorf(code, "Expected to execute the command on one of the partitions, but all failed; there are no more partitions available to retry. Please try again. (%s)", strings.Join(each, "; "))
}

// noJobsBusy ends an activation that found nothing while a partition was full.
func noJobsBusy(jobType string) error {
	return status.Errorf(codes.ResourceExhausted, "Expected to activate jobs of type '%s', but no jobs available and at least one broker returned 'RESOURCE_EXHAUSTED'. Please try again later.", jobType)
}

func outcomeUnknown(what string) error {
	prefix := protocol.ErrOutcomeUnknown.Error()
	if !strings.HasPrefix(what, prefix) {
		what = prefix + ": " + what
	}
	return status.Error(codes.DeadlineExceeded, what)
}

// timedOut has the original's shape: how long was waited, for whom.
func timedOut(p protocol.PartitionID, broker string, after time.Duration) string {
	return fmt.Sprintf("Time out between gateway and broker: Request command-api-%d to %s timed out in %s", p, broker, isoDuration(after))
}

// resultTimedOut ends the wait for an instance's result, with exactly the
// original's text: the client knows that the instance may go on.
func resultTimedOut(p protocol.PartitionID, broker string, after time.Duration) error {
	return status.Error(codes.DeadlineExceeded, timedOut(p, broker, after))
}

// resultTooLarge: the instance is done, but its result fits in no message. Not
// RESOURCE_EXHAUSTED, with which a client would create a second instance.
func resultTooLarge(instance protocol.Key, size, limit int) error {
	return status.Errorf(codes.OutOfRange, "The process instance with key '%d' has completed, but its result of %d bytes is larger than the maximum message size %d. Fetch fewer variables.", instance, size, limit)
}

// evaluationTooLarge: a repeat would come to the same.
func evaluationTooLarge(decision string, size, limit int) error {
	return status.Errorf(codes.OutOfRange, "The decision '%s' was evaluated, but its answer of %d bytes is larger than the maximum message size %d.", decision, size, limit)
}

func invalidArgument(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

// unknownMethod has the original's text, also for services that are not there.
func unknownMethod(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream) // it is one
	return status.Errorf(codes.Unimplemented, "Method not found: %s", strings.TrimPrefix(method, "/"))
}

// stopping ends what waits when the gateway stops.
func stopping() error {
	return status.Error(codes.Unavailable, "The gateway is shutting down")
}

func panicked(method string) error {
	return status.Errorf(codes.Internal, "Unexpected error occurred while handling %s", method)
}

// requestTooLarge has the original's code and text.
func requestTooLarge(size, limit int) error {
	return status.Errorf(codes.ResourceExhausted, "gRPC message exceeds maximum size %d: %d", limit, size)
}

// malformed is said of bytes that are not the request. The original says
// UNKNOWN, "Application error processing RPC" (seen on Zeebe 8.6.0, a wart).
func malformed(err error) error {
	return invalidArgument("Malformed request: %s", err)
}

// isoDuration prints d as Java does: PT0.7S, PT1M30S.
func isoDuration(d time.Duration) string {
	if d == 0 {
		return "PT0S"
	}
	b := strings.Builder{}
	b.WriteString("PT")
	if h := d / time.Hour; h > 0 {
		fmt.Fprintf(&b, "%dH", h)
	}
	if m := d % time.Hour / time.Minute; m > 0 {
		fmt.Fprintf(&b, "%dM", m)
	}
	if s := d % time.Minute; s > 0 {
		text := fmt.Sprintf("%d.%09d", s/time.Second, s%time.Second)
		b.WriteString(strings.TrimRight(strings.TrimRight(text, "0"), ".") + "S")
	}
	return b.String()
}
