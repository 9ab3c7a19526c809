package actors

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Context is what an actor sees of the runtime while it handles a message. It
// must not be used outside of that.
type Context struct {
	proc   *process
	msg    any
	failed error
}

// Message is what the actor was sent.
func (c *Context) Message() any { return c.msg }

// Self is the actor's own PID.
func (c *Context) Self() *PID { return c.proc.pid }

// System is where the actor lives.
func (c *Context) System() *System { return c.proc.system }

// Log is the system's logger.
func (c *Context) Log() *slog.Logger { return c.proc.system.Log }

// Pending is how many messages wait.
func (c *Context) Pending() int { return int(c.proc.pending.Load()) }

// Spawn starts a child: it stops when this actor stops or restarts.
func (c *Context) Spawn(p Props) *PID { return c.proc.system.spawn(c.proc, p) }

// Send puts a message into another actor's mailbox.
func (c *Context) Send(to *PID, msg any) { c.proc.system.Send(to, msg) }

// Stop ends an actor, possibly this one.
func (c *Context) Stop(pid *PID) { c.proc.system.Stop(pid) }

// Watch makes this actor receive Terminated when another one is gone for good.
func (c *Context) Watch(pid *PID) {
	w := pid.proc
	w.mu.Lock()
	if !w.closed {
		w.watchers = append(w.watchers, c.proc.pid)
		w.mu.Unlock()
		return
	}
	w.mu.Unlock()
	c.Send(c.proc.pid, Terminated{PID: pid})
}

// Fail ends this life of the actor once the present message is handled; its
// supervisor starts the next one.
func (c *Context) Fail(err error) {
	if c.failed == nil {
		c.failed = err
	}
}

// After sends msg to this actor when d has passed, unless it is stopped before.
func (c *Context) After(d time.Duration, msg any) (cancel func()) {
	proc := c.proc
	t := time.AfterFunc(d, func() {
		proc.box.mu.Lock()
		gone := proc.box.stopped
		proc.box.mu.Unlock()
		if !gone {
			proc.post(msg, true)
		}
	})
	return func() { t.Stop() }
}

// Do runs f inside the actor, after what waits in its mailbox: results of work
// that was done elsewhere come back this way. It may be called from anywhere.
// If the actor stops before, f is not run.
func (s *System) Do(pid *PID, f func(*Context)) { pid.proc.post(f, true) }

// ErrFull says that a mailbox took no more, or its actor was gone.
var ErrFull = errors.New("mailbox full or actor stopped")

// Ask makes a message with a place for the answer, sends it, and waits. The
// actor answers by calling reply, at most once.
func Ask[T any](ctx context.Context, s *System, to *PID, make func(reply func(T)) any) (T, error) {
	ch := newChan[T]()
	var zero T
	if !s.TrySend(to, make(func(v T) {
		select {
		case ch <- v:
		default:
		}
	})) {
		return zero, ErrFull
	}
	select {
	case v := <-ch:
		return v, nil
	case <-ctx.Done():
		return zero, ctx.Err()
	case <-to.Done():
		select {
		case v := <-ch:
			return v, nil
		default:
			return zero, ErrFull
		}
	}
}

func newChan[T any]() chan T { return make(chan T, 1) }
