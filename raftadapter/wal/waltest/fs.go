package waltest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"

	"github.com/grevy-io/grevy/raftadapter/wal"
)

// ErrInjected is why an operation failed that was to fail.
var ErrInjected = errors.New("injected disk failure")

// FS is a file system that knows what a power loss may leave: content is durable from the sync on, names from
// the directory sync on, and of what was done since, any part in sectors of 512 bytes may or may not be there.
// The operation number FailAt fails: once, or, with Dies, together with all that come after it.
type FS struct {
	mu      sync.Mutex
	names   map[string]*inode
	durable map[string]*inode
	pending []dirOp
	locked  map[string]bool

	Ops    int
	FailAt int
	Dies   bool
	// Trace names each operation, such as "datasync 0000000000000001.seg".
	Trace []string

	meta []byte
}

type inode struct {
	name          string // the newest, for messages
	seen, durable []byte
	pending       []write
}

type write struct {
	off  int64
	data []byte
	grow int64
}

type dirOp struct {
	name string
	node *inode // nil: the name goes
	from string // a rename takes this name away as well
}

type memFile struct {
	fs   *FS
	node *inode
}

// New is an empty one.
func New() *FS {
	return &FS{names: map[string]*inode{}, durable: map[string]*inode{}, locked: map[string]bool{}}
}

// step counts one changing operation and says whether it fails.
func (m *FS) step(what, name string) error {
	m.Ops++
	m.Trace = append(m.Trace, what+" "+filepath.Base(name))
	if m.FailAt > 0 && (m.Ops == m.FailAt || m.Dies && m.Ops > m.FailAt) {
		return fmt.Errorf("%s %s (operation %d): %w", what, filepath.Base(name), m.Ops, ErrInjected)
	}
	return nil
}

// Meta is what SetMeta was given last: something small beside the files.
func (m *FS) Meta() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.meta
}

// SetMeta is durable when it returns, and one operation, which may fail.
func (m *FS) SetMeta(b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("meta", "meta"); err != nil {
		return err
	}
	m.meta = b
	return nil
}

func (m *FS) MkdirAll(string) error { return nil }

func (m *FS) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locked[name] {
		return nil, wal.ErrLocked
	}
	m.locked[name] = true
	return &memLock{m, name}, nil
}

type memLock struct {
	fs   *FS
	name string
}

func (l *memLock) Close() error {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	delete(l.fs.locked, l.name)
	return nil
}

func (m *FS) List(dir string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for name := range m.names {
		if filepath.Dir(name) == dir {
			out = append(out, filepath.Base(name))
		}
	}
	return out, nil
}

func (m *FS) Create(name string) (wal.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("create", name); err != nil {
		return nil, err
	}
	node := &inode{name: name}
	m.names[name] = node
	m.pending = append(m.pending, dirOp{name: name, node: node})
	return &memFile{m, node}, nil
}

func (m *FS) Open(name string) (wal.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node, ok := m.names[name]
	if !ok {
		return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
	}
	return &memFile{m, node}, nil
}

func (m *FS) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("rename", from); err != nil {
		return err
	}
	m.names[to] = m.names[from]
	m.names[to].name = to
	delete(m.names, from)
	m.pending = append(m.pending, dirOp{name: to, node: m.names[to], from: from})
	return nil
}

func (m *FS) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("remove", name); err != nil {
		return err
	}
	delete(m.names, name)
	m.pending = append(m.pending, dirOp{name: name})
	return nil
}

func (m *FS) SyncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("syncdir", dir); err != nil {
		return err
	}
	for _, op := range m.pending {
		op.apply(m.durable)
	}
	m.pending = nil
	return nil
}

func (op dirOp) apply(names map[string]*inode) {
	if op.node == nil {
		delete(names, op.name)
		return
	}
	names[op.name] = op.node
	delete(names, op.from)
}

func (f *memFile) ReadAt(b []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if off >= int64(len(f.node.seen)) {
		return 0, io.EOF
	}
	n := copy(b, f.node.seen[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) WriteAt(b []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	err := f.fs.step("write", f.node.name)
	n := len(b)
	if err != nil && !f.fs.Dies {
		n /= 2
	}
	w := write{off: off, data: slices.Clone(b[:n])}
	f.node.seen = w.apply(f.node.seen)
	f.node.pending = append(f.node.pending, w)
	return n, err
}

func (f *memFile) Preallocate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.step("preallocate", f.node.name); err != nil {
		return err
	}
	w := write{grow: size}
	f.node.seen = w.apply(f.node.seen)
	f.node.pending = append(f.node.pending, w)
	return nil
}

// Datasync that fails behaves as Linux does: the pages are marked clean, so the next sync reports success and the
// data, although it can still be read, never reaches the disk.
func (f *memFile) Datasync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.step("datasync", f.node.name); err != nil {
		if !f.fs.Dies {
			f.node.pending = nil
		}
		return err
	}
	for _, w := range f.node.pending {
		f.node.durable = w.apply(f.node.durable)
	}
	f.node.pending = nil
	return nil
}

func (f *memFile) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	return int64(len(f.node.seen)), nil
}

func (f *memFile) Close() error { return nil }

func (w write) apply(to []byte) []byte {
	if end := max(w.off+int64(len(w.data)), w.grow); end > int64(len(to)) {
		to = append(to, make([]byte, end-int64(len(to)))...)
	}
	copy(to[w.off:], w.data)
	return to
}

// sectors cuts a write where a disk may stop.
func (w write) sectors() []write {
	var out []write
	for len(w.data) > 0 {
		n := min(512-w.off%512, int64(len(w.data)))
		out = append(out, write{off: w.off, data: w.data[:n]})
		w.off, w.data = w.off+n, w.data[n:]
	}
	return out
}

// Kill is what the next process finds when only this one dies: all of it, and
// what was not synced still is not, so that a power loss may take it later.
func (m *FS) Kill() *FS {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.FailAt, m.Dies, m.locked = 0, false, map[string]bool{}
	return m
}

// PowerLoss returns what a power loss may leave: of what was not synced, each piece with probability keep.
func (m *FS) PowerLoss(rng *rand.Rand, keep float64) *FS {
	return m.after(func() bool { return rng.Float64() < keep })
}

func (m *FS) after(stays func() bool) *FS {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := maps.Clone(m.durable)
	for _, op := range m.pending {
		if stays() {
			op.apply(names)
		}
	}
	out := New()
	out.meta = m.meta
	for _, name := range slices.Sorted(maps.Keys(names)) {
		node := names[name]
		content := slices.Clone(node.durable)
		for _, w := range node.pending {
			if w.grow > 0 && stays() {
				content = w.apply(content)
			}
			for _, sector := range w.sectors() {
				if stays() {
					content = sector.apply(content)
				}
			}
		}
		left := &inode{name: name, seen: content, durable: slices.Clone(content)}
		out.names[name], out.durable[name] = left, left
	}
	return out
}
