package recordlog

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// watched notes what is done to a file.
type watched struct {
	handle
	did  *[]string
	fail error // of Sync
}

func (w watched) Write(p []byte) (int, error) {
	*w.did = append(*w.did, "write "+string(p))
	return w.handle.Write(p)
}

func (w watched) Sync() error {
	*w.did = append(*w.did, "sync")
	return errors.Join(w.fail, w.handle.Sync())
}

func (w watched) Close() error {
	*w.did = append(*w.did, "close")
	return w.handle.Close()
}

// The lines written last to a file that is moved away, or closed, are durable
// before nobody can make them so any more.
func TestFile_IsSyncedBeforeItIsClosed(t *testing.T) {
	var did []string
	broken := errors.New("broken")
	var fail error
	path := filepath.Join(t.TempDir(), "records")
	f := &File{path: path, open: func(path string) (handle, error) {
		h, err := openAppend(path)
		return watched{h, &did, fail}, err
	}}
	write := func(line string) error { return f.Write(1, []byte(line)) }
	moved := func() {
		t.Helper()
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := write("a\n"); err != nil {
		t.Fatal(err)
	}
	moved()
	fail = broken
	if err := write("b\n"); err != nil {
		t.Fatal(err)
	}
	moved()
	fail = nil
	if err := write("c\n"); !errors.Is(err, broken) {
		t.Errorf("a sync that fails gives %v", err)
	}
	if err := errors.Join(write("c\n"), f.Close(), f.Close()); err != nil {
		t.Error(err)
	}
	want := []string{"write a\n", "sync", "close", "write b\n", "sync", "close", "write c\n", "sync", "close"}
	if !slices.Equal(did, want) {
		t.Errorf("%q\n%q", did, want)
	}
}

// A pipe can be written to, and has nothing to be synced.
func TestFile_MayBeAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 2)
	if err := errors.Join(f.Write(1, []byte("a\n")), f.Sync(), f.Close()); err != nil {
		t.Error(err)
	}
	if n, err := reader.Read(got); err != nil || string(got[:n]) != "a\n" {
		t.Errorf("%q, %v", got[:n], err)
	}
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
}
