package remote

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grevy-io/grevy/internal/certs"
	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/protocol"
)

// peer is another node as this one sees it.
type peer struct {
	p    *Post
	id   protocol.NodeID
	out  atomic.Pointer[wire] // the connection we dialled, while it is up
	poke chan struct{}        // one token: dial now

	mu      sync.Mutex
	addr    string // empty: not dialled
	dialing bool   // the goroutine runs
	in      *wire  // the connection it dialled
	words   map[protocol.NodeID]word
	since   time.Time // of the present state of out
	why     error     // of the last failure
	told    state     // what watchers were told last
}

// word is what a peer says of its link to a third node.
type word struct {
	up  bool
	rtt time.Duration
}

func (p *Post) newPeer(id protocol.NodeID) *peer {
	return &peer{p: p, id: id, poke: make(chan struct{}, 1), since: time.Now()}
}

// setAddr takes a new address, under Post.mu, and starts the dialling goroutine
// the first time there is one.
func (pr *peer) setAddr(addr string) {
	pr.mu.Lock()
	changed := pr.addr != addr
	pr.addr = addr
	begin := addr != "" && !pr.dialing
	pr.dialing = pr.dialing || begin
	pr.mu.Unlock()
	if begin {
		pr.p.spawn(pr.dial)
	}
	if !changed {
		return
	}
	pr.nudge()
	if w := pr.out.Load(); addr == "" && w != nil {
		// Not under Post.mu: what fails now may call back.
		pr.p.spawn(func() { w.kill(errors.New("the node is no peer any more")) })
	}
}

func (pr *peer) nudge() {
	select {
	case pr.poke <- struct{}{}:
	default:
	}
}

func (pr *peer) lastError() string {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	switch {
	case pr.why != nil:
		return pr.why.Error()
	case pr.addr == "":
		return "its address is not known"
	default:
		return "not connected yet"
	}
}

// saysOf returns what the peer last said of its link to a node.
func (pr *peer) saysOf(id protocol.NodeID) (word, bool) {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	w, ok := pr.words[id]
	return w, ok
}

// dial keeps the outgoing connection, until the post closes.
func (pr *peer) dial() {
	back := time.Duration(0)
	for pr.p.ctx.Err() == nil {
		pr.mu.Lock()
		addr := pr.addr
		pr.mu.Unlock()
		start := time.Now()
		lasted := time.Duration(0)
		if addr != "" {
			lasted = pr.once(addr)
		}
		if lasted > backoffMax {
			back = 0
		}
		back = min(max(2*back, backoffMin), backoffMax)
		// Counted from the start of the attempt: a dial that hung has waited already.
		pause := time.Until(start.Add(lasted + jitter(back)))
		if addr == "" {
			pause = time.Hour
		}
		if !pr.rest(pause) {
			return
		}
	}
}

// rest waits for the pause, less if poked; false when the post closes.
func (pr *peer) rest(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-pr.poke:
		return true
	case <-pr.p.ctx.Done():
		return false
	}
}

// jitter keeps nodes that lost each other at the same moment from meeting again
// and again.
func jitter(d time.Duration) time.Duration {
	return d*4/5 + rand.N(d*2/5+1)
}

// once dials and carries the connection to its end. It returns how long it was up.
func (pr *peer) once(addr string) time.Duration {
	w, err := pr.connect(addr)
	if err != nil {
		pr.failed(err)
		return 0
	}
	start := time.Now()
	pr.up(w)
	err = w.run()
	pr.down(err)
	return time.Since(start)
}

func (pr *peer) connect(addr string) (*wire, error) {
	ctx, cancel := context.WithTimeout(pr.p.ctx, dialTimeout)
	defer cancel()
	c, err := pr.p.cfg.Faults.Dial(ctx, linkfault.ProtoRemote, "tcp", addr, pr.id, pr.p.cfg.Secure.Dial)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(pr.p.ctx, func() { c.Close() })
	defer stop()
	inc, err := pr.p.greet(c, pr.id)
	if err != nil {
		c.Close()
		return nil, err
	}
	return newWire(pr.p, c, pr, inc, true), nil
}

// failed notes why a dial did not lead to a link. Only the news is logged.
func (pr *peer) failed(err error) {
	pr.mu.Lock()
	pr.why = err
	addr := pr.addr
	pr.mu.Unlock()
	var refused *refusedError
	if errors.As(err, &refused) || certs.Refused(err) {
		pr.p.sayOnce(err.Error(), "link refused", "peer", pr.id, "addr", addr, "err", err)
		return
	}
	pr.p.cfg.Logger.Debug("dial failed", "peer", pr.id, "addr", addr, "err", err)
}

func (pr *peer) up(w *wire) {
	pr.mu.Lock()
	pr.out.Store(w)
	pr.since = time.Now()
	pr.why = nil
	in := pr.in
	pr.mu.Unlock()
	if in != nil && in.incarnation != w.incarnation {
		in.kill(errRestarted)
	}
	pr.p.cfg.Logger.Info("link up", "peer", pr.id, "addr", w.c.RemoteAddr())
	pr.p.linksChanged()
	pr.p.kickBeat()
}

// lost takes note that the connection has ended, if it is the outgoing one.
func (pr *peer) lost(w *wire, why error) {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	if pr.out.CompareAndSwap(w, nil) {
		pr.since = time.Now()
		pr.why = why
	}
}

// down tells the world that the outgoing connection has ended.
func (pr *peer) down(err error) {
	if pr.p.ctx.Err() == nil {
		pr.p.cfg.Logger.Warn("link down", "peer", pr.id, "err", err)
	}
	pr.p.linksChanged()
	pr.p.kickBeat()
}

// errRestarted ends connections to a process that was replaced by a new one.
var errRestarted = errors.New("the peer's process was restarted")

// adopt takes the connection the peer dialled. It replaces an older one: a node
// keeps one. News of the peer: its own end is dialled at once.
func (pr *peer) adopt(w *wire) {
	pr.mu.Lock()
	old := pr.in
	pr.in = w
	pr.mu.Unlock()
	if old != nil {
		old.kill(errors.New("the peer has dialled again"))
	}
	if out := pr.out.Load(); out == nil {
		pr.nudge()
	} else if out.incarnation != w.incarnation {
		out.kill(errRestarted)
		pr.nudge()
	}
}

// release forgets an accepted connection that has ended.
func (pr *peer) release(w *wire) {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	if pr.in == w {
		pr.in = nil
	}
}
