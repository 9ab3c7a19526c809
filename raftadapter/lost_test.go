package raftadapter_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
)

// patient members would wait for a minute before they elect another leader.
var patient = raftadapter.Tuning{Heartbeat: time.Minute, CommitTimeout: 20 * time.Millisecond}

// leadingAtOnce makes a cluster of three, whose first leader nobody waits for.
func leadingAtOnce(t *testing.T) (leader *member, others []*member) {
	t.Helper()
	members, servers := newCluster(t, 3, fast)
	leader = leaderOf(t, members...)
	slices.SortFunc(members, func(a, b *member) int { return cmp.Compare(turnOf(a, leader), turnOf(b, leader)) })
	for _, m := range members { // the leader last
		m.stop()
		if m == leader { // who comes back before anybody has looked is waited for
			leader = leaderOf(t, members[:2]...)
		}
		m.tuning = patient
		m.tuning.NoSync = true
		m.start(servers)
		for _, m := range members {
			m.knows(leader)
		}
	}
	for _, m := range members {
		if m != leader {
			others = append(others, m)
		}
	}
	return leader, others
}

func turnOf(m, leader *member) int {
	if m == leader {
		return 1
	}
	return 0
}

// knows waits until a member follows a leader.
func (m *member) knows(leader *member) {
	m.t.Helper()
	for end := time.Now().Add(20 * time.Second); m.group.Leader() != leader.server(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			m.t.Fatalf("node %d follows %q", m.id, m.group.Leader())
		}
	}
}

// A leader whose process has ended is followed by another one long before anybody's
// patience ends, also if the first in turn lacks entries.
func TestGroup_LeaderWhoseProcessHasEnded(t *testing.T) {
	leader, others := leadingAtOnce(t)
	leader.open(1).put("k", "v")
	at := leader.applied.Index
	for _, m := range others {
		m.wait("what the leader has", func() bool { return m.applied.Index >= at })
	}
	leader.stop()
	begun := time.Now()
	next := leaderOf(t, others...)
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the next leader took %s", took)
	}
	if got := next.get("k"); got != "v" {
		t.Errorf("k = %q", got)
	}
}

// A leader whose connections end and who lives goes on leading.
func TestGroup_LeaderWhoseConnectionsEnd(t *testing.T) {
	leader, others := leadingAtOnce(t)
	s := leader.open(1)
	term := leader.group.Term()
	for range 3 {
		for _, m := range others {
			m.rules(fmt.Sprintf("drop %d %d", leader.id, m.id))
		}
		// Its bytes are lost; when that is over the connections are reset.
		s.guard.Seq++
		done := make(chan error, 1)
		go func() {
			done <- s.try(protocol.EntryWrites, s.guard, protocol.Op{Kind: protocol.OpPut, Key: []byte("k"), Value: []byte("v")})
		}()
		lost := time.After(200 * time.Millisecond)
		select {
		case err := <-done:
			t.Fatalf("an entry that nobody got was committed: %v", err)
		case <-lost:
		}
		for _, m := range others {
			m.rules("")
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if now := leader.group.Term(); now != term || !leader.group.IsLeader() {
		t.Errorf("another one leads, in term %d after %d", now, term)
	}
}

func (m *member) rules(text string) {
	m.t.Helper()
	if err := m.faults.SetRules(text); err != nil {
		m.t.Fatal(err)
	}
}
