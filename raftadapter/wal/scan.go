package wal

import (
	"bytes"
	"fmt"
)

// scan is what a segment file holds: its header, its frames, and where they end.
type scan struct {
	header segmentHeader
	frames []frame
	end    int64
	// torn is empty when the bytes after end are zeros; otherwise it says what the cut remainder looked like.
	torn string
}

// oldest is the oldest segment needed, as the newest statement of this segment has it.
func (s *scan) oldest() uint64 {
	oldest := s.header.before.oldest
	for _, f := range s.frames {
		if f.kind == kindBounds {
			oldest = f.bounds.oldest
		}
	}
	return oldest
}

// scanNewest reads the segment that is written to. Its frames end at the first one that is not whole, unless a
// frame header lies behind it: a frame is written only after the one before it was synced, so that would be
// damage to data that was promised.
func scanNewest(path string, data []byte) (*scan, error) {
	s, torn, err := scanFrames(path, data)
	if err != nil {
		return nil, err
	}
	if later, found := findFrameHeader(data, s.header.seed(), s.end+8); found {
		return nil, &CorruptError{path, s.end, fmt.Sprintf("%s, but a later frame follows at offset %d", torn, later)}
	}
	if len(bytes.TrimLeft(data[s.end:], "\x00")) > 0 {
		s.torn = torn
	}
	return s, nil
}

// scanSealed reads a segment that has a successor. data is cut where that one says its frames end, and all of it
// must be whole frames.
func scanSealed(path string, data []byte) (*scan, error) {
	s, torn, err := scanFrames(path, data)
	if err != nil {
		return nil, err
	}
	if s.end != int64(len(data)) {
		return nil, &CorruptError{path, s.end, fmt.Sprintf("%s, but the segment is sealed at offset %d", torn, len(data))}
	}
	return s, nil
}

// scanFrames reads the header and the frames up to the first that is not whole, and says why that one is not.
func scanFrames(path string, data []byte) (*scan, string, error) {
	header, off, reason := decodeSegmentHeader(data)
	if reason != "" {
		return nil, "", &CorruptError{path, off, reason}
	}
	s := &scan{header: header, end: segmentHeaderSize}
	seed := header.seed()
	for {
		f, torn, err := readFrame(data, seed, s.end)
		if err != nil {
			return nil, "", &CorruptError{path, s.end, err.Error()}
		}
		if torn != "" {
			return s, torn, nil
		}
		s.frames = append(s.frames, f)
		s.end = f.end
	}
}

// findFrameHeader looks for a valid frame header on the grid at or after from.
func findFrameHeader(data []byte, seed uint32, from int64) (int64, bool) {
	for from < int64(len(data)) {
		i := bytes.Index(data[from:], []byte(frameMagic))
		if i < 0 {
			return 0, false
		}
		from += int64(i)
		if from%8 == 0 && validFrameHeader(data, seed, from) {
			return from, true
		}
		from++
	}
	return 0, false
}
