package actors

import (
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// process runs one actor: it outlives restarts.
type process struct {
	system *System
	props  Props
	parent *process
	pid    *PID
	box    mailbox
	wake   chan struct{}
	done   chan struct{}

	mu       sync.Mutex
	children []*process
	watchers []*PID
	closed   bool // takes no more children

	actor    Actor
	failures int
	lastFail time.Time
	pending  atomic.Int64
}

func (p *process) post(msg any, force bool) bool {
	p.box.mu.Lock()
	if p.box.stopped {
		p.box.mu.Unlock()
		if force {
			p.undelivered(msg)
		}
		return false
	}
	if !force && p.props.Mailbox > 0 && int(p.pending.Load()) >= p.props.Mailbox {
		p.box.mu.Unlock()
		return false
	}
	p.pending.Add(1)
	p.box.queue = append(p.box.queue, msg)
	p.box.mu.Unlock()
	p.nudge()
	return true
}

func (p *process) nudge() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *process) undelivered(msg any) {
	if p.props.Undelivered != nil {
		p.props.Undelivered(msg)
		return
	}
	p.system.DeadLetters.Add(1)
}

func (p *process) halt() {
	p.box.mu.Lock()
	p.box.halt = true
	p.box.mu.Unlock()
	p.nudge()
}

// take waits for messages and hands over all that are there.
func (p *process) take(buf []any) (batch []any, halt bool) {
	for {
		p.box.mu.Lock()
		if p.box.halt {
			p.box.mu.Unlock()
			return nil, true
		}
		if len(p.box.queue) > 0 {
			batch, p.box.queue = p.box.queue, buf[:0]
			p.box.mu.Unlock()
			return batch, false
		}
		p.box.mu.Unlock()
		<-p.wake
	}
}

func (p *process) run() {
	defer close(p.done)
	ctx := &Context{proc: p}
	p.start(ctx)
	var spare []any
	for {
		batch, halt := p.take(spare)
		if halt {
			break
		}
		rest := p.deliver(ctx, batch)
		clear(batch)
		spare = batch
		if rest != nil {
			break
		}
	}
	p.stop(ctx)
}

// deliver handles a batch. It returns the unread rest if the actor was told to
// stop meanwhile, put back into the mailbox.
func (p *process) deliver(ctx *Context, batch []any) (rest []any) {
	for i, msg := range batch {
		p.pending.Add(-1)
		p.handle(ctx, msg)
		if p.halted() {
			rest = slices.Clone(batch[i+1:])
			p.box.mu.Lock()
			p.box.queue = append(rest, p.box.queue...)
			p.box.mu.Unlock()
			return []any{}
		}
	}
	if idler, ok := p.actor.(Idler); ok && p.pending.Load() == 0 {
		p.guard(ctx, func() { idler.Idle(ctx) })
	}
	return nil
}

func (p *process) halted() bool {
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	return p.box.halt
}

func (p *process) handle(ctx *Context, msg any) {
	if run, ok := msg.(func(*Context)); ok {
		p.guard(ctx, func() { run(ctx) })
		return
	}
	p.guard(ctx, func() {
		ctx.msg = msg
		p.actor.Receive(ctx)
	})
	ctx.msg = nil
}

// guard runs a step of the actor and restarts it if the step fails.
func (p *process) guard(ctx *Context, step func()) {
	err := p.try(step)
	if err == nil {
		err = ctx.failed
	}
	ctx.failed = nil
	for err != nil {
		err = p.restart(ctx, err)
	}
}

func (p *process) try(step func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	step()
	return nil
}

func (p *process) start(ctx *Context) {
	p.actor = p.props.New()
	p.guard(ctx, func() {
		ctx.msg = Started{}
		p.actor.Receive(ctx)
	})
}

// restart replaces the actor after a pause and starts the new one. It returns
// the error of that start.
func (p *process) restart(ctx *Context, reason error) error {
	p.stopChildren()
	if err := p.try(func() { ctx.msg = Restarting{Reason: reason}; p.actor.Receive(ctx) }); err != nil {
		p.system.Log.Error("actor failed while it was restarted", "actor", p.pid.path, "err", err)
	}
	ctx.failed = nil
	p.system.Restarts.Add(1)
	pause := p.backoff()
	p.system.Log.Info("actor restarts", "actor", p.pid.path, "pause", pause, "reason", reason)
	if !p.sleep(pause) {
		p.actor = Func(func(*Context) {}) // told to stop meanwhile
		return nil
	}
	p.actor = p.props.New()
	err := p.try(func() { ctx.msg = Started{}; p.actor.Receive(ctx) })
	if err == nil {
		err = ctx.failed
	}
	ctx.failed = nil
	return err
}

func (p *process) backoff() time.Duration {
	b := p.props.Restart
	if time.Since(p.lastFail) > b.Reset {
		p.failures = 0
	}
	pause := min(b.Min<<min(p.failures, 20), b.Max)
	p.failures++
	p.lastFail = time.Now()
	return pause
}

// sleep waits unless the actor is told to stop.
func (p *process) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	for !p.halted() {
		select {
		case <-t.C:
			p.nudge() // messages may have come meanwhile
			return true
		case <-p.wake:
		}
	}
	return false
}

func (p *process) stop(ctx *Context) {
	p.stopChildren()
	if err := p.try(func() { ctx.msg = Stopping{}; p.actor.Receive(ctx) }); err != nil {
		p.system.Log.Error("actor failed while it stopped", "actor", p.pid.path, "err", err)
	}
	p.box.mu.Lock()
	p.box.stopped = true
	rest := p.box.queue
	p.box.queue = nil
	p.box.mu.Unlock()
	for _, msg := range rest {
		if _, internal := msg.(func(*Context)); !internal {
			p.undelivered(msg)
		}
	}
	if p.parent != nil {
		p.parent.disown(p)
	}
	p.mu.Lock()
	watchers := p.watchers
	p.watchers, p.closed = nil, true
	p.mu.Unlock()
	for _, w := range watchers {
		w.proc.post(Terminated{PID: p.pid}, true)
	}
}

func (p *process) adopt(child *process) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.children = append(p.children, child)
	return true
}

func (p *process) disown(child *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.children = slices.DeleteFunc(p.children, func(c *process) bool { return c == child })
}

func (p *process) stopChildren() {
	p.mu.Lock()
	children := slices.Clone(p.children)
	p.mu.Unlock()
	for _, c := range children {
		c.halt()
	}
	for _, c := range children {
		<-c.done
	}
}
