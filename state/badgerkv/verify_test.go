package badgerkv_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/grevy-io/grevy/state"
	"github.com/grevy-io/grevy/state/badgerkv"
)

var quiet = slog.New(slog.DiscardHandler)

// filled makes a store with a table, and gives the table's path.
func filled(t testing.TB, dir string, rows int) (path string) {
	t.Helper()
	kv, err := badgerkv.Open(dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	var ops []state.Op
	for i := range rows {
		ops = append(ops, state.Op{Key: fmt.Appendf(nil, "key-%08d", i), Value: fmt.Appendf(nil, "value %d", i*i)})
		if len(ops) == 1000 || i == rows-1 {
			if err := kv.Update(ops); err != nil {
				t.Fatal(err)
			}
			ops = nil
		}
	}
	if err := kv.Close(); err != nil { // writes the table
		t.Fatal(err)
	}
	list, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	return list[0]
}

// change edits a file and gives back how to undo it.
func change(t *testing.T, path string, edit func([]byte) []byte) (undo func()) {
	t.Helper()
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	set := func(b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set(edit(append([]byte(nil), was...)))
	return func() { set(was) }
}

// Wherever a byte of a table is another one than was written, Open says which
// file; Badger by itself would go on without its rows, or end the process.
func TestOpen_FindsDamage(t *testing.T) {
	dir := t.TempDir()
	path := filled(t, dir, 5000)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	size := int(info.Size())
	at := []int{0, 1, size / 4, size / 2, size - 1, size - 2, size - 3, size - 4, size - 5, size - 6, size - 8, size - 12, size - 16, size - 40}
	for range 60 {
		at = append(at, rand.IntN(size))
	}
	for _, i := range at {
		undo := change(t, path, func(b []byte) []byte { b[i] ^= 0x41; return b })
		isDamaged(t, fmt.Sprintf("byte %d of %d", i, size), dir, path)
		undo()
	}
	for name, edit := range map[string]func([]byte) []byte{
		"cut off": func(b []byte) []byte { return b[:len(b)/2] }, "empty": func([]byte) []byte { return nil },
		"zeros": func(b []byte) []byte { clear(b); return b }, "a hole": func(b []byte) []byte { clear(b[4096:8192]); return b },
	} {
		undo := change(t, path, edit)
		isDamaged(t, name, dir, path)
		undo()
	}
	manifest := filepath.Join(dir, "MANIFEST")
	undo := change(t, manifest, func(b []byte) []byte { b[len(b)-1] ^= 1; return b })
	isDamaged(t, "the manifest", dir, manifest)
	undo()
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	isDamaged(t, "a table that is gone", dir, path)
	if err := os.WriteFile(path, was, 0o600); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir)
}

func isDamaged(t *testing.T, what, dir, file string) {
	t.Helper()
	kv, err := badgerkv.Open(dir, quiet)
	if err == nil {
		t.Fatalf("%s: nothing is found, %v", what, kv.Close())
	}
	var bad *badgerkv.DamagedError
	if !errors.As(err, &bad) || bad.File != file {
		t.Errorf("%s: %v", what, err)
	}
}

func mustOpen(t *testing.T, dir string) {
	t.Helper()
	kv, err := badgerkv.Open(dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(kv.Verify(context.Background()), kv.Close()); err != nil {
		t.Fatal(err)
	}
}

// What a crash left of a table that is not in the manifest is no damage.
func TestOpen_UnfinishedTable(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir, 100)
	if err := os.WriteFile(filepath.Join(dir, "000099.sst"), []byte("half a table"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir)
}

// Damage that comes while the store is open is found by Verify.
func TestVerify_WhileOpen(t *testing.T) {
	dir := t.TempDir()
	path := filled(t, dir, 5000)
	kv, err := badgerkv.Open(dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer kv.Close()
	if err := kv.Verify(context.Background()); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("damage"), 3000); err != nil {
		t.Fatal(err)
	}
	f.Close()
	var bad *badgerkv.DamagedError
	if err := kv.Verify(context.Background()); !errors.As(err, &bad) || bad.File != path {
		t.Error(err)
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	filled(b, dir, 1_000_000)
	list, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
	var size int64
	for _, f := range list {
		info, err := os.Stat(f)
		if err != nil {
			b.Fatal(err)
		}
		size += info.Size()
	}
	b.SetBytes(size)
	for b.Loop() {
		kv, err := badgerkv.Open(dir, quiet)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := kv.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
