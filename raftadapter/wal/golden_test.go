package wal

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

var update = flag.Bool("update", false, "write testdata/golden anew: a change of the format needs a new version")

// goldenLogs are the entries of testdata/golden: a batch of three and, after the last of them was cut off, one more.
func goldenLogs() []*raft.Log {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	return []*raft.Log{
		{Index: 41, Term: 3, Type: raft.LogConfiguration, Data: []byte("peers"), AppendedAt: at},
		{Index: 42, Term: 3, Data: []byte("a command"), Extensions: []byte("ext"), AppendedAt: at.Add(time.Second)},
		{Index: 43, Term: 3, Type: raft.LogNoop},
		{Index: 43, Term: 4, Data: []byte("after the conflict"), AppendedAt: at.Add(time.Minute)},
	}
}

func writeGolden(t *testing.T, dir string) {
	t.Helper()
	l, err := Open(dir, Options{SegmentSize: minSegmentSize, salt: func() uint64 { return 0x0123456789abcdef }})
	if err != nil {
		t.Fatal(err)
	}
	logs := goldenLogs()
	err = errors.Join(
		l.SetUint64([]byte("CurrentTerm"), 4),
		l.Set([]byte("LastVoteCand"), []byte("node-1")),
		l.StoreLogs(logs[:3]),
		l.DeleteRange(43, 43),
		l.StoreLogs(logs[3:]),
		l.DeleteRange(41, 41),
		l.Close(),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// goldenFiles are compared without the zeros of the preallocation.
var goldenFiles = []string{"0000000000000001.seg", "stable"}

// TestGoldenBytes compares the files of known writes, byte for byte: docs/formats/raft-log.md as a test.
func TestGoldenBytes(t *testing.T) {
	dir := t.TempDir()
	writeGolden(t, dir)
	for _, name := range goldenFiles {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(name) == segmentSuffix {
			if len(got) != minSegmentSize {
				t.Errorf("%s is %d bytes long", name, len(got))
			}
			got = bytes.TrimRight(got, "\x00")
		}
		golden := filepath.Join("testdata", "golden", name)
		if *update {
			if err := errors.Join(os.MkdirAll(filepath.Dir(golden), 0o750), os.WriteFile(golden, got, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s:\n got %x\nwant %x", name, got, want)
		}
	}
}

// TestGoldenOpens reads the stored files, as a later program must.
func TestGoldenOpens(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "golden"))); err != nil {
		t.Fatal(err)
	}
	// The stored segment ends with its last byte that is not zero, in the middle of a number.
	seg := filepath.Join(dir, goldenFiles[0])
	if err := os.Truncate(seg, minSegmentSize); err != nil {
		t.Fatal(err)
	}
	l, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	logs := goldenLogs()
	for index, want := range map[uint64]*raft.Log{42: logs[1], 43: logs[3]} {
		var got raft.Log
		if err := l.GetLog(index, &got); err != nil || !reflect.DeepEqual(&got, want) {
			t.Errorf("entry %d: %+v, %v, want %+v", index, got, err, want)
		}
	}
	if s := l.Stats(); s.First != 42 || s.Last != 43 || s.Segments != 1 {
		t.Errorf("stats %+v", s)
	}
	term, err1 := l.GetUint64([]byte("CurrentTerm"))
	cand, err2 := l.Get([]byte("LastVoteCand"))
	if err := errors.Join(err1, err2); err != nil || term != 4 || string(cand) != "node-1" {
		t.Errorf("keys: %d, %q, %v", term, cand, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}
