package distributor

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/distributor/saga"
	"github.com/grevy-io/grevy/protocol"
)

// Config tunes a distributor. Zero fields mean the defaults of the saga.
type Config struct {
	Log  *slog.Logger
	Saga saga.Config
	// Timeout bounds one push, bodies included; default 10 s.
	Timeout time.Duration
}

// Props makes the saga actor of one leadership.
func Props(c Config, out actors.Outbox) *actor.Props {
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	c.Log = c.Log.With("room", "distributor", "partition", out.Partition())
	return actors.Props(func() actor.Actor { return &distributor{Config: c, out: out} })
}

type distributor struct {
	Config
	out    actors.Outbox
	saga   *saga.State
	system *actor.ActorSystem
	self   *actor.PID
	cancel func() // of the timer
	life   context.Context
	end    context.CancelFunc
}

// Messages of the distributor to itself.
type (
	wake     struct{}
	answered struct {
		channel saga.Channel
		attempt uint64
		result  saga.Result
	}
	deleted struct {
		acks []saga.Ack
		err  error
	}
)

// Receive turns messages into events of the saga.
func (d *distributor) Receive(ctx actor.Context) {
	now := time.Now()
	switch m := ctx.Message().(type) {
	case *actor.Started:
		d.start(ctx, now)
	case actors.RowsAdded:
		for _, rows := range group(m.Rows) {
			d.step(ctx, saga.RowsAdded{Now: now, Rows: rows})
		}
	case actors.RowsDeleted:
		d.step(ctx, saga.Deleted{Now: now, Acks: sagaAcks(m.Acks)})
	case actors.LinkNews:
		d.step(ctx, saga.News{Now: now, Target: m.Partition})
	case answered:
		d.step(ctx, saga.Answer{Now: now, Channel: m.channel, Attempt: m.attempt, Result: m.result})
	case deleted:
		d.step(ctx, saga.DeleteFailed{Now: now, Acks: m.acks, Reason: m.err.Error()})
	case wake:
		d.step(ctx, saga.Tick{Now: now})
	case actors.OutboxStatus:
		m.Reply(d.status())
	case *actor.Stopping, *actor.Restarting:
		if d.end != nil {
			d.end()
		}
	}
}

// start replays the table: whatever was pending when the last leader ended is
// sent again (Zeebe issue #7062 and #63712).
func (d *distributor) start(ctx actor.Context, now time.Time) {
	d.life, d.end = context.WithCancel(context.Background())
	d.system, d.self = ctx.ActorSystem(), ctx.Self()
	rows, err := d.out.Pending()
	if err != nil {
		actors.Fail(ctx, err)
		return
	}
	c := d.Saga
	c.Seed = rand.Uint64()
	d.saga = saga.New(c)
	if len(rows) > 0 {
		d.Log.Info("pending pushes found", "rows", len(rows))
	}
	d.step(ctx, saga.Started{Now: now, Tables: group(rows)})
}

// step feeds the saga and does what it asks for.
func (d *distributor) step(ctx actor.Context, ev saga.Event) {
	if d.saga == nil {
		return // its start has failed; the next life reads the table
	}
	for _, a := range d.saga.Step(ev) {
		switch a := a.(type) {
		case saga.Send:
			d.send(a)
		case saga.SendBase:
			go d.sendBase(a)
		case saga.Delete:
			d.delete(a)
		case saga.WakeAt:
			if d.cancel != nil {
				d.cancel()
			}
			d.cancel = actors.After(ctx, time.Until(a.At), wake{})
		}
	}
}

// send pushes a batch of rows to whoever leads the target now.
func (d *distributor) send(a saga.Send) {
	// path: deployment 4/9 push: rows oldest first, resources by hash
	lane := protocol.Lane(a.Channel.Lane)
	items, err := d.out.Items(a.Channel.Target, lane, uint64(a.From), uint64(a.To))
	if err != nil {
		d.answer(a.Channel, a.Attempt, saga.Failed{Reason: err.Error()})
		return
	}
	c := &protocol.Receive{Source: d.out.Partition(), Epoch: d.out.Epoch(), Lane: lane, Items: items}
	d.push(a, c)
}

func (d *distributor) push(a saga.Send, c *protocol.Receive) {
	ctx, cancel := context.WithTimeout(d.life, d.Timeout)
	d.out.Execute(ctx, a.Channel.Target, c, func(reply protocol.Reply, err error) {
		cancel()
		d.onReply(a, c, reply, err)
	})
}

// onReply runs on the post's goroutine.
func (d *distributor) onReply(a saga.Send, c *protocol.Receive, reply protocol.Reply, err error) {
	received, ok := reply.(*protocol.Received)
	if err != nil || !ok {
		d.answer(a.Channel, a.Attempt, failed(err))
		return
	}
	if len(received.Missing) > 0 && len(c.Bodies) == 0 {
		// path: deployment 5/9 bodies: only what the receiver's node lacks
		d.answer(a.Channel, a.Attempt, saga.NeedBodies{})
		go d.withBodies(a, c, received)
		return
	}
	d.answer(a.Channel, a.Attempt, result(received))
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
	case err == nil:
		return saga.Failed{Reason: "unknown answer"}
	}
	return saga.Failed{Reason: err.Error()}
}

// withBodies sends a batch again with what was missing. The whole batch's
// bodies are bounded: what does not fit goes with the next try.
func (d *distributor) withBodies(a saga.Send, c *protocol.Receive, r *protocol.Received) {
	again := *c
	size := 0
	for i, item := range again.Items {
		if item.Seq <= r.UpTo {
			continue
		}
		n, err := d.addBodies(&again, item.Command)
		if err != nil {
			d.answer(a.Channel, a.Attempt, saga.Failed{Reason: err.Error()})
			return
		}
		size += n
		if size > maxBodies {
			again.Items = again.Items[:i+1]
			break
		}
	}
	d.push(a, &again)
}

// maxBodies is about how many bytes of resources one push carries.
const maxBodies = 4 << 20

// addBodies adds the resources that a row names, and tells their size.
func (d *distributor) addBodies(c *protocol.Receive, row protocol.Command) (size int, err error) {
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

func (d *distributor) addBody(c *protocol.Receive, h protocol.Hash) (int, error) {
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

func (d *distributor) answer(ch saga.Channel, attempt uint64, r saga.Result) {
	d.system.Root.Send(d.self, answered{ch, attempt, r})
}

// delete removes acknowledged rows by an entry of the partition's own. Its
// success is heard as RowsDeleted.
func (d *distributor) delete(a saga.Delete) {
	// path: deployment 9/9 acknowledge: the sender deletes its rows
	d.out.Acknowledge(&protocol.Acknowledge{Acks: protocolAcks(a.Acks)}, func(err error) {
		if err != nil && !errors.Is(err, protocol.ErrOutcomeUnknown) {
			d.system.Root.Send(d.self, deleted{a.Acks, err})
		}
	})
}

func (d *distributor) status() []actors.LaneStatus {
	if d.saga == nil {
		return nil
	}
	var out []actors.LaneStatus
	for _, s := range d.saga.Status() {
		st := actors.LaneStatus{Target: s.Channel.Target, Lane: protocol.Lane(s.Channel.Lane), Pending: s.Pending, Attempts: s.Attempts, Error: s.LastError}
		if s.Pending > 0 {
			st.Oldest = s.Oldest.UnixMilli()
		}
		out = append(out, st)
	}
	return out
}
