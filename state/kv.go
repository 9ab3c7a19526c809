package state

import "errors"

// ErrTooBig says that one batch is larger than the store can write at once.
var ErrTooBig = errors.New("batch too big for one transaction")

// Op is one write to a KV.
type Op struct {
	Key, Value []byte
	Delete     bool
}

// KV is an ordered store of bytes, one per node. It is safe for concurrent use;
// keys of different partitions are never written by the same batch.
type KV interface {
	// Update applies all ops or none. Within one call the last op of a key
	// wins. The slices must not change until it returns. ErrTooBig if it can
	// not be written at once.
	Update(ops []Op) error
	// Snapshot returns a consistent view as of now. It must be closed.
	Snapshot() Snapshot
	// Sync returns when everything that Update had confirmed before the call
	// survives a loss of power.
	Sync() error
	// DeletePrefix removes all keys under prefix, a batch at a time, so that
	// other writers are not held up.
	DeletePrefix(prefix []byte) error
	// Close frees the store. Snapshots must be closed before.
	Close() error
}

// Snapshot is a consistent read of a KV.
type Snapshot interface {
	// Get returns a copy of the value, or nil if there is none. An empty value
	// is returned as an empty, non-nil slice.
	Get(key []byte) ([]byte, error)
	// Iterate walks the keys under prefix in order, from the first not below
	// from (nil: from the start of the prefix).
	Iterate(prefix, from []byte) Iterator
	Close()
}

// Iterator walks keys in ascending order. Key and Value are valid until Next.
type Iterator interface {
	Valid() bool
	Key() []byte
	Value() ([]byte, error)
	// ValueSize is the length of Value without reading it.
	ValueSize() int
	Next()
	Close()
}
