package wal_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"golang.org/x/sys/unix"

	"github.com/grevy-io/grevy/raftadapter/wal"
	"github.com/grevy-io/grevy/raftadapter/wal/waltest"
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
	fs := waltest.New()
	mustClose(t, mustOpen(t, memDir, memOptions(fs)))
	if fs.Trace[0] != "syncdir data" {
		t.Errorf("a new log begins with %q", fs.Trace)
	}
}
