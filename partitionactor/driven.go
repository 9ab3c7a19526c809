package partitionactor

import (
	"context"
	"time"

	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/state"
)

// Host gives a leader its turns, time and surroundings: an actor does
// (seat.go), or a simulation ([Driven]).
type Host interface {
	// Post lets the leader take a message of its own at a later turn. It may be
	// called from any goroutine.
	Post(m any)
	// After does the same when d has passed, if this life has not ended by then.
	After(d time.Duration, m any)
	// Fail ends this life once the present turn is over.
	Fail(err error)
	// Now is the wall clock.
	Now() time.Time
	// Random is a number that nobody can foresee.
	Random() uint64
	// Serving says that commands are taken from now on, Ended that they are not.
	Serving(term uint64)
	Ended()
	// Execute brings a command of the leader's own in like those of others.
	Execute(c protocol.Command, done func(protocol.Reply, error))
	// Distribute starts what carries the outbox of this leadership, and returns
	// how it is told something.
	Distribute(out actors.Outbox) (tell func(any))
	// Export starts what brings records to Config.Records, from a mark on, and
	// returns how it is told that there is more.
	Export(from raftadapter.Mark) (tell func())
	// Cut keeps the state that is applied on this node, for who reads it under the
	// token.
	Cut(token uint64)
	// Exported tells how far that is.
	Exported() ExportStatus
}

// Group is what a leader needs of its partition's raft (raftadapter.Group).
type Group interface {
	Term() uint64
	IsLeader() bool
	Propose(entry []byte, done func(error))
	Verify(done func(error))
	View() (v *state.View, index uint64, guard protocol.Guard)
	Applied() raftadapter.Mark
}

// Driven is one life of a leader without an actor around it: whoever has made it
// gives it its turns, one after another, and calls Idle when nothing else is
// there for it. It is for simulation.
type Driven struct{ l *leader }

// Drive makes a leader; Start begins its life.
func Drive(c *Config, g Group, h Host) *Driven {
	c.defaults()
	return &Driven{l: newLeader(c, g, h)}
}

// Start opens the leadership.
func (d *Driven) Start() { d.l.start() }

// Handle takes a message that came by Host.Post or Host.After, or
// raftadapter.Applied, or actors.LinkNews.
func (d *Driven) Handle(m any) { d.l.handle(m) }

// Execute takes a command; done is called once.
func (d *Driven) Execute(ctx context.Context, c protocol.Command, done func(protocol.Reply, error)) {
	d.l.take(&request{ctx: ctx, partition: d.l.p.Partition, command: c, done: done})
}

// Idle says that nothing waits for a turn.
func (d *Driven) Idle() { d.l.idle() }

// Stop ends the life and answers who waits.
func (d *Driven) Stop() { d.l.close(errStopped) }

var _ Group = (*raftadapter.Group)(nil)

// defaults fills in what is not set.
func (c *Config) defaults() {
	c.Limits = c.Limits.withDefaults()
	if c.Observer == nil {
		c.Observer = NoObserver{}
	}
	if c.Deployed == nil {
		c.Deployed = func(_ uint64, done func()) { done() }
	}
	if c.Changed == nil {
		c.Changed = func() {}
	}
}
