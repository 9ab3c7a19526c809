package raftadapter

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
	"github.com/grevy-io/grevy/state/memkv"
)

var errCrashed = errors.New("the process has ended")

// steps is a store that lives for so many writes and syncs and then is gone, as
// the process is that writes.
type steps struct {
	*memkv.KV
	mu   sync.Mutex // old generations are removed in the background
	left int        // -1: it goes on living
}

func (s *steps) lives(steps int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = steps
}

func (s *steps) step() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 {
		return errCrashed
	}
	s.left--
	return nil
}

func (s *steps) Update(ops []state.Op) error {
	if err := s.step(); err != nil {
		return err
	}
	return s.KV.Update(ops)
}

func (s *steps) Sync() error {
	if err := s.step(); err != nil {
		return err
	}
	return s.KV.Sync()
}

func (s *steps) DeletePrefix(prefix []byte) error {
	if err := s.step(); err != nil {
		return err
	}
	return s.KV.DeletePrefix(prefix)
}

// crowded is the sample with more rows than one transaction of an install takes.
func crowded(t *testing.T) *fsm {
	f := sample(t)
	for i := range 5 {
		op := state.Op{Key: append(bytes.Clone(f.prefix), fmt.Appendf([]byte{byte(state.TableElement)}, "crowd%d", i)...), Value: make([]byte, installBatch*2/3)}
		if err := f.kv.Update([]state.Op{op}); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// intake is a node that takes the sample's stream in.
func intake(t *testing.T, kv state.KV, b []byte) error {
	t.Helper()
	generations, err := countGenerations(kv)
	if err != nil {
		t.Fatal(err)
	}
	prefix, at, err := readPosition(kv, 7)
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{Config: Config{KV: kv}, generations: generations}
	f := &fsm{partition: 7, kv: kv, prefix: prefix, at: at, applied: func(Applied) {}}
	k := &sink{store: &snapshots{node: n, partition: 7, fsm: f, log: &boundedLog{exported: func() uint64 { return 0 }}}, meta: snapshotMeta{Index: 40, Term: 5}}
	if _, err := io.Copy(struct{ io.Writer }{k}, iotest.HalfReader(bytes.NewReader(b))); err != nil {
		return errors.Join(err, k.Cancel())
	}
	return k.Close()
}

func countGenerations(kv state.KV) (uint32, error) {
	s := kv.Snapshot()
	defer s.Close()
	n, err := getUint32(s, generationCount)
	return max(n, 1), err
}

// TestInstall_CrashBetweenEachTwoSteps ends the process after each step of an
// install; what was not synced is lost, too, or is not. The partition is then what
// it was or what was sent, whole; the next start removes the rest, and the
// next install succeeds.
func TestInstall_CrashBetweenEachTwoSteps(t *testing.T) {
	t.Parallel()
	want := read(t, crowded(t))
	for _, power := range []bool{false, true} {
		for n, ended := 0, false; !ended; n++ {
			kv := &steps{KV: newReceiver(t).node.KV.(*memkv.KV), left: -1}
			if err := kv.Sync(); err != nil {
				t.Fatal(err)
			}
			kv.lives(n)
			err := intake(t, kv, want)
			if ended = err == nil; !ended && !errors.Is(err, errCrashed) {
				t.Fatalf("after %d steps: %v", n, err)
			}
			if ended && n < 6 {
				t.Errorf("an install has %d steps, wanted more", n)
			}
			if power {
				kv.PowerLoss()
			}
			kv.lives(-1)
			wholeAfterCrash(t, fmt.Sprintf("%d steps, loss of power %t", n, power), kv, want, ended)
		}
	}
}

func wholeAfterCrash(t *testing.T, when string, kv *steps, want []byte, ended bool) {
	t.Helper()
	prefix, at, err := readPosition(kv, 7)
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	meta, err := (&snapshots{node: &Node{Config: Config{KV: kv}}, partition: 7}).meta()
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	before := bytes.Equal(prefix, state.Prefix(7, 1))
	switch {
	case before && ended:
		t.Errorf("%s: what was installed and confirmed is gone", when)
	case before && meta != nil:
		t.Errorf("%s: the state is the old one, its metadata are %+v", when, meta)
	case before && keysBelow(kv, prefix) != 1:
		t.Errorf("%s: the old state has %d rows", when, keysBelow(kv, prefix))
	case !before && (meta == nil || meta.Index > at.Index):
		t.Errorf("%s: the new state is applied up to %d, its metadata are %+v", when, at.Index, meta)
	case !before && !bytes.Equal(read(t, &fsm{partition: 7, kv: kv, prefix: prefix, at: at}), want):
		t.Errorf("%s: the new state is not what was sent", when)
	}
	if err := (&Node{Config: Config{KV: kv}}).Sweep([]protocol.PartitionID{7}); err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	for g := uint32(1); g < 5; g++ {
		if other := state.Prefix(7, g); !bytes.Equal(other, prefix) && keysBelow(kv, other) > 0 {
			t.Errorf("%s: generation %d is left over", when, g)
		}
	}
	if err := intake(t, kv, want); err != nil {
		t.Errorf("%s: the next install: %v", when, err)
	}
	if prefix, at, err = readPosition(kv, 7); err != nil || !bytes.Equal(read(t, &fsm{partition: 7, kv: kv, prefix: prefix, at: at}), want) {
		t.Errorf("%s: the next install gives another state, %v", when, err)
	}
}
