package raftadapter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// forget removes a generation that is no longer anybody's state, in the
// background. If the process ends meanwhile, the next start finds the rest.
func (n *Node) forget(prefix []byte) {
	old := bytes.Clone(prefix)
	go func() {
		if err := n.KV.DeletePrefix(old); err != nil {
			n.Log.Info("old generation not removed yet", "prefix", old, "err", err)
		}
	}()
}

// Sweep removes what no partition of this node refers to: generations that were
// replaced or never finished, and bodies without a reference. It must run
// before the first group starts.
func (n *Node) Sweep(partitions []protocol.PartitionID) error {
	s := n.KV.Snapshot()
	current := map[string]bool{}
	for _, p := range partitions {
		g, err := getUint32(s, generationKey(p))
		if err != nil {
			s.Close()
			return err
		}
		current[string(state.Prefix(p, g))] = true
	}
	stale, refs := survey(s, current)
	for _, p := range partitions {
		_, at, err := readPosition(n.KV, p)
		if err != nil && !errors.Is(err, errNoGeneration) {
			s.Close()
			return err
		}
		for _, h := range pending(s, p, at.Index) {
			refs[h] = true
		}
	}
	dead := deadBodies(s, refs)
	s.Close()
	for _, prefix := range append(stale, dead...) {
		if err := n.KV.DeletePrefix(prefix); err != nil {
			return err
		}
	}
	return nil
}

// survey lists the prefixes that are no partition's current one, skipping over
// the keys below each, and the bodies that current ones refer to.
func survey(s state.Snapshot, current map[string]bool) (stale [][]byte, refs map[protocol.Hash]bool) {
	refs = map[protocol.Hash]bool{}
	from := binary.BigEndian.AppendUint16(nil, 1)
	for {
		it := s.Iterate(nil, from)
		if !it.Valid() {
			it.Close()
			return stale, refs
		}
		prefix := bytes.Clone(it.Key()[:6])
		it.Close()
		if current[string(prefix)] {
			references(s, prefix, refs)
		} else {
			stale = append(stale, prefix)
		}
		if from = successor(prefix); from == nil {
			return stale, refs
		}
	}
}

// successor is the first key after all that begin with prefix, nil if there is
// none.
func successor(prefix []byte) []byte {
	next := bytes.Clone(prefix)
	for i := len(next) - 1; i >= 0; i-- {
		if next[i]++; next[i] != 0 {
			return next[:i+1]
		}
	}
	return nil
}

func references(s state.Snapshot, prefix []byte, refs map[protocol.Hash]bool) {
	it := s.Iterate(append(bytes.Clone(prefix), byte(state.TableContentRef)), nil)
	defer it.Close()
	for ; it.Valid(); it.Next() {
		refs[protocol.Hash(it.Key()[7:])] = true
	}
}

func deadBodies(s state.Snapshot, refs map[protocol.Hash]bool) (dead [][]byte) {
	it := s.Iterate(state.BodyKey(protocol.Hash{}, 0)[:7], nil)
	defer it.Close()
	for ; it.Valid(); it.Next() {
		key := it.Key()
		if h := protocol.Hash(key[7:39]); !refs[h] && (len(dead) == 0 || !bytes.Equal(dead[len(dead)-1], key[:39])) {
			dead = append(dead, bytes.Clone(key[:39]))
		}
	}
	return dead
}

// droppedSuffix marks the log of a replica that was given up.
const droppedSuffix = ".dropped"

// Drop moves the log of this node's replica of a partition away, whose group must
// be closed, and returns where it is now. From then on Config.Replica must give a
// higher number, and Forget may be called.
func (n *Node) Drop(p protocol.PartitionID) (moved string, err error) {
	dir := n.LogDir(p)
	moved = dir + droppedSuffix
	err = os.Rename(dir, moved)
	if errors.Is(err, os.ErrNotExist) {
		err = nil // it is gone already
	}
	return moved, err
}

// Forget removes the state of a replica that was dropped.
func (n *Node) Forget(p protocol.PartitionID) error {
	former, _, err := readPosition(n.KV, p)
	if errors.Is(err, errNoGeneration) {
		return nil
	}
	if former == nil {
		return err
	}
	if err := n.KV.Update([]state.Op{
		{Key: generationKey(p), Delete: true}, {Key: snapshotKey(p), Delete: true}, {Key: markerKey(p), Delete: true},
	}); err != nil {
		return err
	}
	n.forget(former)
	return nil
}

// RemoveDropped removes logs that were dropped before the last end of the process.
func (n *Node) RemoveDropped() error {
	list, err := filepath.Glob(filepath.Join(n.Dir, "*"+droppedSuffix))
	if err != nil {
		return err
	}
	for _, dir := range list {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}
