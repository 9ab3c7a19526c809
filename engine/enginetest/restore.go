package enginetest

import (
	"bytes"
	"errors"

	"github.com/grevy-io/grevy/state"
	"github.com/grevy-io/grevy/state/memkv"
)

// Saved is a copy of a partition's store.
type Saved []state.Op

// Save copies what is committed of a partition that has a store of its own.
func (p *Partition) Save() (s Saved, err error) {
	if p.cluster.OneNode {
		return nil, errors.New("the partitions share a store")
	}
	snap := p.kv.Snapshot()
	defer snap.Close()
	it := snap.Iterate(nil, nil)
	defer it.Close()
	for ; it.Valid(); it.Next() {
		value, err := it.Value()
		if err != nil {
			return nil, err
		}
		s = append(s, state.Op{Key: bytes.Clone(it.Key()), Value: bytes.Clone(value)})
	}
	return s, nil
}

// Restore puts a copy in the place of all that the partition has, as somebody
// does who brings an old directory back.
func (p *Partition) Restore(s Saved) error {
	if p.cluster.OneNode {
		return errors.New("the partitions share a store")
	}
	p.over.Base().Close()
	p.kv = memkv.New()
	if err := p.kv.Update(s); err != nil {
		return err
	}
	p.counter, p.restored = 0, true
	if err := p.lead(); err != nil {
		return err
	}
	return p.noteCounter()
}
