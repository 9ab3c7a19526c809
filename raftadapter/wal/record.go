package wal

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/hashicorp/raft"
)

const recordHeaderSize = 48

// recordSize is the size in bytes of an entry in the file, padding included.
func recordSize(l *raft.Log) int64 {
	return padded(recordHeaderSize + int64(len(l.Data)) + int64(len(l.Extensions)))
}

// putRecord writes one entry into b, which is exactly recordSize(l) long and may hold old bytes.
func putRecord(b []byte, seed uint32, l *raft.Log) {
	binary.LittleEndian.PutUint32(b[4:], uint32(len(l.Data)))
	binary.LittleEndian.PutUint32(b[8:], uint32(len(l.Extensions)))
	binary.LittleEndian.PutUint32(b[12:], uint32(l.Type))
	binary.LittleEndian.PutUint64(b[16:], l.Index)
	binary.LittleEndian.PutUint64(b[24:], l.Term)
	binary.LittleEndian.PutUint64(b[32:], uint64(l.AppendedAt.Unix()))
	binary.LittleEndian.PutUint64(b[40:], uint64(l.AppendedAt.Nanosecond()))
	end := recordHeaderSize + copy(b[recordHeaderSize:], l.Data)
	end += copy(b[end:], l.Extensions)
	clear(b[end:])
	binary.LittleEndian.PutUint32(b, checksum(seed, b[4:end]))
}

// recordExtent reads the length fields at the start of b: where the data, the extensions and the padding end.
func recordExtent(b []byte) (data, ext, size int64, ok bool) {
	if len(b) < recordHeaderSize {
		return 0, 0, 0, false
	}
	data = recordHeaderSize + int64(binary.LittleEndian.Uint32(b[4:]))
	ext = data + int64(binary.LittleEndian.Uint32(b[8:]))
	size = padded(ext)
	return data, ext, size, size <= int64(len(b))
}

func recordIndex(b []byte) uint64 { return binary.LittleEndian.Uint64(b[16:]) }

// decodeRecord checks b, the bytes of one whole record, and fills out; Data and Extensions are parts of b, nil
// when empty. AppendedAt comes back in UTC and without a monotonic clock reading.
func decodeRecord(b []byte, seed uint32, index uint64, out *raft.Log) error {
	data, ext, size, ok := recordExtent(b)
	if !ok || size != int64(len(b)) {
		return fmt.Errorf("record of %d bytes has the wrong lengths", len(b))
	}
	if binary.LittleEndian.Uint32(b) != checksum(seed, b[4:ext]) {
		return fmt.Errorf("record checksum")
	}
	if got := recordIndex(b); got != index {
		return fmt.Errorf("record holds index %d, not %d", got, index)
	}
	sec, nsec := binary.LittleEndian.Uint64(b[32:]), binary.LittleEndian.Uint64(b[40:])
	*out = raft.Log{
		Index:      index,
		Term:       binary.LittleEndian.Uint64(b[24:]),
		Type:       raft.LogType(b[12]),
		Data:       part(b, recordHeaderSize, data),
		Extensions: part(b, data, ext),
		AppendedAt: time.Unix(int64(sec), int64(nsec)).UTC(),
	}
	return nil
}

// part returns b[from:to] that cannot be appended to, nil when empty.
func part(b []byte, from, to int64) []byte {
	if from == to {
		return nil
	}
	return b[from:to:to]
}
