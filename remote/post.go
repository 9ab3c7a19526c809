package remote

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grevy-io/grevy/internal/door"
	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/protocol"
)

// Kind says what a message is, and so who serves it. The callers agree on the
// values.
type Kind uint8

// Handler serves one kind. It runs on a goroutine of its own, so that it may
// block. It answers by calling reply, at most once, before or after it returns;
// later calls do nothing. For a notice, reply does nothing and the return is the
// acknowledgement. ctx ends when the requester has lost interest or its link is
// gone, and after both reply and return. The payload is the handler's; what it
// gives to reply belongs to the post.
type Handler func(ctx context.Context, from protocol.NodeID, payload []byte, reply func(payload []byte))

// Post is one node's end of the post. Its methods may be called from anywhere.
type Post struct {
	cfg         Config
	incarnation uint64 // of this process, random
	start       time.Time
	door        *door.Port
	ctx         context.Context
	cancel      context.CancelFunc
	wg          sync.WaitGroup
	handlers    [256]atomic.Pointer[Handler]
	localBusy   atomic.Int64
	news        *news
	beatNow     chan struct{}

	peers atomic.Pointer[map[protocol.NodeID]*peer] // replaced, never changed; under mu

	mu      sync.Mutex
	cluster [16]byte
	wires   map[*wire]struct{}
	closed  bool
	said    map[string]bool // refusals logged already
}

// Open starts to listen and serve. Peers are dialled after SetPeers.
func Open(cfg Config) (*Post, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	var inc [8]byte
	rand.Read(inc[:]) // never fails
	p := &Post{
		cfg: cfg, incarnation: binary.BigEndian.Uint64(inc[:]), start: time.Now(),
		door:  door.New(linkfault.ProtoRemote, cfg.Secure, cfg.Logger),
		wires: map[*wire]struct{}{}, said: map[string]bool{}, beatNow: make(chan struct{}, 1),
	}
	p.peers.Store(&map[protocol.NodeID]*peer{})
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.news = newNews()
	p.spawn(p.accept)
	p.spawn(p.beat)
	p.spawn(p.news.deliver)
	return p, nil
}

// spawn runs f on a goroutine that Close waits for.
func (p *Post) spawn(f func()) {
	p.wg.Add(1)
	go func() {
		defer p.wg.Done()
		f()
	}()
}

// Close ends all links. Outstanding requests fail. It waits for the post's own
// goroutines and not for handlers, whose contexts have ended.
func (p *Post) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	open := make([]*wire, 0, len(p.wires))
	for w := range p.wires {
		open = append(open, w)
	}
	p.mu.Unlock()
	p.cancel()
	err := p.cfg.Listener.Close()
	for _, w := range open {
		w.kill(ErrClosed)
	}
	p.news.close()
	p.wg.Wait()
	if err != nil {
		return fmt.Errorf("close post: %w", err)
	}
	return nil
}

// Addr is the address the post listens on, host:port.
func (p *Post) Addr() string { return p.cfg.Listener.Addr().String() }

// Handle makes h the one who serves k, now and for all links; nil takes the kind
// away.
func (p *Post) Handle(k Kind, h Handler) {
	if h == nil {
		p.handlers[k].Store(nil)
		return
	}
	p.handlers[k].Store(&h)
}

// SetCluster tells the cluster id when it becomes known. Links to nodes of
// another cluster are refused from then on.
func (p *Post) SetCluster(id [16]byte) {
	p.mu.Lock()
	p.cluster = id
	p.mu.Unlock()
	p.kickBeat()
}

func (p *Post) clusterID() [16]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cluster
}

// SetPeers gives the current addresses of the other nodes, host:port; the own id
// is ignored. Every peer gets one outgoing connection that is dialled again when
// it is lost. A new address is used by the next dial: a link that works is not
// broken for it. A peer that is left out is no longer dialled and its outgoing
// connection is closed.
func (p *Post) SetPeers(addrs map[protocol.NodeID]string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	next := maps.Clone(*p.peers.Load())
	for id, pr := range next {
		if _, ok := addrs[id]; !ok {
			pr.setAddr("")
		}
	}
	for id, addr := range addrs {
		if id == p.cfg.NodeID {
			continue
		}
		pr := next[id]
		if pr == nil {
			pr = p.newPeer(id)
			next[id] = pr
		}
		pr.setAddr(addr)
	}
	p.peers.Store(&next)
}

// NudgePeer makes a lost link be dialled at once instead of after its back-off:
// the caller has news of the peer.
func (p *Post) NudgePeer(id protocol.NodeID) {
	if pr := p.peer(id); pr != nil {
		pr.nudge()
	}
}

func (p *Post) peer(id protocol.NodeID) *peer { return (*p.peers.Load())[id] }

// maxPeers is more than a cluster can have nodes. Without TLS anybody can say
// that he is one.
const maxPeers = 2048

// ensurePeer returns the peer, and makes one without an address for a node that
// dialled us before we were told of it. Nil after Close, or if there are too many.
func (p *Post) ensurePeer(id protocol.NodeID) *peer {
	if pr := p.peer(id); pr != nil {
		return pr
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if pr := p.peer(id); pr != nil || p.closed || len(*p.peers.Load()) >= maxPeers {
		return pr
	}
	next := maps.Clone(*p.peers.Load())
	pr := p.newPeer(id)
	next[id] = pr
	p.peers.Store(&next)
	return pr
}

// addWire takes a connection into the care of Close and the heartbeat.
func (p *Post) addWire(w *wire) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	p.wires[w] = struct{}{}
	return nil
}

func (p *Post) dropWire(w *wire) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.wires, w)
}

// now is the time since the post opened: monotonic, and small on the wire.
func (p *Post) now() time.Duration { return time.Since(p.start) }

// sayOnce logs a refusal the first time it happens.
func (p *Post) sayOnce(key, msg string, args ...any) {
	p.mu.Lock()
	said := p.said[key]
	if len(p.said) < 1024 {
		p.said[key] = true
	}
	p.mu.Unlock()
	if !said {
		p.cfg.Logger.Warn(msg, args...)
	}
}
