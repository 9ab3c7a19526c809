package wal_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/raftadapter/wal"
)

// TestReadersBesideWriter reads while the log grows and is cut at both ends. A reader gets the entry of that index
// or is told there is none, never another or half of one.
func TestReadersBesideWriter(t *testing.T) {
	l := mustOpen(t, t.TempDir(), wal.Options{SegmentSize: 8192, NoSync: true, Logger: quiet()})
	stop, read := make(chan struct{}), make([]int, 4)
	var readers sync.WaitGroup
	for i := range read {
		readers.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 0))
			for {
				select {
				case <-stop:
					return
				default:
					if readSome(t, l, rng) {
						read[i]++
					}
				}
			}
		})
	}
	writeForReaders(t, l)
	close(stop)
	readers.Wait()
	mustClose(t, l)
	t.Logf("entries read: %v", read)
	for i, n := range read {
		if n == 0 {
			t.Errorf("reader %d read nothing", i)
		}
	}
}

func writeForReaders(t *testing.T, l *wal.Log) {
	m := newModel()
	for term := uint64(1); term < 600; term++ {
		store(t, l, m, row(m.last+1, m.last+20, term))
		if term%3 == 0 {
			if err := l.DeleteRange(m.last-4, m.last); err != nil {
				t.Fatal(err)
			}
			m.last -= 5
		}
		if term%10 == 0 {
			if err := l.DeleteRange(m.first, m.last-100); err != nil {
				t.Fatal(err)
			}
			m.first = m.last - 99
		}
	}
}

func readSome(t *testing.T, l *wal.Log, rng *rand.Rand) bool {
	first, err1 := l.FirstIndex()
	last, err2 := l.LastIndex()
	if err := errors.Join(err1, err2); err != nil {
		t.Error(err)
		return false
	}
	if last < first || last == 0 {
		return false
	}
	index := first + rng.Uint64N(last-first+1)
	var got raft.Log
	err := l.GetLog(index, &got)
	if errors.Is(err, raft.ErrLogNotFound) {
		return false
	}
	if err != nil || got.Index != index || string(got.Data) != string(row(index, index, got.Term)[0].Data) {
		t.Errorf("get %d: %v, %v", index, brief(got), err)
	}
	return err == nil
}
