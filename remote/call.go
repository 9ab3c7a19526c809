package remote

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/grevy-io/grevy/protocol"
)

// call is a request without answer. The fields after wire are guarded by its mu.
type call struct {
	w      *wire
	id     uint64
	charge int  // what it takes of the window
	large  bool // it is cut into chunks
	done   func([]byte, error)

	stop   func() bool // ends the watching of the caller's context; not written after ended
	begun  bool        // a part of it was given to the socket
	handed bool        // all of it was: from here on the outcome is open
	ended  bool
}

// lastID numbers requests. One counter for all links: never twice on any.
var lastID atomic.Uint64

// finish completes the call. Only who removed it from the books may.
func (c *call) finish(body []byte, err error) {
	if c.stop != nil {
		c.stop()
	}
	c.done(body, err)
}

// lost is the error of a call whose connection died.
func (c *call) lost(to protocol.NodeID, why error) error {
	if !c.handed {
		return notSent("the link to node %d was lost first: %w", to, why)
	}
	return fmt.Errorf("node %d: %w: %w", to, ErrLinkLost, why)
}

// withdraw takes the call back because its context ended. False: it was answered
// first.
func (c *call) withdraw(why error) (error, bool) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if c.w.removeLocked(c.id) == nil {
		return nil, false
	}
	if c.begun {
		c.w.pushLocked(outgoing{header: header{typ: frameCancel, id: c.id}})
	}
	to := c.w.peer.id
	if !c.handed {
		return notSent("request to node %d: %w", to, why), true
	}
	return fmt.Errorf("request to node %d: %w", to, why), true
}

// start puts a request on the wire's books and into its queue. An error proves
// that nothing was sent, and done is not called then.
func (w *wire) start(h header, payload []byte, done func([]byte, error)) (*call, error) {
	c := &call{w: w, id: lastID.Add(1), done: done}
	window := w.p.cfg.Window
	c.charge = min(len(payload)+messageCharge, window/4)
	c.large = len(payload) > chunkSize
	h.typ, h.id = frameRequest, c.id
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return nil, notSent("the link to node %d is down: %w", w.peer.id, w.deadErr)
	}
	if w.inflight+c.charge > window || c.large && w.largeInflight+c.charge > window/2 {
		return nil, notSent("link to node %d is full", w.peer.id)
	}
	w.calls[c.id] = c
	w.chargeLocked(c, c.charge)
	w.pushLocked(outgoing{header: h, body: payload, call: c})
	return c, nil
}

// Request sends payload to the handler of k at node to and waits for its reply.
// The payload must not be changed before it returns; the reply belongs to the
// caller. See the package comment for what its errors prove.
func (p *Post) Request(ctx context.Context, to protocol.NodeID, k Kind, payload []byte) ([]byte, error) {
	wt := waiters.Get().(*waiter)
	c, err := p.begin(ctx, to, header{kind: k}, payload, wt.done)
	if err != nil {
		waiters.Put(wt)
		return nil, err
	}
	select {
	case r := <-wt.ch:
		waiters.Put(wt)
		return r.body, r.err
	case <-ctx.Done():
	}
	if err, ok := c.withdraw(context.Cause(ctx)); ok {
		waiters.Put(wt)
		return nil, err
	}
	r := <-wt.ch // somebody is completing it
	waiters.Put(wt)
	return r.body, r.err
}

// waiter is where a Request waits. It is used again only when its result was
// received or can no longer come.
type waiter struct {
	ch   chan result
	done func([]byte, error)
}

type result struct {
	body []byte
	err  error
}

var waiters = sync.Pool{New: func() any {
	w := &waiter{ch: make(chan result, 1)}
	w.done = func(b []byte, err error) { w.ch <- result{b, err} }
	return w
}}

// Go is Request without a goroutine that waits: done is called exactly once, with
// the reply or the error. It runs on the goroutine that reads the link, or before
// Go returns when nothing could be sent: it must not block. The payload must not be
// changed before.
func (p *Post) Go(ctx context.Context, to protocol.NodeID, k Kind, payload []byte, done func([]byte, error)) {
	p.goHeader(ctx, to, header{kind: k}, payload, done)
}

func (p *Post) goHeader(ctx context.Context, to protocol.NodeID, h header, payload []byte, done func([]byte, error)) {
	c, err := p.begin(ctx, to, h, payload, done)
	if err != nil {
		done(nil, err)
		return
	}
	c.watch(ctx)
}

// ticket is a request under way that can be taken back.
type ticket interface {
	withdraw(why error) (error, bool)
	watch(ctx context.Context)
}

// watch withdraws the call when ctx ends.
func (c *call) watch(ctx context.Context) {
	if ctx.Done() == nil {
		return
	}
	stop := context.AfterFunc(ctx, func() {
		if err, ok := c.withdraw(context.Cause(ctx)); ok {
			c.done(nil, err)
		}
	})
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if c.ended {
		stop()
		return
	}
	c.stop = stop
}

// Notify sends a notice: one-way, at most once, without word of its fate. An
// error proves that it was not sent. It counts against the window until the
// peer's handler has returned.
func (p *Post) Notify(to protocol.NodeID, k Kind, payload []byte) error {
	_, err := p.begin(context.Background(), to, header{kind: k, flags: flagNotice}, payload, func([]byte, error) {})
	return err
}

// begin chooses the path: the node itself, the direct link, or a relay. An error
// is always ErrNotSent, and done is not called then.
func (p *Post) begin(ctx context.Context, to protocol.NodeID, h header, payload []byte, done func([]byte, error)) (ticket, error) {
	if err := ctx.Err(); err != nil {
		return nil, notSent("request to node %d: %w", to, context.Cause(ctx))
	}
	if len(payload) > MaxMessage {
		return nil, notSent("message of %d bytes, the most is %d", len(payload), MaxMessage)
	}
	if to == p.cfg.NodeID {
		return p.startLocal(ctx, h, payload, done)
	}
	w, relay := p.path(to)
	if w == nil {
		return nil, p.noPath(to)
	}
	if relay {
		h.flags |= flagRelay
		h.node = to
	}
	return startTicket(w, h, payload, done)
}

func startTicket(w *wire, h header, payload []byte, done func([]byte, error)) (ticket, error) {
	c, err := w.start(h, payload, done)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (p *Post) noPath(to protocol.NodeID) error {
	pr := p.peer(to)
	if pr == nil {
		return notSent("node %d is unknown", to)
	}
	return notSent("no path to node %d: %s", to, pr.lastError())
}
