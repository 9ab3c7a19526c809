package raftadapter_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/state"
)

func (m *member) digest() raftadapter.Digest {
	m.t.Helper()
	d, err := m.group.Digest(context.Background())
	if err != nil {
		m.t.Fatal(err)
	}
	return d
}

// Replicas have the same digest at the same index, whether they applied each entry,
// applied the log twice, or were given the state as a stream. One row that is
// otherwise, or one more, is another digest.
func TestDigest(t *testing.T) {
	t.Parallel()
	tuning := fast
	tuning.TrailingLogs, tuning.SegmentSize = 20, 64<<10
	members, servers := newCluster(t, 3, tuning)
	leader := leaderOf(t, members...)
	s := leader.open(1)
	var others []*member
	for _, m := range members {
		if m != leader {
			others = append(others, m)
		}
	}
	away := others[1]
	away.stop()
	body := []byte("body")
	hash := protocol.Hash(sha256.Sum256(body))
	s.guard.Seq++
	s.propose(protocol.EntryWrites, protocol.Op{Kind: protocol.OpBody, Key: hash[:], Value: body, Last: true},
		protocol.Op{Kind: protocol.OpPut, Key: append(state.TableContentRef.Key(32), hash[:]...), Value: state.BodyRef(len(body))})
	for i := range 2000 {
		s.put(fmt.Sprint("k", i%300), fmt.Sprint(i))
	}
	if err := leader.group.TakeSnapshot(); err != nil {
		t.Fatal(err)
	}
	away.start(servers)
	others[0].stop()
	others[0].boot = "boot-2" // applies again from its marker
	others[0].start(servers)
	want := leader.digest()
	if want.Rows != 302 || want.Lacking != 0 || want.Index != leader.applied.Index {
		t.Errorf("the leader's: %+v, applied %+v", want, leader.applied)
	}
	for _, m := range others {
		m.wait("catch-up", func() bool { return m.applied.Index >= want.Index })
		if got := m.digest(); got != want {
			t.Errorf("node %d: %+v, the leader has %+v", m.id, got, want)
		}
	}

	other := func(what string, op state.Op) raftadapter.Digest {
		t.Helper()
		if err := away.kv.Update([]state.Op{op}); err != nil {
			t.Fatal(err)
		}
		got := away.digest()
		if got == want {
			t.Errorf("%s: the digest is the same", what)
		}
		return got
	}
	prefix := state.Prefix(1, 2) // what was installed
	key := func(k string) []byte { return append(append([]byte(nil), prefix...), k...) }
	other("another value", state.Op{Key: key("k7"), Value: []byte("x")})
	other("the value moved into the key", state.Op{Key: key("k7x"), Value: []byte{}})
	if got := other("no content", state.Op{Key: state.BodyKey(hash, 0), Delete: true}); got.Lacking != 1 {
		t.Errorf("content is gone: %+v", got)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := leader.group.Digest(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits: %v", err)
	}
}
