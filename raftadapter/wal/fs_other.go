//go:build unix && !linux

package wal

// Preallocate implements File by writing zeros.
func (f osFile) Preallocate(size int64) error { return writeZeros(f, size) }

// Datasync implements File with fsync, which on darwin also empties the drive's cache.
func (f osFile) Datasync() error { return f.Sync() }
