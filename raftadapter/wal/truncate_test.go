package wal_test

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/raftadapter/wal"
	"github.com/grevy-io/grevy/raftadapter/wal/waltest"
)

func TestDeleteRange(t *testing.T) {
	for _, tt := range []struct {
		name        string
		lo, hi      uint64
		first, last uint64
		err         error
	}{
		{"front", 101, 150, 151, 300, nil},
		{"front, from 0", 0, 150, 151, 300, nil},
		{"one at the front", 101, 101, 102, 300, nil},
		{"all but one at the front", 101, 299, 300, 300, nil},
		{"end", 250, 300, 101, 249, nil},
		{"end, beyond", 250, 1 << 63, 101, 249, nil},
		{"one at the end", 300, 300, 101, 299, nil},
		{"all but one at the end", 102, 300, 101, 101, nil},
		{"all", 101, 300, 0, 0, nil},
		{"all, beyond both", 0, 1<<64 - 1, 0, 0, nil},
		{"middle", 150, 160, 101, 300, wal.ErrMiddle},
		{"before it", 1, 100, 101, 300, nil},
		{"behind it", 301, 400, 101, 300, nil},
		{"backwards", 200, 150, 101, 300, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, opt := t.TempDir(), wal.Options{SegmentSize: 4096, Logger: quiet()}
			l, m := mustOpen(t, dir, opt), newModel()
			for i := uint64(101); i <= 300; i += 10 {
				store(t, l, m, row(i, i+9, 1))
			}
			if err := l.DeleteRange(tt.lo, tt.hi); !errors.Is(err, tt.err) {
				t.Fatalf("delete: %v, want %v", err, tt.err)
			}
			if tt.err == nil && tt.lo <= tt.hi {
				m.deleteRange(max(tt.lo, 101), min(tt.hi, 300))
			}
			if m.first != tt.first || m.last != tt.last {
				t.Fatalf("model is %d to %d", m.first, m.last)
			}
			same(t, l, m)
			next := max(m.last+1, 777*(1-min(m.last, 1)))
			store(t, l, m, row(next, next+20, 2))
			same(t, l, m)
			mustClose(t, l)
			l = mustOpen(t, dir, opt)
			same(t, l, m)
			mustClose(t, l)
		})
	}
}

// TestDeleteFreesFiles: files go with their last entry, and a log that is emptied keeps one.
func TestDeleteFreesFiles(t *testing.T) {
	dir := t.TempDir()
	l, m := mustOpen(t, dir, wal.Options{SegmentSize: 4096, Logger: quiet()}), newModel()
	defer mustClose(t, l)
	for i := uint64(1); i <= 400; i += 10 {
		store(t, l, m, row(i, i+9, 1))
	}
	before := l.Stats()
	if before.Segments < 8 || before.Bytes != int64(before.Segments)*4096 || before.First != 1 || before.Last != 400 {
		t.Fatalf("stats %+v", before)
	}
	if err := l.DeleteRange(1, 200); err != nil {
		t.Fatal(err)
	}
	if half := l.Stats(); half.Segments > before.Segments/2+1 || half.First != 201 {
		t.Errorf("half deleted: %+v of %+v", half, before)
	}
	if err := l.DeleteRange(201, 400); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil || len(names) != 1 || l.Stats().Segments != 1 {
		t.Errorf("all deleted: files %v, %v, stats %+v", names, err, l.Stats())
	}
}

// TestFileThatStays: a file that cannot be removed is reported, the entries are gone all the same, and the next
// truncation tries again.
func TestFileThatStays(t *testing.T) {
	fs := waltest.New()
	l, m := mustOpen(t, memDir, memOptions(fs)), newModel()
	for i := uint64(1); i <= 200; i += 10 {
		store(t, l, m, row(i, i+9, 1))
	}
	fs.FailAt = fs.Ops + 3 // after the write and the sync of the new bounds
	if err := l.DeleteRange(1, 100); !errors.Is(err, waltest.ErrInjected) {
		t.Fatalf("delete: %v", err)
	}
	m.deleteRange(1, 100)
	same(t, l, m)
	names, err := fs.List(memDir)
	if err != nil || !slices.Contains(names, "0000000000000001.seg") {
		t.Fatalf("files: %v, %v", names, err)
	}
	if err := l.DeleteRange(101, 101); err != nil {
		t.Fatal(err)
	}
	if names, err = fs.List(memDir); err != nil || slices.Contains(names, "0000000000000001.seg") {
		t.Errorf("files: %v, %v", names, err)
	}
}

// TestConflict is what a deposed leader goes through again and again: its tail is cut and written anew, across
// segment borders, with a crash in between.
func TestConflict(t *testing.T) {
	fs := waltest.New()
	l, m := mustOpen(t, memDir, memOptions(fs)), newModel()
	store(t, l, m, row(1, 60, 1))
	for term := uint64(2); term < 40; term++ {
		from := m.last - term%31
		if err := l.DeleteRange(from, m.last); err != nil {
			t.Fatal(err)
		}
		m.deleteRange(from, m.last)
		if term%3 == 0 {
			fs = fs.PowerLoss(rand.New(rand.NewPCG(term, 0)), 0)
			l = mustOpen(t, memDir, memOptions(fs))
			same(t, l, m)
		}
		store(t, l, m, row(from, from+term%40, term))
		same(t, l, m)
	}
}

// TestFullDiskCanBeCut: without room for another segment, entries are refused but the log can still be cut, which
// gives the space back.
func TestFullDiskCanBeCut(t *testing.T) {
	fs := &fullFS{FS: waltest.New(), room: 3}
	l, m := mustOpen(t, memDir, wal.Options{SegmentSize: 4096, FS: fs, Logger: quiet()}), newModel()
	fill(t, l, m)
	same(t, l, m)
	if err := l.DeleteRange(m.first, m.last-1); err != nil {
		t.Fatalf("cut on a full disk: %v", err)
	}
	m.deleteRange(m.first, m.last-1)
	store(t, l, m, row(m.last+1, m.last+10, 1))
	same(t, l, m)
	mustClose(t, l)
}

// fill stores entries, ever smaller ones when the large do not fit, until not one more fits.
func fill(t *testing.T, l *wal.Log, m *model) {
	t.Helper()
	for size := 1000; size >= 0; {
		entry := &raft.Log{Index: m.last + 1, Data: make([]byte, size)}
		if size == 0 {
			entry.Data = nil
		}
		err := l.StoreLog(entry)
		switch {
		case err == nil:
			m.store([]*raft.Log{entry})
		case !errors.Is(err, errNoSpace) || errors.Is(err, wal.ErrFailed):
			t.Fatalf("store on a full disk: %v", err)
		default:
			size -= 8
		}
	}
}

var errNoSpace = errors.New("no space left on device")

// fullFS has room for so many segments.
type fullFS struct {
	*waltest.FS
	room int
}

func (f *fullFS) Create(name string) (wal.File, error) {
	file, err := f.FS.Create(name)
	if err != nil {
		return nil, err
	}
	return fullFile{file, f}, nil
}

type fullFile struct {
	wal.File
	fs *fullFS
}

func (f fullFile) Preallocate(size int64) error {
	names, err := f.fs.List(memDir)
	if err != nil {
		return err
	}
	used := 0
	for _, name := range names {
		if strings.HasSuffix(name, ".seg") {
			used++
		}
	}
	if used >= f.fs.room {
		return errNoSpace
	}
	return f.File.Preallocate(size)
}
