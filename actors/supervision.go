package actors

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Backoff restarts what fails after a pause that doubles from Min to Max and
// begins anew after Reset without failure. It never gives up; the default of
// protoactor-go stops an actor for good at its eleventh failure in ten seconds.
// It is a supervisor's strategy (actor.WithSupervisor).
type Backoff struct{ Min, Max, Reset time.Duration }

// DefaultBackoff is the strategy if nothing else is said.
var DefaultBackoff = Backoff{Min: 10 * time.Millisecond, Max: 2 * time.Second, Reset: 10 * time.Second}

// HandleFailure restarts the child when the pause is over, if it is still there.
func (b Backoff) HandleFailure(s *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, rs *actor.RestartStatistics, reason, _ any) {
	s.EventStream.Publish(&actor.SupervisorEvent{Child: child, Reason: reason, Directive: actor.RestartDirective})
	time.AfterFunc(b.pause(rs), func() {
		if _, there := s.ProcessRegistry.Get(child); there {
			supervisor.RestartChildren(child)
		}
	})
}

// maxDoublings keeps the pause from running over, and the statistics short.
const maxDoublings = 20

func (b Backoff) pause(rs *actor.RestartStatistics) time.Duration {
	if rs.NumberOfFailures(b.Reset) == 0 {
		rs.Reset()
	}
	pause := min(b.Min<<min(rs.FailureCount(), maxDoublings), b.Max)
	if rs.FailureCount() > 4*maxDoublings { // it keeps the time of each failure
		rs.Reset()
		for range maxDoublings {
			rs.Fail()
		}
	}
	rs.Fail()
	return pause
}

// logPanic is deferred around what must not fail.
func logPanic(ctx actor.Context, what string) {
	if r := recover(); r != nil {
		ctx.Logger().Error(what, slog.String("actor", ctx.Self().GetId()), slog.Any("panic", r), slog.String("stack", string(debug.Stack())))
	}
}

// panicError is the reason of a restart after a panic.
func panicError(r any) error {
	if err, ok := r.(error); ok {
		return fmt.Errorf("panic: %w", err)
	}
	return fmt.Errorf("panic: %v", r)
}
