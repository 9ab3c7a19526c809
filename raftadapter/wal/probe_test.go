package wal_test

import "testing"

// TestProbe fails while the disk does, and says when it is worth to open the log again.
func TestProbe(t *testing.T) {
	fs := newMemFS()
	l, _, err := play(fs, script(7, 10))
	if err != nil {
		t.Fatal(err)
	}
	last, err := l.LastIndex()
	if err != nil {
		t.Fatal(err)
	}
	fs.failAt, fs.dies = fs.ops+1, true
	if err := l.StoreLogs(row(last+1, last+1, 9)); err == nil {
		t.Fatal("stored on a dead disk")
	}
	if err := l.Probe(); err == nil {
		t.Fatal("a dead disk took a probe")
	}
	fs.dies, fs.failAt = false, 0
	if err := l.Probe(); err != nil {
		t.Fatal(err)
	}
	if err := l.StoreLogs(row(last+1, last+1, 9)); err == nil {
		t.Fatal("stored without having looked at what is on the disk")
	}
	mustClose(t, l)
	for name := range fs.names {
		if name == memDir+"/probe.tmp" {
			t.Error("the probe was left behind")
		}
	}
}
