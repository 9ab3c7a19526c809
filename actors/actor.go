package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Idler is an actor that wants to know when its mailbox has run empty, for
// instance to send off what it has gathered.
type Idler interface {
	Idle(ctx actor.Context)
}

// Failer is an actor that wants to know at once that it has panicked. Its
// Restarting comes only when the pause before the restart is over, and whoever
// waits for it should not wait as long as that.
type Failer interface {
	Failed(ctx actor.Context, reason error)
}

// Undelivered is a message whose sender must hear that nobody reads it: its
// actor has stopped, or its mailbox is full. The method may be called on any
// goroutine and must not block.
type Undelivered interface {
	Undelivered()
}

// Props describes an actor with the mailbox and the supervision of this
// package. What it says of supervision is for the actor's children; actor.Props
// options that come later win.
func Props(produce actor.Producer, opts ...actor.PropsOption) *actor.Props {
	p := actor.PropsFromProducer(
		func() actor.Actor { return &life{Actor: produce()} },
		Bounded(0), actor.WithSupervisor(DefaultBackoff),
	)
	return p.Configure(opts...)
}

// FuncProps is Props for an actor without state.
func FuncProps(f actor.ReceiveFunc, opts ...actor.PropsOption) *actor.Props {
	return Props(func() actor.Actor { return f }, opts...)
}

// Bounded lets so many messages wait for an actor; 0: no bound. What does not
// fit is not taken and comes back at once, as [Undelivered].
func Bounded(n int) actor.PropsOption {
	return actor.WithMailbox(func() actor.Mailbox { return &mailbox{bound: n} })
}

// Spawn starts an actor at the top of a system, supervised by DefaultBackoff.
// Its name begins with prefix and is unique: what was sent to one that is gone
// never reaches the next of the same kind.
func Spawn(s *actor.ActorSystem, prefix string, p *actor.Props) *actor.PID {
	handBack(s)
	return s.Root.Copy().WithGuardian(DefaultBackoff).SpawnPrefix(p, prefix)
}

// Stop ends actors and waits until they and all their children are gone, for as
// long as that takes.
func Stop(s *actor.ActorSystem, pids ...*actor.PID) {
	var ends []*actor.Future
	for _, pid := range pids {
		if proc, there := s.ProcessRegistry.Get(pid); there {
			end := actor.NewFuture(s, -1) // protoactor-go's StopFuture ends after ten seconds
			proc.SendSystemMessage(pid, &actor.Watch{Watcher: end.PID()})
			proc.Stop(pid)
			ends = append(ends, end)
		}
	}
	for _, end := range ends {
		// Whatever it is told is word of the end, and there is no timeout.
		_, _ = end.Result()
	}
}

// Fail ends this life of an actor once the present message is handled; its
// supervisor starts the next one.
func Fail(ctx actor.Context, err error) { boxOf(ctx).fail(err) }

// After sends msg to this actor when d has passed, unless this life of it has
// ended by then.
func After(ctx actor.Context, d time.Duration, msg any) (cancel func()) {
	box, m := boxOf(ctx), &timed{life: ctx.Actor(), msg: msg}
	t := time.AfterFunc(d, func() { box.PostUserMessage(m) })
	return func() { t.Stop() }
}

// timed is a message of one incarnation to itself.
type timed struct {
	life actor.Actor
	msg  any
}

// life is one incarnation of an actor.
type life struct{ actor.Actor }

// Receive passes messages on. The last ones must not fail: a panic in the midst
// of a stop would be taken for a reason to restart.
func (l *life) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Restarting, *actor.Stopping:
		l.last(ctx)
	case *actor.Stopped:
		l.last(ctx)
		boxOf(ctx).close()
	default:
		l.Actor.Receive(ctx)
	}
}

func (l *life) last(ctx actor.Context) {
	defer logPanic(ctx, "actor failed on a mistake of ours while it ended")
	l.Actor.Receive(ctx)
}
