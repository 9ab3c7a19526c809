package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/grevy-io/grevy/protocol"
)

// Prefix is the beginning of all keys of a partition in one generation:
// partition (2 bytes), generation (4 bytes), both big-endian. Partition 0 is the
// node itself.
func Prefix(p protocol.PartitionID, generation uint32) []byte {
	b := binary.BigEndian.AppendUint16(make([]byte, 0, 6), uint16(p))
	return binary.BigEndian.AppendUint32(b, generation)
}

// View reads the committed state of a partition as of one moment.
type View struct {
	snap   Snapshot
	prefix []byte
	key    []byte // reused
}

// NewView reads the keys of snap under prefix. It closes snap when it is closed.
// A View is not safe for concurrent use.
func NewView(snap Snapshot, prefix []byte) *View {
	return &View{snap: snap, prefix: prefix, key: append([]byte(nil), prefix...)}
}

// Close frees the snapshot.
func (v *View) Close() { v.snap.Close() }

func (v *View) full(key []byte) []byte {
	v.key = append(v.key[:len(v.prefix)], key...)
	return v.key
}

// Raw returns the stored bytes of a key, nil if there are none.
func (v *View) Raw(key []byte) ([]byte, error) { return v.snap.Get(v.full(key)) }

// Get returns a value, nil if there is none. A value stored in parts is put
// together.
func (v *View) Get(key []byte) ([]byte, error) {
	b, err := v.Raw(key)
	if err != nil || b == nil {
		return nil, err
	}
	return joinParts(b, func(i int) ([]byte, error) { return v.Raw(partKey(key, i)) })
}

// Iterate walks the stored keys under prefix, as they are stored.
func (v *View) Iterate(prefix, from []byte) Iterator {
	full := slices.Concat(v.prefix, prefix)
	var start []byte
	if from != nil {
		start = slices.Concat(v.prefix, from)
	}
	return &viewIterator{Iterator: v.snap.Iterate(full, start), skip: len(v.prefix)}
}

type viewIterator struct {
	Iterator
	skip int
}

func (i *viewIterator) Key() []byte { return i.Iterator.Key()[i.skip:] }

// Bodies of resources are kept once per node, under partition 0.
var nodePrefix = Prefix(0, 0)

// BodyKey is where chunk i of a body stands in the node's store.
func BodyKey(h protocol.Hash, i uint32) []byte {
	b := append(bytes.Clone(nodePrefix), 'B')
	b = append(b, h[:]...)
	return binary.BigEndian.AppendUint32(b, i)
}

// Body returns a resource's content from the node's store, nil if the node
// lacks it or has not all of its chunks.
func (v *View) Body(h protocol.Hash) ([]byte, error) {
	size, err := v.Raw(append(TableContentRef.Key(32), h[:]...))
	if err != nil {
		return nil, err
	}
	return ReadBody(v.snap, h, size)
}

// ReadBody puts a body together. ref is a content reference's value (its total
// size), nil if unknown to the caller.
func ReadBody(snap Snapshot, h protocol.Hash, ref []byte) ([]byte, error) {
	first, err := snap.Get(BodyKey(h, 0))
	if err != nil || first == nil {
		return nil, err
	}
	data := first
	for i := uint32(1); ; i++ {
		more, err := snap.Get(BodyKey(h, i))
		if err != nil {
			return nil, err
		}
		if more == nil {
			break
		}
		data = append(data, more...)
	}
	if len(ref) == 8 && binary.BigEndian.Uint64(ref) != uint64(len(data)) {
		return nil, fmt.Errorf("read body %x: %d bytes instead of %d", h[:6], len(data), binary.BigEndian.Uint64(ref))
	}
	return data, nil
}

// BodyRef is the value of a content reference: the size of the body.
func BodyRef(size int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(size)) }
