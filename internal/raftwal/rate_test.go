package raftwal_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/raftadapter/wal/waltest"
)

// BenchmarkAppend writes each batch to both stores in turn, so that both see the same moods of the disk. ratio is
// our time by theirs.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct{ size, batch int }{{200, 1}, {200, 64}, {4 << 10, 1}, {4 << 10, 16}, {512 << 10, 1}} {
		b.Run(fmt.Sprintf("%dB/batch=%d", c.size, c.batch), func(b *testing.B) {
			stores, took := openBoth(b, b.TempDir()), [2]time.Duration{}
			data, next := bytes.Repeat([]byte{7}, c.size), uint64(1)
			for n := 0; b.Loop(); n++ {
				logs := make([]*raft.Log, c.batch)
				for i := range logs {
					logs[i] = &raft.Log{Index: next + uint64(i), Term: 3, Data: data, AppendedAt: time.Now()}
				}
				next += uint64(c.batch)
				for i := range stores {
					who := (i + n) % 2
					begun := time.Now()
					if err := stores[who].StoreLogs(logs); err != nil {
						b.Fatal(err)
					}
					took[who] += time.Since(begun)
				}
				if n%200 == 199 && next > 2000 { // keep the disk from filling
					for _, s := range stores {
						if err := s.DeleteRange(1, next-1000); err != nil {
							b.Fatal(err)
						}
					}
				}
			}
			report(b, took)
		})
	}
}

// BenchmarkVote sets a key of the stable store, which must be durable before the vote is answered.
func BenchmarkVote(b *testing.B) {
	stores, took := openBoth(b, b.TempDir()), [2]time.Duration{}
	for n := uint64(0); b.Loop(); n++ {
		for i := range stores {
			who := (i + int(n)) % 2
			begun := time.Now()
			if err := stores[who].SetUint64([]byte("CurrentTerm"), n); err != nil {
				b.Fatal(err)
			}
			took[who] += time.Since(begun)
		}
	}
	report(b, took)
}

// BenchmarkOpen opens logs of 100,000 entries of 200 bytes and closes them again.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for _, s := range openBothIn(b, dir) {
		data := bytes.Repeat([]byte{7}, 200)
		for next := uint64(1); next < 100_000; next += 1000 {
			logs := make([]*raft.Log, 1000)
			for i := range logs {
				logs[i] = &raft.Log{Index: next + uint64(i), Term: 3, Data: data}
			}
			if err := s.StoreLogs(logs); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.StoreLog(&raft.Log{Index: 100_001, Term: 3}); err != nil { // waits for a rotation under way
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	took := [2]time.Duration{}
	for b.Loop() {
		for i, k := range kinds {
			begun := time.Now()
			s, err := k.open(dir+"/"+k.name, 16<<20)
			if err != nil {
				b.Fatal(err)
			}
			took[i] += time.Since(begun)
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
	}
	report(b, took)
}

func openBoth(b *testing.B, dir string) [2]store {
	b.Helper()
	s := openBothIn(b, dir)
	b.Cleanup(func() {
		for i := range s {
			if err := s[i].Close(); err != nil {
				b.Error(err)
			}
		}
	})
	return s
}

func openBothIn(b *testing.B, dir string) (s [2]store) {
	b.Helper()
	for i, k := range kinds {
		if err := os.MkdirAll(dir+"/"+k.name, 0o755); err != nil {
			b.Fatal(err)
		}
		var err error
		if s[i], err = k.open(dir+"/"+k.name, 16<<20); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func report(b *testing.B, took [2]time.Duration) {
	b.ReportMetric(float64(took[0].Microseconds())/float64(b.N), "ours-µs/op")
	b.ReportMetric(float64(took[1].Microseconds())/float64(b.N), "raft-wal-µs/op")
	b.ReportMetric(float64(took[0])/float64(took[1]), "ratio")
	b.ReportMetric(0, "ns/op")
}

// TestSyncsAndMemory: an append is one write and one sync in both, and three open logs take less than 1 MB.
func TestSyncsAndMemory(t *testing.T) {
	for _, k := range kinds {
		m := waltest.New()
		s, err := k.mem(m, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for i := uint64(1); i <= 2; i++ {
			before := len(m.Trace)
			if err := s.StoreLog(&raft.Log{Index: i, Data: []byte("x")}); err != nil {
				t.Fatal(err)
			}
			ops := m.Trace[before:]
			t.Logf("%s: append %d: %s", k.name, i, strings.Join(ops, ", "))
			// The first one may make a name durable as well.
			if len(ops) < 2 || !strings.HasPrefix(ops[0], "write ") || !strings.HasPrefix(ops[1], "datasync ") || i > 1 && len(ops) > 2 {
				t.Errorf("%s: append %d is not one write and one sync: %v", k.name, i, ops)
			}
		}
	}
	for _, k := range kinds {
		before := rss(t)
		for range 3 {
			s, err := k.open(t.TempDir(), 16<<20)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.StoreLog(&raft.Log{Index: 1, Data: []byte("x")}); err != nil {
				t.Fatal(err)
			}
			defer s.Close()
		}
		more := rss(t) - before
		t.Logf("%s: three open logs: %d kB more", k.name, more)
		if more >= 1024 {
			t.Errorf("%s: three open logs take %d kB", k.name, more)
		}
	}
}

func rss(t *testing.T) (kB int) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		t.Fatal(err)
	}
	return kB
}
