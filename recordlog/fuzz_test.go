package recordlog

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// FuzzTail: whatever stands in a record log, opening it keeps all whole lines and
// nothing else, and what is written next is a line of its own.
func FuzzTail(f *testing.F) {
	f.Add([]byte("{}\n{\"a\":1}\nhalf"))
	f.Add([]byte("no line at all"))
	f.Add([]byte("\n\n\x00"))
	f.Add(bytes.Repeat([]byte("x"), 70<<10))
	path := filepath.Join(f.TempDir(), "records")
	f.Fuzz(func(t *testing.T, before []byte) {
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Write(1, []byte("next\n")); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		want := append(before[:bytes.LastIndexByte(before, '\n')+1:bytes.LastIndexByte(before, '\n')+1], "next\n"...)
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q became %q, %v", before, got, err)
		}
	})
}
