package recordlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/grevy-io/grevy/protocol"
)

// Sink takes records in. Each partition's come from one goroutine, in order;
// after an error, or a crash, the same ones come again.
type Sink interface {
	// Write takes whole lines.
	Write(p protocol.PartitionID, lines []byte) error
	// Sync makes what was written survive a loss of power.
	Sync() error
}

// Func hands each record to a function, without the end of its line.
type Func func(partition int, record []byte) error

// Write implements Sink.
func (f Func) Write(p protocol.PartitionID, lines []byte) error {
	for line := range bytes.Lines(lines) {
		if err := f(int(p), bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			return err
		}
	}
	return nil
}

// Sync implements Sink: what the function has taken is its own affair.
func (Func) Sync() error { return nil }

// Both writes to all of its sinks.
type Both []Sink

// Write implements Sink.
func (s Both) Write(p protocol.PartitionID, lines []byte) error {
	for _, sink := range s {
		if err := sink.Write(p, lines); err != nil {
			return err
		}
	}
	return nil
}

// Sync implements Sink.
func (s Both) Sync() error {
	var errs []error
	for _, sink := range s {
		errs = append(errs, sink.Sync())
	}
	return errors.Join(errs...)
}

// File appends lines to a file that all partitions of a node share. A file that
// is moved away or deleted is made anew (so that it can be rotated).
type File struct {
	path string
	open func(path string) (handle, error)
	mu   sync.Mutex
	f    handle
}

// handle is what is needed of an open file.
type handle interface {
	io.WriteCloser
	Stat() (os.FileInfo, error)
	Sync() error
}

// OpenFile opens a record log, and makes it if there is none. What a crash has
// left of a line at its end is cut off: that record comes again.
func OpenFile(path string) (*File, error) {
	f := &File{path: path, open: openAppend}
	if err := f.reopen(); err != nil {
		return nil, fmt.Errorf("record log: %w", err)
	}
	return f, nil
}

func openAppend(path string) (handle, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		return stream{file}, nil
	}
	if err == nil {
		err = cutTail(file, info.Size())
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// stream is a pipe or a terminal: nothing to be made durable.
type stream struct{ *os.File }

func (stream) Sync() error { return nil }

// cutTail removes what stands behind the last end of a line.
func cutTail(f *os.File, end int64) error {
	buf := make([]byte, 64<<10)
	for at := end; at > 0; {
		n := min(at, int64(len(buf)))
		at -= n
		if _, err := f.ReadAt(buf[:n], at); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			if keep := at + int64(i) + 1; keep < end {
				return f.Truncate(keep)
			}
			return nil
		}
	}
	if end > 0 {
		return f.Truncate(0)
	}
	return nil
}

// Write implements Sink.
func (f *File) Write(_ protocol.PartitionID, lines []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.reopen(); err != nil {
		return fmt.Errorf("record log: %w", err)
	}
	if _, err := f.f.Write(lines); err != nil {
		// Perhaps a part is there: the next attempt begins on a new line.
		return fmt.Errorf("record log: %w", errors.Join(err, f.drop()))
	}
	return nil
}

// reopen makes sure that the file is open and still stands under its name.
func (f *File) reopen() error {
	if f.f != nil {
		here, err := os.Stat(f.path)
		if err == nil {
			open, err := f.f.Stat()
			if err != nil {
				return err
			}
			if os.SameFile(here, open) {
				return nil
			}
		}
		if err := f.drop(); err != nil {
			return err
		}
	}
	opened, err := f.open(f.path)
	if err != nil {
		return err
	}
	f.f = opened
	return nil
}

// drop ends an open file. Its last lines are made durable first: who wrote them
// asks for that later, of the file that comes after it.
func (f *File) drop() error {
	if f.f == nil {
		return nil
	}
	err := errors.Join(f.f.Sync(), f.f.Close())
	f.f = nil
	return err
}

// Sync implements Sink.
func (f *File) Sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.f == nil {
		return nil
	}
	return f.f.Sync()
}

// Close ends the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.drop()
}
