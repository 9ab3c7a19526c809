package wal

import (
	"encoding/binary"
	"fmt"

	"github.com/hashicorp/raft"
)

const (
	frameMagic      = "GRWF"
	frameHeaderSize = 40
	boundsSize      = 24
	boundsFrameSize = frameHeaderSize + boundsSize

	// maxPayload keeps a frame, and the positions within a segment, inside 32 bit.
	maxPayload = 1<<30 - 1<<16

	// kindEntries is a batch of records, kindBounds sets the extent of the log.
	kindEntries = 1
	kindBounds  = 2
)

// entryRef is where one record lies in its segment: 8 bytes of index per entry.
type entryRef struct{ off, size uint32 }

// frame is one frame of a segment as read back. refs are set for entries, bounds for bounds.
type frame struct {
	off, end int64
	kind     uint32
	first    uint64
	refs     []entryRef
	bounds   bounds
}

// putFrameHeader completes a frame that is to be written at position off: buf holds the payload behind the room
// for the header.
func putFrameHeader(buf []byte, seed uint32, off int64, kind, count uint32, first uint64) {
	payload := buf[frameHeaderSize:]
	copy(buf, frameMagic)
	binary.LittleEndian.PutUint32(buf[8:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(buf[12:], checksum(seed, payload))
	binary.LittleEndian.PutUint64(buf[16:], uint64(off))
	binary.LittleEndian.PutUint32(buf[24:], kind)
	binary.LittleEndian.PutUint32(buf[28:], count)
	binary.LittleEndian.PutUint64(buf[32:], first)
	binary.LittleEndian.PutUint32(buf[4:], checksum(seed, buf[8:frameHeaderSize]))
}

// putEntries fills buf, made for exactly these entries, and appends their places to refs.
func putEntries(buf []byte, seed uint32, off int64, logs []*raft.Log, refs []entryRef) []entryRef {
	pos := int64(frameHeaderSize)
	for _, l := range logs {
		size := recordSize(l)
		putRecord(buf[pos:pos+size], seed, l)
		refs = append(refs, entryRef{off: uint32(off + pos), size: uint32(size)})
		pos += size
	}
	putFrameHeader(buf, seed, off, kindEntries, uint32(len(logs)), logs[0].Index)
	return refs
}

// putBounds fills buf, boundsFrameSize long.
func putBounds(buf []byte, seed uint32, off int64, b bounds) {
	b.put(buf[frameHeaderSize:])
	putFrameHeader(buf, seed, off, kindBounds, 0, 0)
}

// validFrameHeader says whether a frame header of this segment lies at off. Its offset is part of it, so a copy
// elsewhere does not count.
func validFrameHeader(data []byte, seed uint32, off int64) bool {
	if int64(len(data))-off < frameHeaderSize {
		return false
	}
	h := data[off : off+frameHeaderSize]
	return string(h[:4]) == frameMagic && binary.LittleEndian.Uint64(h[16:]) == uint64(off) &&
		binary.LittleEndian.Uint32(h[4:]) == checksum(seed, h[8:])
}

// readFrame reads the frame at off. torn says why there is no whole frame, which at the end of the newest segment
// is normal; err says that the bytes are as they were written and still make no sense.
func readFrame(data []byte, seed uint32, off int64) (f frame, torn string, err error) {
	if !validFrameHeader(data, seed, off) {
		return f, "no valid frame header", nil
	}
	h := data[off:]
	size := int64(binary.LittleEndian.Uint32(h[8:]))
	if size > int64(len(h))-frameHeaderSize {
		return f, "the file ends inside the frame", nil
	}
	payload := h[frameHeaderSize : frameHeaderSize+size]
	if binary.LittleEndian.Uint32(h[12:]) != checksum(seed, payload) {
		return f, "frame payload checksum", nil
	}
	f = frame{off: off, end: off + frameHeaderSize + size, kind: binary.LittleEndian.Uint32(h[24:])}
	f.first = binary.LittleEndian.Uint64(h[32:])
	switch f.kind {
	case kindEntries:
		err = f.readEntries(payload, binary.LittleEndian.Uint32(h[28:]))
	case kindBounds:
		err = f.readBounds(payload)
	default:
		err = fmt.Errorf("frame kind %d is unknown", f.kind)
	}
	return f, "", err
}

func (f *frame) readEntries(payload []byte, count uint32) error {
	if int64(count)*recordHeaderSize > int64(len(payload)) || count == 0 || f.first == 0 {
		return fmt.Errorf("frame of %d entries from index %d in %d bytes", count, f.first, len(payload))
	}
	f.refs = make([]entryRef, 0, count)
	pos := int64(0)
	for i := range uint64(count) {
		_, _, size, ok := recordExtent(payload[pos:])
		if !ok || recordIndex(payload[pos:]) != f.first+i {
			return fmt.Errorf("record %d of the frame is not index %d", i, f.first+i)
		}
		f.refs = append(f.refs, entryRef{off: uint32(f.off + frameHeaderSize + pos), size: uint32(size)})
		pos += size
	}
	if pos != int64(len(payload)) {
		return fmt.Errorf("%d bytes behind the last record of the frame", int64(len(payload))-pos)
	}
	return nil
}

func (f *frame) readBounds(payload []byte) error {
	if len(payload) != boundsSize {
		return fmt.Errorf("bounds frame of %d bytes", len(payload))
	}
	f.bounds = readBounds(payload)
	if !f.bounds.valid() {
		return fmt.Errorf("bounds frame of %d to %d", f.bounds.first, f.bounds.last)
	}
	return nil
}
