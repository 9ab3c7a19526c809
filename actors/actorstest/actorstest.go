package actorstest

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/actors"
)

// patience is how long a test waits for what should come at once.
const patience = 10 * time.Second

// System makes a system for a test and closes it at the end. A test that leaves
// actors in it fails.
func System(t testing.TB) *actor.ActorSystem {
	t.Helper()
	s := actors.NewSystem(slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		if left := Actors(s); len(left) > 0 {
			t.Errorf("actors left: %s", strings.Join(left, ", "))
		}
		s.Shutdown()
	})
	return s
}

// Actors lists the ids of the actors that live in a system.
func Actors(s *actor.ActorSystem) (ids []string) {
	for _, bucket := range s.ProcessRegistry.LocalPIDs.LocalPIDs {
		for id, p := range bucket.Items() {
			if _, ok := p.(*actor.ActorProcess); ok {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// Spawn starts an actor and stops it at the end of the test.
func Spawn(t testing.TB, s *actor.ActorSystem, p *actor.Props) *actor.PID {
	t.Helper()
	pid := actors.Spawn(s, "tested", p)
	t.Cleanup(func() { actors.Stop(s, pid) })
	return pid
}

// Probe is an actor that hears for a test: life cycle messages are not among
// what it hears, but for Terminated.
type Probe struct {
	PID   *actor.PID
	t     testing.TB
	heard chan any
}

// heardBound is how much a probe keeps: one that nobody asks holds up nobody else.
const heardBound = 10_000

// NewProbe starts a probe that lives as long as the test.
func NewProbe(t testing.TB, s *actor.ActorSystem) *Probe {
	t.Helper()
	p := &Probe{t: t, heard: make(chan any, heardBound)}
	p.PID = Spawn(t, s, actors.FuncProps(p.receive))
	return p
}

func (p *Probe) receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started, *actor.Stopping, *actor.Stopped, *actor.Restarting:
	case watch:
		ctx.Watch(m.pid)
		ctx.Respond(m)
	default:
		select {
		case p.heard <- m:
		default:
			ctx.Logger().Error("the probe heard too much")
		}
	}
}

type watch struct{ pid *actor.PID }

// Watch makes the probe hear of an actor's end, as *actor.Terminated. It returns
// when the probe watches.
func (p *Probe) Watch(s *actor.ActorSystem, pid *actor.PID) {
	p.t.Helper()
	if err := s.Root.RequestFuture(p.PID, watch{pid}, patience).Wait(); err != nil {
		p.t.Fatal(err)
	}
}

// Next waits for the probe's next message, which must be a T.
func Next[T any](p *Probe) T {
	p.t.Helper()
	select {
	case m := <-p.heard:
		if v, ok := m.(T); ok {
			return v
		}
		p.t.Fatalf("heard %T instead of %T: %v", m, *new(T), m)
	case <-time.After(patience):
		p.t.Fatalf("heard no %T", *new(T))
	}
	panic("not reached")
}

// Within waits until a channel is closed or gives something.
func Within[T any](t testing.TB, what string, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(patience):
		t.Fatalf("no %s", what)
	}
	return v
}
