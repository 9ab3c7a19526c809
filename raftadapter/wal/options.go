package wal

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
)

const (
	defaultSegmentSize = 16 << 20
	minSegmentSize     = 4 << 10
	maxSegmentSize     = 1 << 30
)

// Options are the settings of one log. The zero value is right for production.
type Options struct {
	// SegmentSize is the size in bytes of a segment file, preallocated: 4 KiB to 1 GiB, 0 means 16 MiB. An entry
	// that does not fit gets a segment of its own. It may differ from one Open to the next.
	SegmentSize int64
	// NoSync leaves out every sync of file data and of the directory. For tests only: a power loss loses entries.
	NoSync bool
	// Logger gets what Open repaired and what could not be cleaned up; nil means slog.Default().
	Logger *slog.Logger
	// FS is where the files live; nil means OS(). It is a seam for fault tests.
	FS FS

	// salt makes the number in each segment header; only the golden test sets it.
	salt func() uint64
}

func (o Options) withDefaults() (Options, error) {
	if o.SegmentSize == 0 {
		o.SegmentSize = defaultSegmentSize
	}
	if o.SegmentSize < minSegmentSize || o.SegmentSize > maxSegmentSize {
		return o, fmt.Errorf("segment size %d is outside %d to %d", o.SegmentSize, minSegmentSize, maxSegmentSize)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.FS == nil {
		o.FS = OS()
	}
	if o.salt == nil {
		o.salt = rand.Uint64
	}
	return o, nil
}

// Stats are figures of one log at one moment.
type Stats struct {
	// Segments is the number of segment files, Bytes their preallocated size.
	Segments int
	Bytes    int64
	// First and Last are the bounds of the log, both 0 when it is empty.
	First, Last uint64
	// Syncs counts the data syncs of segment files since Open.
	Syncs uint64
}

var (
	// ErrLocked is returned by Open when another opener, in this process or another, has the directory.
	ErrLocked = errors.New("raft log is in use by another opener")
	// ErrClosed is returned by every call after Close.
	ErrClosed = errors.New("raft log is closed")
	// ErrFailed is in the chain of every write after one that failed on the disk, together with the first cause.
	// The log stays readable; only a new Open, which looks at what really is on the disk, ends this state.
	ErrFailed = errors.New("raft log refuses writes after a failed one")
	// ErrNotContiguous is in the chain when StoreLogs is given an index that does not follow the one before.
	ErrNotContiguous = errors.New("raft log index does not follow the last one")
	// ErrMiddle is in the chain when DeleteRange would leave entries on both sides of a hole.
	ErrMiddle = errors.New("raft log can only be cut at its ends")

	// errKeyNotFound has the text that raft compares with (hashicorp/raft api.go, "not found").
	errKeyNotFound = errors.New("not found")
)

// CorruptError says where a file holds bytes that this package did not leave there.
type CorruptError struct {
	// Path is the file, Offset the byte position of the frame or field that does not hold.
	Path   string
	Offset int64
	// Reason says what is wrong there.
	Reason string
}

// Error implements error.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("raft log is damaged: %s at offset %d: %s", e.Path, e.Offset, e.Reason)
}
