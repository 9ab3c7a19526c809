package wal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// FS is what the log asks of a file system. Names are full paths. Implementations other than OS() exist to inject
// faults in tests.
type FS interface {
	// MkdirAll creates the directory and its parents, and makes the names of those it had to create durable.
	MkdirAll(dir string) error
	// Lock takes the exclusive lock file name, or fails with ErrLocked; closing the result lets it go.
	Lock(name string) (io.Closer, error)
	// List returns the plain names in dir, in any order.
	List(dir string) ([]string, error)
	// Create makes the file empty, for reading and writing.
	Create(name string) (File, error)
	// Open opens an existing file for reading and writing.
	Open(name string) (File, error)
	// Rename replaces to by from, atomically.
	Rename(from, to string) error
	// Remove unlinks the file; that it is not there is no error.
	Remove(name string) error
	// SyncDir makes created, renamed and removed names of dir durable.
	SyncDir(dir string) error
}

// File is an open file of an FS.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Size returns the length of the file in bytes.
	Size() (int64, error)
	// Preallocate reserves size bytes that read as zeros and sets the length, so that a later write within them
	// changes no metadata but extents and cannot run out of space.
	Preallocate(size int64) error
	// Datasync makes the content durable, and the length with it.
	Datasync() error
}

// OS returns the file system of the operating system.
func OS() FS { return osFS{} }

type osFS struct{}

type osFile struct{ *os.File }

func (osFS) MkdirAll(dir string) error {
	dir = filepath.Clean(dir)
	if info, err := os.Stat(dir); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%s is not a directory", dir)
		}
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := (osFS{}).MkdirAll(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o750); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return osFS{}.SyncDir(parent)
}

func (osFS) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

func (osFS) Create(name string) (File, error) { return openFile(name, os.O_CREATE|os.O_TRUNC) }
func (osFS) Open(name string) (File, error)   { return openFile(name, 0) }
func (osFS) Rename(from, to string) error     { return os.Rename(from, to) }

func (osFS) Remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (osFS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func openFile(name string, flag int) (File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|flag, 0o640)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Size implements File.
func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// writeZeros is the preallocation of file systems that cannot reserve space: it takes the space by writing it.
func writeZeros(f io.WriterAt, size int64) error {
	zeros := make([]byte, min(size, 1<<20))
	for off := int64(0); off < size; off += int64(len(zeros)) {
		if rest := size - off; rest < int64(len(zeros)) {
			zeros = zeros[:rest]
		}
		if _, err := f.WriteAt(zeros, off); err != nil {
			return err
		}
	}
	return nil
}
