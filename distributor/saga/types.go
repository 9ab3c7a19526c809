package saga

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// Lane separates kinds of commands, so that a big deployment never delays a
// message. Order is kept within a lane only.
type Lane uint8

// The lanes of an outbox.
const (
	Deployments Lane = iota + 1 // deployments and resource deletions
	Messages                    // message subscriptions: open, correlate, close
	Signals                     // signal broadcasts
)

// String returns the lane's name as metrics and reports show it.
func (l Lane) String() string { return protocol.Lane(l).String() }

// Seq numbers the rows of a channel. It counts from 1 without holes; 0 is no row.
type Seq uint64

// Channel names one ordered stream of rows: a lane towards a target partition.
type Channel struct {
	Target protocol.PartitionID
	Lane   Lane
}

// String prints the channel as p2/deployments.
func (c Channel) String() string { return fmt.Sprintf("p%d/%s", c.Target, c.Lane) }

// compare orders channels by target, then lane.
func (c Channel) compare(d Channel) int {
	return cmp.Or(cmp.Compare(c.Target, d.Target), cmp.Compare(c.Lane, d.Lane))
}

// Row is what the saga needs to know of a row of the outbox. The command itself
// stays in the table until the shell reads it for a [Send].
type Row struct {
	Seq   Seq
	Size  int       // bytes of the command, for Config.WindowBytes
	Since time.Time // when the row was written; kept to the millisecond
}

// Rows are rows of one channel, ascending by Seq.
type Rows struct {
	Channel Channel
	Rows    []Row
}

// Refusal says why a receiver refused a row for good. The row counts as
// acknowledged: sending it again could not change the result (Zeebe 8.6,
// #24300 and #54132).
type Refusal struct {
	Seq    Seq
	Reason string
}

// Ack says that the rows of a channel up to UpTo are settled. Refused names
// those among them that the receiver refused, ascending by Seq.
type Ack struct {
	Channel Channel
	From    Seq // the first of them that is in the table
	UpTo    Seq
	Refused []Refusal
}

// Config sets limits and waits. A zero field means its default.
type Config struct {
	Window      int // rows in one batch; default 128
	WindowBytes int // bytes in one batch; default 1 MiB. A larger row goes alone

	RetryMin      time.Duration // first wait after a failure; default 50 ms
	RetryMax      time.Duration // longest wait between tries; default 3 s
	AckTimeout    time.Duration // no answer for so long: send again; default 5 s
	DeleteTimeout time.Duration // a proposed deletion not applied for so long counts as lost; default 30 s

	// JitterPercent is how much of a wait may be cut off, so that channels do
	// not try in step; default 10, negative for none.
	JitterPercent int

	// Seed makes jitter, and the upper 32 bits of all attempt numbers from its
	// lower 32 bits. Take a new random one for each leadership: answers to a
	// former leader's attempts then match nothing.
	Seed uint64
}

func (c Config) withDefaults() Config {
	positive(&c.Window, 128)
	positive(&c.WindowBytes, 1<<20)
	positive(&c.RetryMin, 50*time.Millisecond)
	positive(&c.RetryMax, 3*time.Second)
	positive(&c.AckTimeout, 5*time.Second)
	positive(&c.DeleteTimeout, 30*time.Second)
	c.RetryMax = max(c.RetryMax, c.RetryMin)
	switch {
	case c.JitterPercent == 0:
		c.JitterPercent = 10
	case c.JitterPercent < 0:
		c.JitterPercent = 0
	}
	c.JitterPercent = min(c.JitterPercent, 100)
	c.WindowBytes = min(c.WindowBytes, math.MaxInt32)
	return c
}

func positive[T int | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}
