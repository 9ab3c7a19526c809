package wal

import "sync/atomic"

// segment is one open segment file and the index of the entries that live in it.
//
// number, path, file, seed and size never change. end and unmarked belong to the writer. first and refs are read by
// readers under Log.mu: refs[i] is the place of index first+i. Entries below the first index of the log may still
// be in refs; those behind its end never are.
type segment struct {
	number uint64
	path   string
	file   File
	seed   uint32
	size   int64

	// end is where the next frame goes.
	end int64
	// unmarked is set while the last frame holds entries that no bounds frame follows.
	unmarked bool

	first uint64
	refs  []entryRef

	// users counts the log itself and every read under way; the last one to leave closes the file.
	users atomic.Int64
}

func newSegment(number uint64, path string, file File, seed uint32, size, end int64) *segment {
	s := &segment{number: number, path: path, file: file, seed: seed, size: size, end: end}
	s.users.Store(1)
	return s
}

// acquire keeps the file open; the caller holds Log.mu, so that the log's own use is still counted.
func (s *segment) acquire() { s.users.Add(1) }

func (s *segment) release() error {
	if s.users.Add(-1) == 0 {
		return s.file.Close()
	}
	return nil
}

// append adds the places of entries from index first on, which follow those it has.
func (s *segment) append(first uint64, refs []entryRef) {
	if len(s.refs) == 0 {
		s.first = first
	}
	s.refs = append(s.refs, refs...)
}

// cut drops what lies outside b from the index.
func (s *segment) cut(b bounds) {
	switch {
	case b.empty():
		s.first, s.refs = 0, nil
	case s.first > b.last:
		s.first, s.refs = b.last+1, nil
	case s.first+uint64(len(s.refs)) > b.last+1:
		s.refs = s.refs[:b.last+1-s.first]
	}
}

// lives says whether an entry within b is here.
func (s *segment) lives(b bounds) bool {
	if b.empty() || len(s.refs) == 0 {
		return false
	}
	return s.first <= b.last && s.first+uint64(len(s.refs)) > b.first
}
