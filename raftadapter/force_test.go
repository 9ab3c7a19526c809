package raftadapter_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/raftadapter/wal"
)

// A group that has lost two of its three replicas for good goes on with the third:
// everything that stands in its log is kept, and a new replica is taken in.
func TestNode_ForceAlone(t *testing.T) {
	t.Parallel()
	members, _ := newCluster(t, 3, fast)
	first := leaderOf(t, members...)
	l := first.open(1)
	for i := range 50 {
		l.put(fmt.Sprintf("k%d", i), "v")
	}
	left := members[0]
	if left == first {
		left = members[1]
	}
	left.waitApplied(t, first)
	for _, m := range members {
		m.stop()
	}
	left.forced(t)
	alone := leaderOf(t, left)
	if servers := alone.group.Status().Servers; len(servers) != 1 || servers[0].ID != left.server() || !servers[0].Voter {
		t.Errorf("the group is %+v", servers)
	}
	for i := range 50 {
		if got := alone.get(fmt.Sprintf("k%d", i)); got != "v" {
			t.Fatalf("k%d is %q", i, got)
		}
	}
	alone.open(2).put("after", "v")
	alone.stop()
	alone.start(nil)
	if again := leaderOf(t, alone); again.get("after") != "v" || again.get("k49") != "v" {
		t.Error("it is not what it was before its next start")
	}
}

// brokenFS is a disk that takes so many writes and no more.
type brokenFS struct {
	wal.FS
	left *int
}

type brokenFile struct {
	wal.File
	fs brokenFS
}

var errBroken = errors.New("input/output error")

func (f brokenFS) write() error {
	if *f.left--; *f.left < 0 {
		return errBroken
	}
	return nil
}

func (f brokenFS) Create(name string) (wal.File, error) {
	if err := f.write(); err != nil {
		return nil, err
	}
	in, err := f.FS.Create(name)
	return brokenFile{in, f}, err
}

func (f brokenFS) Open(name string) (wal.File, error) {
	in, err := f.FS.Open(name)
	return brokenFile{in, f}, err
}

func (f brokenFile) WriteAt(b []byte, off int64) (int, error) {
	if err := f.fs.write(); err != nil {
		return 0, err
	}
	return f.File.WriteAt(b, off)
}

// A disk that takes no more writes is told of, and ends nobody's process: no group
// runs that would hear of it. Nothing is lost, and it can be done again.
func TestNode_ForceAloneOnABrokenDisk(t *testing.T) {
	members, _ := newCluster(t, 1, fast)
	m := leaderOf(t, members...)
	m.open(1).put("k", "v")
	if err := m.group.Close(); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for writes := 0; ; writes++ {
		left := writes
		m.node.LogFS = brokenFS{wal.OS(), &left}
		err := m.node.ForceAlone(1)
		if err == nil {
			break
		}
		if failed++; !errors.Is(err, errBroken) {
			t.Errorf("after %d writes: %v", writes, err)
		}
	}
	if failed < 4 {
		t.Errorf("it has failed %d times only", failed)
	}
	m.stop()
	m.start(nil)
	if got := leaderOf(t, m).get("k"); got != "v" {
		t.Errorf("k is %q", got)
	}
}

// waitApplied waits until a member has what another one has.
func (m *member) waitApplied(t *testing.T, other *member) {
	t.Helper()
	want := other.group.Status().Applied
	m.wait("what the leader has", func() bool { return m.applied.Index >= want })
}

// forced makes a member that does not run the only one, and starts it.
func (m *member) forced(t *testing.T) {
	t.Helper()
	m.start(nil)
	if err := m.group.Close(); err != nil {
		t.Fatal(err)
	}
	if err := m.node.ForceAlone(1); err != nil {
		t.Fatal(err)
	}
	m.stop()
	m.start(nil)
}

// A change of the configuration that was made on what is not so any more fails.
func TestGroup_ChangesNameWhatTheySaw(t *testing.T) {
	t.Parallel()
	members, _ := newCluster(t, 3, fast)
	leader := leaderOf(t, members...)
	leader.open(1).put("k", "v")
	before := leader.group.Status()
	if before.Configured == 0 {
		t.Fatal("the index of the configuration is not known")
	}
	if err := leader.group.AddServer(raftadapter.Server{ID: "8-new"}, before); err != nil {
		t.Fatal(err)
	}
	if err := leader.group.AddServer(raftadapter.Server{ID: "9-new"}, before); err == nil {
		t.Error("a change on an outdated view was made")
	}
	leader.open(2).put("k", "w") // so that the change is applied, and known, here
	now := leader.group.Status()
	if now.Configured <= before.Configured || !slices.Contains(now.Servers, raftadapter.Server{ID: "8-new"}) {
		t.Errorf("%+v after %+v", now, before)
	}
	if err := leader.group.RemoveServer("8-new", now); err != nil {
		t.Error(err)
	}
}
