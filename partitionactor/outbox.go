package partitionactor

import (
	"context"
	"time"

	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// outbox is what a leader's distributor sees of its partition: committed state
// only, never the overlay (actors.Outbox).
type outbox struct {
	p     *Config
	group Group
	own   func(c protocol.Command, done func(protocol.Reply, error)) // to this partition
	// compared is told that the first comparisons are over.
	compared func()
}

func (o *outbox) Partition() protocol.PartitionID { return o.p.Partition }

// Epoch reads the sender's epoch. It is chosen with the first row.
func (o *outbox) Epoch() (e uint64, err error) {
	err = o.read(func(tx *state.Tx) error {
		e = tx.Epoch()
		return tx.Err()
	})
	return e, err
}

// read runs f over committed state.
func (o *outbox) read(f func(*state.Tx) error) error {
	view, _, guard := o.group.View()
	over, err := state.NewOverlay(view, guard.Seq+1)
	if err != nil {
		view.Close()
		return err
	}
	defer func() { over.Base().Close() }()
	return f(state.NewTx(over))
}

// Pending lists all rows.
func (o *outbox) Pending() (rows []actors.OutboxRow, err error) {
	err = o.read(func(tx *state.Tx) error {
		var bad error
		tx.Scan([]byte{byte(state.TableOutbox)}, nil, func(key, value []byte) bool {
			var row state.OutboxRow
			if row, bad = state.ReadOutboxRow(key, value); bad != nil {
				return false
			}
			rows = append(rows, outboxRow(&row))
			return true
		})
		if bad != nil {
			return bad
		}
		return tx.Err()
	})
	return rows, err
}

// Items reads a range of rows.
func (o *outbox) Items(target protocol.PartitionID, lane protocol.Lane, from, to uint64) (items []protocol.Item, err error) {
	err = o.read(func(tx *state.Tx) error {
		var bad error
		tx.Scan(state.OutboxPrefix(target, lane), state.OutboxKey(target, lane, from), func(key, value []byte) bool {
			var row state.OutboxRow
			if row, bad = state.ReadOutboxRow(key, value); bad != nil || row.Seq > to {
				return false
			}
			items = append(items, protocol.Item{Seq: row.Seq, Command: tx.Whole(row.Command)})
			return true
		})
		if bad != nil {
			return bad
		}
		return tx.Err()
	})
	return items, err
}

// Definitions reads definitions in the order of their keys.
func (o *outbox) Definitions(after protocol.Key, limit int) (defs []protocol.Definition, seq uint64, err error) {
	err = o.read(func(tx *state.Tx) error {
		seq = tx.LaneSeq(protocol.LaneDeployments)
		defs, err = tx.Definitions(after, limit)
		return err
	})
	return defs, seq, err
}

// Body reads a resource.
func (o *outbox) Body(h protocol.Hash) ([]byte, error) {
	view, _, _ := o.group.View()
	defer view.Close()
	return view.Body(h)
}

// Acknowledge deletes rows, by a command of the partition's own.
func (o *outbox) Acknowledge(a *protocol.Acknowledge, done func(error)) {
	o.own(a, func(_ protocol.Reply, err error) { done(err) })
}

// Reconcile takes in what another partition has of this one's past.
func (o *outbox) Reconcile(c *protocol.Reconcile, done func(protocol.Reply, error)) { o.own(c, done) }

// Compared lets the leader go on with what waits for it.
func (o *outbox) Compared() { o.compared() }

// Execute sends a command to any partition.
func (o *outbox) Execute(ctx context.Context, p protocol.PartitionID, c protocol.Command, done func(protocol.Reply, error)) {
	o.p.Execute(ctx, p, c, done)
}

func outboxRow(r *state.OutboxRow) actors.OutboxRow {
	return actors.OutboxRow{Target: r.Target, Lane: r.Lane, Seq: r.Seq, Since: r.Since, Size: r.Size}
}

func outboxRows(rows []state.OutboxRow) []actors.OutboxRow {
	out := make([]actors.OutboxRow, len(rows))
	for i := range rows {
		out[i] = outboxRow(&rows[i])
	}
	return out
}

func (l *leader) startDistributor() {
	host, m := l.host, compared(l.incarnation)
	l.outbox = &outbox{p: l.p, group: l.group, own: l.host.Execute, compared: func() { host.Post(m) }}
	l.distributor = l.host.Distribute(l.outbox)
}

// OutboxStatus asks the distributor of this node's leader, if there is one, for
// as long as it may take.
func (p *Partition) OutboxStatus(limit time.Duration) (lanes []actors.LaneStatus, compared []actors.Comparison) {
	pid := p.gate.leader.Load()
	if pid == nil {
		return nil, nil
	}
	type answer struct {
		lanes    []actors.LaneStatus
		compared []actors.Comparison
	}
	ch := make(chan answer, 1)
	p.System.Root.Send(pid, actors.OutboxStatus{Reply: func(l []actors.LaneStatus, c []actors.Comparison) { ch <- answer{l, c} }})
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case a := <-ch:
		return a.lanes, a.compared
	case <-t.C:
		return nil, nil
	}
}

// DeploymentSeq reads how far this replica knows the deployment lane.
func (p *Partition) DeploymentSeq() (seq uint64, err error) {
	err = (&outbox{p: &p.Config, group: p.Group()}).read(func(tx *state.Tx) error {
		if p.Config.Partition == protocol.DeploymentPartition {
			seq = tx.LaneSeq(protocol.LaneDeployments)
		} else {
			seq = tx.Inbox(protocol.DeploymentPartition, protocol.LaneDeployments).Seq
		}
		return tx.Err()
	})
	return seq, err
}

// Plan reads the cluster's plan as far as this replica has it; partition 1 only.
func (p *Partition) Plan() (version uint64, plan []byte, err error) {
	err = (&outbox{p: &p.Config, group: p.Group()}).read(func(tx *state.Tx) error {
		version, plan = tx.Plan()
		return tx.Err()
	})
	return version, plan, err
}
