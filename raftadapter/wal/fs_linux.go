package wal

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Preallocate implements File with fallocate, or with zeros where the file system has none.
func (f osFile) Preallocate(size int64) error {
	err := retryInterrupted(func() error { return unix.Fallocate(int(f.Fd()), 0, 0, size) })
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return writeZeros(f, size)
	}
	return err
}

// Datasync implements File with fdatasync.
func (f osFile) Datasync() error {
	return retryInterrupted(func() error { return unix.Fdatasync(int(f.Fd())) })
}
