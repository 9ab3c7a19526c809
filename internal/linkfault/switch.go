package linkfault

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// Switch holds the rules in force on one node and the connections they act on.
// A nil *Switch is the normal case: no rules, no cost.
//
// Drop and reset act at both ends of a connection, what only holds bytes up at the
// sender's end, so that it is not paid twice.
type Switch struct {
	self protocol.NodeID
	tab  atomic.Pointer[table]

	mu    sync.Mutex
	conns map[*conn]struct{}

	stop     chan struct{}
	stopOnce sync.Once
	polling  sync.WaitGroup
}

// New returns a switch without rules for the node self.
func New(self protocol.NodeID) *Switch {
	s := &Switch{self: self, conns: map[*conn]struct{}{}, stop: make(chan struct{})}
	s.tab.Store(&table{replaced: make(chan struct{})})
	return s
}

// FromEnv returns a switch that follows the file named in GREVY_FAULTS, or nil
// when the variable is not set. The file need not exist yet. Rules that cannot be
// parsed are an error here; later they are logged and the former ones stay.
func FromEnv(self protocol.NodeID, log *slog.Logger) (*Switch, error) {
	path, ok := envFile()
	if !ok {
		return nil, nil
	}
	s := New(self)
	f := &follower{s: s, path: path, log: log}
	if err := f.load(); err != nil {
		return nil, err
	}
	log.Warn("fault switch installed", "file", path, "node", self)
	s.polling.Add(1)
	go f.follow()
	return s, nil
}

// SetRules replaces all rules, and acts on the connections that are open. The
// text is that of the file, one rule a line. A and B are node ids, the direction
// is from A to B, and with the name of a port behind it (post, raft, gossip) a
// rule is for that alone:
//
//	drop A B          nothing arrives
//	reset A B         connections are reset, and none can be made
//	delay A B 100ms   everything arrives so much later
//	loss A B 10%      so many packets are lost: a connection's are sent again, later
//	slow A B 65536    so many bytes arrive in a second
//	clock A -1h       the clock of A goes so far ahead, or back
func (s *Switch) SetRules(text string) error {
	if s == nil {
		return fmt.Errorf("set fault rules: no switch installed")
	}
	t, err := newTable(text)
	if err != nil {
		return err
	}
	old := s.tab.Swap(t)
	close(old.replaced)
	s.mu.Lock()
	open := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		open = append(open, c)
	}
	s.mu.Unlock()
	for _, c := range open {
		c.rulesChanged()
	}
	return nil
}

// Close ends the following of the file. Rules and wrapped connections stay.
func (s *Switch) Close() {
	if s == nil {
		return
	}
	s.stopOnce.Do(func() { close(s.stop) })
	s.polling.Wait()
}

// Dial opens a connection to the node to with dial, under the rules for the two
// directions between here and there. Under drop it hangs until the rule or ctx
// ends, as a lost SYN would; under reset it is refused.
func (s *Switch) Dial(ctx context.Context, proto byte, network, addr string, to protocol.NodeID,
	dial func(ctx context.Context, network, addr string) (net.Conn, error)) (net.Conn, error) {
	if s == nil {
		return dial(ctx, network, addr)
	}
	if err := s.beforeDial(ctx, to, proto); err != nil {
		return nil, fmt.Errorf("dial %s: %w", addr, err)
	}
	c, err := dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return s.Conn(c, to, proto), nil
}

// beforeDial waits as long as the rules keep the first packets from arriving.
func (s *Switch) beforeDial(ctx context.Context, to protocol.NodeID, proto byte) error {
	for {
		t := s.tab.Load()
		out, in := t.get(s.self, to, proto), t.get(to, s.self, proto)
		if out.reset || in.reset {
			return syscall.ECONNREFUSED
		}
		if !out.drop && !in.drop {
			return sleep(ctx, out.delay+in.delay)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.replaced:
		}
	}
}

// Conn wraps a connection whose peer and protocol are known: one that was dialled
// elsewhere, or accepted and told by its preamble.
func (s *Switch) Conn(c net.Conn, peer protocol.NodeID, proto byte) net.Conn {
	if s == nil {
		return c
	}
	w := newConn(s, c, peer, proto)
	s.mu.Lock()
	s.conns[w] = struct{}{}
	s.mu.Unlock()
	w.rulesChanged()
	return w
}

// PacketOut tells what happens to a packet of gossip for peer: whether it may
// leave, and after what delay.
func (s *Switch) PacketOut(peer protocol.NodeID) (pass bool, delay time.Duration) {
	if s == nil {
		return true, 0
	}
	r := s.tab.Load().get(s.self, peer, ProtoGossip)
	return !r.drop && !(r.loss > 0 && rand.Float64() < r.loss), r.delay
}

// PacketIn tells whether a packet of gossip that came from peer may be seen.
func (s *Switch) PacketIn(peer protocol.NodeID) bool {
	return s == nil || !s.tab.Load().get(peer, s.self, ProtoGossip).drop
}

// Skew is how far the clock of this node goes ahead.
func (s *Switch) Skew() time.Duration {
	if s == nil {
		return 0
	}
	return s.tab.Load().skews[s.self]
}

func (s *Switch) forget(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

// sleep waits for d, or less if ctx ends first, which it reports.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
