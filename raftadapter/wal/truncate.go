package wal

import (
	"errors"
	"fmt"
)

// DeleteRange implements raft.LogStore: it removes the entries from lo to hi, both included. The range may reach
// beyond the log, and one that does not touch it is no error; one that leaves entries on both sides fails with
// ErrMiddle. It returns when the new extent is durable. Files that are no longer needed are removed after that; one
// that could not be removed is an error although the entries are gone, and is tried again by the next call and Open.
func (l *Log) DeleteRange(lo, hi uint64) error {
	doomed, err := l.truncate(lo, hi)
	if err != nil {
		return fmt.Errorf("delete raft log entries %d to %d: %w", lo, hi, err)
	}
	// Without l.write: appends do not wait while many files are unlinked. Their names are never used again.
	if err := l.removeFiles(doomed); err != nil {
		return fmt.Errorf("delete raft log files: %w", err)
	}
	return nil
}

// truncate changes the extent of the log and returns the files that it no longer needs.
func (l *Log) truncate(lo, hi uint64) ([]string, error) {
	l.write.Lock()
	defer l.write.Unlock()
	if err := l.usable(); err != nil {
		return nil, err
	}
	next, changed, err := l.bounds.without(lo, hi)
	if err != nil || !changed {
		return nil, err
	}
	if a := l.active(); a.size-a.end < boundsFrameSize {
		if err := l.rotate(0); err != nil {
			return nil, err
		}
	}
	next.oldest = l.oldestNeeded(next)
	if err := l.appendBounds(next); err != nil {
		return nil, err
	}
	doomed := append(l.garbage, l.setBounds(next)...)
	l.garbage = nil
	return doomed, nil
}

// without is b less lo to hi, and whether that changes it.
func (b bounds) without(lo, hi uint64) (bounds, bool, error) {
	lo, hi = max(lo, b.first), min(hi, b.last)
	if b.empty() || lo > hi {
		return b, false, nil
	}
	next := b
	switch {
	case lo == b.first && hi == b.last:
		next.first, next.last = 0, 0
	case lo == b.first:
		next.first = hi + 1
	case hi == b.last:
		next.last = lo - 1
	default:
		return b, false, fmt.Errorf("%w: it holds %d to %d", ErrMiddle, b.first, b.last)
	}
	return next, true, nil
}

// oldestNeeded is the number of the first segment with an entry within b, or else of the active one.
func (l *Log) oldestNeeded(b bounds) uint64 {
	for _, s := range l.segs {
		if s.lives(b) {
			return s.number
		}
	}
	return l.active().number
}

// setBounds makes b the extent that readers see and returns the files it no longer needs. A read under way keeps
// its file open.
func (l *Log) setBounds(b bounds) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bounds = b
	var doomed []string
	keep := l.segs[:0:0]
	for _, s := range l.segs {
		if s.number < b.oldest {
			doomed = append(doomed, s.path)
			if err := s.release(); err != nil {
				l.log.Warn("close a raft log segment", "file", s.path, "error", err)
			}
			continue
		}
		s.cut(b)
		keep = append(keep, s)
	}
	l.segs = keep
	return doomed
}

func (l *Log) removeFiles(paths []string) error {
	var errs []error
	var left []string
	for _, path := range paths {
		if err := l.fs.Remove(path); err != nil {
			errs = append(errs, err)
			left = append(left, path)
		}
	}
	if len(left) > 0 {
		l.write.Lock()
		l.garbage = append(l.garbage, left...)
		l.write.Unlock()
	}
	return errors.Join(errs...)
}
