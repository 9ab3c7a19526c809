package partitionactor

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/protocol"
)

// seat is the actor in which a leader lives: it gives it its turns.
type seat struct {
	*leader
	part *Partition
	ctx  actor.Context // of this life
	self *actor.PID
}

func newSeat(p *Partition) *seat {
	s := &seat{part: p}
	s.leader = newLeader(&p.Config, p.Group(), s)
	return s
}

// Receive passes messages on.
func (s *seat) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		s.ctx, s.self = ctx, ctx.Self()
		s.part.child.Store(s.self) // before it proposes, or it would not hear what is applied
		s.start()
	case *actor.Restarting, *actor.Stopping:
		s.close(errStopped)
	default:
		s.handle(m)
	}
}

// Idle is called when the mailbox has run empty.
func (s *seat) Idle(actor.Context) { s.idle() }

// Failed answers who waits at once: the next life begins after a pause.
func (s *seat) Failed(_ actor.Context, reason error) { s.close(reason) }

func (s *seat) Post(m any) { s.part.System.Root.Send(s.self, m) }

func (s *seat) After(d time.Duration, m any) { actors.After(s.ctx, d, m) }
func (s *seat) Fail(err error)               { actors.Fail(s.ctx, err) }
func (s *seat) Now() time.Time               { return time.Now() }
func (s *seat) Random() uint64               { return rand.Uint64() }

func (s *seat) Serving(term uint64) {
	s.part.gate.leader.Store(s.self)
	s.part.serving(term)
}

func (s *seat) Ended() { s.part.gate.leader.CompareAndSwap(s.self, nil) }

func (s *seat) Execute(c protocol.Command, done func(protocol.Reply, error)) {
	s.part.gate.Execute(context.Background(), c, done)
}

func (s *seat) Cut(token uint64) { s.part.cuts.keep(token, s.part.Group().Cut(), s.part.Limits.Cut) }

func (s *seat) Exported() ExportStatus { return s.part.Exported() }

func (s *seat) Distribute(out actors.Outbox) func(any) {
	props := actors.FuncProps(func(actor.Context) {})
	if s.part.Distributor != nil {
		props = s.part.Distributor(out)
	}
	system, pid := s.part.System, s.ctx.SpawnPrefix(props, "distributor")
	return func(m any) { system.Root.Send(pid, m) }
}
