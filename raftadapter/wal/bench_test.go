package wal_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/raftadapter/wal"
)

func benchLogs(n int) []*raft.Log {
	logs := make([]*raft.Log, n)
	for i := range logs {
		logs[i] = &raft.Log{Term: 3, Data: bytes.Repeat([]byte{byte(i) | 1}, 200), AppendedAt: time.Now()}
	}
	return logs
}

func number(logs []*raft.Log, from uint64) {
	for i, l := range logs {
		l.Index = from + uint64(i)
	}
}

func BenchmarkStoreLogs(b *testing.B) {
	for _, n := range []int{1, 64} {
		for _, noSync := range []bool{false, true} {
			b.Run(fmt.Sprintf("entries=%d/nosync=%v", n, noSync), func(b *testing.B) {
				l := mustOpen(b, b.TempDir(), wal.Options{NoSync: noSync, Logger: quiet()})
				logs, next := benchLogs(n), uint64(1)
				b.ReportAllocs()
				for b.Loop() {
					number(logs, next)
					if err := l.StoreLogs(logs); err != nil {
						b.Fatal(err)
					}
					next += uint64(n)
				}
				mustClose(b, l)
			})
		}
	}
}

func BenchmarkGetLog(b *testing.B) {
	l := mustOpen(b, b.TempDir(), wal.Options{NoSync: true, Logger: quiet()})
	logs := benchLogs(1000)
	for from := uint64(1); from < 200_000; from += 1000 {
		number(logs, from)
		if err := l.StoreLogs(logs); err != nil {
			b.Fatal(err)
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	b.ReportAllocs()
	for b.Loop() {
		var got raft.Log
		if err := l.GetLog(1+rng.Uint64N(200_000), &got); err != nil {
			b.Fatal(err)
		}
	}
	mustClose(b, l)
}

// BenchmarkAgainstPlainAppend writes each batch twice, in turn: to the log, and as the same number of bytes appended
// to a plain file and synced. The ratio is the price of the log.
func BenchmarkAgainstPlainAppend(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			l := mustOpen(b, b.TempDir(), wal.Options{Logger: quiet()})
			plain := openPlain(b)
			logs, raw := benchLogs(n), bytes.Repeat([]byte{7}, 40+n*248)
			var ours, theirs time.Duration
			next, off := uint64(1), int64(0)
			for b.Loop() {
				number(logs, next)
				t0 := time.Now()
				if err := l.StoreLogs(logs); err != nil {
					b.Fatal(err)
				}
				t1 := time.Now()
				if _, err := plain.WriteAt(raw, off); err != nil {
					b.Fatal(err)
				}
				if err := plain.Datasync(); err != nil {
					b.Fatal(err)
				}
				ours, theirs = ours+t1.Sub(t0), theirs+time.Since(t1)
				next, off = next+uint64(n), off+int64(len(raw))
			}
			b.ReportMetric(float64(ours.Nanoseconds())/float64(b.N), "wal-ns/op")
			b.ReportMetric(float64(theirs.Nanoseconds())/float64(b.N), "plain-ns/op")
			b.ReportMetric(float64(ours)/float64(theirs), "ratio")
			mustClose(b, l)
		})
	}
}

func openPlain(b *testing.B) wal.File {
	b.Helper()
	path := filepath.Join(b.TempDir(), "plain")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		b.Fatal(err)
	}
	f, err := wal.OS().Open(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := f.Close(); err != nil {
			b.Error(err)
		}
	})
	return f
}
