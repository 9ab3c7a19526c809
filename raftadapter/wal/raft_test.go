package wal_test

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/raftadapter/wal"
)

const patience = 20 * time.Second

// journal is a state machine that remembers each command; came is told its length after each.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
	came chan int
}

func newJournal() *journal { return &journal{came: make(chan int, 100_000)} }

func (j *journal) Apply(l *raft.Log) any {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.text.Write(l.Data)
	j.came <- j.text.Len()
	return nil
}

func (j *journal) Snapshot() (raft.FSMSnapshot, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return frozen(bytes.Clone(j.text.Bytes())), nil
}

func (j *journal) Restore(r io.ReadCloser) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.text.Reset()
	if _, err := j.text.ReadFrom(r); err != nil {
		return err
	}
	j.came <- j.text.Len()
	return r.Close()
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// awaitLen waits until the journal is n bytes long.
func (j *journal) awaitLen(t *testing.T, n int) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case have := <-j.came:
			if have == n {
				return
			}
		case <-deadline:
			t.Fatalf("journal did not reach %d bytes: %q", n, j)
		}
	}
}

type frozen []byte

func (f frozen) Persist(sink raft.SnapshotSink) error {
	if _, err := sink.Write(f); err != nil {
		return err
	}
	return sink.Close()
}

func (frozen) Release() {}

// member is one raft server on a log of ours, which can be stopped and started.
type member struct {
	id        raft.ServerID
	dir       string
	snapshots *raft.InmemSnapshotStore
	transport *raft.InmemTransport
	raft      *raft.Raft
	log       *wal.Log
	fsm       *journal
	leads     chan bool
}

func newMember(t *testing.T, id string) *member {
	return &member{id: raft.ServerID(id), dir: t.TempDir(), snapshots: raft.NewInmemSnapshotStore()}
}

func (m *member) start(t *testing.T) {
	t.Helper()
	m.log = mustOpen(t, m.dir, wal.Options{SegmentSize: 4096, Logger: quiet()})
	cache, err := raft.NewLogCache(16, m.log)
	if err != nil {
		t.Fatal(err)
	}
	_, m.transport = raft.NewInmemTransport(raft.ServerAddress(m.id))
	m.fsm, m.leads = newJournal(), make(chan bool, 100)
	conf := raft.DefaultConfig()
	conf.LocalID, conf.NotifyCh, conf.BatchApplyCh = m.id, m.leads, true
	conf.HeartbeatTimeout, conf.ElectionTimeout = 500*time.Millisecond, 500*time.Millisecond
	conf.LeaderLeaseTimeout, conf.CommitTimeout = 400*time.Millisecond, 10*time.Millisecond
	conf.TrailingLogs, conf.SnapshotThreshold, conf.SnapshotInterval = 5, 1<<40, time.Hour
	conf.Logger = hclog.NewNullLogger()
	m.raft, err = raft.NewRaft(conf, m.fsm, cache, m.log, m.snapshots, m.transport)
	if err != nil {
		t.Fatal(err)
	}
}

func (m *member) stop(t *testing.T) {
	t.Helper()
	if err := m.raft.Shutdown().Error(); err != nil {
		t.Fatal(err)
	}
	mustClose(t, m.log)
}

func (m *member) bootstrap(t *testing.T, all ...*member) {
	t.Helper()
	var conf raft.Configuration
	for _, s := range all {
		conf.Servers = append(conf.Servers, raft.Server{ID: s.id, Address: raft.ServerAddress(s.id)})
	}
	if err := m.raft.BootstrapCluster(conf).Error(); err != nil {
		t.Fatal(err)
	}
}

// awaitLeader returns the member that is told it leads.
func awaitLeader(t *testing.T, of ...*member) *member {
	t.Helper()
	won, done := make(chan *member, len(of)), make(chan struct{})
	var watchers sync.WaitGroup
	defer watchers.Wait()
	defer close(done)
	for _, m := range of {
		watchers.Go(func() {
			for {
				select {
				case leads := <-m.leads:
					if leads {
						won <- m
						return
					}
				case <-done:
					return
				}
			}
		})
	}
	select {
	case m := <-won:
		return m
	case <-time.After(patience):
		t.Fatal("no leader")
		return nil
	}
}

func (m *member) apply(t *testing.T, from, to int) {
	t.Helper()
	var last raft.ApplyFuture
	for i := from; i < to; i++ {
		last = m.raft.Apply([]byte(command(i)), patience)
	}
	if err := last.Error(); err != nil {
		t.Fatal(err)
	}
}

func command(i int) string { return fmt.Sprintf("command %04d, ", i) }

func commands(to int) string {
	var b bytes.Buffer
	for i := range to {
		b.WriteString(command(i))
	}
	return b.String()
}

// TestRaftRestart runs one real raft server: commands, restarts, a snapshot that cuts the log.
func TestRaftRestart(t *testing.T) {
	m := newMember(t, "one")
	m.start(t)
	m.bootstrap(t, m)
	awaitLeader(t, m).apply(t, 0, 200)
	for round := 1; round <= 3; round++ {
		m.stop(t)
		m.start(t)
		awaitLeader(t, m)
		if err := m.raft.Barrier(patience).Error(); err != nil {
			t.Fatal(err)
		}
		if got := m.fsm.String(); got != commands(200*round) {
			t.Fatalf("after restart %d the journal has %d bytes, want %d", round, len(got), len(commands(200*round)))
		}
		if round == 2 {
			before := m.log.Stats()
			if err := m.raft.Snapshot().Error(); err != nil {
				t.Fatal(err)
			}
			if after := m.log.Stats(); after.Last-after.First != 4 || after.Segments >= before.Segments {
				t.Errorf("snapshot left %+v of %+v", after, before)
			}
		}
		m.apply(t, 200*round, 200*(round+1))
	}
	m.stop(t)
}

// TestRaftInstallSnapshot keeps one of three servers away until its log has ended before the leader's begins: it
// gets a snapshot, empties its log and goes on at a gap. Then it must still be right after a restart.
func TestRaftInstallSnapshot(t *testing.T) {
	a, b, c := newMember(t, "a"), newMember(t, "b"), newMember(t, "c")
	all := []*member{a, b, c}
	for _, m := range all {
		m.start(t)
	}
	connect(all...)
	a.bootstrap(t, all...)
	leader := awaitLeader(t, all...)
	leader.apply(t, 0, 20)
	away := a
	if leader == a {
		away = b
	}
	away.fsm.awaitLen(t, len(commands(20)))
	away.stop(t)
	for _, m := range all {
		m.transport.Disconnect(raft.ServerAddress(away.id))
	}
	leader.apply(t, 20, 120)
	if err := leader.raft.Snapshot().Error(); err != nil {
		t.Fatal(err)
	}
	first := leader.log.Stats().First
	away.start(t)
	if last := away.log.Stats().Last; last+1 >= first {
		t.Fatalf("the log of the one away ends at %d, the leader's begins at %d", last, first)
	}
	connect(all...)
	away.fsm.awaitLen(t, len(commands(120)))
	leader.apply(t, 120, 140)
	away.fsm.awaitLen(t, len(commands(140)))
	if s := away.log.Stats(); s.First <= 20 || s.Last <= s.First {
		t.Errorf("after the install: %+v", s)
	}
	away.stop(t)
	away.start(t)
	connect(all...)
	away.fsm.awaitLen(t, len(commands(140)))
	if got := away.fsm.String(); got != commands(140) {
		t.Errorf("journal after the restart: %q", got)
	}
	for _, m := range all {
		m.stop(t)
	}
}

func connect(all ...*member) {
	for _, m := range all {
		for _, peer := range all {
			if m != peer {
				m.transport.Connect(raft.ServerAddress(peer.id), peer.transport)
			}
		}
	}
}
