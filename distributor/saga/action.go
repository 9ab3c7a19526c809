package saga

import (
	"fmt"
	"strings"
	"time"
)

// Action is something the shell must do. Actions of one Step come in this order:
// Delete, then Send and SendBase by channel, then WakeAt.
type Action interface {
	action()
	String() string
}

// Send asks to send the rows From to To to the leader of the target, resolved
// anew, and to report what became of it with an [Answer] that names Attempt.
type Send struct {
	Channel  Channel
	Attempt  uint64
	From, To Seq // both included, contiguous in the table
	Bytes    int // sum of the rows' sizes
}

// SendBase asks to offer the receiver a base: epoch, seq and digest of the
// lane, from which it brings itself up by anti-entropy. The shell chooses the
// seq, not below First-1, from its applied state. Answered by [Based].
type SendBase struct {
	Channel Channel
	Attempt uint64
	First   Seq // the oldest row that is not acknowledged
}

// Delete asks to propose one entry that deletes the acknowledged rows of all
// these channels and records the refusals. Answered by [Deleted] or
// [DeleteFailed]. No two that are under way hold the same rows.
type Delete struct{ Acks []Ack }

// WakeAt asks for a [Tick] at that time; it replaces a later one.
type WakeAt struct{ At time.Time }

func (Send) action()     {}
func (SendBase) action() {}
func (Delete) action()   {}
func (WakeAt) action()   {}

// String prints the action in one line for logs and transcripts.
func (a Send) String() string {
	return fmt.Sprintf("send %s %s rows %d..%d (%d bytes)", a.Channel, attemptName(a.Attempt), a.From, a.To, a.Bytes)
}

// String prints the action in one line for logs and transcripts.
func (a SendBase) String() string {
	return fmt.Sprintf("base %s %s first row %d", a.Channel, attemptName(a.Attempt), a.First)
}

// String prints the action in one line for logs and transcripts.
func (a Delete) String() string {
	var b strings.Builder
	b.WriteString("delete")
	for i, ack := range a.Acks {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %s up to %d", ack.Channel, ack.UpTo)
		for _, r := range ack.Refused {
			fmt.Fprintf(&b, " (%d refused: %s)", r.Seq, r.Reason)
		}
	}
	return b.String()
}

// String prints the action in one line for logs and transcripts.
func (a WakeAt) String() string { return "wake at " + a.At.Format(time.RFC3339Nano) }

// attemptName shortens an attempt to its count in this leadership, after the
// part that comes from the seed.
func attemptName(a uint64) string {
	if a>>32 == 0 {
		return fmt.Sprintf("#%d", a)
	}
	return fmt.Sprintf("#%x.%d", a>>32, uint32(a))
}
