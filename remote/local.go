package remote

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/grevy-io/grevy/protocol"
)

// localCall is a request of a node to itself: no socket, the same promises.
type localCall struct {
	p      *Post
	kind   Kind
	notice bool
	ctx    context.Context // the handler's
	cancel context.CancelFunc
	left   atomic.Int32 // of two: the answer and the return of the handler

	mu    sync.Mutex
	done  func([]byte, error) // nil when it was called
	stops []func() bool
}

func (p *Post) startLocal(ctx context.Context, h header, payload []byte, done func([]byte, error)) (ticket, error) {
	serve := p.handlers[h.kind].Load()
	if serve == nil {
		return nil, notSent("node %d does not know messages of kind %d", p.cfg.NodeID, h.kind)
	}
	if p.ctx.Err() != nil {
		return nil, notSent("node %d: %w", p.cfg.NodeID, ErrClosed)
	}
	if p.localBusy.Add(1) > int64(p.cfg.MaxHandlers) {
		p.localBusy.Add(-1)
		return nil, notSent("node %d has %d handlers at work", p.cfg.NodeID, p.cfg.MaxHandlers)
	}
	c := &localCall{p: p, kind: h.kind, notice: h.flags&flagNotice != 0, done: done}
	c.ctx, c.cancel = context.WithCancel(p.ctx)
	c.left.Store(2)
	c.onEnd(p.ctx, fmt.Errorf("node %d: %w: %w", p.cfg.NodeID, ErrLinkLost, ErrClosed))
	go c.run(*serve, p.cfg.NodeID, payload)
	return c, nil
}

func (c *localCall) run(h Handler, self protocol.NodeID, payload []byte) {
	defer c.p.localBusy.Add(-1)
	defer c.part()
	defer func() {
		if r := recover(); r != nil {
			c.p.panicked(c.kind, self, r)
			c.finish(nil, fmt.Errorf("%w: the handler of kind %d panicked", ErrHandlerFailed, c.kind))
		}
	}()
	if c.notice {
		h(c.ctx, self, payload, func([]byte) {})
		c.finish(nil, nil)
		return
	}
	h(c.ctx, self, payload, c.reply)
}

func (c *localCall) reply(body []byte) {
	if len(body) > MaxMessage {
		c.finish(nil, fmt.Errorf("%w: the reply has %d bytes, the most is %d", ErrHandlerFailed, len(body), MaxMessage))
		return
	}
	c.finish(body, nil)
}

// take gives the right to complete the call, to the first who asks.
func (c *localCall) take() func([]byte, error) {
	c.mu.Lock()
	done, stops := c.done, c.stops
	c.done, c.stops = nil, nil
	c.mu.Unlock()
	for _, stop := range stops {
		stop()
	}
	return done
}

// finish completes the call, the first time it is called.
func (c *localCall) finish(body []byte, err error) {
	done := c.take()
	if done == nil {
		return
	}
	if err != nil {
		c.cancel()
	}
	c.part()
	done(body, err)
}

// part is called when the call is over and when the handler has returned.
func (c *localCall) part() {
	if c.left.Add(-1) == 0 {
		c.cancel()
	}
}

// onEnd fails the call with why when ctx ends; a nil why stands for the context's
// own error.
func (c *localCall) onEnd(ctx context.Context, why error) {
	stop := context.AfterFunc(ctx, func() {
		if why == nil {
			why = c.ended(context.Cause(ctx))
		}
		c.finish(nil, why)
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		stop()
		return
	}
	c.stops = append(c.stops, stop)
}

func (c *localCall) ended(why error) error {
	return fmt.Errorf("request to node %d: %w", c.p.cfg.NodeID, why)
}

func (c *localCall) watch(ctx context.Context) {
	if ctx.Done() != nil {
		c.onEnd(ctx, nil)
	}
}

func (c *localCall) withdraw(why error) (error, bool) {
	if c.take() == nil {
		return nil, false
	}
	c.cancel()
	return c.ended(why), true
}
