package raftwal_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/grevy-io/grevy/raftadapter/wal/waltest"
)

// faults counts what went wrong, by kind, with an example of each.
type faults struct {
	cases   int
	count   map[string]int
	example map[string]string
}

func (f *faults) note(kind, format string, args ...any) {
	if f.count == nil {
		f.count, f.example = map[string]int{}, map[string]string{}
	}
	if f.count[kind]++; f.count[kind] == 1 {
		f.example[kind] = fmt.Sprintf(format, args...)
	}
}

// report fails ours for any fault, and raft-wal for having none of those that the decision rests on.
func (f *faults) report(t *testing.T, k kind, want ...string) {
	t.Helper()
	t.Logf("%s: %d cases", k.name, f.cases)
	for kind, n := range f.count {
		t.Logf("%s: %s: %d times, first %s", k.name, kind, n, f.example[kind])
	}
	if k.name == ourKind.name && len(f.count) > 0 {
		t.Error("our store has faults")
	}
	if k.name != theirKind.name {
		return
	}
	for _, w := range want {
		if f.count[w] == 0 {
			t.Errorf("raft-wal has no more fault %q: look at docs/adr/0014 again", w)
		}
	}
}

func script(seed uint64, n int) []op {
	g := &generator{rng: rand.New(rand.NewPCG(seed, 2)), maxData: 400}
	ops, m := make([]op, n), newModel()
	for i := range ops {
		ops[i] = g.next(m)
		m = ops[i].states[len(ops[i].states)-1]
	}
	return ops
}

const memSegment = 4096

// play opens a store on m and runs ops until one fails. It returns the states that may be found after that.
func play(k kind, m *waltest.FS, ops []op) (s store, allowed []*model, err error) {
	s, err = k.mem(m, memSegment)
	if err != nil {
		return nil, []*model{newModel()}, err
	}
	allowed = []*model{newModel()}
	for _, o := range ops {
		if err := o.do(s); err != nil {
			return s, o.states, fmt.Errorf("%s: %w", o.name, err)
		}
		allowed = o.states[len(o.states)-1:]
	}
	return s, allowed, nil
}

func match(s store, allowed []*model) (*model, error) {
	var errs []error
	for _, m := range allowed {
		err := m.diff(s)
		if err == nil {
			return m, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// TestCrash lets the process or the machine die at each operation on the files, with any part of the unsynced data
// lost, and goes on with what is left.
func TestCrash(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			f := &faults{}
			for seed := range uint64(4) {
				ops := script(seed, 25)
				whole := waltest.New()
				if _, _, err := play(k, whole, ops); err != nil {
					t.Fatal(err)
				}
				for at := 1; at <= whole.Ops; at++ {
					crashAt(t, k, f, ops, at, seed, whole.Trace[at-1])
				}
			}
			f.report(t, k, "takes no entries any more", "nor after another restart", "read, then lost by a power loss")
		})
	}
}

func crashAt(t *testing.T, k kind, f *faults, ops []op, at int, seed uint64, what string) {
	rng := rand.New(rand.NewPCG(seed, uint64(at)))
	m := waltest.New()
	m.FailAt, m.Dies = at, true
	_, allowed, err := play(k, m, ops)
	if !errors.Is(err, waltest.ErrInjected) {
		// raft-wal rotates in the background and only logs that it failed: the end of the script is then reached, or
		// a store is refused. What was acknowledged must be there all the same.
		if k.name == ourKind.name {
			t.Fatalf("seed %d operation %d: %v", seed, at, err)
		}
	}
	where := fmt.Sprintf("seed %d operation %d (%s)", seed, at, what)
	for _, keep := range []float64{0, 0.5, 0.9, 0.5, 0.9} {
		f.cases++
		goOn(k, f, m.PowerLoss(rng, keep), allowed, rng, where+", power lost")
	}
	f.cases++
	goOn(k, f, m.Kill(), allowed, rng, where+", killed")
}

// goOn opens what is left, and works with it.
func goOn(k kind, f *faults, m *waltest.FS, allowed []*model, rng *rand.Rand, where string) {
	s, err := k.mem(m, memSegment)
	if err != nil {
		f.note("does not open", "%s: %v", where, err)
		return
	}
	state, err := match(s, allowed)
	if err != nil {
		f.note("not what was acknowledged", "%s: %v", where, err)
		return
	}
	// What was read once must survive the next power loss without any further write.
	m = m.PowerLoss(rng, 0)
	if s, err = k.mem(m, memSegment); err != nil {
		f.note("does not open again", "%s: %v", where, err)
		return
	}
	if err := state.diff(s); err != nil {
		f.note("read, then lost by a power loss", "%s: %v", where, err)
		return
	}
	g := &generator{rng: rng, serial: 1 << 20, maxData: 400}
	for range 4 {
		o := g.next(state)
		if err := o.do(s); err != nil {
			f.note("takes no entries any more", "%s: then %s: %v", where, o.name, err)
			s, err = k.mem(m.Kill(), memSegment)
			if err == nil {
				err = g.storeOp(state).do(s)
			}
			if err != nil {
				f.note("nor after another restart", "%s: %v", where, err)
			}
			return
		}
		state = o.states[len(o.states)-1]
	}
	if s, err = k.mem(m.PowerLoss(rng, 0), memSegment); err != nil {
		f.note("does not open after more writes", "%s: %v", where, err)
		return
	}
	if err := state.diff(s); err != nil {
		f.note("wrong after more writes", "%s: %v", where, err)
	}
}

// TestDiskError lets one operation fail and the process live.
func TestDiskError(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			f := &faults{}
			for seed := range uint64(4) {
				ops := script(seed, 30)
				whole := waltest.New()
				if _, _, err := play(k, whole, ops); err != nil {
					t.Fatal(err)
				}
				for at := 1; at <= whole.Ops; at++ {
					f.cases++
					errorAt(k, f, ops, at, fmt.Sprintf("seed %d operation %d (%s)", seed, at, whole.Trace[at-1]))
				}
			}
			f.report(t, k, "an acknowledged write is gone")
		})
	}
}

func errorAt(k kind, f *faults, ops []op, at int, where string) {
	m := waltest.New()
	m.FailAt = at
	s, allowed, err := play(k, m, ops)
	if s == nil {
		return
	}
	state, err2 := match(s, allowed)
	if err2 != nil {
		f.note("reads are wrong after the error", "%s: %v: %v", where, err, err2)
		return
	}
	// It may refuse further writes; what it takes must be there.
	g := &generator{rng: rand.New(rand.NewPCG(3, 3)), serial: 1 << 20, maxData: 400}
	for range 3 {
		if o := g.storeOp(state); o.do(s) == nil {
			state, allowed = o.states[len(o.states)-1], o.states[len(o.states)-1:]
		}
	}
	allowed = append(allowed, state)
	left := m.PowerLoss(rand.New(rand.NewPCG(1, 1)), 0)
	if s, err = k.mem(left, memSegment); err != nil {
		f.note("does not open after the error", "%s: %v", where, err)
		return
	}
	if _, err := match(s, allowed); err != nil {
		f.note("an acknowledged write is gone", "%s: %v", where, err)
	}
}
