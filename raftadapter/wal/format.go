package wal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// The layout of docs/formats/raft-log.md. All numbers are little endian; all positions are multiples of 8.
const (
	segmentMagic      = "GREVYWAL"
	segmentVersion    = 1
	segmentHeaderSize = 64
	segmentSuffix     = ".seg"
	tempSuffix        = ".tmp"
	lockName          = "LOCK"
	stableName        = "stable"

	// controlReserve bytes of each segment are kept free of entries, so that on a full disk the log can still be
	// cut, which is what gives the space back.
	controlReserve = 16 * boundsFrameSize
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// bounds is the extent of the log: its first and last index (both 0 when empty) and the number of the oldest
// segment that is still needed.
type bounds struct{ first, last, oldest uint64 }

func (b bounds) empty() bool { return b.last == 0 }

func (b bounds) valid() bool {
	return (b.first == 0) == (b.last == 0) && b.first <= b.last
}

func (b bounds) put(to []byte) {
	binary.LittleEndian.PutUint64(to, b.first)
	binary.LittleEndian.PutUint64(to[8:], b.last)
	binary.LittleEndian.PutUint64(to[16:], b.oldest)
}

func readBounds(from []byte) bounds {
	return bounds{
		first:  binary.LittleEndian.Uint64(from),
		last:   binary.LittleEndian.Uint64(from[8:]),
		oldest: binary.LittleEndian.Uint64(from[16:]),
	}
}

// segmentHeader is the start of a segment file. before is the extent of the log when the segment was made, and
// prevEnd the position where the frames of the previous segment end: what makes that one sealed.
type segmentHeader struct {
	number  uint64
	salt    uint64
	prevEnd int64
	before  bounds
}

func (h segmentHeader) encode() []byte {
	b := make([]byte, segmentHeaderSize)
	copy(b, segmentMagic)
	binary.LittleEndian.PutUint32(b[8:], segmentVersion)
	binary.LittleEndian.PutUint64(b[16:], h.number)
	binary.LittleEndian.PutUint64(b[24:], h.salt)
	binary.LittleEndian.PutUint64(b[32:], uint64(h.prevEnd))
	h.before.put(b[40:])
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(b[16:], castagnoli))
	return b
}

// decodeSegmentHeader returns the header, or at which offset it does not hold and why.
func decodeSegmentHeader(b []byte) (h segmentHeader, offset int64, reason string) {
	if len(b) < segmentHeaderSize {
		return h, int64(len(b)), fmt.Sprintf("the file ends inside the %d byte segment header", segmentHeaderSize)
	}
	if string(b[:8]) != segmentMagic {
		return h, 0, "no segment magic"
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != segmentVersion {
		return h, 8, fmt.Sprintf("segment version %d, this program knows %d", v, segmentVersion)
	}
	if binary.LittleEndian.Uint32(b[12:]) != crc32.Checksum(b[16:segmentHeaderSize], castagnoli) {
		return h, 12, "segment header checksum"
	}
	return segmentHeader{
		number:  binary.LittleEndian.Uint64(b[16:]),
		salt:    binary.LittleEndian.Uint64(b[24:]),
		prevEnd: int64(binary.LittleEndian.Uint64(b[32:])),
		before:  readBounds(b[40:]),
	}, 0, ""
}

// seed is what every checksum of the segment starts from, so that bytes of another segment, wherever they come
// from (reused blocks, an entry that carries a copy of a log file), never pass as this one's.
func (h segmentHeader) seed() uint32 {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], h.number)
	binary.LittleEndian.PutUint64(b[8:], h.salt)
	return crc32.Checksum(b[:], castagnoli)
}

func checksum(seed uint32, b []byte) uint32 { return crc32.Update(seed, castagnoli, b) }

// padded rounds up to the 8 byte grid.
func padded(n int64) int64 { return (n + 7) &^ 7 }

func segmentName(number uint64) string { return fmt.Sprintf("%016x%s", number, segmentSuffix) }

// segmentNumber is the inverse of segmentName.
func segmentNumber(name string) (uint64, bool) {
	number, err := strconv.ParseUint(strings.TrimSuffix(name, segmentSuffix), 16, 64)
	return number, err == nil && number > 0 && segmentName(number) == name
}
