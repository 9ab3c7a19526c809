package raftadapter

import (
	"encoding/binary"
	"fmt"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Keys of the node itself, under partition 0. What they hold: docs/formats/keys.md.
var (
	nodePrefix      = state.Prefix(0, 0)
	generationCount = nodeKey('g')
	bootKey         = nodeKey('b')
)

func nodeKey(kind byte, v ...uint16) []byte {
	b := append(append([]byte(nil), nodePrefix...), kind)
	for _, n := range v {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	return b
}

func generationKey(p protocol.PartitionID) []byte { return nodeKey('G', uint16(p)) }
func snapshotKey(p protocol.PartitionID) []byte   { return nodeKey('S', uint16(p)) }
func markerKey(p protocol.PartitionID) []byte     { return nodeKey('M', uint16(p)) }

// probeKey is of a row that is never there.
func probeKey(p protocol.PartitionID) []byte { return nodeKey('P', uint16(p)) }

// appliedKey is the row of a partition that says how far the log is applied and
// which guard the next entry has to pass.
var appliedKey = state.AppliedKey

// position is how far a partition has applied its log.
type position struct {
	Index uint64
	Guard protocol.Guard
}

func (p position) encode() []byte {
	b := make([]byte, 0, 32)
	for _, v := range [...]uint64{p.Index, p.Guard.Term, p.Guard.Incarnation, p.Guard.Seq} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

func decodePosition(b []byte) (p position, err error) {
	if b == nil {
		return p, nil
	}
	if len(b) != 32 {
		return p, fmt.Errorf("applied position: %w", protocol.ErrCorrupt)
	}
	return position{
		Index: binary.BigEndian.Uint64(b),
		Guard: protocol.Guard{
			Term: binary.BigEndian.Uint64(b[8:]), Incarnation: binary.BigEndian.Uint64(b[16:]), Seq: binary.BigEndian.Uint64(b[24:]),
		},
	}, nil
}

func putUint32(kv state.KV, key []byte, v uint32) error {
	return kv.Update([]state.Op{{Key: key, Value: binary.BigEndian.AppendUint32(nil, v)}})
}

func getUint32(s state.Snapshot, key []byte) (uint32, error) {
	b, err := s.Get(key)
	if err != nil || len(b) != 4 {
		return 0, err
	}
	return binary.BigEndian.Uint32(b), nil
}
