package engine

import (
	"fmt"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// broadcast tells all other partitions a command, with the same seq in its lane
// for each.
func (r *run) broadcast(lane protocol.Lane, c protocol.Command) uint64 {
	r.chooseEpoch()
	seq := r.tx.NextSeq(lane)
	for p := 1; p <= r.e.Partitions; p++ {
		if target := protocol.PartitionID(p); target != r.e.Partition {
			r.push(&state.OutboxRow{Target: target, Lane: lane, Seq: seq, Since: r.now, Command: c})
		}
	}
	return seq
}

// tell lets the partition of a message or of an element instance do a command:
// here at once, elsewhere through the outbox, once.
func (r *run) tell(target protocol.PartitionID, c protocol.Command) {
	if target == r.e.Partition {
		if m, ok := c.(*protocol.Correlate); ok && state.IsShared(m.Variables) {
			r.postpone(&state.Later{What: *m})
		} else {
			r.row(c)
		}
		return
	}
	r.chooseEpoch()
	seq := r.tx.NextSeqTo(protocol.LaneMessages, target)
	r.push(&state.OutboxRow{Target: target, Lane: protocol.LaneMessages, Seq: seq, Since: r.now, Command: c})
}

func (r *run) chooseEpoch() {
	if r.tx.Epoch() == 0 {
		r.tx.SetEpoch(r.e.Epoch)
	}
}

func (r *run) push(row *state.OutboxRow) {
	if !protocol.Travels(row.Command.Kind()) {
		panic(fmt.Sprintf("%T does not travel: its receivers would refuse to read it", row.Command))
	}
	r.tx.AddOutbox(row)
	r.out.Effects.Pushed = append(r.out.Effects.Pushed, *row)
}

// row does what another partition, or this one itself, has told by a row of its
// outbox. It always ends in something done or in nothing, never in a rejection.
func (r *run) row(c protocol.Command) {
	switch c := c.(type) {
	case *protocol.OpenSubscription:
		r.openSubscription(&c.Subscription)
	case *protocol.CloseSubscription:
		r.closeSubscription(c)
	case *protocol.Correlate:
		r.correlate(c)
	case *protocol.Correlated:
		r.correlated(c)
	case *protocol.BroadcastSignal:
		r.recordSignal(c.Name, c.Variables, c.Key)
		r.signal(c)
	}
}
