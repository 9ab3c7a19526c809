package raftadapter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// snapshots is a group's raft.SnapshotStore. There is at most one snapshot: the
// state itself. Its metadata stand in the store; its bytes are read out when a
// follower asks (architecture §4).
type snapshots struct {
	node      *Node
	partition protocol.PartitionID
	fsm       *fsm
	log       *boundedLog

	mu sync.Mutex // one install or persist at a time
}

// snapshotMeta is what is kept of raft.SnapshotMeta, as JSON: it is written a few
// times an hour, and read by people who debug.
type snapshotMeta struct {
	Index, Term        uint64
	Configuration      raft.Configuration
	ConfigurationIndex uint64
}

func (m snapshotMeta) id(p protocol.PartitionID) string {
	return fmt.Sprintf("p%d-%d-%d", p, m.Term, m.Index)
}

func (s *snapshots) meta() (*snapshotMeta, error) {
	snap := s.node.KV.Snapshot()
	defer snap.Close()
	b, err := snap.Get(snapshotKey(s.partition))
	if err != nil || b == nil {
		return nil, err
	}
	m := new(snapshotMeta)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("snapshot metadata of partition %d: %w", s.partition, err)
	}
	return m, nil
}

func (s *snapshots) raftMeta(m *snapshotMeta) *raft.SnapshotMeta {
	return &raft.SnapshotMeta{
		Version: raft.SnapshotVersionMax, ID: m.id(s.partition), Index: m.Index, Term: m.Term,
		Configuration: m.Configuration, ConfigurationIndex: m.ConfigurationIndex,
	}
}

// List returns the one snapshot, if there is one.
func (s *snapshots) List() ([]*raft.SnapshotMeta, error) {
	m, err := s.meta()
	if err != nil || m == nil {
		return nil, err
	}
	return []*raft.SnapshotMeta{s.raftMeta(m)}, nil
}

// Open reads the partition's present state. It is at least as new as the
// metadata say; the applied index inside it makes the receiver skip what it
// already holds. Raft must know the size beforehand, so the keys are walked
// twice, in one consistent view.
func (s *snapshots) Open(string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	m, err := s.meta()
	if err != nil {
		return nil, nil, err
	}
	if m == nil {
		return nil, nil, fmt.Errorf("partition %d has no snapshot", s.partition)
	}
	stream, err := openStream(s.fsm)
	if err != nil {
		return nil, nil, fmt.Errorf("read snapshot of partition %d: %w", s.partition, err)
	}
	meta := s.raftMeta(m)
	meta.Size = stream.size
	return meta, stream, nil
}

// Create begins a snapshot: a local one, that holds nothing but metadata, or
// one that is streamed from the leader. Persist tells them apart.
func (s *snapshots) Create(_ raft.SnapshotVersion, index, term uint64, c raft.Configuration, ci uint64, _ raft.Transport) (raft.SnapshotSink, error) {
	m := snapshotMeta{Index: index, Term: term, Configuration: c, ConfigurationIndex: ci}
	return &sink{store: s, meta: m}, nil
}

// localSnapshot is a snapshot of this node's own state, as of at or later.
type localSnapshot struct{ at position }

// Persist writes nothing: it tells the sink that this is the node's own state.
func (l localSnapshot) Persist(rs raft.SnapshotSink) error {
	k, ok := rs.(*sink)
	if !ok {
		return fmt.Errorf("persist snapshot: unknown sink %T", rs)
	}
	k.local = &l.at
	return nil
}

// Release frees nothing.
func (localSnapshot) Release() {}

// persist makes the state durable up to at, and only then lets raft truncate
// its log up to there. Metadata and marker are durable too when it returns.
func (s *snapshots) persist(m snapshotMeta, at position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.node.KV.Sync(); err != nil {
		return err
	}
	ops, err := s.metaOps(m, at)
	if err != nil {
		return err
	}
	if err := s.node.KV.Update(ops); err != nil {
		return err
	}
	if err := s.node.KV.Sync(); err != nil {
		return err
	}
	s.log.marker.Store(at.Index)
	return nil
}

func (s *snapshots) metaOps(m snapshotMeta, at position) ([]state.Op, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return []state.Op{
		{Key: snapshotKey(s.partition), Value: b},
		{Key: markerKey(s.partition), Value: at.encode()},
	}, nil
}

// sink takes one snapshot in.
type sink struct {
	store   *snapshots
	meta    snapshotMeta
	local   *position
	install *install
	done    bool
}

// ID names the snapshot.
func (k *sink) ID() string { return k.meta.id(k.store.partition) }

// Write takes bytes of the leader's stream.
func (k *sink) Write(b []byte) (int, error) {
	if !k.store.node.room() {
		return 0, errNoRoom
	}
	if k.install == nil {
		in, err := newInstall(k.store, k.meta.Index)
		if err != nil {
			return 0, err
		}
		k.install = in
	}
	return k.install.Write(b)
}

// Close makes the snapshot the partition's state. Raft calls it before
// FSM.Restore, so it does all there is to do (architecture §4 "Install").
func (k *sink) Close() error {
	if k.done {
		return nil
	}
	k.done = true
	if k.local != nil {
		return k.store.persist(k.meta, *k.local)
	}
	if k.install == nil {
		return fmt.Errorf("snapshot %s: empty stream", k.ID())
	}
	return k.install.finish(k.meta)
}

// Cancel throws away what was written.
func (k *sink) Cancel() error {
	if k.done {
		return nil
	}
	k.done = true
	if k.install == nil {
		return nil
	}
	return k.install.abandon()
}

// clone keeps a slice that its owner will reuse.
func clone(b []byte) []byte { return bytes.Clone(b) }
