package raftadapter

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/raftadapter/wal"
)

// boundedLog keeps raft from truncating what the store might still lose: the
// head of the log is deleted at most up to the durability marker (architecture §4
// "After a loss of power"), and to where the record log is, within bounds. And it tells of damage that appears while the group runs.
type boundedLog struct {
	*wal.Log
	marker  atomic.Uint64
	damaged func(error)
	// exported is how far the record log is, 0 if there is none; held bounds the
	// entries that are kept for it.
	exported func() uint64
	held     uint64
	// failing is told of a write that failed. forgetful: a term was not written, so
	// nothing may be promised any more.
	failing   func(error)
	forgetful atomic.Bool
	// room tells whether a follower may take entries; the leader looks after itself.
	room func() bool
	raft atomic.Pointer[raft.Raft] // once it runs
}

var errNoRoom = errors.New("the disk has no room")

// refuses tells whether this replica is sent entries for which there is no room.
func (l *boundedLog) refuses() bool {
	r := l.raft.Load()
	return r != nil && !l.room() && r.State() != raft.Leader
}

// StoreLogs appends entries. The group is told if that fails.
func (l *boundedLog) StoreLogs(logs []*raft.Log) error {
	if l.refuses() {
		return errNoRoom
	}
	err := l.failure()
	if err == nil {
		err = l.Log.StoreLogs(logs)
	}
	return l.noted(err)
}

// StoreLog does the same with one.
func (l *boundedLog) StoreLog(log *raft.Log) error { return l.StoreLogs([]*raft.Log{log}) }

// Set writes a vote.
func (l *boundedLog) Set(key, value []byte) error {
	err := l.failure()
	if err == nil {
		err = l.Log.Set(key, value)
	}
	return l.noted(err)
}

// currentTerm is raft's key of it.
const currentTerm = "CurrentTerm"

// SetUint64 writes a term. Raft ends the process if its current term cannot be
// written. Instead it may go on with one that is not: as no vote is written and no
// entry stored from then on, nothing is promised in that term.
func (l *boundedLog) SetUint64(key []byte, value uint64) error {
	err := l.failure()
	if err == nil {
		err = l.Log.SetUint64(key, value)
	}
	if err != nil && string(key) == currentTerm {
		l.forgetful.Store(true)
		_ = l.noted(err)
		return nil
	}
	return l.noted(err)
}

var errForgetful = errors.New("the disk has refused a write of this replica's term")

func (l *boundedLog) failure() error {
	if l.forgetful.Load() {
		return errForgetful
	}
	return nil
}

// noted tells the group of a failed write.
func (l *boundedLog) noted(err error) error {
	if err != nil && !errors.Is(err, wal.ErrClosed) && !errors.Is(err, wal.ErrNotContiguous) {
		l.failing(fmt.Errorf("raft log: %w", err))
	}
	return err
}

// GetLog reads an entry. A leader that can not read one for a follower would
// else only log it, again and again, and the follower stay where it is.
func (l *boundedLog) GetLog(index uint64, out *raft.Log) error {
	err := l.Log.GetLog(index, out)
	var corrupt *wal.CorruptError
	if errors.As(err, &corrupt) {
		go l.damaged(fmt.Errorf("%w: %w", ErrLogDamaged, err))
	}
	return err
}

// DeleteRange deletes as asked, but when it cuts off the head and leaves a tail
// it stops at the marker. Cutting off a conflicting tail, or all of the log
// after a snapshot was installed, is not bounded: the former was never applied,
// the latter is in the snapshot.
func (l *boundedLog) DeleteRange(first, last uint64) error {
	end, err := l.LastIndex()
	if err != nil {
		return err
	}
	if last < end {
		last = min(last, l.marker.Load())
		if at := l.exported(); at > 0 {
			last = min(last, max(at, end-min(end, l.held)))
		}
	}
	if last < first {
		return nil
	}
	return l.noted(l.Log.DeleteRange(first, last))
}

var (
	_ raft.LogStore          = (*boundedLog)(nil)
	_ raft.MonotonicLogStore = (*boundedLog)(nil)
)
