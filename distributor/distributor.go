package distributor

import (
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
	// Reachable tells whether a partition has a leader that a request would find
	// a way to; default: yes.
	Reachable func(protocol.PartitionID) bool
	// Partitions is how many the cluster has; nil: definitions are not compared.
	Partitions func() int
	// Repaired is told of definitions that were lacking and have been taken from
	// another partition; default: nobody is.
	Repaired func(from protocol.PartitionID, definitions int)
	// CompareEvery is how often definitions are compared; default a minute.
	CompareEvery time.Duration
	// Timeout bounds one push, bodies included; default 10 s.
	Timeout time.Duration
}

func (c Config) withDefaults() Config {
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if c.CompareEvery == 0 {
		c.CompareEvery = compareEvery
	}
	if c.Repaired == nil {
		c.Repaired = func(protocol.PartitionID, int) {}
	}
	if c.Reachable == nil {
		c.Reachable = func(protocol.PartitionID) bool { return true }
	}
	return c
}

// Props makes the saga actor of one leadership.
func Props(c Config, out actors.Outbox) *actor.Props {
	c.Log = c.Log.With("room", "distributor", "partition", out.Partition())
	return actors.Props(func() actor.Actor { return &distributor{config: c, out: out} })
}

// distributor is the actor that gives a carrier its turns.
type distributor struct {
	config  Config
	out     actors.Outbox
	carrier *Carrier
	ctx     actor.Context
	system  *actor.ActorSystem
	self    *actor.PID
}

// turn is a message of the distributor to itself.
type turn func()

// Receive passes messages on.
func (d *distributor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		d.ctx, d.system, d.self = ctx, ctx.ActorSystem(), ctx.Self()
		d.carrier = NewCarrier(d.config, d, d.out)
		if err := d.carrier.Start(); err != nil {
			actors.Fail(ctx, err)
		}
	case turn:
		m()
	case *actor.Stopping, *actor.Restarting:
		if d.carrier != nil {
			d.carrier.Stop()
		}
	default:
		d.carrier.Handle(m)
	}
}

// Turn is safe from any goroutine.
func (d *distributor) Turn(f func()) { d.system.Root.Send(d.self, turn(f)) }

// After is bound to this life of the actor.
func (d *distributor) After(wait time.Duration, f func()) func() {
	return actors.After(d.ctx, wait, turn(f))
}

// Now is the clock of the process.
func (d *distributor) Now() time.Time { return time.Now() }

// Random makes a leadership's attempts its own.
func (d *distributor) Random() uint64 { return rand.Uint64() }
