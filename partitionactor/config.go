package partitionactor

import (
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/internal/diskspace"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/recordlog"
)

// Config is what a partition needs to work.
type Config struct {
	Partition  protocol.PartitionID
	Partitions int
	// Layout, if set, tells how many partitions there are now, and by how many of
	// them messages are spread; else both are Partitions.
	Layout    func() (partitions, messages int)
	System    *actor.ActorSystem
	Node      *raftadapter.Node
	Bootstrap []raftadapter.Server // of the group, when it begins
	Models    *engine.Models
	Log       *slog.Logger
	Observer  Observer
	// Execute sends a command to any partition's leader, wherever it is.
	Execute func(ctx context.Context, p protocol.PartitionID, c protocol.Command, done func(protocol.Reply, error))
	// Distributor makes the actor that carries the outbox of this leadership.
	Distributor func(actors.Outbox) *actor.Props
	// Changed is told when this node's role, term or health has changed.
	Changed func()
	// Deployed is told of the deployment lane's counter once it is applied, by
	// the leader of the deployment partition; it calls done when no gateway can
	// still resolve "latest" from before.
	Deployed func(seq uint64, done func())
	// Records takes what happens in, if it is wanted; Version is shown in it.
	Records recordlog.Sink
	Version string
	Limits  Limits
	// Skew is how far the node's clock goes ahead of the system's; nil: it does not.
	Skew func() time.Duration
	// Space is the room on this node's disk; nil: enough.
	Space *diskspace.Watch
}

// layout is how many partitions there are, and by how many messages are spread.
func (c *Config) layout() (partitions, messages int) {
	if c.Layout != nil {
		return c.Layout()
	}
	return c.Partitions, c.Partitions
}

func (c *Config) skew() time.Duration {
	if c.Skew == nil {
		return 0
	}
	return c.Skew()
}

// Limits bound what a partition takes at once. Zero fields mean the defaults.
type Limits struct {
	InFlight     int           // commands under way, at most; default 1,000
	Latency      time.Duration // a command that takes longer lowers what may be under way; default 200 ms
	EntryBytes   int           // an entry closes at this size; default 512 kB
	CommandBytes int           // the largest entry one command may make; default 8 MB
	Proposals    int           // entries under way; default 1 (architecture §2)
	Tick         time.Duration // how often due jobs are looked for; default 100 ms
	PullTimeout  time.Duration // of a pull on miss; default 2 s
	JobBytes     int           // the jobs of one answer; default 4 MiB
	Probe        time.Duration // after a failed write, how soon the next is tried; default 1 s
	Cut          time.Duration // how long a cut is kept that nobody asks for; default 1 min
}

func (l Limits) withDefaults() Limits {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	set(&l.InFlight, 1000)
	set(&l.EntryBytes, 512<<10)
	set(&l.CommandBytes, 8<<20)
	set(&l.Proposals, 1)
	set(&l.JobBytes, 4<<20)
	if l.Tick == 0 {
		l.Tick = 100 * time.Millisecond
	}
	if l.Latency == 0 {
		l.Latency = 200 * time.Millisecond
	}
	if l.Probe == 0 {
		l.Probe = time.Second
	}
	if l.Cut == 0 {
		l.Cut = DefaultCut
	}
	if l.PullTimeout == 0 {
		l.PullTimeout = 2 * time.Second
	}
	return l
}

// DefaultCut is how long a cut is kept that nobody asks for.
const DefaultCut = time.Minute

// Observer counts what leaders do. Its methods are called from the leader's
// goroutine and must be quick.
type Observer interface {
	// Entry: an entry with so many commands and bytes was applied, so long
	// after it was proposed.
	Entry(p protocol.PartitionID, commands, bytes int, took time.Duration)
	// Rejected: a command was rejected.
	Rejected(p protocol.PartitionID, t protocol.RejectionType)
}

// NoObserver counts nothing.
type NoObserver struct{}

// Entry does nothing.
func (NoObserver) Entry(protocol.PartitionID, int, int, time.Duration) {}

// Rejected does nothing.
func (NoObserver) Rejected(protocol.PartitionID, protocol.RejectionType) {}
