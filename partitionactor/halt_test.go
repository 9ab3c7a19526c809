package partitionactor_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/raftadapter/wal"
)

// fullFS is a disk that can be full.
type fullFS struct {
	wal.FS
	full atomic.Bool
	lost atomic.Bool // what is there cannot be opened
}

type fullFile struct {
	wal.File
	fs *fullFS
}

func (f *fullFS) err() error {
	if f.full.Load() {
		return syscall.ENOSPC
	}
	return nil
}

func (f *fullFS) Create(name string) (wal.File, error) {
	if err := f.err(); err != nil {
		return nil, err
	}
	return f.file(f.FS.Create(name))
}

var errLost = errors.New("input/output error")

func (f *fullFS) Open(name string) (wal.File, error) {
	if f.lost.Load() {
		return nil, errLost
	}
	return f.file(f.FS.Open(name))
}

func (f *fullFS) file(in wal.File, err error) (wal.File, error) {
	if err != nil {
		return nil, err
	}
	return &fullFile{in, f}, nil
}

func (f *fullFile) WriteAt(b []byte, off int64) (int, error) {
	if err := f.fs.err(); err != nil {
		return 0, err
	}
	return f.File.WriteAt(b, off)
}

// disk is all that a node writes to.
type disk struct {
	kv *faultyKV
	fs *fullFS
}

func (d *disk) of(n *node) {
	d.kv, d.fs = &faultyKV{KV: n.kv}, &fullFS{FS: wal.OS()}
	n.store, n.logFS = d.kv, d.fs
}

func (d *disk) storeFull(full bool) {
	err := error(syscall.ENOSPC)
	if full {
		d.kv.fails.Store(&err)
		return
	}
	d.kv.fails.Store(nil)
}

func (n *node) problem() string {
	_, _, problem := n.part.Role()
	return problem
}

// tally counts what was acknowledged, and what may have been done.
type tally struct{ sure, unknown int }

func (c *tally) create(t *testing.T, n *node) {
	t.Helper()
	var refusal *protocol.Refusal
	switch a := n.do(create("p")); {
	case a.err == nil:
		c.sure++
	case errors.Is(a.err, protocol.ErrOutcomeUnknown):
		c.unknown++
	case !errors.As(a.err, &refusal):
		t.Fatalf("neither a refusal nor an unknown outcome: %v", a.err)
	}
}

// holds expects a job for each acknowledged instance, and none that was not asked for.
func (c *tally) holds(t *testing.T, n *node) {
	t.Helper()
	var jobs *protocol.Jobs
	eventually(t, func() bool {
		a := n.do(&protocol.ActivateJobs{Type: "work", Worker: "w", Timeout: 60_000, Max: 1000})
		jobs, _ = a.reply.(*protocol.Jobs)
		return a.err == nil
	})
	if got := len(jobs.Jobs); got < c.sure || got > c.sure+c.unknown {
		t.Errorf("%d jobs, but %d instances were acknowledged and %d unknown", got, c.sure, c.unknown)
	}
}

// A disk that refuses writes for a while, once under the state and once under the
// log, needs nobody to restart anything, and nothing acknowledged is lost.
func TestHalt_ComesBackWhenWritesWorkAgain(t *testing.T) {
	t.Parallel()
	for name, full := range map[string]func(*disk, bool){
		"state": (*disk).storeFull,
		"log":   func(d *disk, full bool) { d.fs.full.Store(full) },
		"both":  func(d *disk, full bool) { d.storeFull(full); d.fs.full.Store(full) },
	} {
		t.Run(name, func(t *testing.T) {
			d := new(disk)
			nodes, servers := cluster(t, 1, partitionactor.Limits{Probe: 5 * time.Millisecond}, d.of)
			n := leader(t, nodes...)
			n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
			var c tally
			for range 3 {
				for range 10 {
					c.create(t, n)
				}
				full(d, true)
				eventually(t, func() bool { c.create(t, n); return n.problem() != "" })
				if p := n.problem(); !strings.Contains(p, "no space left") {
					t.Errorf("it says %q", p)
				}
				c.create(t, n)
				full(d, false)
				eventually(t, func() bool { return n.problem() == "" })
				leader(t, n)
			}
			c.holds(t, n)
			n.stop()
			n.start(servers)
			leader(t, n)
			if jobs := n.must(&protocol.PartitionInfo{}).(*protocol.Info).JobsActive; int(jobs) < c.sure {
				t.Errorf("%d jobs after a restart, %d were acknowledged", jobs, c.sure)
			}
		})
	}
}

// With others to take over, the partition is served on while one node's disk is
// full, and that one catches up afterwards.
func TestHalt_OthersServeMeanwhile(t *testing.T) {
	t.Parallel()
	disks := map[protocol.NodeID]*disk{}
	nodes, _ := cluster(t, 3, partitionactor.Limits{Probe: 5 * time.Millisecond}, func(n *node) {
		disks[n.id] = new(disk)
		disks[n.id].of(n)
	})
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
	var c tally
	for range 3 {
		n := leader(t, nodes...)
		d := disks[n.id]
		d.storeFull(true)
		d.fs.full.Store(true)
		eventually(t, func() bool { c.create(t, n); return n.problem() != "" })
		var others []*node
		for _, o := range nodes {
			if o != n {
				others = append(others, o)
			}
		}
		for range 20 {
			c.create(t, leader(t, others...))
		}
		d.storeFull(false)
		d.fs.full.Store(false)
		eventually(t, func() bool { return n.problem() == "" })
	}
	eventually(t, func() bool {
		first := nodes[0].part.Group().Applied()
		return nodes[1].part.Group().Applied() == first && nodes[2].part.Group().Applied() == first
	})
	c.holds(t, leader(t, nodes...))
	same(t, nodes)
}

// A partition may be stopped while it is halted: also when its group could be closed
// and not be opened again, and while that is tried. It is not opened afterwards.
func TestHalt_StopMeanwhile(t *testing.T) {
	for _, lost := range []bool{true, false} {
		d := new(disk)
		nodes, servers := cluster(t, 1, partitionactor.Limits{Probe: time.Millisecond}, d.of)
		n := leader(t, nodes...)
		n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
		for range 3 {
			d.fs.full.Store(true)
			eventually(t, func() bool { n.do(create("p")); return n.problem() != "" })
			d.fs.lost.Store(lost)
			d.fs.full.Store(false)
			if lost {
				eventually(t, func() bool { return strings.Contains(n.problem(), errLost.Error()) })
			}
			part, raft := n.part, n.raft
			if err := part.Stop(); err != nil {
				t.Error(err)
			}
			if g := raft.Group(1); g != nil {
				t.Error("its group is open after its end")
			}
			if err := raft.Close(); err != nil {
				t.Error(err)
			}
			n.system.Shutdown()
			d.fs.lost.Store(false)
			n.start(servers)
			leader(t, n)
		}
	}
}

// Only one try to come back is under way, and none when all is well: it would close
// a group that works.
func TestHalt_StrayTries(t *testing.T) {
	d := new(disk)
	nodes, _ := cluster(t, 1, partitionactor.Limits{Probe: time.Hour}, d.of)
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
	stays := func(when string) {
		t.Helper()
		g := n.part.Group()
		for range 100 {
			if a := n.do(create("p")); a.err != nil || n.part.Group() != g {
				t.Fatalf("%s: %v, opened anew: %t", when, a.err, n.part.Group() != g)
			}
		}
	}
	partitionactor.Try(n.part)
	stays("it was never halted")
	d.fs.full.Store(true)
	eventually(t, func() bool { n.do(create("p")); return n.problem() != "" })
	d.fs.full.Store(false)
	for range 20 {
		partitionactor.Try(n.part)
	}
	leader(t, n)
	stays("it has come back")
}

// same expects the same rows on all nodes once they have applied the same.
func same(t *testing.T, nodes []*node) {
	t.Helper()
	eventually(t, func() bool {
		want := digest(t, nodes[0].part.Group())
		return digest(t, nodes[1].part.Group()) == want && digest(t, nodes[2].part.Group()) == want
	})
}

func digest(t *testing.T, g *raftadapter.Group) string {
	t.Helper()
	view, _, _ := g.View()
	defer view.Close()
	it := view.Iterate(nil, nil)
	defer it.Close()
	var b strings.Builder
	for ; it.Valid(); it.Next() {
		v, err := it.Value()
		if err != nil {
			t.Fatal(err)
		}
		b.Write(it.Key())
		b.Write(v)
	}
	return b.String()
}
