package remote

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/grevy-io/grevy/protocol"
)

// serving is a request from a peer that is being worked on.
type serving struct {
	w      *wire
	id     uint64
	kind   Kind
	notice bool
	ctx    context.Context
	cancel context.CancelFunc

	replied atomic.Bool
	left    atomic.Int32 // of two: the reply and the return of the handler
}

// serve gives a request to its handler, or on to another node. It returns an
// error if no node of ours would send such a request.
func (w *wire) serve(m message) error {
	s := &serving{w: w, id: m.id, kind: m.kind, notice: m.flags&flagNotice != 0}
	s.left.Store(2)
	relay := m.flags&flagRelay != 0 && m.node != w.p.cfg.NodeID
	h := w.p.handlers[m.kind].Load()
	if h == nil && !relay {
		s.fail(codeNoHandler, fmt.Sprintf("node %d does not know messages of kind %d", w.p.cfg.NodeID, m.kind))
		return nil
	}
	if ok, err := w.enter(s); !ok {
		return err
	}
	if relay {
		w.relay(s, m)
		return nil
	}
	from := w.peer.id
	if m.flags&flagRelayed != 0 {
		from = m.node
	}
	go s.run(*h, from, m.body)
	return nil
}

// enter notes s as being worked on, if there is room.
func (w *wire) enter(s *serving) (bool, error) {
	s.ctx, s.cancel = context.WithCancel(w.ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.dead:
	case w.serving[s.id] != nil:
		s.cancel()
		return false, fmt.Errorf("%w: request %d came twice", errBroken, s.id)
	case len(w.serving) >= w.p.cfg.MaxHandlers:
		w.pushLocked(failureFrame(s.id, codeBusy, fmt.Sprintf("node %d has %d handlers at work", w.p.cfg.NodeID, len(w.serving))))
	default:
		w.serving[s.id] = s
		return true, nil
	}
	s.cancel()
	return false, nil
}

// run is the goroutine of a handler.
func (s *serving) run(h Handler, from protocol.NodeID, payload []byte) {
	defer s.part()
	defer func() {
		if r := recover(); r != nil {
			s.w.p.panicked(s.kind, from, r)
			s.fail(codeHandlerFailed, fmt.Sprintf("the handler of kind %d panicked at node %d", s.kind, s.w.p.cfg.NodeID))
		}
	}()
	reply := s.reply
	if s.notice {
		reply = func([]byte) {}
	}
	h(s.ctx, from, payload, reply)
	if s.notice {
		s.reply(nil)
	}
}

func (p *Post) panicked(k Kind, from protocol.NodeID, r any) {
	p.cfg.Logger.Error("a handler of the post panicked", "kind", k, "from", from, "panic", r, "stack", string(debug.Stack()))
}

// reply answers the request, the first time it is called.
func (s *serving) reply(body []byte) {
	if len(body) > MaxMessage {
		s.fail(codeReplyLost, fmt.Sprintf("the reply has %d bytes, the most is %d", len(body), MaxMessage))
		return
	}
	if s.replied.Swap(true) {
		return
	}
	w := s.w
	w.mu.Lock()
	if w.replyBytes > 0 && w.replyBytes+len(body) > maxReplyBytes {
		w.pushLocked(failureFrame(s.id, codeReplyLost, fmt.Sprintf("%d bytes of replies wait for this link", w.replyBytes)))
	} else {
		w.replyBytes += len(body)
		w.pushLocked(outgoing{header: header{typ: frameReply, kind: s.kind, id: s.id}, body: body})
	}
	w.mu.Unlock()
	s.part()
}

// fail answers the request with a failure, if it has no answer yet.
func (s *serving) fail(c code, text string) {
	if s.replied.Swap(true) {
		return
	}
	s.w.mu.Lock()
	s.w.pushLocked(failureFrame(s.id, c, text))
	s.w.mu.Unlock()
	s.part()
}

func failureFrame(id uint64, c code, text string) outgoing {
	const most = 4096
	return outgoing{header: header{typ: frameFailure, code: c, id: id}, body: []byte(text[:min(len(text), most)])}
}

// part is called when the reply is given and when the handler has returned; the
// second of the two takes the request off the books.
func (s *serving) part() {
	if s.left.Add(-1) != 0 {
		return
	}
	s.w.mu.Lock()
	if s.w.serving[s.id] == s {
		delete(s.w.serving, s.id)
	}
	s.w.mu.Unlock()
	s.cancel()
}

// cancelServing ends the context of a request whose sender lost interest.
func (w *wire) cancelServing(id uint64) {
	w.mu.Lock()
	s := w.serving[id]
	w.mu.Unlock()
	if s != nil {
		s.cancel()
	}
}
