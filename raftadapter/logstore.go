package raftadapter

import (
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/raftadapter/wal"
)

// boundedLog keeps raft from truncating what the store might still lose: the
// head of the log is deleted at most up to the durability marker (DESIGN §4
// "Power loss").
type boundedLog struct {
	*wal.Log
	marker atomic.Uint64
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
	}
	if last < first {
		return nil
	}
	return l.Log.DeleteRange(first, last)
}

var (
	_ raft.LogStore          = (*boundedLog)(nil)
	_ raft.MonotonicLogStore = (*boundedLog)(nil)
)
