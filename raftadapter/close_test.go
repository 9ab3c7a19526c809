package raftadapter_test

import (
	"testing"
	"time"

	"github.com/grevy-io/grevy/raftadapter"
)

// A leader that closes while its followers are gone does not wait for the
// dials to them, which last up to raft's timeout of ten seconds.
func TestGroup_ClosesAtOnceWithoutItsPeers(t *testing.T) {
	t.Parallel()
	// A leader needs long to notice that nobody follows: it is one while it closes.
	members, _ := newCluster(t, 3, raftadapter.Tuning{Heartbeat: 3 * time.Second, CommitTimeout: 20 * time.Millisecond})
	leader := leaderOf(t, members...)
	leader.open(1).put("k", "v")
	for _, m := range members {
		if m != leader {
			m.stop()
		}
	}
	leader.proposeInVain()
	for _, m := range members {
		if m != leader {
			m.awaitDials()
		}
	}
	begun := time.Now()
	leader.stop()
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("closing took %s", took)
	}
}

// proposeInVain proposes what no majority takes, so that replication dials.
func (m *member) proposeInVain() {
	m.group.Propose([]byte("x"), func(err error) {
		if err == nil {
			m.t.Error("an entry was committed without a majority")
		}
	})
}

// awaitDials waits until the others try again and again to reach a member.
func (m *member) awaitDials() {
	m.t.Helper()
	asked := func() int {
		m.book.mu.Lock()
		defer m.book.mu.Unlock()
		return m.book.asked[m.server()]
	}
	for before, deadline := asked(), time.Now().Add(20*time.Second); asked() < before+3; {
		if time.Now().After(deadline) {
			m.t.Fatalf("node %d is not dialled", m.id)
		}
		<-time.After(5 * time.Millisecond)
	}
}
