package wal_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/raftadapter/wal"
	"github.com/grevy-io/grevy/raftadapter/wal/waltest"
)

const memDir = "/data/raft"

// script is a fixed row of writes with the states they lead through.
func script(seed uint64, n int) []op {
	g := &generator{rng: rand.New(rand.NewPCG(seed, 2)), maxData: 400}
	ops, m := make([]op, n), newModel()
	for i := range ops {
		ops[i] = g.next(m)
		m = ops[i].states[len(ops[i].states)-1]
	}
	return ops
}

func memOptions(fs *waltest.FS) wal.Options {
	return wal.Options{SegmentSize: 4096, FS: fs, Logger: quiet()}
}

// play opens a log on fs and runs ops until one fails. It returns the states that may be found after that.
func play(fs *waltest.FS, ops []op) (l *wal.Log, allowed []*model, err error) {
	l, err = wal.Open(memDir, memOptions(fs))
	if err != nil {
		return nil, []*model{newModel()}, err
	}
	allowed = []*model{newModel()}
	for _, o := range ops {
		if err := o.do(l); err != nil {
			return l, o.states, fmt.Errorf("%s: %w", o.name, err)
		}
		allowed = o.states[len(o.states)-1:]
	}
	return l, allowed, nil
}

// match returns the state that the log is in, of those allowed.
func match(l *wal.Log, allowed []*model) (*model, error) {
	var errs []error
	for _, m := range allowed {
		err := m.diff(l)
		if err == nil {
			return m, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// TestCrashAtEachOperation lets the process or the machine die at each operation that the log does on its files,
// with any part of the unsynced data lost, and looks for the promise in what is left.
func TestCrashAtEachOperation(t *testing.T) {
	crashes, kinds := 0, map[string]int{}
	for seed := range uint64(4) {
		ops := script(seed, 25)
		whole := waltest.New()
		if _, _, err := play(whole, ops); err != nil {
			t.Fatal(err)
		}
		for at := 1; at <= whole.Ops; at++ {
			for round, left := range crashAt(t, ops, at, seed) {
				crashes++
				continueAfterCrash(t, left, fmt.Sprintf("seed %d operation %d (%s) round %d", seed, at, whole.Trace[at-1], round))
			}
			kinds[strings.Fields(whole.Trace[at-1])[0]]++
		}
	}
	t.Logf("%d crashes, at operations %v", crashes, kinds)
	for _, kind := range []string{"create", "preallocate", "write", "datasync", "rename", "remove", "syncdir"} {
		if kinds[kind] == 0 {
			t.Errorf("no crash at a %s", kind)
		}
	}
}

type remains struct {
	fs      *waltest.FS
	allowed []*model
}

func crashAt(t *testing.T, ops []op, at int, seed uint64) []remains {
	rng := rand.New(rand.NewPCG(seed, uint64(at)))
	fs := waltest.New()
	fs.FailAt, fs.Dies = at, true
	_, allowed, err := play(fs, ops)
	if !errors.Is(err, waltest.ErrInjected) {
		t.Fatalf("seed %d operation %d: %v", seed, at, err)
	}
	out := []remains{{fs.Kill(), allowed}, {fs.PowerLoss(rng, 0), allowed}}
	for range 2 {
		out = append(out, remains{fs.PowerLoss(rng, 0.5), allowed}, remains{fs.PowerLoss(rng, 0.9), allowed})
	}
	return out
}

// continueAfterCrash opens what is left, dying a few times on the way, and goes on working with it.
func continueAfterCrash(t *testing.T, left remains, where string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, uint64(len(where))))
	fs := left.fs
	for at := 1; at <= 3; at++ {
		fs.FailAt, fs.Dies = at, true
		if _, err := wal.Open(memDir, memOptions(fs)); err != nil && !errors.Is(err, waltest.ErrInjected) {
			t.Fatalf("%s: open that dies at %d: %v", where, at, err)
		}
		fs = fs.PowerLoss(rng, 0.7)
	}
	l, err := wal.Open(memDir, memOptions(fs))
	if err != nil {
		t.Fatalf("%s: open: %v", where, err)
	}
	state, err := match(l, left.allowed)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	// What was read once must survive the next power loss without any further write.
	fs = fs.PowerLoss(rng, 0)
	if l, err = wal.Open(memDir, memOptions(fs)); err != nil {
		t.Fatalf("%s: open again: %v", where, err)
	}
	if err := state.diff(l); err != nil {
		t.Fatalf("%s: a power loss after the open took something: %v", where, err)
	}
	workOn(t, fs, l, state, rng, where)
}

func workOn(t *testing.T, fs *waltest.FS, l *wal.Log, state *model, rng *rand.Rand, where string) {
	t.Helper()
	g := &generator{rng: rng, serial: 1 << 20, maxData: 400}
	for range 4 {
		o := g.next(state)
		if err := o.do(l); err != nil {
			t.Fatalf("%s: then %s: %v", where, o.name, err)
		}
		state = o.states[len(o.states)-1]
	}
	l, err := wal.Open(memDir, memOptions(fs.PowerLoss(rng, 0)))
	if err != nil {
		t.Fatalf("%s: open after more writes: %v", where, err)
	}
	if err := state.diff(l); err != nil {
		t.Fatalf("%s: after more writes: %v", where, err)
	}
}

// TestDiskErrorAtEachOperation lets one operation fail and the process live. Reads go on; the log either refuses
// all further writes or can simply repeat the one that failed; and what is read after a reopen is really on the disk.
func TestDiskErrorAtEachOperation(t *testing.T) {
	poisoned, retried := 0, 0
	for seed := range uint64(4) {
		ops := script(seed, 30)
		whole := waltest.New()
		if _, _, err := play(whole, ops); err != nil {
			t.Fatal(err)
		}
		for at := 1; at <= whole.Ops; at++ {
			where := fmt.Sprintf("seed %d operation %d (%s)", seed, at, whole.Trace[at-1])
			fs := waltest.New()
			fs.FailAt = at
			l, allowed, err := play(fs, ops)
			if !errors.Is(err, waltest.ErrInjected) {
				t.Fatalf("%s: %v", where, err)
			}
			if l != nil { // the operation was none of Open's
				must := mustPoison(t, l, allowed, whole.Trace[at-1])
				state := afterDiskError(t, l, allowed, where)
				if must != (state == nil) {
					t.Errorf("%s: refuses further writes: %v, want %v", where, state == nil, must)
				}
				if state == nil {
					poisoned++
				} else {
					retried++
					allowed = []*model{state}
				}
			}
			reopenAfterDiskError(t, fs, allowed, where)
		}
	}
	t.Logf("refused all further writes: %d, could go on: %d", poisoned, retried)
	if poisoned == 0 || retried == 0 {
		t.Error("one of the two outcomes never happened")
	}
}

// mustPoison says whether the failed operation leaves the log in doubt: all do but those on a file that has no name
// yet and the removal of old files; and those too when half a batch is stored.
func mustPoison(t *testing.T, l *wal.Log, allowed []*model, operation string) bool {
	t.Helper()
	last, err := l.LastIndex()
	if err != nil {
		t.Fatal(err)
	}
	half := len(allowed) > 2 && last != allowed[0].last && last != allowed[len(allowed)-1].last
	unnamed := strings.HasSuffix(operation, ".tmp") && !strings.HasPrefix(operation, "rename")
	return half || !unnamed && !strings.HasPrefix(operation, "remove")
}

// afterDiskError works on with the log and closes it. It returns its state, nil when it refuses to be written to.
func afterDiskError(t *testing.T, l *wal.Log, allowed []*model, where string) *model {
	t.Helper()
	poisoned := false
	state, err := match(l, allowed)
	if err != nil {
		t.Fatalf("%s: reads after the error: %v", where, err)
	}
	g := &generator{rng: rand.New(rand.NewPCG(3, 3)), serial: 1 << 20, maxData: 400}
	for i := range 3 {
		o := g.storeOp(state)
		err := o.do(l)
		if i > 0 && poisoned != (err != nil) {
			t.Fatalf("%s: write %d after the error gave %v, unlike the one before", where, i, err)
		}
		if poisoned = err != nil; poisoned {
			if !errors.Is(err, wal.ErrFailed) || !errors.Is(err, waltest.ErrInjected) {
				t.Fatalf("%s: refused without the reason: %v", where, err)
			}
			continue
		}
		state = o.states[len(o.states)-1]
	}
	if poisoned {
		for _, err := range []error{l.DeleteRange(0, 1<<40), l.SetUint64([]byte("k"), 1)} {
			if !errors.Is(err, wal.ErrFailed) {
				t.Fatalf("%s: a failed log took a write: %v", where, err)
			}
		}
	}
	if err := state.diff(l); err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	if err := l.Close(); err != nil {
		t.Fatalf("%s: close: %v", where, err)
	}
	if poisoned {
		return nil
	}
	return state
}

func reopenAfterDiskError(t *testing.T, fs *waltest.FS, allowed []*model, where string) {
	t.Helper()
	l, err := wal.Open(memDir, memOptions(fs))
	if err != nil {
		t.Fatalf("%s: reopen: %v", where, err)
	}
	state, err := match(l, allowed)
	if err != nil {
		t.Fatalf("%s: reopen: %v", where, err)
	}
	l, err = wal.Open(memDir, memOptions(fs.PowerLoss(rand.New(rand.NewPCG(1, 1)), 0)))
	if err != nil {
		t.Fatalf("%s: open after a power loss: %v", where, err)
	}
	if err := state.diff(l); err != nil {
		t.Fatalf("%s: what the reopened log held was not on the disk: %v", where, err)
	}
}
