package raftadapter_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/grevy-io/grevy/internal/certs"
	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/state"
	"github.com/grevy-io/grevy/state/memkv"
)

// member is one node of a test cluster, with one group.
type member struct {
	t      *testing.T
	id     protocol.NodeID
	number uint64 // of its replica
	dir    string
	kv     *memkv.KV
	boot   string
	tuning raftadapter.Tuning
	secure *certs.Store // nil: no TLS
	faults *linkfault.Switch
	book   *book
	node   *raftadapter.Node
	group  *raftadapter.Group

	mu      sync.Mutex
	news    *sync.Cond
	applied raftadapter.Applied
	dropped int
	leader  bool
	term    uint64
	mayFail bool
	failure error
}

// book is where servers find each other.
type book struct {
	mu    sync.Mutex
	addrs map[string]string
	asked map[string]int // how often dials asked, by server
}

func (b *book) get(id string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked[id]++
	return b.addrs[id]
}

func (m *member) server() string { return fmt.Sprintf("%d-x", m.id) }

func (m *member) Applied(a raftadapter.Applied) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.applied = a
	m.dropped += a.Dropped
	m.news.Broadcast()
}

func (m *member) Leadership(leader bool, term uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leader, m.term = leader, term
	m.news.Broadcast()
}

func (m *member) Failed(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failure = err
	m.news.Broadcast()
	if !m.mayFail {
		m.t.Errorf("node %d: %v", m.id, err)
	}
}

// wait blocks until ok holds; it is called with the lock held.
func (m *member) wait(what string, ok func() bool) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	stop := context.AfterFunc(ctx, m.news.Broadcast)
	defer stop()
	m.mu.Lock()
	defer m.mu.Unlock()
	for !ok() {
		if ctx.Err() != nil {
			m.t.Fatalf("node %d: no %s (applied %+v, leader %v)", m.id, what, m.applied, m.leader)
		}
		m.news.Wait()
	}
}

func (m *member) start(servers []raftadapter.Server) {
	m.t.Helper()
	if err := m.tryStart(servers); err != nil {
		m.t.Fatal(err)
	}
}

// tryStart returns why the group does not start; the node is open then.
func (m *member) tryStart(servers []raftadapter.Server) error {
	m.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		m.t.Fatal(err)
	}
	m.book.mu.Lock()
	m.book.addrs[m.server()] = l.Addr().String()
	m.book.mu.Unlock()
	m.applied, m.leader = raftadapter.Applied{}, false
	m.node, err = raftadapter.Open(raftadapter.Config{
		NodeID: m.id, ServerID: m.server(), Dir: m.dir, KV: m.kv, Listener: l, BootID: m.boot,
		Replica: func(protocol.PartitionID) uint64 { return m.number },
		Resolve: func(id string) string { return m.book.get(raftadapter.NodeServer(id)) },
		Secure:  m.secure, Faults: m.faults, Log: slog.New(slog.DiscardHandler), Tuning: m.tuning,
		NodeOf: func(id string) protocol.NodeID { return protocol.NodeID(id[0] - '0') },
	})
	if err != nil {
		m.t.Fatal(err)
	}
	if err := m.node.Sweep([]protocol.PartitionID{1}); err != nil {
		m.t.Fatal(err)
	}
	if m.group, err = m.node.Start(1, servers, m); err != nil {
		return err
	}
	return m.node.Started()
}

func (m *member) stop() {
	m.t.Helper()
	if m.node != nil {
		if err := m.node.Close(); err != nil {
			m.t.Error(err)
		}
		m.node = nil
	}
}

// get reads a committed value.
func (m *member) get(key string) string {
	m.t.Helper()
	v, _, _ := m.group.View()
	defer v.Close()
	b, err := v.Raw([]byte(key))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b)
}

func newCluster(t *testing.T, n int, tuning raftadapter.Tuning) ([]*member, []raftadapter.Server) {
	t.Helper()
	b := &book{addrs: map[string]string{}, asked: map[string]int{}}
	var members []*member
	var servers []raftadapter.Server
	tuning.NoSync = true
	for i := range n {
		m := &member{t: t, id: protocol.NodeID(i), dir: t.TempDir(), kv: memkv.New(), boot: "boot-1", tuning: tuning, book: b, faults: linkfault.New(protocol.NodeID(i))}
		m.news = sync.NewCond(&m.mu)
		members = append(members, m)
		servers = append(servers, raftadapter.Server{ID: m.server(), Voter: true})
		t.Cleanup(m.stop)
	}
	for _, m := range members {
		m.start(servers)
	}
	return members, servers
}

// leaderOf waits until one of the members leads.
func leaderOf(t *testing.T, members ...*member) *member {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		for _, m := range members {
			m.mu.Lock()
			leads := m.leader
			m.mu.Unlock()
			if leads && m.node != nil && m.group.IsLeader() {
				return m
			}
		}
		<-time.After(5 * time.Millisecond)
	}
	t.Fatal("no leader")
	return nil
}

// session proposes entries of one leadership.
type session struct {
	m     *member
	guard protocol.Guard
}

func (m *member) open(incarnation uint64) *session {
	m.t.Helper()
	s := &session{m: m, guard: protocol.Guard{Term: m.group.Term(), Incarnation: incarnation}}
	s.propose(protocol.EntryOpen)
	m.wait("open", func() bool { return m.applied.Incarnation == incarnation })
	return s
}

func (s *session) propose(kind protocol.EntryKind, ops ...protocol.Op) {
	s.m.t.Helper()
	if err := s.try(kind, s.guard, ops...); err != nil {
		s.m.t.Fatal(err)
	}
}

func (s *session) try(kind protocol.EntryKind, g protocol.Guard, ops ...protocol.Op) error {
	b := protocol.AppendEntryHeader(nil, protocol.EntryHeader{Kind: kind, Guard: g})
	for i := range ops {
		b = protocol.AppendOp(b, &ops[i])
	}
	done := make(chan error, 1)
	s.m.group.Propose(b, func(err error) { done <- err })
	return <-done
}

func (s *session) put(key, value string) {
	s.m.t.Helper()
	s.guard.Seq++
	s.propose(protocol.EntryWrites, protocol.Op{Kind: protocol.OpPut, Key: []byte(key), Value: []byte(value)})
}

var fast = raftadapter.Tuning{Heartbeat: 800 * time.Millisecond, CommitTimeout: 20 * time.Millisecond}

func TestGroup_AppliesAndSurvivesARestart(t *testing.T) {
	t.Parallel()
	members, servers := newCluster(t, 1, fast)
	m := leaderOf(t, members...)
	s := m.open(7)
	for i := range 100 {
		s.put(fmt.Sprint("k", i), "v")
	}
	at := m.applied.Index
	m.stop()
	m.start(servers)
	m = leaderOf(t, m)
	if got := m.get("k99"); got != "v" {
		t.Errorf("k99 = %q", got)
	}
	m.open(8)
	if m.applied.Index <= at || m.dropped != 0 {
		t.Errorf("applied %+v after %d", m.applied, at)
	}
}

// The guard lets nothing through of a leadership that another Open has ended,
// whatever is still on its way (architecture §2).
func TestGroup_GuardKeepsOutOldLeaderships(t *testing.T) {
	t.Parallel()
	members, _ := newCluster(t, 1, fast)
	m := leaderOf(t, members...)
	old := m.open(1)
	old.put("a", "1")
	late := old.guard
	m.open(2)
	late.Seq++
	put := protocol.Op{Kind: protocol.OpPut, Key: []byte("a"), Value: []byte("late")}
	if err := old.try(protocol.EntryWrites, late, put); err != nil {
		t.Fatal(err)
	}
	m.wait("drop", func() bool { return m.dropped == 1 })
	if got := m.get("a"); got != "1" {
		t.Errorf("a = %q", got)
	}
	gap := protocol.Guard{Term: m.group.Term(), Incarnation: 2, Seq: 2}
	if err := old.try(protocol.EntryWrites, gap, put); err != nil {
		t.Fatal(err)
	}
	m.wait("drop of a gap", func() bool { return m.dropped == 2 })
	wrong := protocol.Guard{Term: m.group.Term() + 1, Incarnation: 2, Seq: 1}
	if err := old.try(protocol.EntryWrites, wrong, put); err != nil {
		t.Fatal(err)
	}
	m.wait("drop of another term", func() bool { return m.dropped == 3 })
}

// A follower that was away for longer than the log reaches gets the state as a
// stream, bodies included, and goes on from there.
func TestGroup_CatchUpBySnapshot(t *testing.T) {
	t.Parallel()
	tuning := fast
	tuning.TrailingLogs, tuning.SegmentSize = 20, 64<<10
	members, servers := newCluster(t, 3, tuning)
	leader := leaderOf(t, members...)
	s := leader.open(1)
	var away *member
	for _, m := range members {
		if m != leader {
			away = m
		}
	}
	s.put("old", "1")
	away.wait("first entries", func() bool { return away.applied.Seq == 1 })
	away.stop()
	hash := protocol.Hash{1, 2, 3}
	s.guard.Seq++
	s.propose(protocol.EntryWrites,
		protocol.Op{Kind: protocol.OpBody, Key: hash[:], Value: []byte("body"), Last: true},
		protocol.Op{Kind: protocol.OpPut, Key: append(state.TableContentRef.Key(32), hash[:]...), Value: state.BodyRef(4)},
		protocol.Op{Kind: protocol.OpDelete, Key: []byte("old")})
	for i := range 2000 {
		s.put(fmt.Sprint("k", i%300), fmt.Sprint(i))
	}
	if err := leader.group.TakeSnapshot(); err != nil {
		t.Fatal(err)
	}
	if first := leader.group.Status().LogFirst; first < 1000 {
		t.Fatalf("the log still begins at %d", first)
	}
	want := s.guard.Seq
	away.start(servers)
	away.wait("catch-up", func() bool { return away.applied.Index >= leader.group.Status().Commit })
	if got := away.get("k299"); got != "1799" {
		t.Errorf("k299 = %q", got)
	}
	if got := away.get("old"); got != "" {
		t.Errorf("a deleted key came back: %q", got)
	}
	v, _, guard := away.group.View()
	defer v.Close()
	if body, err := v.Body(hash); err != nil || string(body) != "body" {
		t.Errorf("body %q, %v", body, err)
	}
	if guard.Seq < want {
		t.Errorf("guard %+v, want seq %d", guard, want)
	}
	s.put("after", "1")
	away.wait("an entry after the install", func() bool { return away.applied.Seq == s.guard.Seq })
}

// After a loss of power the store may lack what was written since its last
// sync; the log has it, because it is never truncated beyond the marker.
func TestGroup_PowerLoss(t *testing.T) {
	t.Parallel()
	tuning := fast
	tuning.TrailingLogs, tuning.SegmentSize = 1, 64<<10
	members, servers := newCluster(t, 1, tuning)
	m := leaderOf(t, members...)
	s := m.open(1)
	for i := range 500 {
		s.put(fmt.Sprint("k", i), "v")
	}
	if err := m.group.TakeSnapshot(); err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		s.put(fmt.Sprint("l", i), "v")
	}
	m.stop()
	m.kv.PowerLoss()
	m.boot = "boot-2"
	m.start(servers)
	m = leaderOf(t, m)
	m.open(2)
	for _, k := range []string{"k0", "k499", "l0", "l499"} {
		if got := m.get(k); got != "v" {
			t.Errorf("%s = %q after the loss of power", k, got)
		}
	}
}

func TestGroup_LostLeadershipIsUnknown(t *testing.T) {
	t.Parallel()
	members, _ := newCluster(t, 3, fast)
	leader := leaderOf(t, members...)
	s := leader.open(1)
	var rules string
	for _, m := range members {
		if m != leader {
			rules += fmt.Sprintf("drop %d %d\ndrop %d %d\n", leader.id, m.id, m.id, leader.id)
		}
	}
	for _, m := range members {
		if err := m.faults.SetRules(rules); err != nil {
			t.Fatal(err)
		}
	}
	s.guard.Seq++
	err := s.try(protocol.EntryWrites, s.guard, protocol.Op{Kind: protocol.OpPut, Key: []byte("a"), Value: []byte("1")})
	if !errors.Is(err, raftadapter.ErrUnknown) {
		t.Errorf("cut off from the quorum: %v", err)
	}
	leader.wait("the loss", func() bool { return !leader.leader })
	if err := s.try(protocol.EntryWrites, s.guard); !errors.Is(err, raftadapter.ErrNotProposed) {
		t.Errorf("as a follower: %v", err)
	}
}
