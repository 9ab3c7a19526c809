package badgerkv

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/grevy-io/grevy/state"
)

// FuzzTable: no bytes in the place of a table make the verification panic or end
// the process, as they would Badger.
func FuzzTable(f *testing.F) {
	dir := f.TempDir()
	kv, err := Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		f.Fatal(err)
	}
	if err := kv.Update([]state.Op{{Key: []byte("a"), Value: []byte("1")}, {Key: []byte("b"), Value: []byte("2")}}); err != nil {
		f.Fatal(err)
	}
	if err := kv.Close(); err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(dir, "000001.sst")
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := verifyTable(path); err == nil && string(b) != string(whole) && len(b) < len(whole)/2 {
			t.Errorf("%x is taken for a table", b)
		}
	})
}
