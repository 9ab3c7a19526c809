package wal_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/raftadapter/wal"
)

// batches is a log directory of known batches and where each of their frames begins in the newest segment.
type batches struct {
	dir    string
	newest string
	starts []int64
	states []*model
}

// writeBatches stores n batches of three entries after one sealed segment, and leaves the log as a crash would.
func writeBatches(t *testing.T, n int) batches {
	t.Helper()
	b := batches{dir: t.TempDir()}
	l := mustOpen(t, b.dir, wal.Options{SegmentSize: 4096, Logger: quiet()})
	t.Cleanup(func() { mustClose(t, l) })
	m := newModel()
	for l.Stats().Segments < 2 {
		storeThree(t, l, m)
	}
	b.newest = newestSegment(t, b.dir)
	for range n {
		b.starts = append(b.starts, usedEnd(t, b.newest))
		b.states = append(b.states, m.clone())
		storeThree(t, l, m)
	}
	b.starts = append(b.starts, usedEnd(t, b.newest))
	b.states = append(b.states, m)
	return b
}

func storeThree(t *testing.T, l *wal.Log, m *model) {
	t.Helper()
	var logs []*raft.Log
	for i := range uint64(3) {
		index := m.last + 1 + i
		// Data ends in a byte that is not zero, so that the end of a frame can be seen.
		logs = append(logs, &raft.Log{Index: index, Term: 7, Data: bytes.Repeat([]byte{byte(index)}, 8), AppendedAt: zeroTime})
	}
	if err := l.StoreLogs(logs); err != nil {
		t.Fatal(err)
	}
	m.store(logs)
}

func newestSegment(t *testing.T, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil || len(names) == 0 {
		t.Fatalf("segments of %s: %v, %v", dir, names, err)
	}
	return names[len(names)-1]
}

func usedEnd(t *testing.T, path string) int64 {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return int64(len(bytes.TrimRight(data, "\x00")))
}

// copyChanged copies a directory, one file of it changed.
func copyChanged(t *testing.T, from, file string, change func([]byte) []byte) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(to, filepath.Base(file))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestEachByte damages a real directory at each byte of its last batches. What is cut off or zeroed from some byte
// on looks like a torn write, so everything before that batch must be there and nothing else. A changed bit in the
// last batch does too. A changed bit before it is damage to promised data: Open must say where.
func TestEachByte(t *testing.T) {
	b := writeBatches(t, 3)
	size := b.starts[len(b.starts)-1]
	for at := b.starts[0]; at < size; at++ {
		batch := 0
		for at >= b.starts[batch+1] {
			batch++
		}
		for name, change := range map[string]func([]byte) []byte{
			"cut":  func(d []byte) []byte { return d[:at] },
			"zero": func(d []byte) []byte { clear(d[at:]); return d },
		} {
			opensAs(t, copyChanged(t, b.dir, b.newest, change), b.states[batch], fmt.Sprintf("%s at %d", name, at))
		}
		flipped := copyChanged(t, b.dir, b.newest, func(d []byte) []byte { d[at] ^= 1 << (at % 8); return d })
		if batch == len(b.starts)-2 {
			opensAs(t, flipped, b.states[batch], fmt.Sprintf("flip at %d", at))
			continue
		}
		refusesAt(t, flipped, b.newest, b.starts[batch], fmt.Sprintf("flip at %d", at))
	}
}

// TestTornIsReported: cutting a torn write is told to the log, with the place; an untouched end is not.
func TestTornIsReported(t *testing.T) {
	b := writeBatches(t, 1)
	for _, torn := range []bool{false, true} {
		var out bytes.Buffer
		dir := copyChanged(t, b.dir, b.newest, func(d []byte) []byte {
			if torn {
				clear(d[b.starts[1]-8:])
			}
			return d
		})
		mustClose(t, mustOpen(t, dir, wal.Options{SegmentSize: 4096, Logger: slog.New(slog.NewTextHandler(&out, nil))}))
		told := strings.Contains(out.String(), "torn") && strings.Contains(out.String(), fmt.Sprintf("offset=%d", b.starts[0]))
		if told != torn {
			t.Errorf("torn %v: the log says %q", torn, out.String())
		}
	}
}

// opensAs opens the copy, compares it, appends to it, and opens it again: what lay behind the cut must not return.
func opensAs(t *testing.T, dir string, want *model, what string) {
	t.Helper()
	opt := wal.Options{SegmentSize: 4096, NoSync: true, Logger: quiet()}
	l, err := wal.Open(dir, opt)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if err := want.diff(l); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	want = want.clone()
	entry := &raft.Log{Index: want.last + 1, Term: 8, Data: []byte("short"), AppendedAt: zeroTime}
	if err := l.StoreLog(entry); err != nil {
		t.Fatalf("%s: append: %v", what, err)
	}
	want.store([]*raft.Log{entry})
	mustClose(t, l)
	if l, err = wal.Open(dir, opt); err != nil {
		t.Fatalf("%s: reopen: %v", what, err)
	}
	if err := want.diff(l); err != nil {
		t.Fatalf("%s: after an append: %v", what, err)
	}
	mustClose(t, l)
}

// refusesAt expects a CorruptError that names the file, and the offset unless that is negative.
func refusesAt(t *testing.T, dir, file string, offset int64, what string) {
	t.Helper()
	l, err := wal.Open(dir, wal.Options{SegmentSize: 4096, NoSync: true, Logger: quiet()})
	var corrupt *wal.CorruptError
	if !errors.As(err, &corrupt) {
		if err == nil {
			mustClose(t, l)
		}
		t.Fatalf("%s: %v, want a CorruptError", what, err)
	}
	if filepath.Base(corrupt.Path) != filepath.Base(file) || offset >= 0 && corrupt.Offset != offset {
		t.Fatalf("%s: %v, want %s at %d", what, err, filepath.Base(file), offset)
	}
	if !strings.Contains(err.Error(), filepath.Base(file)) {
		t.Fatalf("%s: the text %q does not name the file", what, err)
	}
}

// TestSealedSegmentDamage flips bits all over a segment that has a successor.
func TestSealedSegmentDamage(t *testing.T) {
	b := writeBatches(t, 1)
	first := filepath.Join(b.dir, "0000000000000001.seg")
	end := usedEnd(t, first)
	for at := int64(0); at < end; at += 5 {
		dir := copyChanged(t, b.dir, first, func(d []byte) []byte { d[at] ^= 1 << (at % 8); return d })
		refusesAt(t, dir, first, -1, fmt.Sprintf("flip at %d", at))
	}
	for _, at := range []int64{0, 63, 64, 100, end - 1} {
		dir := copyChanged(t, b.dir, first, func(d []byte) []byte { return d[:at] })
		refusesAt(t, dir, first, -1, fmt.Sprintf("cut at %d", at))
	}
	// The space behind the last frame is nobody's.
	opensAs(t, copyChanged(t, b.dir, first, func(d []byte) []byte { return d[:end] }), b.states[1], "cut at the end")
	opensAs(t, copyChanged(t, b.dir, first, func(d []byte) []byte { d[end+8] = 1; return d }), b.states[1], "flip behind the end")
}

// TestHeaderDamage flips each byte of the newest segment's header: it was durable before the file had its name.
func TestHeaderDamage(t *testing.T) {
	b := writeBatches(t, 1)
	for at := range 64 {
		dir := copyChanged(t, b.dir, b.newest, func(d []byte) []byte { d[at] ^= 0x10; return d })
		refusesAt(t, dir, b.newest, -1, fmt.Sprintf("flip at %d", at))
	}
}

// TestStableDamage flips each byte of the stable store and cuts it everywhere: it is replaced as a whole, so there
// is no torn state, and falling back to an older vote would be unsafe.
func TestStableDamage(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir, wal.Options{SegmentSize: 4096, Logger: quiet()})
	if err := l.SetUint64([]byte("CurrentTerm"), 9); err != nil {
		t.Fatal(err)
	}
	if err := l.Set([]byte("LastVoteCand"), []byte("node-1")); err != nil {
		t.Fatal(err)
	}
	mustClose(t, l)
	stable := filepath.Join(dir, "stable")
	info, err := os.Stat(stable)
	if err != nil {
		t.Fatal(err)
	}
	for at := range info.Size() {
		flipped := copyChanged(t, dir, stable, func(d []byte) []byte { d[at] ^= 1; return d })
		refusesAt(t, flipped, stable, -1, fmt.Sprintf("flip at %d", at))
		cut := copyChanged(t, dir, stable, func(d []byte) []byte { return d[:at] })
		refusesAt(t, cut, stable, -1, fmt.Sprintf("cut at %d", at))
	}
}

// TestCloseSealsTheEnd: after a clean Close the last batch is not the last frame, so damage to it is seen.
func TestCloseSealsTheEnd(t *testing.T) {
	dir := t.TempDir()
	opt := wal.Options{SegmentSize: 4096, Logger: quiet()}
	l := mustOpen(t, dir, opt)
	storeThree(t, l, newModel())
	mustClose(t, l)
	end := usedEnd(t, newestSegment(t, dir))
	l = mustOpen(t, dir, opt)
	mustClose(t, l)
	if again := usedEnd(t, newestSegment(t, dir)); again != end {
		t.Errorf("opening and closing an idle log grew it from %d to %d", end, again)
	}
	newest := newestSegment(t, dir)
	for at := int64(64); at < 200; at++ {
		flipped := copyChanged(t, dir, newest, func(d []byte) []byte { d[at] ^= 4; return d })
		refusesAt(t, flipped, newest, 64, fmt.Sprintf("flip at %d", at))
	}
}

// TestMissingFiles takes files away that the log cannot do without.
func TestMissingFiles(t *testing.T) {
	for _, name := range []string{"0000000000000001.seg", "0000000000000002.seg", "stable"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			opt := wal.Options{SegmentSize: 4096, Logger: quiet()}
			l, m := mustOpen(t, dir, opt), newModel()
			for l.Stats().Segments < 4 {
				storeThree(t, l, m)
			}
			mustClose(t, l)
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			if _, err := wal.Open(dir, opt); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("open without %s: %v", name, err)
			}
		})
	}
	t.Run("all segments", func(t *testing.T) {
		dir := t.TempDir()
		l := mustOpen(t, dir, wal.Options{Logger: quiet()})
		if err := l.SetUint64([]byte("CurrentTerm"), 1); err != nil {
			t.Fatal(err)
		}
		mustClose(t, l)
		if err := os.Remove(newestSegment(t, dir)); err != nil {
			t.Fatal(err)
		}
		var corrupt *wal.CorruptError
		if _, err := wal.Open(dir, wal.Options{Logger: quiet()}); !errors.As(err, &corrupt) {
			t.Errorf("open: %v", err)
		}
	})
}

// TestReadDamage: an entry that goes bad under an open log is an error of GetLog, not an entry.
func TestReadDamage(t *testing.T) {
	dir := t.TempDir()
	l, m := mustOpen(t, dir, wal.Options{SegmentSize: 4096, Logger: quiet()}), newModel()
	defer mustClose(t, l)
	storeThree(t, l, m)
	f, err := os.OpenFile(newestSegment(t, dir), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte{0xff}, 64+40+50); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var got raft.Log
	var corrupt *wal.CorruptError
	if err := l.GetLog(1, &got); !errors.As(err, &corrupt) || corrupt.Offset != 104 {
		t.Errorf("get a damaged entry: %v", err)
	}
	if err := l.GetLog(2, &got); err != nil {
		t.Errorf("get its neighbour: %v", err)
	}
}
