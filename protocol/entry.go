package protocol

import (
	"encoding/binary"
	"fmt"
)

// EntryKind says what a raft entry does.
type EntryKind byte

const (
	// EntryOpen opens a leadership: it carries no writes and sets the guard.
	EntryOpen EntryKind = 1
	// EntryWrites carries the effects of packed commands.
	EntryWrites EntryKind = 2
)

// entryVersion is the first byte of every entry.
const entryVersion = 1

// Guard is what lets an entry through: it is taken only if its term and
// incarnation are those of the last Open, and its Seq is the last plus one
// (architecture §2). Open itself has Seq 0.
type Guard struct {
	Term        uint64
	Incarnation uint64
	Seq         uint64
}

// OpKind says what a write does.
type OpKind byte

const (
	// OpPut writes a value at a key of the partition.
	OpPut OpKind = 1
	// OpDelete removes a key of the partition.
	OpDelete OpKind = 2
	// OpBody stores chunk number Chunk of a resource's body, once per node,
	// and notes that the partition refers to it.
	OpBody OpKind = 3
	// OpRecords carries what one command has led to, for the record log: the time
	// in ms, then records until its end (AppendRecord). Replicas store nothing of it.
	OpRecords OpKind = 4
)

// Op is one write of an entry. Keys have no partition or generation prefix.
type Op struct {
	Kind  OpKind
	Key   []byte // OpBody: the hash
	Value []byte
	Chunk uint32 // OpBody
	Last  bool   // OpBody: the body ends here
}

// Size is about what the op adds to an entry.
func (o *Op) Size() int { return len(o.Key) + len(o.Value) + 8 }

// EntryHeader is the fixed part of an entry.
type EntryHeader struct {
	Kind EntryKind
	Guard
}

// AppendEntryHeader begins an entry. Ops follow until the end of the entry.
func AppendEntryHeader(b []byte, h EntryHeader) []byte {
	b = append(b, entryVersion, byte(h.Kind))
	b = binary.AppendUvarint(b, h.Term)
	b = binary.LittleEndian.AppendUint64(b, h.Incarnation)
	return binary.AppendUvarint(b, h.Seq)
}

// AppendOp adds a write to an entry.
func AppendOp(b []byte, o *Op) []byte {
	b = append(b, byte(o.Kind))
	if o.Kind == OpRecords {
		return AppendBytes(b, o.Value)
	}
	b = AppendBytes(b, o.Key)
	switch o.Kind {
	case OpPut:
		b = AppendBytes(b, o.Value)
	case OpBody:
		b = AppendUint(b, uint64(o.Chunk))
		b = AppendBool(b, o.Last)
		b = AppendBytes(b, o.Value)
	}
	return b
}

// ReadEntryHeader reads the header of an entry; r stands at the first op after.
func ReadEntryHeader(r *Reader) (EntryHeader, error) {
	if v := r.Byte(); v != entryVersion && r.Err() == nil {
		return EntryHeader{}, fmt.Errorf("%w: entry version %d", ErrCorrupt, v)
	}
	h := EntryHeader{Kind: EntryKind(r.Byte())}
	h.Term = r.Uint()
	h.Incarnation = r.fixed64()
	h.Seq = r.Uint()
	if h.Kind != EntryOpen && h.Kind != EntryWrites && r.Err() == nil {
		return EntryHeader{}, fmt.Errorf("%w: entry kind %d", ErrCorrupt, h.Kind)
	}
	return h, r.Err()
}

// ReadOp reads the next write. It shares memory with the entry.
func ReadOp(r *Reader) (Op, error) {
	o := Op{Kind: OpKind(r.Byte())}
	if o.Kind == OpRecords {
		o.Value = r.Bytes()
		return o, r.Err()
	}
	o.Key = r.Bytes()
	switch o.Kind {
	case OpPut:
		o.Value = r.Bytes()
	case OpDelete:
	case OpBody:
		o.Chunk, o.Last, o.Value = uint32(r.Uint()), r.Bool(), r.Bytes()
	default:
		r.fail("op kind")
	}
	return o, r.Err()
}

func (r *Reader) fixed64() uint64 {
	if len(r.b) < 8 {
		r.fail("number of eight bytes")
		return 0
	}
	v := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

// Fixed64 reads eight bytes, little endian.
func (r *Reader) Fixed64() uint64 { return r.fixed64() }
