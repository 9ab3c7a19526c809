package actors

import (
	"context"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// Messages between a partition's leader and its distributor.
type (
	// RowsAdded: rows were written to the outbox and are committed.
	RowsAdded struct{ Rows []OutboxRow }
	// RowsDeleted: an acknowledgement is committed, its rows are gone.
	RowsDeleted struct{ Acks []protocol.Ack }
	// LinkNews: a node came back, or a partition has a new leader; Partition 0
	// stands for all.
	LinkNews struct{ Partition protocol.PartitionID }
	// AwaitDistributed asks the distributor to answer once no row of the
	// deployments' lane up to Seq is left, or at Until, or, if only what is
	// Reachable counts, once all that is left cannot be reached. The answer lists
	// the targets that still have rows; ok is false if this leadership ends first.
	AwaitDistributed struct {
		Seq       uint64
		Until     time.Time
		Reachable bool
		Reply     func(pending []LaneStatus, ok bool)
	}
	// OutboxStatus asks the distributor what is pending and how definitions
	// compare; it answers at once.
	OutboxStatus struct {
		Reply func([]LaneStatus, []Comparison)
	}
)

// OutboxRow is the part of an outbox row that decides about sending it.
type OutboxRow struct {
	Target protocol.PartitionID
	Lane   protocol.Lane
	Seq    uint64
	Since  int64 // ms since 1970
	Size   int
}

// LaneStatus is how one lane to one target is doing.
type LaneStatus struct {
	Target   protocol.PartitionID
	Lane     protocol.Lane
	Pending  int
	Oldest   int64 // ms since 1970
	Attempts int
	Error    string
}

// Comparison is how a partition's definitions compare with those of another.
type Comparison struct {
	Target   protocol.PartitionID
	At       int64  // ms since 1970, of the last one that could be made; 0: none yet
	Differs  int    // definitions that could not be repaired
	Why      string // what about them
	Repaired uint64 // definitions that were taken from there by this leadership
	Error    string // why the last try failed
}

// Outbox is what a leader lets its distributor use. All methods may be called
// from any goroutine.
type Outbox interface {
	Partition() protocol.PartitionID
	// Epoch names the sender's life; 0: it has never sent a row.
	Epoch() (uint64, error)
	// Pending lists the committed rows, per target and lane oldest first.
	Pending() ([]OutboxRow, error)
	// Items reads committed rows of a lane to a target, from and to included.
	Items(target protocol.PartitionID, lane protocol.Lane, from, to uint64) ([]protocol.Item, error)
	// Definitions reads up to limit definitions with keys above after, and the
	// counter of the deployment lane as of then.
	Definitions(after protocol.Key, limit int) (defs []protocol.Definition, seq uint64, err error)
	// Body reads a resource, nil if it is not there.
	Body(protocol.Hash) ([]byte, error)
	// Acknowledge deletes acknowledged rows by an entry of its own.
	Acknowledge(ack *protocol.Acknowledge, done func(error))
	// Reconcile takes in what another partition has of this one's past.
	Reconcile(c *protocol.Reconcile, done func(protocol.Reply, error))
	// Compared is told once that the first comparison of definitions with each other
	// partition is over, whether it succeeded or failed.
	Compared()
	// Execute sends a command to a partition's leader, wherever it is.
	Execute(ctx context.Context, p protocol.PartitionID, c protocol.Command, done func(protocol.Reply, error))
}

// Undelivered tells that there is no leadership to be asked.
func (m OutboxStatus) Undelivered() { m.Reply(nil, nil) }

// Undelivered tells who waits that this leadership has ended.
func (m AwaitDistributed) Undelivered() { m.Reply(nil, false) }
