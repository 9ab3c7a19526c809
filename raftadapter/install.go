package raftadapter

import (
	"errors"
	"fmt"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// install builds a new generation of a partition beside the current one.
type install struct {
	parser
	store      *snapshots
	generation uint32
	index      uint64 // the snapshot's
	prefix     []byte
	ops        []state.Op
	size       int
}

// installBatch is how many bytes one transaction of an install holds.
const installBatch = 2 << 20

func newInstall(s *snapshots, index uint64) (*install, error) {
	s.mu.Lock() // until finish or abandon
	g, err := s.node.nextGeneration()
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	in := &install{store: s, generation: g, index: index, prefix: state.Prefix(s.partition, g)}
	in.row = in.put
	return in, nil
}

func (in *install) put(kind byte, key, value []byte) error {
	op := state.Op{Value: clone(value)}
	switch kind {
	case recordRow:
		op.Key = append(clone(in.prefix), key...)
		if done, is := named(in.store.partition, key); is {
			in.ops = append(in.ops, done)
		}
	case recordBody:
		if len(key) != 36 {
			return fmt.Errorf("%w: a resource's key of %d bytes", protocol.ErrCorrupt, len(key))
		}
		op.Key = append(clone(state.BodyKey(protocol.Hash{}, 0)[:7]), key...)
		in.ops = append(in.ops, pendingBody(in.store.partition, key[:32], in.index))
	default:
		return fmt.Errorf("%w: record kind %d", protocol.ErrCorrupt, kind)
	}
	in.ops = append(in.ops, op)
	if in.size += len(op.Key) + len(value) + 16; in.size < installBatch {
		return nil
	}
	return in.write()
}

func (in *install) write() error {
	if len(in.ops) == 0 {
		return nil
	}
	err := in.store.node.KV.Update(in.ops)
	in.ops, in.size = in.ops[:0], 0
	return err
}

// finish makes the new generation the partition's state: complete and synced
// first, then the pointer, the metadata and the marker in one transaction,
// then synced again.
func (in *install) finish(m snapshotMeta) error {
	defer in.store.mu.Unlock()
	s := in.store
	if !in.ended {
		return errors.Join(fmt.Errorf("snapshot of partition %d: stream cut off", s.partition), in.remove())
	}
	if err := in.write(); err != nil {
		return errors.Join(err, in.remove())
	}
	at, err := in.position()
	if err == nil && at.Index < m.Index {
		err = fmt.Errorf("snapshot of partition %d ends at %d, before its index %d", s.partition, at.Index, m.Index)
	}
	if err == nil {
		err = s.node.KV.Sync()
	}
	if err != nil {
		return errors.Join(err, in.remove())
	}
	ops, err := s.metaOps(m, at)
	if err != nil {
		return err
	}
	old := s.fsm.prefix
	ops = append(ops, state.Op{Key: generationKey(s.partition), Value: in.prefix[2:6]})
	if err := s.node.KV.Update(ops); err != nil {
		return err
	}
	if err := s.node.KV.Sync(); err != nil {
		return err
	}
	s.log.marker.Store(at.Index)
	s.fsm.configured.Store(m.ConfigurationIndex)
	s.node.forget(old)
	return nil
}

func (in *install) position() (position, error) {
	snap := in.store.node.KV.Snapshot()
	defer snap.Close()
	b, err := snap.Get(append(clone(in.prefix), appliedKey...))
	if err != nil {
		return position{}, err
	}
	return decodePosition(b)
}

func (in *install) abandon() error {
	defer in.store.mu.Unlock()
	return in.remove()
}

func (in *install) remove() error { return in.store.node.KV.DeletePrefix(in.prefix) }
