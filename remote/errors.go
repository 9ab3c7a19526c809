package remote

import (
	"errors"
	"fmt"

	"github.com/grevy-io/grevy/protocol"
)

var (
	// ErrNotSent is proof that the peer never executed the request: it may be
	// sent again without risk.
	ErrNotSent = errors.New("not sent")

	// ErrLinkLost says that the way to the peer broke after the request was on
	// it: whether it was executed is not known.
	ErrLinkLost = fmt.Errorf("link lost: %w", protocol.ErrOutcomeUnknown)

	// ErrHandlerFailed says that the peer's handler panicked, or that its reply
	// could not be carried: whether it did its work is not known.
	ErrHandlerFailed = fmt.Errorf("handler failed: %w", protocol.ErrOutcomeUnknown)

	// ErrClosed is in the errors of a post that was closed here.
	ErrClosed = errors.New("the post is closed")

	// errBroken is what reading says of bytes no node of ours sends. It costs the
	// connection and nothing else.
	errBroken = errors.New("broken frame")
)

// notSent makes an ErrNotSent that says why.
func notSent(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrNotSent, fmt.Errorf(format, args...))
}

// code is what a failure frame says. The values are wire format.
type code uint8

const (
	codeNoHandler     code = 1 // nobody serves this kind: not executed
	codeBusy          code = 2 // too many handlers at work: not executed
	codeHandlerFailed code = 3 // the handler panicked: unknown
	codeNotDelivered  code = 4 // the relay proved that the target never got it: not executed
	codeLostBeyond    code = 5 // the relay lost the target after sending: unknown
	codeReplyLost     code = 6 // executed, but the reply could not be carried: unknown
)

// failure turns a failure frame into the error of the request. A code from a
// newer node counts as unknown outcome.
func failure(c code, text string) error {
	switch c {
	case codeNoHandler, codeBusy, codeNotDelivered:
		return fmt.Errorf("%w: %s", ErrNotSent, text)
	case codeLostBeyond:
		return fmt.Errorf("%w: %s", ErrLinkLost, text)
	default:
		return fmt.Errorf("%w: %s", ErrHandlerFailed, text)
	}
}
