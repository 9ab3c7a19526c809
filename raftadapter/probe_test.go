package raftadapter_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/grevy-io/grevy/state"
)

// spyKV notes what is written to a store.
type spyKV struct {
	state.KV
	ops  []state.Op
	fail error
}

func (s *spyKV) Update(ops []state.Op) error {
	s.ops = append(s.ops, ops...)
	return errors.Join(s.fail, s.KV.Update(ops))
}

// A try whether the store takes writes leaves every row alone: a snapshot may be
// installed meanwhile, which writes rows of the same partition.
func TestGroup_ProbeChangesNothing(t *testing.T) {
	members, _ := newCluster(t, 1, fast)
	m := leaderOf(t, members...)
	m.open(1).put("k", "v")
	spy := &spyKV{KV: m.kv}
	m.node.KV = spy
	if err := m.group.Probe(); err != nil || len(spy.ops) == 0 {
		t.Fatalf("%v, %d writes", err, len(spy.ops))
	}
	s := m.kv.Snapshot()
	defer s.Close()
	for _, op := range spy.ops {
		if it := s.Iterate(op.Key, nil); !op.Delete || it.Valid() && bytes.Equal(it.Key(), op.Key) {
			t.Errorf("writes %x", op.Key)
		}
	}
	spy.fail = errBroken
	if err := m.group.Probe(); !errors.Is(err, errBroken) {
		t.Errorf("the store takes no writes: %v", err)
	}
}
