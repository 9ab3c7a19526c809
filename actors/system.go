package actors

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/extensions"
)

// NewSystem makes a system for actors of grevy alone. It writes to log and
// nowhere else, and has no metrics of its own.
func NewSystem(log *slog.Logger) *actor.ActorSystem {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	quiet := slog.New(demoted{log.Handler()})
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
		// The throttle's goroutine should not outlive a broker by a second.
		actor.WithDeadLetterThrottleInterval(10*time.Millisecond),
	)
}

// demoted writes as debug what protoactor-go says as information: starts, dead
// letters, and failures, which those who fail report themselves.
type demoted struct{ slog.Handler }

// Enabled tells whether the level below is.
func (d demoted) Enabled(ctx context.Context, l slog.Level) bool {
	return d.Handler.Enabled(ctx, lower(l))
}

// Handle writes the record at the level below.
func (d demoted) Handle(ctx context.Context, r slog.Record) error {
	r.Level = lower(r.Level)
	return d.Handler.Handle(ctx, r)
}

// WithAttrs keeps lowering.
func (d demoted) WithAttrs(a []slog.Attr) slog.Handler { return demoted{d.Handler.WithAttrs(a)} }

// WithGroup keeps lowering.
func (d demoted) WithGroup(name string) slog.Handler { return demoted{d.Handler.WithGroup(name)} }

func lower(l slog.Level) slog.Level {
	if l == slog.LevelInfo {
		return slog.LevelDebug
	}
	return l
}

// handler marks a system whose dead letters are handed back.
type handler struct{}

var handlerID = extensions.NextExtensionID()

// ExtensionID makes the mark something that a system can hold.
func (handler) ExtensionID() extensions.ExtensionID { return handlerID }

var handBackMu sync.Mutex

// handBack makes a system's dead letters that are Undelivered hear of it. It
// does so once for each system.
func handBack(s *actor.ActorSystem) {
	handBackMu.Lock()
	defer handBackMu.Unlock()
	if s.Extensions.Get(handlerID) != nil {
		return
	}
	s.Extensions.Register(handler{})
	s.EventStream.Subscribe(func(ev any) {
		if d, ok := ev.(*actor.DeadLetterEvent); ok {
			if u, ok := d.Message.(Undelivered); ok {
				u.Undelivered()
			}
		}
	})
}
