package raftadapter_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/state/memkv"
)

// damages are what can have happened to a replica between a stop and a start.
var damages = []struct {
	name string
	do   func(t *testing.T, m *member)
	want error
}{
	{"a flipped bit in the log", func(t *testing.T, m *member) { flipInLog(t, m) }, raftadapter.ErrLogDamaged},
	{"no votes", func(t *testing.T, m *member) { remove(t, filepath.Join(m.dir, "p1", "stable")) }, raftadapter.ErrLogDamaged},
	{"no log", func(t *testing.T, m *member) { remove(t, filepath.Join(m.dir, "p1")) }, raftadapter.ErrStateLost},
	{"a state older than the log", func(_ *testing.T, m *member) { m.kv = memkv.New() }, raftadapter.ErrStateLost},
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// flipInLog changes one bit of an entry that is not the last.
func flipInLog(t *testing.T, m *member) {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(m.dir, "p1", "*.seg"))
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	path := list[len(list)-1]
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[200] ^= 8
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A replica that is no good is not used; its node joins anew as a server that has
// never voted, gets everything from the others, and then counts again.
func TestGroup_DamagedReplicaIsCopiedAnew(t *testing.T) {
	t.Parallel()
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			tuning := calm
			tuning.TrailingLogs, tuning.SegmentSize = 20, 64<<10
			members, servers := newCluster(t, 3, tuning)
			leader := leaderOf(t, members...)
			s := leader.open(1)
			for i := range 200 {
				s.put(fmt.Sprint("k", i), "v")
			}
			bad := except(leader, members)[0]
			bad.wait("all entries", func() bool { return bad.applied.Seq == s.guard.Seq })
			if err := bad.group.TakeSnapshot(); err != nil {
				t.Fatal(err)
			}
			s.put("last", "v")
			bad.wait("the last entry", func() bool { return bad.applied.Seq == s.guard.Seq })
			bad.stop()
			d.do(t, bad)
			bad.refused(t, servers, d.want)
			bad.setAside(t)
			bad.startAnew(t)
			bad.takenInBy(t, leader)
			if err := leader.group.TakeSnapshot(); err != nil {
				t.Fatal(err)
			}
			bad.wait("the copy", func() bool { return bad.applied.Seq == s.guard.Seq })
			if a, b := bad.get("k0"), bad.get("last"); a != "v" || b != "v" {
				t.Errorf("k0 = %q, last = %q", a, b)
			}
			bad.votesFor(t, leader, members)
			s.put("by its vote", "v")
			bad.stop()
			bad.start(nil) // it stays that server
			s.put("after its restart", "v")
			bad.wait("an entry after its restart", func() bool { return bad.applied.Seq == s.guard.Seq })
		})
	}
}

// refused starts a replica that is no good, twice: nothing gets better or worse by it.
func (m *member) refused(t *testing.T, servers []raftadapter.Server, want error) {
	t.Helper()
	for range 2 {
		err := m.tryStart(servers)
		if !errors.Is(err, want) || !raftadapter.Damaged(err) {
			t.Fatalf("it started, or failed otherwise: %v", err)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("more than one line: %v", err)
		}
		if m.node.Group(1) != nil {
			t.Error("the node has a group")
		}
		m.stop()
	}
}

func (m *member) setAside(t *testing.T) {
	t.Helper()
	if err := m.tryStart(nil); !raftadapter.Damaged(err) {
		t.Fatal(err)
	}
	if err := m.node.SetAside(1); err != nil {
		t.Fatal(err)
	}
	m.stop()
}

func (m *member) startAnew(t *testing.T) {
	t.Helper()
	m.number++
	m.start(nil)
	if st := m.group.Status(); st.Applied != 0 || st.Last != 0 || st.Term != 0 || len(st.Servers) != 0 {
		t.Errorf("the new replica does not begin with nothing: %+v", st)
	}
	if got := m.get("k0"); got != "" {
		t.Errorf("it has the former one's state: %q", got)
	}
}

// takenInBy is what a leader does with a server that is new (grevy's reconcile).
func (m *member) takenInBy(t *testing.T, leader *member) {
	t.Helper()
	id := raftadapter.ReplicaID(m.server(), m.number)
	err := errors.Join(leader.group.AddServer(raftadapter.Server{ID: id}, raftadapter.Status{}), leader.group.RemoveServer(m.server(), raftadapter.Status{}),
		leader.group.AddServer(raftadapter.Server{ID: id, Voter: true}, raftadapter.Status{}))
	if err != nil {
		t.Fatal(err)
	}
}

// votesFor cuts off the third member: the new replica is then needed for a majority.
func (m *member) votesFor(t *testing.T, leader *member, members []*member) {
	t.Helper()
	for _, third := range members {
		if third != m && third != leader {
			cutOff(t, third, members)
		}
	}
}

// What was set aside is all there: the log as it was, and the state as a stream.
func TestNode_SetAsideKeepsLogAndState(t *testing.T) {
	t.Parallel()
	members, servers := newCluster(t, 1, fast)
	m := leaderOf(t, members...)
	m.open(1).put("k", "the value")
	m.stop()
	flipInLog(t, m)
	m.refused(t, servers, raftadapter.ErrLogDamaged)
	logs, err := filepath.Glob(filepath.Join(m.dir, "p1", "*"))
	if err != nil {
		t.Fatal(err)
	}
	m.setAside(t)
	m.startAnew(t)
	after, err := filepath.Glob(filepath.Join(m.dir, "p1", "*"))
	if err != nil || !slices.Equal(after, logs) {
		t.Errorf("%v became %v, %v", logs, after, err)
	}
	kept, err := os.ReadFile(filepath.Join(m.dir, "p1.state"))
	if err != nil || !bytes.Contains(kept, []byte("the value")) {
		t.Errorf("%d bytes of state, %v", len(kept), err)
	}
}

// A group of one has nobody to copy from: it is refused, and as it was once the
// damage is undone.
func TestGroup_DamagedReplicaOfOneIsOnlyRefused(t *testing.T) {
	t.Parallel()
	members, servers := newCluster(t, 1, fast)
	m := leaderOf(t, members...)
	m.open(1).put("k", "v")
	m.stop()
	flipInLog(t, m)
	m.refused(t, servers, raftadapter.ErrLogDamaged)
	flipInLog(t, m)
	m.start(servers)
	leaderOf(t, m).open(2)
	if got := m.get("k"); got != "v" {
		t.Errorf("k = %q", got)
	}
}

// A crash right after an install leaves the log from before it, which ends before
// the snapshot. What comes next does not follow it and is refused by the log; raft
// must find its way out.
func TestGroup_LogFromBeforeAnInstall(t *testing.T) {
	t.Parallel()
	tuning := calm
	tuning.TrailingLogs, tuning.SegmentSize = 1, 64<<10
	members, servers := newCluster(t, 3, tuning)
	leader := leaderOf(t, members...)
	s := leader.open(1)
	s.put("k", "v")
	away := except(leader, members)[0]
	away.wait("an entry", func() bool { return away.applied.Seq == 1 })
	away.stop()
	before := filepath.Join(t.TempDir(), "log")
	if err := os.CopyFS(before, os.DirFS(filepath.Join(away.dir, "p1"))); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		s.put(fmt.Sprint("k", i), "v")
	}
	if err := leader.group.TakeSnapshot(); err != nil {
		t.Fatal(err)
	}
	away.start(servers)
	away.wait("the snapshot", func() bool { return away.applied.Seq == s.guard.Seq })
	away.stop()
	remove(t, filepath.Join(away.dir, "p1"))
	if err := os.CopyFS(filepath.Join(away.dir, "p1"), os.DirFS(before)); err != nil {
		t.Fatal(err)
	}
	away.start(servers)
	s.put("after", "v")
	away.wait("an entry after the crash", func() bool { return away.applied.Seq == s.guard.Seq })
	if got := away.get("k99"); got != "v" {
		t.Errorf("k99 = %q", got)
	}
}

func TestReplicaID(t *testing.T) {
	t.Parallel()
	for n, want := range map[uint64]string{0: "1-ab", 1: "1-ab/1", 12: "1-ab/12"} {
		id := raftadapter.ReplicaID("1-ab", n)
		if id != want || raftadapter.NodeServer(id) != "1-ab" {
			t.Errorf("replica %d is %q of %q", n, id, raftadapter.NodeServer(id))
		}
	}
}

// Damage that appears under a running leader is told when a follower needs what
// was damaged, instead of leaving the follower behind for ever.
func TestGroup_DamageWhileItRuns(t *testing.T) {
	t.Parallel()
	members, servers := newCluster(t, 3, calm)
	leader := leaderOf(t, members...)
	s := leader.open(1)
	away := except(leader, members)[0]
	away.stop()
	for i := range 700 { // more than raft's cache holds
		s.put(fmt.Sprint("k", i), "v")
	}
	leader.mu.Lock()
	leader.mayFail = true
	leader.mu.Unlock()
	overwrite(t, leader)
	away.start(servers)
	leader.wait("news of the damage", func() bool { return raftadapter.Damaged(leader.failure) })
	if err := leader.group.Status().Err; !errors.Is(err, raftadapter.ErrLogDamaged) {
		t.Errorf("its status says %v", err)
	}
}

// overwrite writes over some entries near the beginning of a log that is open.
func overwrite(t *testing.T, m *member) {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(m.dir, "p1", "*.seg"))
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	f, err := os.OpenFile(list[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xff}, 400), 16<<10); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
