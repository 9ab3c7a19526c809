package state

import (
	"encoding/binary"

	"github.com/grevy-io/grevy/protocol"
)

// OutboxRow is what one partition must tell another.
type OutboxRow struct {
	Target  protocol.PartitionID
	Lane    protocol.Lane
	Seq     uint64
	Since   int64 // ms since 1970, when it was written
	Command protocol.Command
	Size    int // bytes that it takes on its way, once it was written or read
}

// OutboxKey is where a row stands: target, lane and seq, in that order, so that
// a walk gives each lane's rows oldest first.
func OutboxKey(target protocol.PartitionID, lane protocol.Lane, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(OutboxPrefix(target, lane), seq)
}

// OutboxPrefix is the beginning of all keys of a lane to a target.
func OutboxPrefix(target protocol.PartitionID, lane protocol.Lane) []byte {
	return append(binary.BigEndian.AppendUint16(TableOutbox.Key(11), uint16(target)), byte(lane))
}

// AddOutbox writes a row.
func (t *Tx) AddOutbox(r *OutboxRow) {
	t.Hold(SharedBy(r.Command))
	stored := protocol.EncodeCommand(protocol.AppendInt(row(instanceSize), r.Since), r.Command)
	r.Size = len(stored) + sharedSize(r.Command)
	t.insertRow(OutboxKey(r.Target, r.Lane, r.Seq), stored)
}

// DeleteOutbox removes a row.
func (t *Tx) DeleteOutbox(r *OutboxRow) {
	t.Delete(OutboxKey(r.Target, r.Lane, r.Seq))
	t.Release(SharedBy(r.Command))
}

// ReadOutboxRow decodes a row from its key and value.
func ReadOutboxRow(key, value []byte) (OutboxRow, error) {
	if len(key) != 12 {
		return OutboxRow{}, protocol.ErrCorrupt
	}
	row := OutboxRow{
		Target: protocol.PartitionID(binary.BigEndian.Uint16(key[1:])), Lane: protocol.Lane(key[3]), Seq: number(key, 0), Size: len(value),
	}
	r := protocol.NewReader(value)
	row.Since = r.Int()
	if r.Err() != nil {
		return row, r.Err()
	}
	var err error
	if row.Command, err = protocol.DecodeCommand(r.Rest()); err == nil {
		row.Size += sharedSize(row.Command)
	}
	return row, err
}

// NextSeq counts a broadcast lane on and returns the new seq. Seqs begin with 1.
func (t *Tx) NextSeq(lane protocol.Lane) uint64 { return t.countOn(TableLane.Of(uint64(lane))) }

// NextSeqTo does the same for a lane whose rows go to one partition each.
func (t *Tx) NextSeqTo(lane protocol.Lane, target protocol.PartitionID) uint64 {
	return t.countOn(TableLane.Of(uint64(lane), uint64(target)))
}

func (t *Tx) countOn(key []byte) uint64 {
	seq := t.count(key) + 1
	t.Put(key, binary.BigEndian.AppendUint64(nil, seq))
	return seq
}

// LaneSeq returns the last seq of a broadcast lane, 0 if it was never used.
func (t *Tx) LaneSeq(lane protocol.Lane) uint64 { return t.count(TableLane.Of(uint64(lane))) }

// LaneSeqTo returns the last seq of any lane to a partition.
func (t *Tx) LaneSeqTo(lane protocol.Lane, target protocol.PartitionID) uint64 {
	if lane.Broadcast() {
		return t.LaneSeq(lane)
	}
	return t.count(TableLane.Of(uint64(lane), uint64(target)))
}

// RaiseSeq lets the next seq of a lane to a partition be above seq.
func (t *Tx) RaiseSeq(lane protocol.Lane, target protocol.PartitionID, seq uint64) {
	key := TableLane.Of(uint64(lane))
	if !lane.Broadcast() {
		key = TableLane.Of(uint64(lane), uint64(target))
	}
	t.Put(key, binary.BigEndian.AppendUint64(nil, max(seq, t.count(key))))
}

// FirstOutbox returns the seq of the first row of a lane to a target, 0 if there
// is none.
func (t *Tx) FirstOutbox(target protocol.PartitionID, lane protocol.Lane) (seq uint64) {
	t.Scan(OutboxPrefix(target, lane), nil, func(key, _ []byte) bool {
		seq = number(key, 0)
		return false
	})
	return seq
}

func (t *Tx) count(key []byte) uint64 {
	if b := t.Get(key); len(b) == 8 {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

var epochKey = append(TableMeta.Key(5), "epoch"...)

// Epoch names this partition's life as a sender, 0 if none was chosen yet.
func (t *Tx) Epoch() uint64 {
	if b := t.Get(epochKey); len(b) == 8 {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// SetEpoch chooses it: random, once at bootstrap and at a restore.
func (t *Tx) SetEpoch(e uint64) { t.Put(epochKey, binary.BigEndian.AppendUint64(nil, e)) }

// Inbox is how far a partition has applied a lane of another.
type Inbox struct {
	Epoch, Seq uint64
}

// InboxKey is where the inbox of a source's lane stands.
func InboxKey(source protocol.PartitionID, lane protocol.Lane) []byte {
	return TableInbox.Of(uint64(source), uint64(lane))
}

// Inbox reads how far a lane was applied; the zero value if nothing was.
func (t *Tx) Inbox(source protocol.PartitionID, lane protocol.Lane) Inbox {
	return ReadInbox(t.Get(InboxKey(source, lane)))
}

// ReadInbox decodes an inbox row.
func ReadInbox(b []byte) Inbox {
	if len(b) != 16 {
		return Inbox{}
	}
	return Inbox{Epoch: binary.BigEndian.Uint64(b), Seq: binary.BigEndian.Uint64(b[8:])}
}

// SetInbox notes how far a lane was applied.
func (t *Tx) SetInbox(source protocol.PartitionID, lane protocol.Lane, i Inbox) {
	t.Put(InboxKey(source, lane), binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, i.Epoch), i.Seq))
}

// RefusedKey is where a target's refusal of a deployment stands.
func RefusedKey(deployment protocol.Key, target protocol.PartitionID) []byte {
	return TableRefused.Of(uint64(deployment), uint64(target))
}
