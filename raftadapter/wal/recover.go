package wal

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// load brings the log to the state that its files hold.
func (l *Log) load() error {
	defer func() { l.buf = nil }()
	numbers, hasStable, err := l.listFiles()
	if err != nil {
		return err
	}
	if err := l.loadStable(!hasStable && len(numbers) == 0); err != nil {
		return err
	}
	if len(numbers) == 0 {
		if len(l.keys) > 0 {
			return &CorruptError{l.dir, 0, "the stable store has keys but every segment is missing"}
		}
		l.bounds.oldest = 1
		return l.rotate(0)
	}
	return l.loadSegments(numbers)
}

// listFiles returns the numbers of the segments, ascending, and whether there is a stable store. Files that were
// under construction when the process died are removed.
func (l *Log) listFiles() (numbers []uint64, hasStable bool, err error) {
	names, err := l.fs.List(l.dir)
	if err != nil {
		return nil, false, fmt.Errorf("list %s: %w", l.dir, err)
	}
	for _, name := range names {
		number, isSegment := segmentNumber(name)
		switch {
		case isSegment:
			numbers = append(numbers, number)
		case name == stableName:
			hasStable = true
		case strings.HasSuffix(name, tempSuffix):
			if err := l.fs.Remove(l.path(name)); err != nil {
				return nil, false, fmt.Errorf("remove unfinished file: %w", err)
			}
		case name != lockName:
			l.log.Warn("raft log directory has a file that is not its own", "file", name)
		}
	}
	slices.Sort(numbers)
	return numbers, hasStable, nil
}

// loadSegments reads the newest segment first, because it says which is the oldest still needed: older ones are
// what an interrupted removal left. Then it replays them in order.
func (l *Log) loadSegments(numbers []uint64) error {
	newest, last, err := l.openNewest(numbers[len(numbers)-1])
	if err != nil {
		return err
	}
	numbers, err = l.dropLeftovers(numbers, last.oldest())
	if err != nil {
		return errors.Join(err, newest.file.Close())
	}
	scans, err := l.openSealed(numbers[:len(numbers)-1], last.header)
	// From here on l.segs has every open file, and releaseAll closes them.
	l.segs = append(l.segs, newest)
	if err != nil {
		return err
	}
	scans = append(scans, last)
	for i, s := range scans {
		if err := l.replay(i, s); err != nil {
			return err
		}
	}
	if err := l.checkCover(); err != nil {
		return err
	}
	l.reportTorn(newest, last)
	return l.settle(newest, last)
}

func (l *Log) openNewest(number uint64) (*segment, *scan, error) {
	path := l.path(segmentName(number))
	f, size, err := l.openFile(path)
	if err != nil {
		return nil, nil, err
	}
	data, err := l.readStart(f, size)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("read %s: %w", path, err), f.Close())
	}
	s, err := scanNewest(path, data)
	if err == nil && s.header.number != number {
		err = &CorruptError{path, 16, fmt.Sprintf("the header is that of segment %d", s.header.number)}
	}
	if err == nil && s.oldest() > number {
		err = &CorruptError{path, segmentHeaderSize, fmt.Sprintf("the oldest segment is said to be %d", s.oldest())}
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return newSegment(number, path, f, s.header.seed(), size, s.end), s, nil
}

// dropLeftovers removes the segments before oldest and returns the others, which must be without a hole.
func (l *Log) dropLeftovers(numbers []uint64, oldest uint64) ([]uint64, error) {
	for len(numbers) > 0 && numbers[0] < oldest {
		path := l.path(segmentName(numbers[0]))
		if err := l.fs.Remove(path); err != nil {
			return nil, fmt.Errorf("remove old segment: %w", err)
		}
		l.log.Info("removed a raft log segment that an interrupted truncation had left", "file", path)
		numbers = numbers[1:]
	}
	for i, number := range numbers {
		if want := oldest + uint64(i); number != want {
			return nil, &CorruptError{l.path(segmentName(want)), 0, "the segment is missing"}
		}
	}
	return numbers, nil
}

// openSealed opens the segments before the newest, whose header is next, and adds them to l.segs. It goes
// backwards because each header says where the frames of the segment before it end.
func (l *Log) openSealed(numbers []uint64, next segmentHeader) ([]*scan, error) {
	scans := make([]*scan, 0, len(numbers)+1)
	for _, number := range slices.Backward(numbers) {
		seg, s, err := l.openOneSealed(number, next.prevEnd)
		if err != nil {
			return nil, err
		}
		l.segs = slices.Insert(l.segs, 0, seg)
		scans = append(scans, s)
		next = s.header
	}
	slices.Reverse(scans)
	return scans, nil
}

func (l *Log) openOneSealed(number uint64, end int64) (*segment, *scan, error) {
	path := l.path(segmentName(number))
	f, size, err := l.openFile(path)
	if err != nil {
		return nil, nil, err
	}
	s, err := l.readSealed(f, path, number, size, end)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return newSegment(number, path, f, s.header.seed(), size, s.end), s, nil
}

func (l *Log) readSealed(f File, path string, number uint64, size, end int64) (*scan, error) {
	if end < segmentHeaderSize || end > size {
		return nil, &CorruptError{path, size, fmt.Sprintf("the file ends here, but its frames end at offset %d", end)}
	}
	data, err := l.readStart(f, end)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	s, err := scanSealed(path, data)
	if err == nil && s.header.number != number {
		err = &CorruptError{path, 16, fmt.Sprintf("the header is that of segment %d", s.header.number)}
	}
	return s, err
}

// replay applies what segment i says to the state that those before it gave.
func (l *Log) replay(i int, s *scan) error {
	seg := l.segs[i]
	before := s.header.before
	if i == 0 {
		l.bounds = before
	}
	if l.bounds != before {
		return &CorruptError{seg.path, 40, fmt.Sprintf("the log was %+v before, the header says %+v", l.bounds, before)}
	}
	if !before.empty() {
		seg.first = before.last + 1
	}
	for _, f := range s.frames {
		if err := l.apply(l.segs[:i+1], f); err != nil {
			return &CorruptError{seg.path, f.off, err.Error()}
		}
		seg.unmarked = f.kind == kindEntries
	}
	return nil
}

// apply does in memory what writing the frame did; segs are those up to the frame's own.
func (l *Log) apply(segs []*segment, f frame) error {
	b := l.bounds
	if f.kind == kindEntries {
		if !b.empty() && f.first != b.last+1 {
			return fmt.Errorf("entries from index %d on follow index %d", f.first, b.last)
		}
		if b.empty() {
			l.bounds.first = f.first
		}
		l.bounds.last = f.first + uint64(len(f.refs)) - 1
		segs[len(segs)-1].append(f.first, f.refs)
		return nil
	}
	if f.bounds.oldest < b.oldest || !f.bounds.empty() && (f.bounds.first < b.first || f.bounds.last > b.last) {
		return fmt.Errorf("the log was %+v and cannot become %+v", b, f.bounds)
	}
	l.bounds = f.bounds
	for _, s := range segs {
		s.cut(f.bounds)
	}
	return nil
}

// checkCover makes sure that each index of the log has its place.
func (l *Log) checkCover() error {
	for index := l.bounds.first; index != 0 && index <= l.bounds.last; {
		seg, i := locate(l.segs, index)
		if seg == nil {
			return &CorruptError{l.dir, 0, fmt.Sprintf("the log is %d to %d, but no segment has index %d",
				l.bounds.first, l.bounds.last, index)}
		}
		index += uint64(len(seg.refs)) - i
	}
	return nil
}

// reportTorn reports the remainder of a write that the crash interrupted. Nothing needs to be erased: the next frame
// goes over its start, and what then lies behind has no valid frame header.
func (l *Log) reportTorn(newest *segment, s *scan) {
	if s.torn != "" {
		l.log.Warn("cut a torn write off the raft log", "file", newest.path, "offset", s.end, "found", s.torn,
			"last_index", l.bounds.last)
	}
}

// settle makes what was read durable. A write that the process did not live to sync, or whose sync failed, may
// have been read from memory only: the last frame is written once more, so that its pages are dirty, and synced.
// Without it raft could act on entries that a power loss then takes away.
func (l *Log) settle(a *segment, s *scan) error {
	if n := len(s.frames); n > 0 {
		off := s.frames[n-1].off
		frame := make([]byte, a.end-off)
		if _, err := a.file.ReadAt(frame, off); err != nil {
			return fmt.Errorf("read %s: %w", a.path, err)
		}
		if _, err := a.file.WriteAt(frame, off); err != nil {
			return fmt.Errorf("write %s: %w", a.path, err)
		}
	}
	if err := l.sync(a.file); err != nil {
		return fmt.Errorf("sync %s: %w", a.path, err)
	}
	if err := l.syncDir(); err != nil {
		return fmt.Errorf("sync directory %s: %w", l.dir, err)
	}
	return nil
}

func (l *Log) openFile(path string) (File, int64, error) {
	f, err := l.fs.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("open segment: %w", err)
	}
	size, err := f.Size()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("stat %s: %w", path, err), f.Close())
	}
	return f, size, nil
}

// readStart reads the first n bytes of f. They are good until the next call: scans keep places, not bytes.
func (l *Log) readStart(f File, n int64) ([]byte, error) {
	l.buf = slices.Grow(l.buf[:0], int(n))[:n]
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, n), l.buf); err != nil {
		return nil, err
	}
	return l.buf, nil
}
