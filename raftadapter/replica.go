package raftadapter

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter/wal"
	"github.com/grevy-io/grevy/state"
)

// ErrStateLost says that a replica's state does not go with its log: it is older
// than the log or the snapshot allow, or the log it came from is gone.
var ErrStateLost = errors.New("state lost")

// ErrLogDamaged says that a replica's log holds bytes that were not written so,
// or lacks a file.
var ErrLogDamaged = errors.New("raft log damaged")

// Damaged tells whether a partition could not be started because this node's
// replica of it is no good. It must not vote any more: what it promised is lost.
func Damaged(err error) bool { return errors.Is(err, ErrStateLost) || errors.Is(err, ErrLogDamaged) }

// ReplicaID is the server id of a node's replica of a partition. The first one
// is named as the node; each one that took the place of a damaged one has its
// number behind it: it is another server and has never voted.
func ReplicaID(nodeServer string, replica uint64) string {
	if replica == 0 {
		return nodeServer
	}
	return fmt.Sprintf("%s/%d", nodeServer, replica)
}

// NodeServer is the inverse of ReplicaID.
func NodeServer(serverID string) string {
	name, _, _ := strings.Cut(serverID, "/")
	return name
}

func (n *Node) replica(p protocol.PartitionID) uint64 {
	if n.Replica == nil {
		return 0
	}
	return n.Replica(p)
}

// ServerOf is the server id of this node's replica of a partition.
func (n *Node) ServerOf(p protocol.PartitionID) string { return ReplicaID(n.ServerID, n.replica(p)) }

// LogDir is where the log of this node's replica of a partition stands.
func (n *Node) LogDir(p protocol.PartitionID) string {
	name := fmt.Sprintf("p%d", p)
	if r := n.replica(p); r > 0 {
		name = fmt.Sprintf("p%d-%d", p, r)
	}
	return filepath.Join(n.Dir, name)
}

// SetAside keeps a damaged replica: its log stays where it is, untouched, and its
// state is written beside it as a snapshot stream (LogDir and ".state"), because
// the next replica takes the place of its rows. From then on Config.Replica must
// give a higher number.
func (n *Node) SetAside(p protocol.PartitionID) error {
	prefix, _, err := readPosition(n.KV, p)
	if errors.Is(err, errNoGeneration) {
		return nil
	}
	if err == nil || prefix != nil {
		err = n.keepState(prefix, n.LogDir(p)+".state")
	}
	if err != nil {
		return fmt.Errorf("set replica of partition %d aside: %w", p, err)
	}
	return nil
}

func (n *Node) keepState(prefix []byte, path string) error {
	s, err := openStream(&fsm{kv: n.KV, prefix: prefix})
	if err != nil {
		return err
	}
	return errors.Join(writeFile(path, s), s.Close())
}

func writeFile(path string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Sync(), f.Close())
}

// renew lets a replica that takes the place of a damaged one begin with nothing:
// the state that stands in the store is that of the former one. It is durable
// before the new log is made, and done again if the process ends in between.
func (g *Group) renew() error {
	n := g.node
	if n.replica(g.partition) == 0 {
		return nil
	}
	if _, err := os.Stat(n.LogDir(g.partition)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	former, _, err := readPosition(n.KV, g.partition)
	if err != nil && !errors.Is(err, errNoGeneration) && former == nil {
		return err
	}
	generation, err := n.nextGeneration()
	if err != nil {
		return err
	}
	prefix := state.Prefix(g.partition, generation)
	ops := []state.Op{
		{Key: generationKey(g.partition), Value: prefix[2:6]},
		{Key: snapshotKey(g.partition), Delete: true},
		{Key: markerKey(g.partition), Delete: true},
	}
	if err := errors.Join(n.KV.Update(ops), n.KV.Sync()); err != nil {
		return err
	}
	if former != nil {
		n.forget(former)
	}
	return nil
}

// openLog opens the log of this node's replica.
func (g *Group) openLog() error {
	w, err := wal.Open(g.node.LogDir(g.partition), wal.Options{
		SegmentSize: g.node.Tuning.SegmentSize, NoSync: g.node.Tuning.NoSync, Logger: g.logger(), FS: g.node.LogFS,
	})
	var corrupt *wal.CorruptError
	if errors.As(err, &corrupt) {
		return fmt.Errorf("%w: %w", ErrLogDamaged, err)
	}
	if err != nil {
		return err
	}
	g.log = &boundedLog{Log: w, damaged: g.fail, failing: g.fail, room: g.node.room, exported: g.exported, held: g.node.Tuning.HeldLogs}
	return nil
}

// fits tells whether log, snapshot and state are of one replica. Raft would
// panic, or vote without what it has promised.
func (g *Group) fits(at position, meta *snapshotMeta) error {
	first, err := g.log.FirstIndex()
	if err != nil {
		return err
	}
	snapshot := uint64(0)
	if meta != nil {
		snapshot = meta.Index
	}
	_, voted := g.log.GetUint64([]byte(currentTerm))
	switch {
	case snapshot > at.Index:
		return fmt.Errorf("%w: snapshot at %d, state at %d", ErrStateLost, snapshot, at.Index)
	case first > snapshot+1:
		return fmt.Errorf("%w: the log begins at %d, snapshot at %d, state at %d", ErrStateLost, first, snapshot, at.Index)
	case voted != nil && at.Index > 0:
		return fmt.Errorf("%w: state at %d, but its log is gone", ErrStateLost, at.Index)
	}
	return nil
}
