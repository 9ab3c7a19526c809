package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
)

// segmentOf builds a segment of batches of three entries in memory, zeros behind, and says where each frame starts.
func segmentOf(batches int, data []byte) (h segmentHeader, seg []byte, starts []int64) {
	h = segmentHeader{number: 5, salt: 99, prevEnd: 64, before: bounds{oldest: 5}}
	seg = h.encode()
	for i := range uint64(batches) {
		var logs []*raft.Log
		for j := range uint64(3) {
			logs = append(logs, &raft.Log{Index: 10 + 3*i + j, Term: 2, Data: data})
		}
		starts = append(starts, int64(len(seg)))
		frame := bytes.Repeat([]byte{0xee}, int(frameHeaderSize+3*recordSize(logs[0])))
		putEntries(frame, h.seed(), int64(len(seg)), logs, nil)
		seg = append(seg, frame...)
	}
	starts = append(starts, int64(len(seg)))
	return h, append(seg, make([]byte, 256)...), starts
}

// TestLogFileAsData: an entry that carries a copy of a log file, its own included, is never taken for frames.
func TestLogFileAsData(t *testing.T) {
	_, inner, _ := segmentOf(2, []byte("inner"))
	_, seg, starts := segmentOf(2, inner)
	// The same number and salt, and with luck the same grid: only the position within the header tells.
	torn := bytes.Clone(seg)
	torn[starts[1]] ^= 1
	s, err := scanNewest("file", torn)
	if err != nil || s.end != starts[1] || s.torn == "" {
		t.Fatalf("scan: %+v, %v, want the end at %d", s, err, starts[1])
	}
}

// TestOtherSegmentsBytes: frames with another segment's salt at the right place, such as reused blocks of a deleted
// file, are nothing.
func TestOtherSegmentsBytes(t *testing.T) {
	h, seg, starts := segmentOf(2, []byte("old"))
	h.salt++
	copy(seg, h.encode())
	s, err := scanNewest("file", seg)
	if err != nil || len(s.frames) != 0 || s.end != starts[0] {
		t.Fatalf("scan: %+v, %v", s, err)
	}
}

// TestWrongButWhole gives the reader bytes that pass every checksum and cannot have been written: an error, even at
// the tail.
func TestWrongButWhole(t *testing.T) {
	h, seg, starts := segmentOf(1, []byte("x"))
	seed, at := h.seed(), starts[1]
	bare := func(kind, count uint32, first uint64, payload []byte) []byte {
		buf := append(make([]byte, frameHeaderSize), payload...)
		putFrameHeader(buf, seed, at, kind, count, first)
		return buf
	}
	record := make([]byte, recordSize(&raft.Log{}))
	putRecord(record, seed, &raft.Log{Index: 13})
	long := bytes.Clone(record)
	binary.LittleEndian.PutUint32(long[4:], 1<<31)
	var cross, noFirst [boundsSize]byte
	bounds{first: 9, last: 8, oldest: 5}.put(cross[:])
	bounds{first: 0, last: 8, oldest: 5}.put(noFirst[:])
	for name, frame := range map[string][]byte{
		"unknown kind":         bare(9, 0, 0, nil),
		"no entries":           bare(kindEntries, 0, 13, nil),
		"too many entries":     bare(kindEntries, 1<<31, 13, record),
		"index 0":              bare(kindEntries, 1, 0, record),
		"another index":        bare(kindEntries, 1, 14, record),
		"bytes behind":         bare(kindEntries, 1, 13, append(bytes.Clone(record), 0, 0, 0, 0, 0, 0, 0, 0)),
		"length beyond":        bare(kindEntries, 1, 13, long),
		"bounds short":         bare(kindBounds, 0, 0, make([]byte, 16)),
		"bounds cross":         bare(kindBounds, 0, 0, cross[:]),
		"bounds without first": bare(kindBounds, 0, 0, noFirst[:]),
	} {
		t.Run(name, func(t *testing.T) {
			var corrupt *CorruptError
			_, err := scanNewest("file", append(bytes.Clone(seg[:at]), frame...))
			if !errors.As(err, &corrupt) || corrupt.Offset != at {
				t.Errorf("scan: %v, want an error at %d", err, at)
			}
		})
	}
}

// TestImpossibleHistory gives Open whole frames that contradict each other.
func TestImpossibleHistory(t *testing.T) {
	for name, b := range map[string]bounds{
		"grows at the end":    {first: 10, last: 99, oldest: 5},
		"grows at the front":  {first: 9, last: 11, oldest: 5},
		"older segment again": {first: 10, last: 11, oldest: 4},
		"segment to come":     {first: 10, last: 11, oldest: 6},
	} {
		t.Run(name, func(t *testing.T) {
			h, seg, starts := segmentOf(1, []byte("x"))
			frame := make([]byte, boundsFrameSize)
			putBounds(frame, h.seed(), starts[1], b)
			err := openSegment(t, append(seg[:starts[1]], frame...))
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) {
				t.Errorf("open: %v", err)
			}
		})
	}
	t.Run("entries in no segment", func(t *testing.T) {
		h := segmentHeader{number: 5, before: bounds{first: 7, last: 9, oldest: 5}}
		var corrupt *CorruptError
		if err := openSegment(t, h.encode()); !errors.As(err, &corrupt) {
			t.Errorf("open: %v", err)
		}
	})
	t.Run("another segment's name", func(t *testing.T) {
		h := segmentHeader{number: 4, before: bounds{oldest: 4}}
		var corrupt *CorruptError
		if err := openSegment(t, h.encode()); !errors.As(err, &corrupt) || corrupt.Offset != 16 {
			t.Errorf("open: %v", err)
		}
	})
	t.Run("entries that do not follow", func(t *testing.T) {
		h, seg, starts := segmentOf(1, []byte("x"))
		entry := &raft.Log{Index: 20}
		frame := make([]byte, frameHeaderSize+recordSize(entry))
		putEntries(frame, h.seed(), starts[1], []*raft.Log{entry}, nil)
		var corrupt *CorruptError
		if err := openSegment(t, append(seg[:starts[1]], frame...)); !errors.As(err, &corrupt) || corrupt.Offset != starts[1] {
			t.Errorf("open: %v", err)
		}
	})
}

// TestSegmentsDisagree: a header that does not say of the log what the segments before it add up to, or one that is
// another's.
func TestSegmentsDisagree(t *testing.T) {
	_, seg, starts := segmentOf(1, []byte("x"))
	end := starts[1]
	for name, tt := range map[string]struct {
		number uint64
		next   segmentHeader
		ok     bool
	}{
		"agree":           {5, segmentHeader{number: 6, prevEnd: end, before: bounds{first: 10, last: 12, oldest: 5}}, true},
		"other last":      {5, segmentHeader{number: 6, prevEnd: end, before: bounds{first: 10, last: 13, oldest: 5}}, false},
		"other first":     {5, segmentHeader{number: 6, prevEnd: end, before: bounds{first: 11, last: 12, oldest: 5}}, false},
		"shorter":         {5, segmentHeader{number: 6, prevEnd: segmentHeaderSize, before: bounds{first: 10, last: 12, oldest: 5}}, false},
		"another's bytes": {6, segmentHeader{number: 7, prevEnd: end, before: bounds{first: 10, last: 12, oldest: 6}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			err := errors.Join(os.WriteFile(filepath.Join(dir, segmentName(tt.number)), seg, 0o600),
				os.WriteFile(filepath.Join(dir, segmentName(tt.next.number)), tt.next.encode(), 0o600),
				os.WriteFile(filepath.Join(dir, stableName), encodeStable(nil), 0o600))
			if err != nil {
				t.Fatal(err)
			}
			l, err := Open(dir, Options{NoSync: true})
			if tt.ok {
				if err := errors.Join(err, l.Close()); err != nil {
					t.Fatal(err)
				}
				return
			}
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) {
				t.Errorf("open: %v", err)
			}
		})
	}
}

// openSegment opens a log that has this one segment, number 5.
func openSegment(t testing.TB, seg []byte) error {
	t.Helper()
	dir := t.TempDir()
	err := errors.Join(os.WriteFile(filepath.Join(dir, segmentName(5)), seg, 0o600),
		os.WriteFile(filepath.Join(dir, stableName), encodeStable(nil), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	l, err := Open(dir, Options{NoSync: true})
	if err != nil {
		return err
	}
	return l.Close()
}

// FuzzSegmentReader gives the reader a valid segment with a piece replaced, and anything at all. It must not panic
// and must not invent: what it returns without an error is the first frames of the original, to the byte.
func FuzzSegmentReader(f *testing.F) {
	_, seg, starts := segmentOf(3, []byte("some data of an entry"))
	golden, err := os.ReadFile(filepath.Join("testdata", "golden", goldenFiles[0]))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint16(0), golden)
	f.Add(uint16(starts[1]), []byte{0, 0, 0, 0})
	f.Add(uint16(starts[2]+4), []byte{1})
	f.Add(uint16(starts[1]), seg[starts[0]:starts[1]])
	f.Add(uint16(len(seg)), []byte(frameMagic))
	f.Fuzz(func(t *testing.T, at uint16, piece []byte) {
		if _, err := scanNewest("file", piece); err != nil && !errors.As(err, new(*CorruptError)) {
			t.Fatalf("%v is no CorruptError", err)
		}
		changed := bytes.Clone(seg)
		if int(at) < len(changed) {
			copy(changed[at:], piece)
		}
		s, err := scanNewest("file", changed)
		if err != nil {
			if !errors.As(err, new(*CorruptError)) {
				t.Fatalf("%v is no CorruptError", err)
			}
			return
		}
		// A whole header with another salt makes it another segment.
		if bytes.Equal(changed[:segmentHeaderSize], seg[:segmentHeaderSize]) {
			checkPrefix(t, s, seg, changed, starts)
		}
	})
}

func checkPrefix(t *testing.T, s *scan, seg, changed []byte, starts []int64) {
	t.Helper()
	if len(s.frames) >= len(starts) || s.end != starts[len(s.frames)] {
		t.Fatalf("%d frames to %d, borders are %v", len(s.frames), s.end, starts)
	}
	if !bytes.Equal(changed[segmentHeaderSize:s.end], seg[segmentHeaderSize:s.end]) {
		t.Fatal("changed frames were taken for valid")
	}
	for i, f := range s.frames {
		for j, ref := range f.refs {
			var got raft.Log
			index := 10 + 3*uint64(i) + uint64(j)
			b := seg[ref.off : ref.off+ref.size]
			if err := decodeRecord(b, s.header.seed(), index, &got); err != nil || got.Term != 2 {
				t.Fatalf("entry %d: %+v, %v", index, got, err)
			}
		}
	}
}

// FuzzStableReader: what the reader takes is written back the same, but for the order of the keys.
func FuzzStableReader(f *testing.F) {
	f.Add(encodeStable(nil))
	f.Add(encodeStable(map[string][]byte{"CurrentTerm": {1, 2, 3, 4, 5, 6, 7, 8}, "": nil}))
	f.Fuzz(func(t *testing.T, b []byte) {
		// The fuzzer does not find checksums; give it one.
		if len(b) >= stableHeaderSize {
			binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(b[16:], castagnoli))
		}
		keys, off, reason := decodeStable(b)
		if reason != "" {
			if off < 0 || off > int64(len(b)) {
				t.Fatalf("offset %d of %d", off, len(b))
			}
			return
		}
		again, _, reason := decodeStable(encodeStable(keys))
		if reason != "" || !maps.EqualFunc(again, keys, bytes.Equal) {
			t.Fatalf("%v became %v, %s", keys, again, reason)
		}
	})
}
