package sim

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "run this seed only, and write down all that happens with -v")
	seedsFlag = flag.Int("seeds", 1000, "how many seeds TestSim runs")
	firstFlag = flag.Uint64("first", 1, "the first of them")
)

// TestSim runs many seeds. Each is a cluster of its own with faults of its own.
func TestSim(t *testing.T) {
	if *seedFlag != 0 {
		var trace io.Writer
		if testing.Verbose() {
			trace = os.Stdout
		}
		r := Run(*seedFlag, trace)
		t.Logf("%s\n%+v", r.Conf, r.Stats)
		complain(t, r)
		return
	}
	seeds := *seedsFlag
	if testing.Short() {
		seeds = min(seeds, 20)
	}
	sum := Stats{}
	for _, r := range runAll(*firstFlag, seeds, sound) {
		sum.add(r.Stats)
		complain(t, r)
	}
	t.Logf("%d seeds: %+v", seeds, sum)
	if seeds >= 100 && sum.tame() {
		t.Errorf("the storm is not one any more: %+v", sum)
	}
}

func complain(t *testing.T, r Report) {
	t.Helper()
	if len(r.Wrong) > 0 {
		t.Errorf("again by: go test ./sim -run TestSim -seed %d\n%s\n%s", r.Seed, r.Wrong[0], r.Conf)
	}
}

// runAll runs seeds on all processors; each run is in one goroutine.
func runAll(first uint64, n int, m mutation) []Report {
	out := make([]Report, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				out[i] = guarded(first+uint64(i), m)
			}
		})
	}
	wg.Wait()
	return out
}

// guarded makes a panic of a run a thing that is wrong with its seed.
func guarded(seed uint64, m mutation) (r Report) {
	defer func() {
		if p := recover(); p != nil {
			stack := make([]byte, 8<<10)
			r = Report{Seed: seed, Wrong: []string{fmt.Sprintf("panic: %v\n%s", p, stack[:runtime.Stack(stack, false)])}}
		}
	}()
	return run(seed, m, nil)
}

// TestSameSeedSameLog runs some seeds twice.
func TestSameSeedSameLog(t *testing.T) {
	seeds := 12
	if testing.Short() {
		seeds = 3
	}
	a, b := runAll(1, seeds, sound), runAll(1, seeds, sound)
	for i := range a {
		if a[i].Log != b[i].Log || a[i].Stats != b[i].Stats {
			t.Errorf("seed %d: %s then %s", a[i].Seed, a[i].Log, b[i].Log)
		}
		if i > 0 && a[i].Log == a[0].Log {
			t.Errorf("seeds %d and %d are the same", a[i].Seed, a[0].Seed)
		}
	}
}
