// Package wal is the durable log and stable store under one raft group.
//
// It holds what hashicorp/raft calls LogStore, MonotonicLogStore and StableStore: the entries, the current term
// and the last vote. One directory belongs to one group and to one process at a time. The log is a row of
// segment files that are only ever appended to; every StoreLogs call becomes one checksummed frame and one
// fdatasync. A truncation, of either end, is a frame as well (the new bounds of the log), so no byte that was
// once valid is written over and there is nothing stale to mistake for an entry. The bytes are described in
// docs/formats/raft-log.md.
//
// The promise: an entry whose StoreLogs returned nil is there after a crash or a power loss, and nothing is
// there that was not stored. Only the last frame may be torn, and it is cut. Damage anywhere else (valid data
// after it, or in a segment that is not the newest) is a *CorruptError from Open; it is never skipped.
//
// The package refuses: entries that do not follow the last one (raft is told so by IsMonotonic), deleting from
// the middle, a second opener of the directory, and any write after a failed write or sync, because the kernel
// may drop the pages of a failed sync and report the next one as fine. Reads go on.
//
// Start reading in log.go (the type), then append.go, truncate.go and recover.go. frame.go, record.go and
// scan.go are the format; stable.go is the small key store; fs.go is the seam for fault tests.
package wal
