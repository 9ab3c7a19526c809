package wal

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/hashicorp/raft"
)

// keepBuffer is the largest write buffer in bytes that is kept for the next batch.
const keepBuffer = 4 << 20

// StoreLog implements raft.LogStore.
func (l *Log) StoreLog(log *raft.Log) error { return l.StoreLogs([]*raft.Log{log}) }

// StoreLogs implements raft.LogStore: it appends the entries and returns when they are durable. The first must
// follow the last index, or may be any when the log is empty, and each must follow the one before it; otherwise
// nothing is stored and the error has ErrNotContiguous. The batch is one frame, there as a whole or not at all
// after a crash, unless it is larger than a segment: then a crash may leave its first entries.
func (l *Log) StoreLogs(logs []*raft.Log) error {
	l.write.Lock()
	defer l.write.Unlock()
	if err := l.usable(); err != nil {
		return err
	}
	if err := l.checkBatch(logs); err != nil {
		return err
	}
	for started := false; len(logs) > 0; started = true {
		n, payload, fits := l.nextChunk(logs)
		if !fits {
			if err := l.rotate(segmentHeaderSize + frameHeaderSize + payload + controlReserve); err != nil {
				if started {
					err = l.fail(err)
				}
				return fmt.Errorf("store raft log entries: %w", err)
			}
		}
		if err := l.appendEntries(logs[:n], payload); err != nil {
			return fmt.Errorf("store raft log entries: %w", err)
		}
		logs = logs[n:]
	}
	return nil
}

func (l *Log) checkBatch(logs []*raft.Log) error {
	last := l.bounds.last
	for _, entry := range logs {
		if entry.Index == 0 || (last != 0 && entry.Index != last+1) {
			return fmt.Errorf("%w: index %d after %d", ErrNotContiguous, entry.Index, last)
		}
		if size := recordSize(entry); size > maxPayload {
			return fmt.Errorf("raft log entry %d takes %d bytes, more than %d", entry.Index, size, maxPayload)
		}
		last = entry.Index
	}
	return nil
}

// nextChunk returns how many of the entries go into the next frame, their size, and whether the active segment
// has room for them. A batch is only split when a new segment could not take it.
func (l *Log) nextChunk(logs []*raft.Log) (n int, payload int64, fits bool) {
	a := l.active()
	here := a.size - a.end - frameHeaderSize - controlReserve
	fresh := l.opt.SegmentSize - segmentHeaderSize - frameHeaderSize - controlReserve
	for _, entry := range logs {
		size := recordSize(entry)
		if n > 0 && payload+size > max(here, fresh) {
			break
		}
		payload += size
		n++
	}
	return n, payload, payload <= here
}

func (l *Log) appendEntries(logs []*raft.Log, payload int64) error {
	a := l.active()
	l.buf = slices.Grow(l.buf[:0], int(frameHeaderSize+payload))[:frameHeaderSize+payload]
	l.refs = putEntries(l.buf, a.seed, a.end, logs, l.refs[:0])
	if err := l.writeFrame(a); err != nil {
		return err
	}
	if cap(l.buf) > keepBuffer {
		l.buf = nil
	}
	a.unmarked = true
	l.mu.Lock()
	defer l.mu.Unlock()
	a.append(logs[0].Index, l.refs)
	if l.bounds.empty() {
		l.bounds.first = logs[0].Index
	}
	l.bounds.last = logs[len(logs)-1].Index
	return nil
}

// appendBounds makes b the durable extent of the log. The active segment has the room.
func (l *Log) appendBounds(b bounds) error {
	a := l.active()
	l.buf = slices.Grow(l.buf[:0], boundsFrameSize)[:boundsFrameSize]
	putBounds(l.buf, a.seed, a.end, b)
	if err := l.writeFrame(a); err != nil {
		return err
	}
	a.unmarked = false
	return nil
}

// writeFrame writes l.buf at the end of the segment and makes it durable.
func (l *Log) writeFrame(a *segment) error {
	if _, err := a.file.WriteAt(l.buf, a.end); err != nil {
		return l.fail(fmt.Errorf("write %s: %w", a.path, err))
	}
	if err := l.sync(a.file); err != nil {
		return l.fail(fmt.Errorf("sync %s: %w", a.path, err))
	}
	a.end += int64(len(l.buf))
	return nil
}

// Probe finds out whether the disk takes writes, as much as a new segment needs. After a failed write it says when it
// is worth to close the log and open it again.
func (l *Log) Probe() error {
	l.write.Lock()
	defer l.write.Unlock()
	if l.closed {
		return ErrClosed
	}
	temp := l.path("probe" + tempSuffix)
	f, err := l.fs.Create(temp)
	if err != nil {
		return fmt.Errorf("create %s: %w", temp, err)
	}
	if err := errors.Join(l.fill(f, []byte("probe"), l.opt.SegmentSize), f.Close(), l.fs.Remove(temp)); err != nil {
		return fmt.Errorf("write %s: %w", temp, err)
	}
	return nil
}

func (l *Log) sync(f File) error {
	if l.opt.NoSync {
		return nil
	}
	l.syncs.Add(1)
	return f.Datasync()
}

func (l *Log) syncDir() error {
	if l.opt.NoSync {
		return nil
	}
	return l.fs.SyncDir(l.dir)
}

// syncParent makes the name of the log's own directory durable.
func (l *Log) syncParent() error {
	if l.opt.NoSync {
		return nil
	}
	parent := filepath.Dir(filepath.Clean(l.dir))
	if err := l.fs.SyncDir(parent); err != nil {
		return fmt.Errorf("sync directory %s: %w", parent, err)
	}
	return nil
}

// rotate starts a new active segment of at least size bytes. Its header seals the one before: it says where that
// one's frames end. A failure before the file has its name, such as a full disk, changes nothing and may be retried.
func (l *Log) rotate(size int64) error {
	number, prevEnd := uint64(1), int64(0)
	if len(l.segs) > 0 {
		number, prevEnd = l.active().number+1, l.active().end
	}
	h := segmentHeader{number: number, salt: l.opt.salt(), prevEnd: prevEnd, before: l.bounds}
	size = max(size, l.opt.SegmentSize)
	f, err := l.publish(segmentName(number), h.encode(), size)
	if err != nil {
		return err
	}
	seg := newSegment(number, l.path(segmentName(number)), f, h.seed(), size, segmentHeaderSize)
	if len(l.segs) > 0 {
		// It will likely hold about as many entries as the one before; growing step by step costs four times that.
		seg.refs = make([]entryRef, 0, len(l.active().refs)+len(l.active().refs)/8)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.bounds.empty() {
		seg.first = l.bounds.last + 1
	}
	l.segs = append(l.segs, seg)
	return nil
}

// publish makes a file with the given start and preallocated size, durable before it gets its name, in place of
// an older one of that name if there is one.
func (l *Log) publish(name string, content []byte, size int64) (File, error) {
	temp := l.path(name + tempSuffix)
	f, err := l.fs.Create(temp)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", temp, err)
	}
	if err := l.fill(f, content, size); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare %s: %w", temp, err), f.Close(), l.fs.Remove(temp))
	}
	if err := l.fs.Rename(temp, l.path(name)); err != nil {
		return nil, errors.Join(l.fail(fmt.Errorf("rename %s: %w", temp, err)), f.Close())
	}
	if err := l.syncDir(); err != nil {
		return nil, errors.Join(l.fail(fmt.Errorf("sync directory %s: %w", l.dir, err)), f.Close())
	}
	return f, nil
}

func (l *Log) fill(f File, content []byte, size int64) error {
	if size > 0 {
		if err := f.Preallocate(size); err != nil {
			return err
		}
	}
	if _, err := f.WriteAt(content, 0); err != nil {
		return err
	}
	return l.sync(f)
}
