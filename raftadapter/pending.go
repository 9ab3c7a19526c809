package raftadapter

import (
	"encoding/binary"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// A large resource comes in entries of its own, before the entry that names it. In
// between nothing refers to it, so that a node which starts, or gets a snapshot,
// just then would lose it. A row of the node says so until it is named. If it
// never is, because the leadership ended in between, the row counts for nothing
// once the log is far beyond it.

// pendingFor is for how many entries such a row counts: a leader that has brought a
// resource names it at once.
const pendingFor = 100_000

func pendingPrefix(p protocol.PartitionID) []byte { return nodeKey('P', uint16(p)) }

func pendingKey(p protocol.PartitionID, hash []byte) []byte { return append(pendingPrefix(p), hash...) }

// pendingBody notes at an index that a resource's bytes have come.
func pendingBody(p protocol.PartitionID, hash []byte, index uint64) state.Op {
	return state.Op{Key: pendingKey(p, hash), Value: binary.BigEndian.AppendUint64(nil, index)}
}

// named says that a resource is referred to by the row with a key, if it is such a
// row.
func named(p protocol.PartitionID, key []byte) (op state.Op, is bool) {
	if len(key) != 33 || key[0] != byte(state.TableContentRef) {
		return op, false
	}
	return state.Op{Key: pendingKey(p, key[1:]), Delete: true}, true
}

// pending lists the resources of a partition that are about to be named, if its
// log is applied up to an index.
func pending(s state.Snapshot, p protocol.PartitionID, applied uint64) (list []protocol.Hash) {
	prefix := pendingPrefix(p)
	it := s.Iterate(prefix, nil)
	defer it.Close()
	for ; it.Valid(); it.Next() {
		b, err := it.Value()
		if key := it.Key()[len(prefix):]; err == nil && len(b) == 8 && len(key) == 32 && binary.BigEndian.Uint64(b)+pendingFor > applied {
			list = append(list, protocol.Hash(key))
		}
	}
	return list
}
