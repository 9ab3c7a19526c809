package history

import (
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Verdict is what a client may conclude from the answer to a call.
type Verdict uint8

const (
	// Unknown: nobody can tell. It is also what a call has that was never answered.
	Unknown Verdict = iota
	// Done: it happened, and it lasts.
	Done
	// Refused: it has certainly not happened.
	Refused
	// Denied: the broker said no, for a reason in its state: there is no such thing,
	// there is one already, or it is in another state.
	Denied
	// Wrong is an answer that no call of a test deserves.
	Wrong
)

func (v Verdict) String() string {
	return [...]string{"unknown", "done", "refused", "denied", "wrong"}[v]
}

// proofs begin the messages with which UNAVAILABLE proves that nothing was
// executed. The last is the client's own: it has not even reached the gateway.
var proofs = []string{"Expected to execute", "The gateway is shutting down", "Cannot accept requests", "connection error: "}

// Judge reads a call's error as a careful client would. UNAVAILABLE from a
// gateway proves that nothing was executed; from the client's own connection,
// when the gateway's process has died, it proves nothing.
func Judge(err error) Verdict {
	switch status.Code(err) {
	case codes.OK:
		return Done
	case codes.ResourceExhausted:
		return Refused
	case codes.Unavailable:
		text := status.Convert(err).Message()
		for _, proof := range proofs {
			if strings.HasPrefix(text, proof) {
				return Refused
			}
		}
		return Unknown
	case codes.DeadlineExceeded, codes.Canceled:
		return Unknown
	case codes.NotFound, codes.AlreadyExists, codes.FailedPrecondition:
		return Denied
	}
	return Wrong
}
