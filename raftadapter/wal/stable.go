package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"slices"
)

const (
	stableMagic      = "GREVYSTB"
	stableVersion    = 1
	stableHeaderSize = 20
	// maxStable is the largest content in bytes: the store is for a handful of small keys and written as a whole.
	maxStable = 1 << 20
)

// Set implements raft.StableStore. The store is one small file that is replaced as a whole (write beside it, sync,
// rename, sync the directory): a crash leaves the old or the new one, so a file whose checksum does not hold is
// damage and never a reason to fall back to an older term or vote, which could mean voting twice in one term.
func (l *Log) Set(key, val []byte) error {
	l.write.Lock()
	defer l.write.Unlock()
	if err := l.usable(); err != nil {
		return err
	}
	keys := maps.Clone(l.keys)
	keys[string(key)] = slices.Clone(val)
	content := encodeStable(keys)
	if len(content) > maxStable {
		return fmt.Errorf("set %q in the raft stable store: %d bytes are more than %d", key, len(content), maxStable)
	}
	if err := l.replaceStable(content); err != nil {
		return fmt.Errorf("set %q in the raft stable store: %w", key, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keys = keys
	return nil
}

// Get implements raft.StableStore. A key that was never set gives an error with the text "not found": raft knows
// it by that text (hashicorp/raft api.go, HasExistingState).
func (l *Log) Get(key []byte) ([]byte, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return nil, ErrClosed
	}
	val, ok := l.keys[string(key)]
	if !ok {
		return nil, errKeyNotFound
	}
	return slices.Clone(val), nil
}

// SetUint64 implements raft.StableStore.
func (l *Log) SetUint64(key []byte, val uint64) error {
	return l.Set(key, binary.LittleEndian.AppendUint64(nil, val))
}

// GetUint64 implements raft.StableStore: 0 and the error "not found" for a key that was never set.
func (l *Log) GetUint64(key []byte) (uint64, error) {
	val, err := l.Get(key)
	if err != nil {
		return 0, err
	}
	if len(val) != 8 {
		return 0, fmt.Errorf("get %q from the raft stable store: it holds %d bytes, not a number", key, len(val))
	}
	return binary.LittleEndian.Uint64(val), nil
}

func (l *Log) replaceStable(content []byte) error {
	f, err := l.publish(stableName, content, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// loadStable reads the store. It is made before the first segment, so that a log without it has lost it.
func (l *Log) loadStable(isNew bool) error {
	if isNew {
		if err := l.syncParent(); err != nil {
			return err
		}
		l.keys = map[string][]byte{}
		return l.replaceStable(encodeStable(l.keys))
	}
	path := l.path(stableName)
	data, err := l.readStable(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &CorruptError{path, 0, "the stable store is missing"}
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	keys, off, reason := decodeStable(data)
	if reason != "" {
		return &CorruptError{path, off, reason}
	}
	l.keys = keys
	return nil
}

func (l *Log) readStable(path string) (data []byte, err error) {
	f, err := l.fs.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	// Never longer than this; a file that is fails its checksum.
	return l.readStart(f, min(size, maxStable+1))
}

func encodeStable(keys map[string][]byte) []byte {
	b := make([]byte, stableHeaderSize)
	copy(b, stableMagic)
	binary.LittleEndian.PutUint32(b[8:], stableVersion)
	binary.LittleEndian.PutUint32(b[16:], uint32(len(keys)))
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(key)))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(keys[key])))
		b = append(append(b, key...), keys[key]...)
	}
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(b[16:], castagnoli))
	return b
}

// decodeStable returns the keys, or at which offset the bytes do not hold and why.
func decodeStable(b []byte) (map[string][]byte, int64, string) {
	if len(b) < stableHeaderSize {
		return nil, int64(len(b)), fmt.Sprintf("the file ends inside the %d byte header", stableHeaderSize)
	}
	if string(b[:8]) != stableMagic {
		return nil, 0, "no stable store magic"
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != stableVersion {
		return nil, 8, fmt.Sprintf("stable store version %d, this program knows %d", v, stableVersion)
	}
	if binary.LittleEndian.Uint32(b[12:]) != crc32.Checksum(b[16:], castagnoli) {
		return nil, 12, "stable store checksum"
	}
	keys := map[string][]byte{}
	pos := int64(stableHeaderSize)
	for range binary.LittleEndian.Uint32(b[16:]) {
		if int64(len(b))-pos < 8 {
			return nil, pos, "the file ends inside a key"
		}
		key := pos + 8 + int64(binary.LittleEndian.Uint32(b[pos:]))
		val := key + int64(binary.LittleEndian.Uint32(b[pos+4:]))
		if val > int64(len(b)) {
			return nil, pos, "the file ends inside a key"
		}
		keys[string(b[pos+8:key])] = slices.Clone(b[key:val])
		pos = val
	}
	if pos != int64(len(b)) {
		return nil, pos, "bytes behind the last key"
	}
	return keys, 0, ""
}
