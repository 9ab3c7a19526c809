package state

import (
	"encoding/binary"

	"github.com/grevy-io/grevy/protocol"
)

// ExportedKey is the row that says how far the record log is.
var ExportedKey = []byte{byte(TableExported)}

// SetExported notes up to which entry of the log the records are in the record
// log, and which guard the next one has to pass. Index 0 removes the row.
func (t *Tx) SetExported(index uint64, g protocol.Guard) {
	if index == 0 {
		t.Delete(ExportedKey)
		return
	}
	b := make([]byte, 0, 32)
	for _, v := range [...]uint64{index, g.Term, g.Incarnation, g.Seq} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	t.Put(ExportedKey, b)
}

// ReadExported reads what SetExported has written, from a row as Get returns it;
// ok is false if there is none.
func ReadExported(b []byte) (index uint64, g protocol.Guard, ok bool) {
	if len(b) != 32 {
		return 0, g, false
	}
	n := func(i int) uint64 { return binary.BigEndian.Uint64(b[8*i:]) }
	return n(0), protocol.Guard{Term: n(1), Incarnation: n(2), Seq: n(3)}, true
}
