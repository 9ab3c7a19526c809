package distributor

import (
	"context"
	"errors"
	"time"

	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/distributor/saga"
	"github.com/grevy-io/grevy/protocol"
)

// Host gives a carrier its turns and time: an actor does (distributor.go), or a
// simulation.
type Host interface {
	// Turn lets f run at a later turn of the carrier, if its life has not ended by
	// then. It may be called from any goroutine.
	Turn(f func())
	// After does the same when d has passed, unless it is cancelled.
	After(d time.Duration, f func()) (cancel func())
	// Now is a clock that never goes back.
	Now() time.Time
	// Random is a number that nobody can foresee.
	Random() uint64
}

// Carrier carries the outbox of one leadership: the saga with its hands. It
// knows no actor; all its methods are called in turns.
type Carrier struct {
	config Config
	host   Host
	out    actors.Outbox
	saga   *saga.State
	cancel func() // of the timer
	life   context.Context
	end    context.CancelFunc
	waits  waits
	// compared are the comparisons of definitions with other partitions.
	compared map[protocol.PartitionID]*comparison
	// raised: lanes to it count above what it has applied of a former life.
	raised  map[protocol.PartitionID]bool
	raising int // answers to a former round come too late
	// first are the partitions with which no comparison is over yet; settled: it was
	// told that there are none.
	first   map[protocol.PartitionID]bool
	settled bool
	// eager: the receiver lacks the resources of the rows that are sent to it.
	eager map[saga.Channel]bool
}

// NewCarrier makes the carrier of an outbox; Start begins.
func NewCarrier(c Config, h Host, out actors.Outbox) *Carrier {
	d := &Carrier{config: c.withDefaults(), host: h, out: out, compared: map[protocol.PartitionID]*comparison{}, raised: map[protocol.PartitionID]bool{}, eager: map[saga.Channel]bool{}}
	d.life, d.end = context.WithCancel(context.Background())
	return d
}

// Start replays the table: whatever was pending when the last leader ended is
// sent again (Zeebe issue #7062 and #63712).
func (d *Carrier) Start() error {
	rows, err := d.out.Pending()
	if err != nil {
		return err
	}
	c := d.config.Saga
	c.Seed = d.host.Random()
	d.saga = saga.New(c)
	if len(rows) > 0 {
		d.config.Log.Info("pending pushes found", "rows", len(rows))
	}
	d.step(saga.Started{Now: d.host.Now(), Tables: group(rows)})
	d.host.Turn(d.compareAll)
	return nil
}

// Stop ends what is under way.
func (d *Carrier) Stop() {
	if d.end(); d.cancel != nil {
		d.cancel()
	}
	d.waits.fail()
}

// Handle takes what the leader says of its table and what the node says of links.
func (d *Carrier) Handle(m any) {
	now := d.host.Now()
	switch m := m.(type) {
	case actors.RowsAdded:
		for _, rows := range group(m.Rows) {
			d.step(saga.RowsAdded{Now: now, Rows: rows})
		}
	case actors.RowsDeleted:
		d.step(saga.Deleted{Now: now, Acks: sagaAcks(m.Acks)})
		d.settle()
	case actors.LinkNews:
		d.step(saga.News{Now: now, Target: m.Partition})
		d.compareFailed()
	case actors.OutboxStatus:
		m.Reply(d.status(), d.comparisons())
	case actors.AwaitDistributed:
		d.await(m)
	}
}

// step feeds the saga and does what it asks for.
func (d *Carrier) step(ev saga.Event) {
	if d.saga == nil {
		return // its start has failed; the next life reads the table
	}
	for _, a := range d.saga.Step(ev) {
		switch a := a.(type) {
		case saga.Send:
			d.send(a)
		case saga.SendBase:
			d.sendBase(a)
		case saga.Delete:
			d.delete(a)
		case saga.WakeAt:
			if d.cancel != nil {
				d.cancel()
			}
			d.cancel = d.host.After(a.At.Sub(d.host.Now()), func() { d.step(saga.Tick{Now: d.host.Now()}) })
		}
	}
}

// send pushes a batch of rows to whoever leads the target now.
func (d *Carrier) send(a saga.Send) {
	// path: deployment 4/9 push: rows oldest first, resources by hash
	lane := protocol.Lane(a.Channel.Lane)
	c, err := d.batch(a, lane)
	if err == nil && d.eager[a.Channel] && len(c.Items) >= eagerRows {
		err = d.fill(c, 0)
	}
	if err != nil {
		d.answer(a.Channel, a.Attempt, saga.Failed{Reason: err.Error()})
		return
	}
	d.push(a, c)
}

// batch reads the rows of a push.
func (d *Carrier) batch(a saga.Send, lane protocol.Lane) (*protocol.Receive, error) {
	epoch, err := d.out.Epoch()
	if err != nil {
		return nil, err
	}
	items, err := d.out.Items(a.Channel.Target, lane, uint64(a.From), uint64(a.To))
	return &protocol.Receive{Source: d.out.Partition(), Epoch: epoch, Lane: lane, Items: items}, err
}

// eagerRows makes a batch part of a backlog: then resources go along at once if
// the receiver lacked those of the batch before, which saves it half of its
// way. Otherwise they are offered by their hashes.
const eagerRows = 16

func (d *Carrier) push(a saga.Send, c *protocol.Receive) {
	d.execute(a.Channel.Target, c, func(reply *protocol.Received, err error) { d.onReply(a, c, reply, err) })
}

// execute asks a partition and goes on in a later turn.
func (d *Carrier) execute(target protocol.PartitionID, c protocol.Command, then func(*protocol.Received, error)) {
	ctx, cancel := context.WithTimeout(d.life, d.config.Timeout)
	d.out.Execute(ctx, target, c, func(reply protocol.Reply, err error) {
		cancel()
		received, ok := reply.(*protocol.Received)
		if err == nil && !ok {
			err = errUnknownAnswer
		}
		d.host.Turn(func() { then(received, err) })
	})
}

var errUnknownAnswer = errors.New("unknown answer")

func (d *Carrier) onReply(a saga.Send, c *protocol.Receive, received *protocol.Received, err error) {
	if err != nil {
		d.result(a.Channel, a.Attempt, failed(err))
		return
	}
	if len(received.Missing) > 0 && len(c.Bodies) == 0 {
		// path: deployment 5/9 bodies: only what the receiver's node lacks
		d.eager[a.Channel] = 2*len(received.Missing) > len(c.Items)
		d.result(a.Channel, a.Attempt, saga.NeedBodies{})
		d.withBodies(a, c, received)
		return
	}
	d.result(a.Channel, a.Attempt, result(received))
}

// result reads a receiver's answer, which is made from its applied state.
func result(r *protocol.Received) saga.Result {
	switch {
	case r.Gap:
		return saga.Gap{Next: saga.Seq(r.UpTo + 1)}
	case len(r.Missing) > 0:
		return saga.Failed{Reason: "the receiver lacks resources that were sent to it"}
	}
	return saga.Acked{UpTo: saga.Seq(r.UpTo), Refused: refusals(r.Refused)}
}

// failed says what an error proves of a push.
func failed(err error) saga.Result {
	var refusal *protocol.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Code == protocol.NotLeader:
		return saga.NotLeader{}
	case errors.As(err, &refusal):
		return saga.Unreachable{Reason: refusal.Error()}
	}
	return saga.Failed{Reason: err.Error()}
}

// result tells the saga what became of an attempt; answer does so at a later
// turn, for what fails while the saga acts.
func (d *Carrier) result(ch saga.Channel, attempt uint64, r saga.Result) {
	d.step(saga.Answer{Now: d.host.Now(), Channel: ch, Attempt: attempt, Result: r})
}

func (d *Carrier) answer(ch saga.Channel, attempt uint64, r saga.Result) {
	d.host.Turn(func() { d.result(ch, attempt, r) })
}

// withBodies sends a batch again with what was missing.
func (d *Carrier) withBodies(a saga.Send, c *protocol.Receive, r *protocol.Received) {
	again := *c
	if err := d.fill(&again, r.UpTo); err != nil {
		d.result(a.Channel, a.Attempt, saga.Failed{Reason: err.Error()})
		return
	}
	d.push(a, &again)
}

// fill adds the resources of the rows above upTo. They are bounded together:
// what does not fit goes with the next try.
func (d *Carrier) fill(c *protocol.Receive, upTo uint64) error {
	size := 0
	for i, item := range c.Items {
		if item.Seq <= upTo {
			continue
		}
		n, err := d.addBodies(c, item.Command)
		if err != nil {
			return err
		}
		if size += n; size > maxBodies {
			c.Items = c.Items[:i+1]
			break
		}
	}
	return nil
}

// maxBodies is about how many bytes of resources one push carries.
const maxBodies = 4 << 20

// addBodies adds the resources that a row names, and tells their size.
func (d *Carrier) addBodies(c *protocol.Receive, row protocol.Command) (size int, err error) {
	dist, ok := row.(*protocol.Distribute)
	if !ok {
		return 0, nil
	}
	for i := range dist.Deployment.Definitions {
		n, err := d.addBody(c, dist.Deployment.Definitions[i].Hash)
		if err != nil {
			return size, err
		}
		size += n
	}
	return size, nil
}

func (d *Carrier) addBody(c *protocol.Receive, h protocol.Hash) (int, error) {
	for i := range c.Bodies {
		if c.Bodies[i].Hash == h {
			return 0, nil
		}
	}
	data, err := d.out.Body(h)
	if err != nil {
		return 0, err
	}
	c.Bodies = append(c.Bodies, protocol.Body{Hash: h, Data: data})
	return len(data), nil
}

// delete removes acknowledged rows by an entry of the partition's own. Its
// success is heard as RowsDeleted.
func (d *Carrier) delete(a saga.Delete) {
	// path: deployment 9/9 acknowledge: the sender deletes its rows
	d.out.Acknowledge(&protocol.Acknowledge{Acks: protocolAcks(a.Acks)}, func(err error) {
		if err != nil && !errors.Is(err, protocol.ErrOutcomeUnknown) {
			d.host.Turn(func() { d.step(saga.DeleteFailed{Now: d.host.Now(), Acks: a.Acks, Reason: err.Error()}) })
		}
	})
}

func (d *Carrier) status() []actors.LaneStatus {
	if d.saga == nil {
		return nil
	}
	return laneStatus(d.saga.Status())
}

func laneStatus(list []saga.Status) []actors.LaneStatus {
	var out []actors.LaneStatus
	for _, s := range list {
		st := actors.LaneStatus{Target: s.Channel.Target, Lane: protocol.Lane(s.Channel.Lane), Pending: s.Pending, Attempts: s.Attempts, Error: s.LastError}
		if s.Pending > 0 {
			st.Oldest = s.Oldest.UnixMilli()
		}
		out = append(out, st)
	}
	return out
}
