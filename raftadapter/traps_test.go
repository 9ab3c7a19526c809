package raftadapter_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
)

// calm is for tests that need one leader to stay on a machine that is busy.
var calm = raftadapter.Tuning{Heartbeat: 1500 * time.Millisecond, CommitTimeout: 20 * time.Millisecond}

// cutOff separates one member from all others, in both directions.
func cutOff(t *testing.T, who *member, members []*member) {
	t.Helper()
	rules := ""
	for _, m := range members {
		if m != who {
			rules += fmt.Sprintf("drop %d %d\ndrop %d %d\n", who.id, m.id, m.id, who.id)
		}
	}
	setRules(t, members, rules)
	t.Cleanup(func() { setRules(t, members, "") }) // a stop would wait for answers from there
}

func setRules(t *testing.T, members []*member, rules string) {
	t.Helper()
	for _, m := range members {
		if err := m.faults.SetRules(rules); err != nil {
			t.Fatal(err)
		}
	}
}

// except lists the others.
func except(who *member, members []*member) (list []*member) {
	for _, m := range members {
		if m != who {
			list = append(list, m)
		}
	}
	return list
}

// inVain proposes n entries that nobody else gets, and waits until they are in the leader's own log.
func (s *session) inVain(n int) {
	s.m.t.Helper()
	want := s.m.group.Status().Last + uint64(n)
	for i := range n {
		s.guard.Seq++
		put := protocol.Op{Kind: protocol.OpPut, Key: fmt.Append(nil, "vain", i), Value: []byte("v")}
		b := protocol.AppendOp(protocol.AppendEntryHeader(nil, protocol.EntryHeader{Kind: protocol.EntryWrites, Guard: s.guard}), &put)
		s.m.group.Propose(b, func(err error) {
			if !errors.Is(err, raftadapter.ErrUnknown) {
				s.m.t.Errorf("an entry that nobody else got: %v", err)
			}
		})
	}
	deadline := time.Now().Add(20 * time.Second)
	for s.m.group.Status().Last < want {
		if time.Now().After(deadline) {
			s.m.t.Fatalf("the log ends at %d, not at %d", s.m.group.Status().Last, want)
		}
		<-time.After(time.Millisecond)
	}
}

// holds tells that a member has what was committed and nothing of what was not.
func (m *member) holds(t *testing.T, last string) {
	t.Helper()
	if got := m.get(last); got != "v" {
		t.Errorf("node %d: %s = %q", m.id, last, got)
	}
	if got := m.get("vain0"); got != "" {
		t.Errorf("node %d: an entry that was never committed is there: %q", m.id, got)
	}
}

// A deposed leader has entries that nobody else got. It drops them, and is
// right after a restart too: raft-wal v0.4.0 could not read its log then.
func TestGroup_DropsAConflictingTailAndRestarts(t *testing.T) {
	t.Parallel()
	members, servers := newCluster(t, 3, calm)
	deposed := leaderOf(t, members...)
	s := deposed.open(1)
	s.put("before", "v")
	cutOff(t, deposed, members)
	s.inVain(50)
	leader := leaderOf(t, except(deposed, members)...)
	s = leader.open(2)
	for i := range 10 {
		s.put(fmt.Sprint("k", i), "v")
	}
	setRules(t, members, "")
	deposed.wait("the new leader's entries", func() bool { return deposed.applied.Incarnation == 2 && deposed.applied.Seq == 10 })
	deposed.holds(t, "k9")
	for range 2 {
		deposed.stop()
		deposed.start(servers)
		s.put("after", "v")
		deposed.wait("an entry after its restart", func() bool { return deposed.applied.Seq == s.guard.Seq })
		deposed.holds(t, "after")
	}
}

// The tail that nobody else got reaches beyond the snapshot that the deposed
// leader needs: raft 1.8 can then install it again and again without end, unless
// the log says that it is monotonic (hashicorp/raft issue 697).
func TestGroup_InstallsOverAConflictingTail(t *testing.T) {
	t.Parallel()
	tuning := calm
	tuning.TrailingLogs, tuning.SegmentSize = 1, 64<<10
	members, servers := newCluster(t, 3, tuning)
	deposed := leaderOf(t, members...)
	s := deposed.open(1)
	s.put("before", "v")
	cutOff(t, deposed, members)
	s.inVain(200)
	tail := deposed.group.Status().Last
	leader := leaderOf(t, except(deposed, members)...)
	s = leader.open(2)
	for i := range 50 {
		s.put(fmt.Sprint("k", i), "v")
	}
	if err := leader.group.TakeSnapshot(); err != nil {
		t.Fatal(err)
	}
	st := leader.group.Status()
	if st.LogFirst <= deposed.applied.Index+1 || st.Last >= tail {
		t.Fatalf("the leader's log is %d to %d; the other applied %d, and its log ends at %d", st.LogFirst, st.Last, deposed.applied.Index, tail)
	}
	setRules(t, members, "")
	deposed.wait("the snapshot", func() bool { return deposed.applied.Incarnation == 2 && deposed.applied.Seq >= 50 })
	s.put("after", "v")
	deposed.wait("an entry after the snapshot", func() bool { return deposed.applied.Seq == s.guard.Seq })
	deposed.holds(t, "after")
	// 0: it is empty, the snapshot's stream held "after" too.
	if first := deposed.group.Status().LogFirst; first != 0 && first <= st.Last {
		t.Errorf("its log still begins at %d", first)
	}
	deposed.stop()
	deposed.start(servers)
	s.put("again", "v")
	deposed.wait("an entry after its restart", func() bool { return deposed.applied.Seq == s.guard.Seq })
	deposed.holds(t, "again")
}

// While leadership is handed over nothing is taken; what is refused then is
// certainly not proposed. If nobody takes it over, the leader goes on in its term.
func TestGroup_RefusesWhileItHandsOver(t *testing.T) {
	t.Parallel()
	members, _ := newCluster(t, 3, calm)
	leader := leaderOf(t, members...)
	s := leader.open(1)
	s.put("before", "v")
	away := except(leader, members)[0]
	cutOff(t, away, members)
	ended := make(chan error, 1)
	go func() { ended <- leader.group.Transfer(away.server()) }()
	s.putUntil(func(refused bool) bool { return refused })
	if err := <-ended; err == nil {
		t.Fatal("leadership went to a node that is cut off")
	}
	s.putUntil(func(refused bool) bool { return !refused }) // raft takes entries again a moment later
	s.put("after", "v")
	if got := leader.get("after"); got != "v" || leader.group.Term() != s.guard.Term {
		t.Errorf("after = %q, term %d", got, leader.group.Term())
	}
}

// putUntil proposes until one was taken or refused as is waited for. Nothing else may happen to a proposal.
func (s *session) putUntil(enough func(refused bool) bool) {
	s.m.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		next := s.guard
		next.Seq++
		err := s.try(protocol.EntryWrites, next, protocol.Op{Kind: protocol.OpPut, Key: []byte("during"), Value: []byte("v")})
		refused := errors.Is(err, raftadapter.ErrNotProposed) && errors.Is(err, raft.ErrLeadershipTransferInProgress)
		if err != nil && !refused {
			s.m.t.Fatal(err)
		}
		if err == nil {
			s.guard = next
		}
		if enough(refused) {
			return
		}
	}
	s.m.t.Fatal("it never happened")
}

// A group of one leads without anybody, cannot hand over, and says so at once.
func TestGroup_OfOne(t *testing.T) {
	t.Parallel()
	members, servers := newCluster(t, 1, raftadapter.Tuning{})
	m := leaderOf(t, members...)
	s := m.open(1)
	if err := m.group.Transfer(""); err == nil {
		t.Error("leadership was handed to nobody")
	}
	s.put("k", "v")
	var answered atomic.Bool
	done := make(chan struct{})
	m.group.Verify(func(err error) { answered.Store(err == nil); close(done) })
	<-done
	if !answered.Load() {
		t.Error("a group of one does not know that it leads")
	}
	term := m.group.Term()
	m.stop()
	m.start(servers)
	leaderOf(t, m).open(2)
	if got := m.get("k"); got != "v" || m.group.Term() <= term {
		t.Errorf("k = %q, term %d after %d", got, m.group.Term(), term)
	}
}
