package wal

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

var (
	_ raft.LogStore          = (*Log)(nil)
	_ raft.MonotonicLogStore = (*Log)(nil)
	_ raft.StableStore       = (*Log)(nil)
)

// Log is the durable log and stable store of one raft group. All methods may be called from many goroutines:
// writers wait for each other, readers wait for nobody's disk.
type Log struct {
	dir  string
	opt  Options
	fs   FS
	log  *slog.Logger
	lock io.Closer

	syncs atomic.Uint64

	// write is held by whoever writes a file; it guards failed, buf, refs and garbage.
	write   sync.Mutex
	failed  error
	buf     []byte
	refs    []entryRef
	garbage []string

	// mu guards what readers see; it is never held during a disk operation. Only a holder of write changes it.
	mu     sync.RWMutex
	closed bool
	bounds bounds
	segs   []*segment
	keys   map[string][]byte
}

// Open opens the log in dir, and makes it when there is none. It fails with ErrLocked when somebody else has it
// open and with a *CorruptError when a file is damaged other than by a torn last write.
func Open(dir string, opt Options) (*Log, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open raft log %s: %w", dir, err)
	}
	l := &Log{dir: dir, opt: opt, fs: opt.FS, log: opt.Logger.With("dir", dir)}
	if err := l.fs.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("create raft log directory: %w", err)
	}
	if l.lock, err = l.fs.Lock(l.path(lockName)); err != nil {
		return nil, fmt.Errorf("lock raft log: %w", err)
	}
	if err := l.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("open raft log: %w", err), l.releaseAll())
	}
	return l, nil
}

// Close ends all use of the log. It first marks the end of a log that was written to, so that later damage to the
// last entries is not taken for a torn write. Reads under way finish. A second Close does nothing.
func (l *Log) Close() error {
	l.write.Lock()
	defer l.write.Unlock()
	if l.closed {
		return nil
	}
	var err error
	if a := l.active(); l.failed == nil && a.unmarked && a.size-a.end >= boundsFrameSize {
		err = l.appendBounds(l.bounds)
	}
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	if err = errors.Join(err, l.releaseAll()); err != nil {
		return fmt.Errorf("close raft log: %w", err)
	}
	return nil
}

func (l *Log) releaseAll() error {
	var errs []error
	for _, s := range l.segs {
		errs = append(errs, s.release())
	}
	return errors.Join(append(errs, l.lock.Close())...)
}

// IsMonotonic implements raft.MonotonicLogStore: raft then empties the log after a snapshot install instead of
// leaving a gap in it, which also avoids its install loop (hashicorp/raft issue 697).
func (l *Log) IsMonotonic() bool { return true }

// FirstIndex implements raft.LogStore: 0 when the log is empty.
func (l *Log) FirstIndex() (uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return 0, ErrClosed
	}
	return l.bounds.first, nil
}

// LastIndex implements raft.LogStore: 0 when the log is empty.
func (l *Log) LastIndex() (uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return 0, ErrClosed
	}
	return l.bounds.last, nil
}

// GetLog implements raft.LogStore: it reads one entry from its file and checks it. The entry's byte slices belong
// to the caller. An index outside the log gives raft.ErrLogNotFound itself, a damaged entry a *CorruptError.
func (l *Log) GetLog(index uint64, out *raft.Log) error {
	seg, ref, err := l.find(index)
	if err != nil {
		return err
	}
	err = readEntry(seg, ref, index, out)
	if cerr := seg.release(); cerr != nil {
		l.log.Warn("close a raft log segment that was dropped while read", "file", seg.path, "error", cerr)
	}
	return err
}

func readEntry(seg *segment, ref entryRef, index uint64, out *raft.Log) error {
	buf := make([]byte, ref.size)
	if _, err := seg.file.ReadAt(buf, int64(ref.off)); err != nil {
		return fmt.Errorf("read raft log entry %d: %w", index, err)
	}
	if err := decodeRecord(buf, seg.seed, index, out); err != nil {
		return &CorruptError{seg.path, int64(ref.off), err.Error()}
	}
	return nil
}

// find returns the place of an entry, its segment acquired.
func (l *Log) find(index uint64) (*segment, entryRef, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return nil, entryRef{}, ErrClosed
	}
	if index == 0 || index < l.bounds.first || index > l.bounds.last {
		return nil, entryRef{}, raft.ErrLogNotFound
	}
	seg, i := locate(l.segs, index)
	if seg == nil {
		return nil, entryRef{}, fmt.Errorf("raft log %s has no place for index %d", l.dir, index)
	}
	seg.acquire()
	return seg, seg.refs[i], nil
}

// locate finds the segment that has index, and its position there. The firsts of segments never fall; where
// several are equal all but the last are empty.
func locate(segs []*segment, index uint64) (*segment, uint64) {
	n := sort.Search(len(segs), func(i int) bool { return segs[i].first > index })
	if n == 0 {
		return nil, 0
	}
	seg := segs[n-1]
	if index-seg.first >= uint64(len(seg.refs)) {
		return nil, 0
	}
	return seg, index - seg.first
}

// Stats returns figures of the log.
func (l *Log) Stats() Stats {
	l.mu.RLock()
	defer l.mu.RUnlock()
	s := Stats{Segments: len(l.segs), First: l.bounds.first, Last: l.bounds.last, Syncs: l.syncs.Load()}
	for _, seg := range l.segs {
		s.Bytes += seg.size
	}
	return s
}

func (l *Log) path(name string) string { return filepath.Join(l.dir, name) }

// active is the segment that is written to: the newest. The caller holds write.
func (l *Log) active() *segment { return l.segs[len(l.segs)-1] }

// usable says whether a write may start. The caller holds write.
func (l *Log) usable() error {
	if l.closed {
		return ErrClosed
	}
	return l.failed
}

// fail makes every later write fail, as after a failed write or sync nobody knows what the disk holds: the kernel
// may have dropped the pages and marked them clean ("fsyncgate", PostgreSQL 2018). It returns the error to give now.
func (l *Log) fail(err error) error {
	if l.failed == nil {
		l.failed = fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return err
}
