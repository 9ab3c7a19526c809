package raftadapter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/internal/door"
	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/protocol"
)

// mux shares one listener between groups: a preamble opens every connection
// and names its group. Plain connections cost less than streams over one
// (measured), and keep heartbeats off the bulk.
type mux struct {
	listener net.Listener
	door     *door.Port
	faults   *linkfault.Switch
	log      *slog.Logger
	wg       sync.WaitGroup

	mu     sync.Mutex
	layers map[uint32]*layer
	closed bool
}

func newMux(c Config) *mux {
	m := &mux{listener: c.Listener, door: door.New(linkfault.ProtoRaft, c.Secure, c.Log), faults: c.Faults, log: c.Log, layers: map[uint32]*layer{}}
	m.wg.Go(m.accept)
	return m
}

func (m *mux) accept() {
	for {
		c, err := m.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of descriptors, for instance. It passes or it does not.
			m.log.Warn("accept raft connection", "err", err)
			time.Sleep(redial)
			continue
		}
		m.wg.Go(func() { m.route(c) })
	}
}

// preambleTimeout bounds how long a new connection may take to say what it is.
const preambleTimeout = 5 * time.Second

// route gives a connection to the group that it names.
func (m *mux) route(raw net.Conn) {
	g, err := m.door.Admit(raw, preambleTimeout)
	if err != nil {
		m.refused(raw, err)
		return
	}
	l, err := m.target(g)
	g.Leave()
	if err != nil {
		m.refused(raw, errors.Join(err, g.Close()))
		return
	}
	c := &hearing{Conn: m.faults.Conn(g.Conn, g.From, linkfault.ProtoRaft), ended: func() { l.tell(g.From) }}
	if !l.offer(c) {
		_ = c.Close()
	}
}

func (m *mux) refused(raw net.Conn, err error) {
	m.log.Debug("raft connection refused", "from", raw.RemoteAddr().String(), "err", err)
}

// target finds the group that a connection names, if it is for its server.
func (m *mux) target(g *door.Guest) (*layer, error) {
	m.mu.Lock()
	l := m.layers[g.Group]
	m.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("group %d is not here, or not yet", g.Group) // the peer tries again
	}
	if err := l.meant(g); err != nil {
		return nil, err
	}
	return l, g.SetDeadline(time.Time{})
}

// meant reads for which server a connection is. An address may be that of
// another server by now: of one that lost its disk or set its replica aside, or
// of another cluster. Raft itself does not ask, and would write its entries over that server's log, and
// take its vote for that of the one that is gone.
func (l *layer) meant(c io.Reader) error {
	var n [1]byte
	if _, err := io.ReadFull(c, n[:]); err != nil {
		return fmt.Errorf("read server id: %w", err)
	}
	id := make([]byte, n[0])
	if _, err := io.ReadFull(c, id); err != nil {
		return fmt.Errorf("read server id: %w", err)
	}
	if string(id) != l.serverID {
		return fmt.Errorf("it is for server %q", id)
	}
	return nil
}

// writeMeant says for which server a connection is.
func writeMeant(c net.Conn, serverID string) error {
	if len(serverID) > 255 {
		return fmt.Errorf("server id of %d bytes", len(serverID))
	}
	_, err := c.Write(append([]byte{byte(len(serverID))}, serverID...))
	return err
}

func (m *mux) Close() error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	err := m.listener.Close()
	m.door.Close()
	m.wg.Wait()
	return err
}

// layer is one group's share of the listener (raft.StreamLayer).
type layer struct {
	mux      *mux
	node     *Node
	group    protocol.PartitionID
	serverID string // a connection meant for another server is closed
	conns    chan net.Conn
	lost     chan protocol.NodeID // from whom a connection has ended
	life     context.Context      // until Close
	end      context.CancelFunc
	once     sync.Once
}

func (n *Node) newLayer(p protocol.PartitionID) *layer {
	l := &layer{mux: n.mux, node: n, group: p, serverID: n.ServerOf(p), conns: make(chan net.Conn), lost: make(chan protocol.NodeID, 8)}
	l.life, l.end = context.WithCancel(context.Background())
	n.mux.mu.Lock()
	n.mux.layers[uint32(p)] = l
	n.mux.mu.Unlock()
	return l
}

func (l *layer) offer(c net.Conn) bool {
	select {
	case l.conns <- c:
		return true
	case <-l.life.Done():
		return false
	}
}

// tell notes that a connection from a node has ended. A few notes are enough: they end
// together.
func (l *layer) tell(from protocol.NodeID) {
	select {
	case l.lost <- from:
	default:
	}
}

// Accept waits for the next connection of the group.
func (l *layer) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.life.Done():
		return nil, net.ErrClosed
	}
}

// Close stops Accept and Dial; the listener stays for the other groups.
func (l *layer) Close() error {
	l.once.Do(func() {
		l.end()
		l.mux.mu.Lock()
		if l.mux.layers[uint32(l.group)] == l {
			delete(l.mux.layers, uint32(l.group))
		}
		l.mux.mu.Unlock()
	})
	return nil
}

// Addr is the server id: raft addresses servers by it, and resolve finds where
// they are now.
func (l *layer) Addr() net.Addr { return serverAddr(l.serverID) }

type serverAddr string

func (serverAddr) Network() string  { return "grevy" }
func (a serverAddr) String() string { return string(a) }

// redial is the pause between two attempts of one Dial.
const redial = 50 * time.Millisecond

// Dial connects to a server. Its address is its id, resolved at every attempt,
// so that a node that moved is found again. It keeps trying until the timeout:
// raft doubles its pause with every failed Dial, up to ten seconds, and a node
// that comes back within it would be left alone for as long.
func (l *layer) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(l.life, timeout)
	defer cancel()
	id := string(address)
	for {
		c, err := l.try(ctx, id)
		if err == nil {
			return c, nil
		}
		select {
		case <-time.After(redial):
		case <-ctx.Done():
			return nil, fmt.Errorf("dial server %s: %w", id, err)
		}
	}
}

func (l *layer) try(ctx context.Context, id string) (net.Conn, error) {
	addr := l.node.Resolve(id)
	if addr == "" {
		return nil, errors.New("address unknown")
	}
	return l.node.dial(ctx, l.group, id, addr)
}
