package remote

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/grevy-io/grevy/internal/certs"
	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/protocol"
)

// Ports are the ports a node listens on.
type Ports struct{ Gateway, Remote, Raft, Gossip, HTTP int }

// Role is what a node is for a partition.
type Role uint8

// The roles. The values are wire format.
const (
	Inactive Role = 0 // halted, or not yet started
	Follower Role = 1
	Leader   Role = 2
)

// String names the role as the topology of the clients does.
func (r Role) String() string {
	switch r {
	case Follower:
		return "follower"
	case Leader:
		return "leader"
	default:
		return "inactive"
	}
}

// PartitionInfo is what a node says of a partition it holds.
type PartitionInfo struct {
	Partition protocol.PartitionID
	Role      Role
	Term      uint64 // raft's
	Healthy   bool
	Reason    string // why it is not healthy; cut at 160 bytes
	Replica   uint64 // how many replicas the node has set aside before this one
}

// Member is a node of the cluster, as gossip knows it.
type Member struct {
	NodeID     protocol.NodeID
	Host       string // name or IP at which the others reach it
	Ports      Ports
	RaftID     string
	Version    string
	Started    time.Time // of its process
	Cluster    string    // the cluster id in hex; empty while the node does not know it
	Alive      bool
	Partitions []PartitionInfo // by partition; the last known, if it is not alive
}

// MembersConfig is what membership needs to open.
type MembersConfig struct {
	NodeID  protocol.NodeID
	Bind    string // host:port for gossip, TCP and UDP; port 0 for one of the system's choice
	Host    string // at which the others reach this node; if empty the host of Bind, or a private address
	Ports   Ports  // Gossip is filled in
	RaftID  string
	Version string
	Cluster [16]byte // zero while not known; see SetCluster

	// JoinAddrs are host:port of gossip ports. Those that are no live member are
	// tried for ever. The own address may be among them.
	JoinAddrs []string

	// Secure, if not nil, makes all gossip go over TLS, packets too: then nothing
	// listens to UDP.
	Secure *certs.Store
	Faults *linkfault.Switch // nil outside tests
	Logger *slog.Logger      // nil: slog.Default()

	// OnDuplicate is called when an older process with this node's id is found
	// after OpenMembers has returned: this one has to end. At most once; nil: only
	// the log tells.
	OnDuplicate func(error)
}

// Members is the view of the cluster by gossip (memberlist). It is news, not
// truth: raft knows who leads, and the Post knows who can be reached.
type Members struct {
	cfg     MembersConfig
	name    string // of this process in memberlist: unique for each start
	started time.Time
	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	ml      *memberlist.Memberlist
	net     *gossipNet
	queue   *memberlist.TransmitLimitedQueue
	news    *watchers
	ready   chan struct{} // closed when ml is there
	alive   atomic.Int64  // processes alive, this one among them
	dup     chan error    // one: a duplicate was found and this process is the younger

	mu      sync.Mutex
	self    meta
	known   map[string]*instance // by name; self is one of them
	counter uint64               // of the own news
	foreign string               // the last node of another cluster that was met
	closed  bool
}

// OpenMembers starts gossip and tries to join. It waits for the first join for at
// most a second, and for the proof that no other process has this node's id; such
// a process, if it is older, is an error. Joining goes on in the background.
func OpenMembers(cfg MembersConfig) (*Members, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	m := &Members{cfg: cfg, started: time.Now(), known: map[string]*instance{}, news: newWatchers(), dup: make(chan error, 1),
		ready: make(chan struct{})}
	var nonce [4]byte
	rand.Read(nonce[:]) // never fails
	m.name = fmt.Sprintf("%d-%016x-%x", cfg.NodeID, m.started.UnixNano(), nonce)
	m.ctx, m.cancel = context.WithCancel(context.Background())
	if err := m.open(); err != nil {
		m.cancel()
		return nil, fmt.Errorf("open membership: %w", err)
	}
	return m, nil
}

func (m *Members) open() error {
	var err error
	if m.net, err = openGossipNet(m.cfg); err != nil {
		return err
	}
	m.cfg.Ports.Gossip = m.net.port()
	ip, err := m.advertise()
	if err != nil {
		return firstErr(err, m.net.Shutdown())
	}
	m.self = meta{node: m.cfg.NodeID, started: m.started, ports: m.cfg.Ports, host: m.cfg.Host,
		raftID: m.cfg.RaftID, version: m.cfg.Version, cluster: m.cfg.Cluster}
	if err := m.self.fits(); err != nil {
		return firstErr(err, m.net.Shutdown())
	}
	self := m.self
	m.alive.Store(1)
	m.known[m.name] = &instance{name: m.name, meta: &self, alive: true, parts: map[protocol.PartitionID]entry{}}
	m.queue = &memberlist.TransmitLimitedQueue{NumNodes: func() int { return int(m.alive.Load()) }, RetransmitMult: 3}
	m.spawn(m.news.deliver)
	if m.ml, err = memberlist.Create(m.gossipConfig(ip)); err != nil {
		m.cancel()
		m.news.close()
		m.wg.Wait()
		return firstErr(err, m.net.Shutdown())
	}
	close(m.ready)
	return m.firstJoin()
}

// firstErr returns the error that is told, after an attempt to clean up.
func firstErr(err, cleanup error) error {
	if cleanup != nil {
		return fmt.Errorf("%w (and then: %w)", err, cleanup)
	}
	return err
}

func (m *Members) gossipConfig(ip net.IP) *memberlist.Config {
	c := memberlist.DefaultLANConfig()
	c.Name = m.name
	c.Transport = m.net
	c.AdvertiseAddr, c.AdvertisePort = ip.String(), m.cfg.Ports.Gossip
	c.BindAddr, c.BindPort = ip.String(), m.cfg.Ports.Gossip
	c.TCPTimeout = 2 * time.Second
	c.ProbeInterval = 500 * time.Millisecond
	c.ProbeTimeout = 250 * time.Millisecond
	c.SuspicionMult = 3
	c.SuspicionMaxTimeoutMult = 2
	c.GossipInterval = 100 * time.Millisecond
	c.PushPullInterval = 10 * time.Second
	c.AwarenessMaxMultiplier = 4
	c.EnableCompression = false // a few hundred bytes; it would cost more CPU than all the rest
	c.UDPBufferSize = 1400 - packetPrefix
	d := delegate{m}
	c.Delegate, c.Events, c.Alive, c.Merge = d, d, d, d
	c.Logger = gossipLogger(m.cfg.Logger)
	return c
}

func (m *Members) spawn(f func()) {
	m.wg.Add(1)
	go func() {
		defer m.wg.Done()
		f()
	}()
}

// Addr is the gossip address this node listens on, host:port.
func (m *Members) Addr() string {
	return net.JoinHostPort(m.cfg.Host, strconv.Itoa(m.cfg.Ports.Gossip))
}

// Self is this node as the others see it.
func (m *Members) Self() Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known[m.name].member()
}

// Foreign describes the last node of another cluster that this one has met and
// kept out, "" if there was none.
func (m *Members) Foreign() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.foreign
}

// SetCluster tells the cluster id when it becomes known. Nodes of another cluster
// are not seen from then on.
func (m *Members) SetCluster(id [16]byte) {
	// It cannot fail: the id has room in every meta.
	_ = m.update(func(s *meta) { s.cluster = id })
}

// SetRaftID tells the raft server id when it becomes known or changes. An error:
// it is too long.
func (m *Members) SetRaftID(id string) error {
	if err := m.update(func(s *meta) { s.raftID = id }); err != nil {
		return fmt.Errorf("set raft id: %w", err)
	}
	return nil
}

// update changes what this node says of itself.
func (m *Members) update(change func(*meta)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := m.self
	change(&next)
	if err := next.fits(); err != nil || m.closed {
		return err
	}
	m.self = next
	m.known[m.name].meta = &next
	m.spawn(func() {
		// Gossip spreads it, and push/pull to whom gossip misses.
		if err := m.ml.UpdateNode(time.Second); err != nil {
			m.cfg.Logger.Debug("spread own change", "err", err)
		}
	})
	m.news.poke()
	return nil
}

// List returns the nodes known, this one among them, by node id. A node that died
// stays with Alive false; of several processes of a node the living and then the
// youngest counts.
func (m *Members) List() []Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ms []Member
	for _, i := range m.chosenLocked() {
		ms = append(ms, i.member())
	}
	slices.SortFunc(ms, func(a, b Member) int { return cmp.Compare(a.NodeID, b.NodeID) })
	return ms
}

// RemoteAddrs returns where the posts of the other nodes listen, for
// Post.SetPeers: also of nodes gossip takes for dead, unless they have left. The
// link state, not gossip, decides whether they can be reached.
func (m *Members) RemoteAddrs() map[protocol.NodeID]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	addrs := map[protocol.NodeID]string{}
	for id, i := range m.chosenLocked() {
		if id != m.cfg.NodeID && (i.alive || !i.left()) {
			addrs[id] = net.JoinHostPort(i.meta.host, strconv.Itoa(i.meta.ports.Remote))
		}
	}
	return addrs
}

// Leader returns who was last heard to lead the partition, and its term. The
// highest term wins; not ok if nobody claims it, or the one who does is dead.
func (m *Members) Leader(p protocol.PartitionID) (node protocol.NodeID, term uint64, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node = protocol.NoNode
	for id, i := range m.chosenLocked() {
		e := i.parts[p]
		if !e.gone && e.info.Role == Leader && (node < 0 || e.info.Term > term) {
			node, term, ok = id, e.info.Term, i.alive
		}
	}
	if !ok {
		return protocol.NoNode, 0, false
	}
	return node, term, true
}

// Watch calls f after every change, from one goroutine; changes close together
// may be told once. f must not block it for long. It stops after cancel, which
// does not wait for a call that is under way.
func (m *Members) Watch(f func()) (cancel func()) { return m.news.watch(f) }

// Leave tells the others that this node goes on purpose, waits at most timeout for
// one of them to hear it, and closes.
func (m *Members) Leave(timeout time.Duration) error {
	m.sayLeft()
	err := m.ml.Leave(timeout)
	if err != nil {
		err = fmt.Errorf("leave the cluster: %w", err)
	}
	return firstOf(err, m.Close())
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Close ends gossip without a word: the others find out.
func (m *Members) Close() error {
	m.mu.Lock()
	was := m.closed
	m.closed = true
	m.mu.Unlock()
	if was {
		return nil
	}
	m.cancel()
	err := m.ml.Shutdown()
	m.news.close()
	m.wg.Wait()
	if err != nil {
		return fmt.Errorf("close membership: %w", err)
	}
	return nil
}

func clusterName(id [16]byte) string {
	if id == [16]byte{} {
		return ""
	}
	return hex.EncodeToString(id[:])
}
