package badgerkv

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/grevy-io/grevy/state"
)

// tableOf makes a store with a table and gives its path and content.
func tableOf(t *testing.T, dir string) (path string, content []byte) {
	t.Helper()
	kv, err := Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		var ops []state.Op
		for j := range 1000 {
			ops = append(ops, state.Op{Key: fmt.Appendf(nil, "key-%08d", i*1000+j), Value: fmt.Appendf(nil, "value %d", i*j)})
		}
		if err := kv.Update(ops); err != nil {
			t.Fatal(err)
		}
	}
	if err := kv.Close(); err != nil { // writes the table
		t.Fatal(err)
	}
	list, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	if content, err = os.ReadFile(list[0]); err != nil {
		t.Fatal(err)
	}
	return list[0], content
}

// Badger cuts a table that it has compacted to nothing before it removes it. Who
// reads it meanwhile may find it damaged, but must live: with the table mapped into
// memory the process ended here (SIGBUS).
func TestVerify_TableIsCutWhileItIsRead(t *testing.T) {
	_, content := tableOf(t, t.TempDir())
	path := filepath.Join(t.TempDir(), "000001.sst")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := errors.Join(os.Truncate(path, 0), os.WriteFile(path, content, 0o600)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	whole := 0
	for range 300 {
		if _, err := verifyTable(path); err == nil {
			whole++
		}
	}
	close(stop)
	wg.Wait()
	if _, err := verifyTable(path); err != nil {
		t.Errorf("the whole table, after %d of 300 that were: %v", whole, err)
	}
}

// What is wrong with a table counts as long as the table belongs to the store.
func TestVerify_TableThatWasCompactedAway(t *testing.T) {
	dir := t.TempDir()
	path, _ := tableOf(t, dir)
	k := &KV{dir: dir}
	bad := damaged(path, "a test")
	if err := k.stillCounts(path, bad); err != bad {
		t.Errorf("of a table of the store: %v", err)
	}
	if err := k.stillCounts(path, fs.ErrNotExist); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a table of the store is gone: %v", err)
	}
	if err := k.stillCounts(filepath.Join(dir, "999999.sst"), bad); err != nil {
		t.Errorf("of a table that is no part of the store any more: %v", err)
	}
}
