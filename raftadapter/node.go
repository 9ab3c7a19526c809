package raftadapter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/grevy-io/grevy/internal/certs"
	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter/wal"
	"github.com/grevy-io/grevy/state"
)

// Config is what the groups of one process share.
type Config struct {
	NodeID protocol.NodeID
	// ServerID is this node's name in every raft configuration. It is made once
	// per data directory: a node that lost its disk is another server (architecture §4
	// "Identity and bootstrap").
	ServerID string
	// Replica says which replica of a partition this node has: 0 at first, one
	// more each time the former one was found damaged and set aside. The number
	// must be durable before it is given. nil: all 0.
	Replica  func(protocol.PartitionID) uint64
	Dir      string // the logs stand in Dir/pN, or Dir/pN-R for replica R
	KV       state.KV
	Listener net.Listener
	// Resolve gives the current address of a server, "" if unknown.
	Resolve func(serverID string) string
	// NodeOf gives the node behind a server, NoNode if unknown.
	NodeOf func(serverID string) protocol.NodeID
	Secure *certs.Store // nil: no TLS between nodes
	Faults *linkfault.Switch
	// BootID names the running kernel: another one at the next start means that
	// the store may have lost its unsynced tail.
	BootID string
	Log    *slog.Logger
	Tuning Tuning
	// LogFS is where the logs are written; nil: the disk.
	LogFS wal.FS
	// Room tells whether the disk has room for what others send; nil: it has. Without
	// it a follower takes neither entries nor snapshots.
	Room func() bool
}

// Tuning holds the numbers that tests and big installations change.
type Tuning struct {
	// Heartbeat is the silence after which a follower calls an election;
	// default 1.5 s with several voters, 60 ms for a group of one.
	Heartbeat time.Duration
	// CommitTimeout bounds how long a follower waits to hear of a commit at the
	// end of a burst; default 300 ms.
	CommitTimeout time.Duration
	// SnapshotEntries is how many entries lie between two snapshots; default 50,000.
	SnapshotEntries uint64
	// SnapshotInterval is how often that is looked at; default 20 s.
	SnapshotInterval time.Duration
	// TrailingLogs is how many entries stay in the log for slow followers;
	// default 100,000.
	TrailingLogs uint64
	// HeldLogs is how many entries at most are kept because their records are not
	// in the record log; default 1,000,000. Beyond it records are lost.
	HeldLogs uint64
	// SegmentSize of the log, in bytes; default 16 MiB.
	SegmentSize int64
	// BatchBytes bounds one transaction of the store; default 8 MB.
	BatchBytes int
	// NoSync leaves the log unsynced. Tests only.
	NoSync bool
}

func (t Tuning) withDefaults() Tuning {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&t.CommitTimeout, 300*time.Millisecond)
	set(&t.SnapshotInterval, 20*time.Second)
	if t.SnapshotEntries == 0 {
		t.SnapshotEntries = 50_000
	}
	if t.TrailingLogs == 0 {
		t.TrailingLogs = 100_000
	}
	if t.HeldLogs == 0 {
		t.HeldLogs = 1_000_000
	}
	if t.SegmentSize == 0 {
		t.SegmentSize = 16 << 20
	}
	if t.BatchBytes == 0 {
		t.BatchBytes = 8 << 20
	}
	return t
}

// Node is the raft side of one process.
type Node struct {
	Config
	rewind bool // the machine went down since the last start: trust only markers
	mux    *mux

	mu          sync.Mutex
	groups      map[protocol.PartitionID]*Group
	generations uint32
}

// Open starts listening. Groups are started one by one.
func Open(c Config) (*Node, error) {
	c.Tuning = c.Tuning.withDefaults()
	n := &Node{Config: c, groups: map[protocol.PartitionID]*Group{}}
	if err := n.readBoot(); err != nil {
		return nil, fmt.Errorf("read store of node %d: %w", c.NodeID, err)
	}
	n.mux = newMux(c)
	return n, nil
}

// room tells whether the disk has room for what others send.
func (n *Node) room() bool { return n.Room == nil || n.Room() }

// readBoot finds out whether the machine went down since the store was last
// open, and notes the present boot.
func (n *Node) readBoot() error {
	s := n.KV.Snapshot()
	defer s.Close()
	last, err := s.Get(bootKey)
	if err != nil {
		return err
	}
	n.rewind = last != nil && string(last) != n.BootID
	if n.generations, err = getUint32(s, generationCount); err != nil || string(last) == n.BootID {
		return err
	}
	return nil
}

// Started notes that every group has taken its position: from now on the store
// is whole again as of this boot.
func (n *Node) Started() error {
	if err := n.KV.Sync(); err != nil {
		return err
	}
	return n.KV.Update([]state.Op{{Key: bootKey, Value: []byte(n.BootID)}})
}

// nextGeneration gives out a number that no partition of this node ever had.
func (n *Node) nextGeneration() (uint32, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.generations++
	return n.generations, putUint32(n.KV, generationCount, n.generations)
}

// Group returns a running group, nil if the node has none for the partition.
func (n *Node) Group(p protocol.PartitionID) *Group {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.groups[p]
}

// Close stops all groups and the listener.
func (n *Node) Close() error {
	n.mu.Lock()
	groups := make([]*Group, 0, len(n.groups))
	for _, g := range n.groups {
		groups = append(groups, g)
	}
	n.mu.Unlock()
	var wg sync.WaitGroup
	errs := make([]error, len(groups)+1)
	for i, g := range groups {
		wg.Go(func() { errs[i] = g.Close() })
	}
	wg.Wait()
	errs[len(groups)] = n.mux.Close()
	return errors.Join(errs...)
}

// dial opens a connection for one group to another server.
func (n *Node) dial(ctx context.Context, p protocol.PartitionID, serverID, addr string) (net.Conn, error) {
	c, err := n.Faults.Dial(ctx, linkfault.ProtoRaft, "tcp", addr, n.NodeOf(serverID), n.Secure.Dial)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetWriteDeadline(deadline); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	err = linkfault.WritePreamble(c, linkfault.Preamble{Proto: linkfault.ProtoRaft, Group: uint32(p), From: n.NodeID})
	if err == nil {
		err = writeMeant(c, serverID)
	}
	if err == nil {
		err = c.SetWriteDeadline(time.Time{})
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}
