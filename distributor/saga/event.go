package saga

import (
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// Event is something that happened. Each carries the time at which it happened;
// a time before an earlier event's is taken as that event's time.
type Event interface{ now() time.Time }

// Started begins a leadership. Tables holds every row of the outbox as of the
// leader's applied Open entry, one element per channel. What the State knew
// before is forgotten. Until Started, all other events do nothing.
type Started struct {
	Now    time.Time
	Tables []Rows
}

// RowsAdded says that rows were committed to the table. Rows that are known
// already, or have been deleted, are ignored.
type RowsAdded struct {
	Now  time.Time
	Rows Rows
}

// Answer is what became of a [Send] or [SendBase].
type Answer struct {
	Now     time.Time
	Channel Channel
	Attempt uint64 // as in the action
	Result  Result
}

// Deleted says that a deletion was applied: up to UpTo the rows of each channel
// have left the table. It is the truth about the table, also when somebody else
// deleted them. Ack.Refused is not looked at, so a [Delete]'s Acks can be given
// back as they are.
type Deleted struct {
	Now  time.Time
	Acks []Ack
}

// DeleteFailed says that a [Delete] is known not to have been, and never to be,
// applied (the gate was full, for instance). It is proposed again after a wait.
// A proposal of unknown outcome ends the leadership and is not reported here.
type DeleteFailed struct {
	Now    time.Time
	Acks   []Ack
	Reason string
}

// News says that trying Target makes sense now: its link is up, it has a new
// leader, it asked, it has become active. Target 0 means all. Waits end and
// back-off starts over; a batch under way is sent again, but not sooner than
// Config.RetryMin after it was last sent or heard of, so that a storm of news is
// no flood.
type News struct {
	Now    time.Time
	Target protocol.PartitionID
}

// Tick says that the time asked for by [WakeAt] has come. One too early or too
// many does no harm.
type Tick struct{ Now time.Time }

// Stopped ends a leadership. The State forgets everything.
type Stopped struct{ Now time.Time }

func (e Started) now() time.Time      { return e.Now }
func (e RowsAdded) now() time.Time    { return e.Now }
func (e Answer) now() time.Time       { return e.Now }
func (e Deleted) now() time.Time      { return e.Now }
func (e DeleteFailed) now() time.Time { return e.Now }
func (e News) now() time.Time         { return e.Now }
func (e Tick) now() time.Time         { return e.Now }
func (e Stopped) now() time.Time      { return e.Now }

// Result is what an [Answer] says.
type Result interface{ result() }

// Acked says that the receiver's applied state holds a result for every row up
// to UpTo; Refused names those it refused. It must be made from applied state,
// never from an overlay: rows are deleted on it. It ends the attempt, also when
// UpTo is below the batch's end.
type Acked struct {
	UpTo    Seq
	Refused []Refusal
}

// Gap says that the receiver can only go on with row Next, which is below the
// batch. Rows that the receiver already has are no gap: it acknowledges those
// from state.
type Gap struct{ Next Seq }

// NeedBodies says that the attempt goes on: the shell is bringing bodies that
// the receiver's node lacks. The attempt gets a new deadline.
type NeedBodies struct{}

// Busy says that the receiver took nothing and asks to be left alone for After.
// Back-off goes on growing if that is longer; Config.RetryMax bounds both.
type Busy struct{ After time.Duration }

// NotLeader says that the node that was asked does not lead the target. The
// shell drops the route and resolves it anew for every attempt (#60450).
type NotLeader struct{}

// Unreachable says that the batch was not delivered.
type Unreachable struct{ Reason string }

// Failed says that it is not known what became of the batch.
type Failed struct{ Reason string }

// NeedBase says that the receiver is new or restored and cannot go on from any
// row of this table.
type NeedBase struct{}

// Based says that the receiver took the base that [SendBase] offered and that
// its applied inbox now stands at UpTo. Rows up to there are settled.
type Based struct{ UpTo Seq }

func (Acked) result()       {}
func (Gap) result()         {}
func (NeedBodies) result()  {}
func (Busy) result()        {}
func (NotLeader) result()   {}
func (Unreachable) result() {}
func (Failed) result()      {}
func (NeedBase) result()    {}
func (Based) result()       {}
