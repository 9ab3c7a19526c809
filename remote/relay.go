package remote

import (
	"errors"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// path chooses the way to a node: its direct link if that is up, else a node that
// reaches it. Nil: there is none.
func (p *Post) path(to protocol.NodeID) (w *wire, relay bool) {
	if pr := p.peer(to); pr != nil {
		if w := pr.out.Load(); w != nil {
			return w, false
		}
	}
	if pr := p.relayTo(to); pr != nil {
		if w := pr.out.Load(); w != nil {
			return w, true
		}
	}
	return nil, false
}

// relayTo finds the peer over which the node to is nearest, among those whose
// link is up and who say that theirs to it is up.
func (p *Post) relayTo(to protocol.NodeID) *peer {
	var best *peer
	var bestRTT time.Duration
	for id, pr := range *p.peers.Load() {
		w := pr.out.Load()
		if id == to || w == nil {
			continue
		}
		word, ok := pr.saysOf(to)
		if !ok || !word.up {
			continue
		}
		rtt := w.pulse.rttNow() + word.rtt
		if best == nil || rtt < bestRTT || rtt == bestRTT && id < best.id {
			best, bestRTT = pr, rtt
		}
	}
	return best
}

// relay sends a request on to its target, over the direct link or not at all: a
// request is never relayed twice. What the target answers goes back as it is.
func (w *wire) relay(s *serving, m message) {
	defer s.part() // nothing runs here beyond the answer
	if m.flags&flagRelayed != 0 {
		s.fail(codeNotDelivered, "a relayed message is not relayed again")
		return
	}
	var out *wire
	if pr := w.p.peer(m.node); pr != nil {
		out = pr.out.Load()
	}
	if out == nil {
		s.fail(codeNotDelivered, w.p.noDirect(m.node).Error())
		return
	}
	h := header{kind: m.kind, flags: m.flags&flagNotice | flagRelayed, node: w.peer.id}
	c, err := out.start(h, m.body, func(body []byte, err error) { s.forward(body, err) })
	if err != nil {
		s.fail(codeNotDelivered, err.Error())
		return
	}
	c.watch(s.ctx)
}

// forward passes the target's answer on, or what is known of its fate.
func (s *serving) forward(body []byte, err error) {
	switch {
	case err == nil:
		s.reply(body)
	case errors.Is(err, ErrNotSent):
		s.fail(codeNotDelivered, err.Error())
	case errors.Is(err, ErrHandlerFailed):
		s.fail(codeHandlerFailed, err.Error())
	default:
		s.fail(codeLostBeyond, err.Error())
	}
}

func (p *Post) noDirect(to protocol.NodeID) error {
	if pr := p.peer(to); pr != nil {
		return notSent("node %d has no link to node %d: %s", p.cfg.NodeID, to, pr.lastError())
	}
	return notSent("node %d does not know node %d", p.cfg.NodeID, to)
}
