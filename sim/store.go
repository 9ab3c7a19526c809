package sim

import (
	"encoding/binary"
	"hash/fnv"
	"maps"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
	"github.com/grevy-io/grevy/state/memkv"
)

// store is a node's store that knows a digest of each partition at any time: the
// sum of its rows' hashes, in whatever order they were written.
type store struct {
	*memkv.KV
	digests, synced map[protocol.PartitionID]uint64
}

func newStore() *store {
	return &store{KV: memkv.New(), digests: map[protocol.PartitionID]uint64{}, synced: map[protocol.PartitionID]uint64{}}
}

// Update applies all ops, and keeps the digests.
func (s *store) Update(ops []state.Op) error {
	before := s.Snapshot()
	defer before.Close()
	own := map[string][]byte{} // what this batch has written already
	for i := range ops {
		o := &ops[i]
		p := protocol.PartitionID(binary.BigEndian.Uint16(o.Key))
		old, written := own[string(o.Key)]
		if !written {
			var err error
			if old, err = before.Get(o.Key); err != nil {
				return err
			}
		}
		if old != nil {
			s.digests[p] -= rowHash(o.Key, old)
		}
		value := o.Value
		if o.Delete {
			value = nil
		} else {
			if value == nil {
				value = []byte{}
			}
			s.digests[p] += rowHash(o.Key, value)
		}
		own[string(o.Key)] = value
	}
	return s.KV.Update(ops)
}

func rowHash(key, value []byte) uint64 {
	h := fnv.New64a()
	h.Write(key)
	h.Write([]byte{0xff})
	h.Write(value)
	return h.Sum64()
}

// Sync makes PowerLoss keep what is here now.
func (s *store) Sync() error {
	s.synced = maps.Clone(s.digests)
	return s.KV.Sync()
}

// PowerLoss forgets everything since the last Sync.
func (s *store) PowerLoss() {
	s.digests = maps.Clone(s.synced)
	s.KV.PowerLoss()
}

// forget removes a partition, also from what PowerLoss would bring back.
func (s *store) forget(p protocol.PartitionID) {
	var prefix [2]byte
	binary.BigEndian.PutUint16(prefix[:], uint16(p))
	must(s.DeletePrefix(prefix[:]))
	delete(s.digests, p)
	must(s.Sync())
}
