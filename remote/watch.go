package remote

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// Link is the state of the way to one peer.
type Link struct {
	Peer          protocol.NodeID
	Up            bool            // the direct link works in both directions
	Since         time.Time       // when Up became what it is
	RTT           time.Duration   // of the direct link, smoothed; 0 if not measured
	LastError     string          // why the link was lost or could not be opened; empty while it is up
	InFlightBytes int             // of requests without answer, as charged to the window
	Relay         protocol.NodeID // through whom requests go while Up is false; NoNode if they do not
}

// LinkEvent is news of one peer.
type LinkEvent struct {
	Peer      protocol.NodeID
	Up        bool // the direct link
	Reachable bool // directly or by one hop
}

type state struct{ up, reachable bool }

// Links tells the state of the ways to all peers, by node id.
func (p *Post) Links() []Link {
	var ls []Link
	for _, pr := range *p.peers.Load() {
		ls = append(ls, pr.link())
	}
	slices.SortFunc(ls, func(a, b Link) int { return cmp.Compare(a.Peer, b.Peer) })
	return ls
}

func (pr *peer) link() Link {
	w := pr.out.Load()
	pr.mu.Lock()
	l := Link{Peer: pr.id, Up: w != nil, Since: pr.since, Relay: protocol.NoNode}
	if w == nil && pr.why != nil {
		l.LastError = pr.why.Error()
	}
	pr.mu.Unlock()
	if w == nil {
		if r := pr.p.relayTo(pr.id); r != nil {
			l.Relay = r.id
		}
		return l
	}
	l.RTT = w.pulse.rttNow()
	w.mu.Lock()
	l.InFlightBytes = w.inflight
	w.mu.Unlock()
	return l
}

// Reachable tells whether a request to the node would find a path now, directly
// or by one hop. A node reaches itself.
func (p *Post) Reachable(to protocol.NodeID) bool {
	if to == p.cfg.NodeID {
		return true
	}
	w, _ := p.path(to)
	return w != nil
}

// Watch calls f for every change of a link, in order, from one goroutine: f must
// not block it for long. It stops after cancel, which does not wait for a call
// that is under way.
func (p *Post) Watch(f func(LinkEvent)) (cancel func()) { return p.news.watch(f) }

// linksChanged compares every peer's state with what watchers were told last.
func (p *Post) linksChanged() {
	p.news.mu.Lock()
	defer p.news.mu.Unlock()
	for id, pr := range *p.peers.Load() {
		now := state{up: pr.out.Load() != nil, reachable: p.Reachable(id)}
		pr.mu.Lock()
		changed := pr.told != now
		pr.told = now
		pr.mu.Unlock()
		if changed {
			p.news.addLocked(LinkEvent{Peer: id, Up: now.up, Reachable: now.reachable})
		}
	}
}

// news carries link events to the watchers on a goroutine of its own.
type news struct {
	wake chan struct{} // one token: there are events

	mu       sync.Mutex
	watchers []*watcher
	events   []LinkEvent
	closed   bool
}

type watcher struct{ f func(LinkEvent) }

func newNews() *news { return &news{wake: make(chan struct{}, 1)} }

func (n *news) watch(f func(LinkEvent)) func() {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := &watcher{f}
	n.watchers = append(n.watchers, w)
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.watchers = slices.DeleteFunc(n.watchers, func(o *watcher) bool { return o == w })
	}
}

func (n *news) addLocked(e LinkEvent) {
	if n.closed {
		return
	}
	n.events = append(n.events, e)
	n.poke()
}

func (n *news) poke() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// close makes deliver end after the events it has.
func (n *news) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	n.poke()
}

func (n *news) deliver() {
	for range n.wake {
		n.mu.Lock()
		events, closed := n.events, n.closed
		n.events = nil
		ws := slices.Clone(n.watchers)
		n.mu.Unlock()
		for _, e := range events {
			for _, w := range ws {
				w.f(e)
			}
		}
		if closed {
			return
		}
	}
}
