package wal_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"golang.org/x/sys/unix"

	"github.com/grevy-io/grevy/raftadapter/wal"
)

var zeroTime = time.Time{}

// row makes entries from first to last, 20 bytes each.
func row(first, last, term uint64) []*raft.Log {
	var logs []*raft.Log
	for i := first; i <= last; i++ {
		logs = append(logs, &raft.Log{Index: i, Term: term, Data: fmt.Appendf(nil, "entry %d of term %d...", i, term)})
	}
	return logs
}

func TestContiguity(t *testing.T) {
	gap := append(row(11, 12, 1), row(14, 14, 1)...)
	for _, tt := range []struct {
		name  string
		have  []*raft.Log
		store []*raft.Log
		ok    bool
	}{
		{"any index into an empty log", nil, row(500, 503, 1), true},
		{"the next index", row(1, 10, 1), row(11, 12, 1), true},
		{"nothing", row(1, 10, 1), nil, true},
		{"index 0", nil, row(0, 2, 1), false},
		{"the last index again", row(1, 10, 1), row(10, 11, 1), false},
		{"a gap before the batch", row(1, 10, 1), row(12, 13, 1), false},
		{"a gap in the batch", row(1, 10, 1), gap, false},
		{"a gap in the first batch", nil, gap, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, m := mustOpen(t, t.TempDir(), wal.Options{Logger: quiet()}), newModel()
			defer mustClose(t, l)
			store(t, l, m, tt.have)
			err := l.StoreLogs(tt.store)
			if tt.ok != (err == nil) || !tt.ok && !errors.Is(err, wal.ErrNotContiguous) {
				t.Fatalf("store: %v", err)
			}
			if tt.ok {
				m.store(tt.store)
			}
			same(t, l, m)
			// A refusal is no failure of the log.
			store(t, l, m, row(m.last+1, m.last+1, 2))
			same(t, l, m)
		})
	}
}

func store(t *testing.T, l *wal.Log, m *model, logs []*raft.Log) {
	t.Helper()
	if err := l.StoreLogs(logs); err != nil {
		t.Fatal(err)
	}
	m.store(logs)
}

func same(t *testing.T, l *wal.Log, m *model) {
	t.Helper()
	if err := m.diff(l); err != nil {
		t.Fatal(err)
	}
}

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
	fs := newMemFS()
	l, m := mustOpen(t, memDir, memOptions(fs)), newModel()
	for i := uint64(1); i <= 200; i += 10 {
		store(t, l, m, row(i, i+9, 1))
	}
	fs.failAt = fs.ops + 3 // after the write and the sync of the new bounds
	if err := l.DeleteRange(1, 100); !errors.Is(err, errInjected) {
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
	fs := newMemFS()
	l, m := mustOpen(t, memDir, memOptions(fs)), newModel()
	store(t, l, m, row(1, 60, 1))
	for term := uint64(2); term < 40; term++ {
		from := m.last - term%31
		if err := l.DeleteRange(from, m.last); err != nil {
			t.Fatal(err)
		}
		m.deleteRange(from, m.last)
		if term%3 == 0 {
			fs = fs.powerLoss(rand.New(rand.NewPCG(term, 0)), 0)
			l = mustOpen(t, memDir, memOptions(fs))
			same(t, l, m)
		}
		store(t, l, m, row(from, from+term%40, term))
		same(t, l, m)
	}
}

func TestEntryFields(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 890, time.UTC)
	for _, tt := range []struct {
		name string
		log  raft.Log
	}{
		{"nothing", raft.Log{}},
		{"types", raft.Log{Type: raft.LogConfiguration, Term: 1<<64 - 1}},
		{"type 255", raft.Log{Type: 255}},
		{"data", raft.Log{Data: []byte("x")}},
		{"extensions", raft.Log{Extensions: []byte("ext")}},
		{"both", raft.Log{Data: bytes.Repeat([]byte("d"), 5000), Extensions: bytes.Repeat([]byte("e"), 5001), AppendedAt: at}},
		{"long ago", raft.Log{AppendedAt: time.Date(-1000, 1, 1, 0, 0, 0, 1, time.UTC)}},
		{"far away", raft.Log{AppendedAt: time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := mustOpen(t, t.TempDir(), wal.Options{SegmentSize: 4096, Logger: quiet()})
			defer mustClose(t, l)
			tt.log.Index = 1<<64 - 2
			if err := l.StoreLog(&tt.log); err != nil {
				t.Fatal(err)
			}
			var got raft.Log
			if err := l.GetLog(tt.log.Index, &got); err != nil || !reflect.DeepEqual(got, tt.log) {
				t.Errorf("got %v, %v, want %v", brief(got), err, brief(tt.log))
			}
		})
	}
}

// TestAppendedAtKeepsTheInstant: the zone and the monotonic reading go, the instant stays.
func TestAppendedAtKeepsTheInstant(t *testing.T) {
	l := mustOpen(t, t.TempDir(), wal.Options{Logger: quiet()})
	defer mustClose(t, l)
	now := time.Now().In(time.FixedZone("x", 3600))
	var got raft.Log
	if err := errors.Join(l.StoreLog(&raft.Log{Index: 1, AppendedAt: now}), l.GetLog(1, &got)); err != nil {
		t.Fatal(err)
	}
	if !got.AppendedAt.Equal(now) || got.AppendedAt.Location() != time.UTC {
		t.Errorf("got %v, want %v", got.AppendedAt, now)
	}
}

// TestLargeBatch: a batch larger than a segment is split, an entry larger than a segment gets its own.
func TestLargeBatch(t *testing.T) {
	dir, opt := t.TempDir(), wal.Options{SegmentSize: 8192, Logger: quiet()}
	l, m := mustOpen(t, dir, opt), newModel()
	logs := row(1, 200, 1)
	logs[77].Data = bytes.Repeat([]byte("huge"), 10_000)
	store(t, l, m, logs)
	store(t, l, m, row(201, 220, 1))
	same(t, l, m)
	mustClose(t, l)
	l = mustOpen(t, dir, opt)
	same(t, l, m)
	mustClose(t, l)
}

func TestStableStore(t *testing.T) {
	dir, opt := t.TempDir(), wal.Options{Logger: quiet()}
	l := mustOpen(t, dir, opt)
	if n, err := l.GetUint64([]byte("CurrentTerm")); n != 0 || err == nil || err.Error() != "not found" {
		t.Errorf("missing number: %d, %v", n, err)
	}
	if v, err := l.Get([]byte("LastVoteCand")); len(v) != 0 || err == nil || err.Error() != "not found" {
		t.Errorf("missing key: %q, %v", v, err)
	}
	val := []byte("node-1")
	if err := errors.Join(l.Set([]byte("LastVoteCand"), val), l.SetUint64([]byte("CurrentTerm"), 1<<63)); err != nil {
		t.Fatal(err)
	}
	val[0] = 'X'
	for range 2 {
		v, err := l.Get([]byte("LastVoteCand"))
		if err != nil || string(v) != "node-1" {
			t.Errorf("key: %q, %v", v, err)
		}
		v[0] = 'Y'
		if n, err := l.GetUint64([]byte("CurrentTerm")); n != 1<<63 || err != nil {
			t.Errorf("number: %d, %v", n, err)
		}
		if _, err := l.GetUint64([]byte("LastVoteCand")); err == nil || err.Error() == "not found" {
			t.Errorf("a value that is no number: %v", err)
		}
		mustClose(t, l)
		l = mustOpen(t, dir, opt)
	}
	if err := l.Set([]byte("big"), make([]byte, 1<<20)); err == nil {
		t.Error("a value of 1 MiB was taken")
	}
	if err := l.SetUint64([]byte("CurrentTerm"), 4); err != nil {
		t.Errorf("after a refused value: %v", err)
	}
	mustClose(t, l)
}

func TestLockAndClose(t *testing.T) {
	dir, opt := t.TempDir(), wal.Options{Logger: quiet()}
	l := mustOpen(t, dir, opt)
	if _, err := wal.Open(dir, opt); !errors.Is(err, wal.ErrLocked) {
		t.Errorf("second open: %v", err)
	}
	mustClose(t, l)
	mustClose(t, l)
	_, err1 := l.FirstIndex()
	_, err2 := l.LastIndex()
	_, err3 := l.Get([]byte("k"))
	var got raft.Log
	for i, err := range []error{err1, err2, err3, l.GetLog(1, &got), l.StoreLogs(row(1, 1, 1)), l.DeleteRange(1, 1),
		l.SetUint64([]byte("k"), 1)} {
		if !errors.Is(err, wal.ErrClosed) {
			t.Errorf("call %d after close: %v", i, err)
		}
	}
	l = mustOpen(t, dir, opt)
	mustClose(t, l)
}

func TestOpenRefuses(t *testing.T) {
	for _, size := range []int64{-1, 1, 4095, 1<<30 + 1} {
		if _, err := wal.Open(t.TempDir(), wal.Options{SegmentSize: size}); err == nil || !strings.Contains(err.Error(), "segment size") {
			t.Errorf("segment size %d: %v", size, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := wal.Open(file, wal.Options{Logger: quiet()}); err == nil {
		t.Error("a plain file was opened as a log")
	}
	l := mustOpen(t, t.TempDir(), wal.Options{Logger: quiet()})
	// More than a frame can hold. The pages may not even be read, so this costs no memory and shows that nobody does.
	huge, err := unix.Mmap(-1, 0, 1<<30, unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.StoreLog(&raft.Log{Index: 1, Data: huge}); err == nil || errors.Is(err, wal.ErrFailed) {
		t.Errorf("an entry of 1 GiB: %v", err)
	}
	if err := unix.Munmap(huge); err != nil {
		t.Fatal(err)
	}
	mustClose(t, l)
}

// TestOpenTidiesUp: a new log makes its directory and its name durable; a file that was under construction goes; a
// file of somebody else stays.
func TestOpenTidiesUp(t *testing.T) {
	deep := filepath.Join(t.TempDir(), "a", "b", "c")
	l := mustOpen(t, deep, wal.Options{Logger: quiet()})
	mustClose(t, l)
	for _, name := range []string{"0000000000000002.seg.tmp", "stable.tmp", "notes.txt", "2.seg"} {
		if err := os.WriteFile(filepath.Join(deep, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l = mustOpen(t, deep, wal.Options{Logger: quiet()})
	mustClose(t, l)
	names, err := wal.OS().List(deep)
	slices.Sort(names)
	if want := []string{"0000000000000001.seg", "2.seg", "LOCK", "notes.txt", "stable"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("files %v, %v, want %v", names, err, want)
	}
	fs := newMemFS()
	mustClose(t, mustOpen(t, memDir, memOptions(fs)))
	if fs.trace[0] != "syncdir data" {
		t.Errorf("a new log begins with %q", fs.trace)
	}
}

// TestFullDiskCanBeCut: without room for another segment, entries are refused but the log can still be cut, which
// gives the space back.
func TestFullDiskCanBeCut(t *testing.T) {
	fs := &fullFS{memFS: newMemFS(), room: 3}
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
	*memFS
	room int
}

func (f *fullFS) Create(name string) (wal.File, error) {
	file, err := f.memFS.Create(name)
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

// TestReadersBesideWriter reads while the log grows and is cut at both ends. A reader gets the entry of that index
// or is told there is none, never another or half of one.
func TestReadersBesideWriter(t *testing.T) {
	l := mustOpen(t, t.TempDir(), wal.Options{SegmentSize: 8192, NoSync: true, Logger: quiet()})
	stop, read := make(chan struct{}), make([]int, 4)
	var readers sync.WaitGroup
	for i := range read {
		readers.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 0))
			for {
				select {
				case <-stop:
					return
				default:
					if readSome(t, l, rng) {
						read[i]++
					}
				}
			}
		})
	}
	writeForReaders(t, l)
	close(stop)
	readers.Wait()
	mustClose(t, l)
	t.Logf("entries read: %v", read)
	for i, n := range read {
		if n == 0 {
			t.Errorf("reader %d read nothing", i)
		}
	}
}

func writeForReaders(t *testing.T, l *wal.Log) {
	m := newModel()
	for term := uint64(1); term < 600; term++ {
		store(t, l, m, row(m.last+1, m.last+20, term))
		if term%3 == 0 {
			if err := l.DeleteRange(m.last-4, m.last); err != nil {
				t.Fatal(err)
			}
			m.last -= 5
		}
		if term%10 == 0 {
			if err := l.DeleteRange(m.first, m.last-100); err != nil {
				t.Fatal(err)
			}
			m.first = m.last - 99
		}
	}
}

func readSome(t *testing.T, l *wal.Log, rng *rand.Rand) bool {
	first, err1 := l.FirstIndex()
	last, err2 := l.LastIndex()
	if err := errors.Join(err1, err2); err != nil {
		t.Error(err)
		return false
	}
	if last < first || last == 0 {
		return false
	}
	index := first + rng.Uint64N(last-first+1)
	var got raft.Log
	err := l.GetLog(index, &got)
	if errors.Is(err, raft.ErrLogNotFound) {
		return false
	}
	if err != nil || got.Index != index || string(got.Data) != string(row(index, index, got.Term)[0].Data) {
		t.Errorf("get %d: %v, %v", index, brief(got), err)
	}
	return err == nil
}
