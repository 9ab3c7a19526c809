package raftadapter

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// ErrNotProposed says that an entry certainly never entered the log.
var ErrNotProposed = errors.New("not proposed")

// ErrUnknown says that an entry may yet be committed.
var ErrUnknown = errors.New("commit unknown")

// Listener hears what happens to a group. Its methods are called from raft's
// goroutines and must not block.
type Listener interface {
	// Applied: a batch is committed and in the store.
	Applied(Applied)
	// Leadership: this node won or lost the group. A win is of the given term.
	Leadership(leader bool, term uint64)
	// Failed: the store or the log refused a write, or was found damaged (Damaged
	// tells). The group promises and applies nothing any more; once Probe
	// has succeeded it may be closed and started again.
	Failed(error)
}

// Server is a member of a group.
type Server struct {
	ID    string
	Voter bool
}

// Group is one partition's raft on this node.
type Group struct {
	partition  protocol.PartitionID
	node       *Node
	raft       *raft.Raft
	fsm        *fsm
	log        *boundedLog
	cache      *raft.LogCache // over log
	trans      *transport
	listener   Listener
	futures    chan *proposal
	stop       chan struct{}
	openMu     sync.Mutex
	closed     bool
	unanswered map[*proposal]bool // not answered yet
	wg         sync.WaitGroup
	broken     atomic.Pointer[error]
}

// proposal is something asked of raft and not answered yet.
type proposal struct {
	future raft.Future
	done   func(error)
}

// Start opens a partition's log and state and joins its group. bootstrap, if
// not nil, is the configuration of a group that begins now; it is ignored when
// the group has begun before. Everything applied before the last stop is there
// when it returns.
func (n *Node) Start(p protocol.PartitionID, bootstrap []Server, l Listener) (*Group, error) {
	g := &Group{
		partition: p, node: n, listener: l,
		futures: make(chan *proposal, 1024), stop: make(chan struct{}), unanswered: map[*proposal]bool{},
	}
	if err := g.open(bootstrap); err != nil {
		return nil, fmt.Errorf("start partition %d: %w", p, err)
	}
	n.mu.Lock()
	n.groups[p] = g
	n.mu.Unlock()
	return g, nil
}

func (g *Group) open(bootstrap []Server) error {
	if err := g.renew(); err != nil {
		return err
	}
	at, err := g.openState()
	if errors.Is(err, protocol.ErrCorrupt) {
		return fmt.Errorf("%w: %w", ErrStateLost, err)
	}
	if err != nil {
		return err
	}
	if err := g.openLog(); err != nil {
		return err
	}
	if err := g.openRaft(at, bootstrap); err != nil {
		return errors.Join(err, g.log.Close())
	}
	return nil
}

func (g *Group) logger() *slog.Logger { return g.node.Log.With("partition", g.partition) }

// openState finds the partition's generation and position, or makes them. After
// another boot only the marker is trusted: the store may have lost its tail,
// and the entries after the marker are applied again.
func (g *Group) openState() (position, error) {
	kv := g.node.KV
	prefix, at, err := readPosition(kv, g.partition)
	if errors.Is(err, errNoGeneration) {
		generation, err := g.node.nextGeneration()
		if err != nil {
			return at, err
		}
		prefix = state.Prefix(g.partition, generation)
		if err := putUint32(kv, generationKey(g.partition), generation); err != nil {
			return at, err
		}
	} else if err != nil {
		return at, err
	}
	if g.node.rewind {
		if at, err = g.marker(); err != nil {
			return at, err
		}
		// Written down, so that a kill before the log is applied again does not
		// leave the newer row in force.
		op := state.Op{Key: append(append([]byte(nil), prefix...), appliedKey...), Value: at.encode()}
		if err := kv.Update([]state.Op{op}); err != nil {
			return at, err
		}
		g.logger().Info("the machine was restarted: the log is applied again from the durable marker", "index", at.Index)
	}
	g.fsm = &fsm{
		partition: g.partition, kv: kv, log: g.logger(), limit: g.node.Tuning.BatchBytes, prefix: prefix, at: at,
		applied: func(a Applied) { g.listener.Applied(a) },
		failed:  g.fail,
	}
	return at, nil
}

// fail tells the listener, if there is one, once, that this replica is no good any
// more.
func (g *Group) fail(err error) {
	if g.broken.CompareAndSwap(nil, &err) && g.listener != nil {
		g.listener.Failed(err)
	}
}

// Failure is why the group promises or applies nothing any more, nil if it does.
func (g *Group) Failure() error {
	if err := g.broken.Load(); err != nil {
		return *err
	}
	return nil
}

// Probe finds out whether store and log of a failed group take writes again. Then
// the group may be closed and started again, as if the process had ended: all that
// was promised is in the log, and what of it is not in the store is applied.
func (g *Group) Probe() error {
	if err := g.log.Probe(); err != nil {
		return err
	}
	// A deletion is a write like any other, and nothing is lost by that of a row
	// that never was: other writes may be under way.
	kv := g.node.KV
	if err := kv.Update([]state.Op{{Key: probeKey(g.partition), Delete: true}}); err != nil {
		return err
	}
	return kv.Sync()
}

func (g *Group) marker() (position, error) {
	s := g.node.KV.Snapshot()
	defer s.Close()
	b, err := s.Get(markerKey(g.partition))
	if err != nil {
		return position{}, err
	}
	return decodePosition(b)
}

func (g *Group) openRaft(at position, bootstrap []Server) error {
	store := &snapshots{node: g.node, partition: g.partition, fsm: g.fsm, log: g.log}
	meta, err := store.meta()
	if err != nil {
		return err
	}
	if err := g.fits(at, meta); err != nil {
		return err
	}
	if meta != nil {
		g.fsm.configured.Store(meta.ConfigurationIndex)
	}
	marker, err := g.marker()
	if err != nil {
		return err
	}
	g.log.marker.Store(marker.Index)
	cache, err := raft.NewLogCache(512, g.log)
	if err != nil {
		return err
	}
	layer := g.node.newLayer(g.partition)
	g.trans = &transport{NetworkTransport: raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: layer, MaxPool: poolSize, Timeout: 5 * time.Second, Logger: newLogger(g.logger()),
	})}
	notify := make(chan bool, 16)
	g.cache = cache
	conf := g.config(bootstrap, cache)
	conf.NotifyCh = notify
	if bootstrap != nil {
		if err := g.bootstrap(conf, cache, store, bootstrap); err != nil {
			return errors.Join(err, g.trans.Close())
		}
	}
	if g.raft, err = raft.NewRaft(conf, g.fsm, cache, g.log, store, g.trans); err != nil {
		return errors.Join(err, g.trans.Close())
	}
	g.log.raft.Store(g.raft)
	g.wg.Go(func() { g.watch(notify) })
	g.wg.Go(func() { g.watchLeader(layer.lost) })
	go g.await()
	return nil
}

func (g *Group) bootstrap(conf *raft.Config, logs raft.LogStore, store raft.SnapshotStore, servers []Server) error {
	had, err := raft.HasExistingState(logs, g.log, store)
	if err != nil || had {
		return err
	}
	c := raft.Configuration{}
	for _, s := range servers {
		c.Servers = append(c.Servers, raft.Server{ID: raft.ServerID(s.ID), Address: raft.ServerAddress(s.ID), Suffrage: suffrage(s.Voter)})
	}
	return raft.BootstrapCluster(conf, logs, g.log, store, g.trans, c)
}

func suffrage(voter bool) raft.ServerSuffrage {
	if voter {
		return raft.Voter
	}
	return raft.Nonvoter
}

func (g *Group) config(bootstrap []Server, logs raft.LogStore) *raft.Config {
	t := g.node.Tuning
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(g.node.ServerOf(g.partition))
	c.BatchApplyCh = true
	c.MaxAppendEntries = 256
	c.CommitTimeout = t.CommitTimeout
	c.NoSnapshotRestoreOnStart = true
	c.ShutdownOnRemove = false
	c.SnapshotInterval = t.SnapshotInterval
	c.SnapshotThreshold = t.SnapshotEntries
	c.TrailingLogs = t.TrailingLogs
	c.NoLegacyTelemetry = true
	c.Logger = newLogger(g.logger())
	heartbeat := t.Heartbeat
	if heartbeat == 0 {
		heartbeat = 1500 * time.Millisecond
		if len(bootstrap) == 1 && bootstrap[0].ID == g.node.ServerOf(g.partition) {
			heartbeat = 60 * time.Millisecond // nobody else to wait for
		}
	}
	c.HeartbeatTimeout, c.ElectionTimeout = heartbeat, heartbeat
	c.LeaderLeaseTimeout = heartbeat * 2 / 3
	return c
}

// watch tells the listener of won and lost leadership, in order. It must keep
// draining: raft's main loop waits for it.
func (g *Group) watch(notify <-chan bool) {
	for {
		select {
		case leader := <-notify:
			g.listener.Leadership(leader, g.raft.CurrentTerm())
		case <-g.stop:
			return
		}
	}
}

// await waits for proposals in the order they were made. Close does not wait
// for it: raft never answers what it was asked while it shut down.
func (g *Group) await() {
	for {
		select {
		case p := <-g.futures:
			g.answer(p, p.future.Error())
		case <-g.stop:
			return
		}
	}
}

// answer tells the proposer, once.
func (g *Group) answer(p *proposal, err error) {
	g.openMu.Lock()
	waiting := g.unanswered[p]
	delete(g.unanswered, p)
	g.openMu.Unlock()
	if waiting {
		p.done(classify(err))
	}
}

// abandon answers what raft will not answer any more.
func (g *Group) abandon() {
	g.openMu.Lock()
	g.closed = true
	left := slices.Collect(maps.Keys(g.unanswered))
	g.openMu.Unlock()
	for _, p := range left {
		g.answer(p, raft.ErrRaftShutdown)
	}
}

// classify tells apart what raft's errors say of an entry (its documentation and issue threads).
func classify(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress), errors.Is(err, raft.ErrEnqueueTimeout):
		return fmt.Errorf("%w: %w", ErrNotProposed, err)
	}
	return fmt.Errorf("%w: %w", ErrUnknown, err)
}

// Propose asks raft to commit an entry. done is called once, from another
// goroutine, when it is applied here (nil) or has failed; the listener may hear
// of the application before.
func (g *Group) Propose(entry []byte, done func(error)) {
	// path: write 5/8 proposed: raft syncs the entry to its log and replicates it
	g.enqueue(&proposal{future: g.raft.Apply(entry, 0), done: done})
}

// Verify asks a quorum whether this node still leads.
func (g *Group) Verify(done func(error)) {
	g.enqueue(&proposal{future: g.raft.VerifyLeader(), done: done})
}

func (g *Group) enqueue(p *proposal) {
	g.openMu.Lock()
	closed := g.closed
	if !closed {
		g.unanswered[p] = true
	}
	g.openMu.Unlock()
	if closed {
		p.done(classify(raft.ErrRaftShutdown))
		return
	}
	select {
	case g.futures <- p:
	case <-g.stop: // abandon answers it
	}
}

// View opens the committed state and says how far it is applied and by which
// leadership.
func (g *Group) View() (v *state.View, index uint64, guard protocol.Guard) {
	v, at := g.fsm.view()
	return v, at.Index, at.Guard
}

// Status is what a group knows of itself.
type Status struct {
	Leader               string // server id, "" if unknown
	IsLeader             bool
	Term, Commit, Last   uint64
	Applied              uint64
	Servers              []Server
	Configured           uint64        // log index of the last configuration that is committed; 0: not known
	LastContact          time.Duration // of a follower with its leader; 0: is the leader
	Err                  error         // the store failed
	LogFirst, LogEntries uint64
}

// Status reads the group's state.
func (g *Group) Status() Status {
	_, leader := g.raft.LeaderWithID()
	s := Status{
		Leader: string(leader), IsLeader: g.raft.State() == raft.Leader,
		Term: g.raft.CurrentTerm(), Commit: g.raft.CommitIndex(), Last: g.raft.LastIndex(), Applied: g.fsm.position().Index,
		Configured: g.fsm.configured.Load(),
	}
	if !s.IsLeader {
		s.LastContact = time.Since(g.raft.LastContact())
	}
	s.Err = g.Failure()
	if f := g.raft.GetConfiguration(); f.Error() == nil {
		for _, m := range f.Configuration().Servers {
			s.Servers = append(s.Servers, Server{ID: string(m.ID), Voter: m.Suffrage == raft.Voter})
		}
	}
	s.LogFirst, _ = g.log.FirstIndex()
	if last, err := g.log.LastIndex(); err == nil && s.LogFirst > 0 {
		s.LogEntries = last - s.LogFirst + 1
	}
	return s
}

// Term returns the current term.
func (g *Group) Term() uint64 { return g.raft.CurrentTerm() }

// IsLeader tells whether this node believes to lead the group.
func (g *Group) IsLeader() bool { return g.raft.State() == raft.Leader }

// Leader returns the server id of the leader, "" if unknown.
func (g *Group) Leader() string {
	_, id := g.raft.LeaderWithID()
	return string(id)
}

// Transfer hands leadership to a server, or to the best one if id is "". It
// blocks until that is done or has failed.
func (g *Group) Transfer(id string) error {
	if id == "" {
		return g.raft.LeadershipTransfer().Error()
	}
	return g.raft.LeadershipTransferToServer(raft.ServerID(id), raft.ServerAddress(id)).Error()
}

// changeTimeout bounds a change of the configuration.
const changeTimeout = 10 * time.Second

// AddServer adds a member or makes it a voter. Leader only; it blocks. It fails
// if the configuration is another one by now than when the status was read.
func (g *Group) AddServer(s Server, after Status) error {
	id, addr := raft.ServerID(s.ID), raft.ServerAddress(s.ID)
	if s.Voter {
		return g.raft.AddVoter(id, addr, after.Configured, changeTimeout).Error()
	}
	return g.raft.AddNonvoter(id, addr, after.Configured, changeTimeout).Error()
}

// RemoveServer removes a member. Leader only; it blocks. It fails as AddServer
// does.
func (g *Group) RemoveServer(id string, after Status) error {
	return g.raft.RemoveServer(raft.ServerID(id), after.Configured, changeTimeout).Error()
}

// TakeSnapshot takes a snapshot now. Having nothing new is no error.
func (g *Group) TakeSnapshot() error {
	if err := g.raft.Snapshot().Error(); err != nil && !errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return err
	}
	return nil
}

// Close stops the group on this node. Its files stay.
func (g *Group) Close() error {
	stopping := g.raft.Shutdown()
	// Shutdown waits for replication, and that for peers that are gone, unless
	// the transport lets go of them.
	err := errors.Join(g.trans.Close(), stopping.Error())
	g.trans.CloseStreams() // idle ones, which Close leaves open
	g.trans.hush()
	close(g.stop)
	g.wg.Wait()
	g.abandon()
	g.node.mu.Lock()
	delete(g.node.groups, g.partition)
	g.node.mu.Unlock()
	return errors.Join(err, g.log.Close())
}
