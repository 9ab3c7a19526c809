package wal_test

import (
	"slices"
	"testing"

	"github.com/grevy-io/grevy/raftadapter/wal/waltest"
)

// TestProbe fails while the disk does, and says when it is worth to open the log again.
func TestProbe(t *testing.T) {
	fs := waltest.New()
	l, _, err := play(fs, script(7, 10))
	if err != nil {
		t.Fatal(err)
	}
	last, err := l.LastIndex()
	if err != nil {
		t.Fatal(err)
	}
	fs.FailAt, fs.Dies = fs.Ops+1, true
	if err := l.StoreLogs(row(last+1, last+1, 9)); err == nil {
		t.Fatal("stored on a dead disk")
	}
	if err := l.Probe(); err == nil {
		t.Fatal("a dead disk took a probe")
	}
	fs.Dies, fs.FailAt = false, 0
	if err := l.Probe(); err != nil {
		t.Fatal(err)
	}
	if err := l.StoreLogs(row(last+1, last+1, 9)); err == nil {
		t.Fatal("stored without having looked at what is on the disk")
	}
	mustClose(t, l)
	names, err := fs.List(memDir)
	if err != nil || slices.Contains(names, "probe.tmp") {
		t.Errorf("the probe was left behind: %v, %v", names, err)
	}
}
