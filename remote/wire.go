package remote

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// wire is one connection to a peer, after the hello. The dialler's requests go
// out on it and their replies come back; the peer's own requests have a
// connection of their own.
type wire struct {
	p           *Post
	c           net.Conn
	peer        *peer
	incarnation uint64 // of the peer's process
	dialled     bool
	ctx         context.Context // ends with the connection
	cancel      context.CancelFunc
	wake        chan struct{} // one token: the queue may have something

	heard atomic.Int64 // p.now() of the last bytes from the peer
	pulse pulse

	mu         sync.Mutex
	queue      sendQueue
	idle       bool // the writer waits for wake
	dead       bool
	deadErr    error
	calls      map[uint64]*call    // dialled: requests without answer
	serving    map[uint64]*serving // accepted: handlers at work
	replyBytes int                 // bytes of replies in queue

	inflight, largeInflight int // bytes of calls, as charged: all, and those of large ones
}

func newWire(p *Post, c net.Conn, pr *peer, incarnation uint64, dialled bool) *wire {
	w := &wire{
		p: p, peer: pr, incarnation: incarnation, dialled: dialled,
		wake: make(chan struct{}, 1), calls: map[uint64]*call{}, serving: map[uint64]*serving{},
	}
	w.c = hearing{c, w}
	w.ctx, w.cancel = context.WithCancel(p.ctx)
	w.heard.Store(int64(p.now()))
	w.pulse.init()
	return w
}

// hearing notes when bytes arrive, also in the middle of a large chunk.
type hearing struct {
	net.Conn
	w *wire
}

func (h hearing) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	if n > 0 {
		h.w.heard.Store(int64(h.w.p.now()))
	}
	return n, err
}

// run carries frames until the connection dies, and returns why.
func (w *wire) run() error {
	if err := w.p.addWire(w); err != nil {
		w.kill(err)
		return err
	}
	defer w.p.dropWire(w)
	var writer sync.WaitGroup
	writer.Add(1)
	go func() {
		defer writer.Done()
		w.write()
	}()
	err := w.read()
	w.kill(err)
	writer.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.deadErr
}

// kill ends the connection; the first reason counts. Every request without answer
// fails: one that was not yet handed to the socket is proven not sent.
func (w *wire) kill(why error) {
	w.mu.Lock()
	if w.dead {
		w.mu.Unlock()
		return
	}
	w.dead, w.deadErr = true, why
	calls := w.calls
	for _, c := range calls {
		c.ended = true
	}
	w.calls = nil
	w.serving = nil
	w.queue = sendQueue{}
	w.mu.Unlock()
	w.peer.lost(w, why) // from here on other paths are taken
	w.cancel()
	if err := w.c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		w.p.cfg.Logger.Debug("close connection", "peer", w.peer.id, "err", err)
	}
	for _, c := range calls {
		c.finish(nil, c.lost(w.peer.id, why))
	}
}

// send queues what no window bounds: heartbeats, cancels, failures.
func (w *wire) send(h header, body []byte) {
	w.mu.Lock()
	w.pushLocked(outgoing{header: h, body: body})
	w.mu.Unlock()
}

// pushLocked queues o and wakes the writer if it sleeps.
func (w *wire) pushLocked(o outgoing) {
	if w.dead {
		return
	}
	w.queue.push(o)
	if w.idle {
		w.idle = false
		w.wake <- struct{}{} // never blocks: idle was set, so the token is taken
	}
}

// write empties the queue into the socket, many frames at a time.
func (w *wire) write() {
	var batch []outgoing
	buf := make([]byte, 0, batchBytes+chunkSize+4096)
	for {
		batch = w.takeBatch(batch[:0])
		if len(batch) == 0 {
			select {
			case <-w.wake:
				// Let the others who are about to send do so first: one write then
				// carries them all. Halves the CPU per request at 8 callers and more.
				runtime.Gosched()
				continue
			case <-w.ctx.Done():
				return
			}
		}
		buf = buf[:0]
		for i := range batch {
			buf = append(batch[i].header.append(buf), batch[i].body...)
		}
		clear(batch)
		if _, err := w.c.Write(buf); err != nil {
			w.kill(fmt.Errorf("write: %w", err))
			return
		}
	}
}

func (w *wire) takeBatch(dst []outgoing) []outgoing {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		w.idle = false
		return nil
	}
	dst, _ = w.queue.take(dst)
	for i := range dst {
		if dst[i].typ == frameReply {
			w.replyBytes -= len(dst[i].body)
		}
	}
	w.idle = len(dst) == 0
	return dst
}

// read takes frames until the connection ends.
func (w *wire) read() error {
	in := newReassembler(bufio.NewReaderSize(w.c, 64<<10))
	for {
		m, err := in.next()
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if err := w.take(m); err != nil {
			return err
		}
	}
}

// take acts on one message. It must not block.
func (w *wire) take(m message) error {
	switch {
	case m.typ == frameHeartbeat:
		return w.takeBeat(m.body)
	case m.typ == frameRequest && !w.dialled:
		return w.serve(m)
	case m.typ == frameCancel && !w.dialled:
		w.cancelServing(m.id)
	case m.typ == frameReply && w.dialled:
		w.answer(m.id, m.body, nil)
	case m.typ == frameFailure && w.dialled:
		w.answer(m.id, nil, failure(m.code, string(m.body)))
	}
	return nil // a type from a newer node, or one that has no place here
}

// answer completes the request id, unless it was withdrawn.
func (w *wire) answer(id uint64, body []byte, err error) {
	w.mu.Lock()
	c := w.removeLocked(id)
	w.mu.Unlock()
	if c != nil {
		c.finish(body, err)
	}
}

// removeLocked takes a call off the books. Whoever gets it completes it.
func (w *wire) removeLocked(id uint64) *call {
	c := w.calls[id]
	if c == nil {
		return nil
	}
	delete(w.calls, id)
	c.ended = true
	w.chargeLocked(c, -c.charge)
	return c
}

func (w *wire) chargeLocked(c *call, bytes int) {
	w.inflight += bytes
	if c.large {
		w.largeInflight += bytes
	}
}

// silentFor tells for how long nothing was heard from the peer.
func (w *wire) silentFor() time.Duration {
	return w.p.now() - time.Duration(w.heard.Load())
}
