package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// TestLostDisk: a node comes back with an empty directory. It must not vote
// under its old name, is taken in under a new one, catches up, and votes again:
// after that the cluster does without another node.
func TestLostDisk(t *testing.T) {
	t.Parallel()
	c := three(t)
	l := startLoad(t, c)
	l.flows(300)
	lost := c.Nodes[2]
	before := serverID(t, lost)
	lost.Kill()
	if err := os.RemoveAll(lost.Dir); err != nil {
		t.Fatal(err)
	}
	lost.Start()
	lost.WaitReady(formTime)
	after := serverID(t, lost)
	if after == before {
		t.Fatalf("node %d is still server %s", lost.ID, after)
	}
	votes(t, c, before, after)
	c.Nodes[1].Kill()
	servesEverywhere(t, c) // two of three voters, one of them the new one
	c.Nodes[1].Start()
	c.WaitReady(serveTime)
	l.settle(formTime)
}

// TestDamagedReplica: a node is killed, and finds at its start a flipped bit in the
// log of one partition and no log of another. It serves the third one as before,
// gets the two anew from the others under ids that have never voted, and counts
// for their majorities again: after that the cluster does without another node.
func TestDamagedReplica(t *testing.T) {
	t.Parallel()
	c := three(t)
	l := startLoad(t, c)
	l.flows(300)
	bad := c.Nodes[2]
	id := serverID(t, bad)
	bad.Kill()
	flipBit(t, filepath.Join(bad.Dir, "raft", "p2"))
	if err := os.RemoveAll(filepath.Join(bad.Dir, "raft", "p3")); err != nil {
		t.Fatal(err)
	}
	bad.Start()
	bad.WaitReady(formTime)
	cluster.Until(t, formTime, "the new replicas vote instead of the damaged ones", func(ctx context.Context) error {
		s, err := bad.Status(ctx)
		if err != nil {
			return err
		}
		for _, p := range s.Partitions {
			want := id
			if p.ID > 1 {
				want = id + "/1"
			}
			if len(p.Voters) != 3 || !slices.Contains(p.Voters, want) {
				return fmt.Errorf("voters of partition %d: %v", p.ID, p.Voters)
			}
		}
		return nil
	})
	c.Nodes[1].Kill()
	servesEverywhere(t, c) // two of three voters, one of them the new one
	c.Nodes[1].Start()
	c.WaitReady(serveTime)
	l.settle(formTime)
}

// flipBit changes one bit of the oldest segment of a raft log.
func flipBit(t *testing.T, dir string) {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil || len(list) == 0 {
		t.Fatal(dir, list, err)
	}
	data, err := os.ReadFile(list[0])
	if err != nil {
		t.Fatal(err)
	}
	data[200] ^= 8
	if err := os.WriteFile(list[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// serverID reads under which name a directory votes.
func serverID(t *testing.T, n *cluster.Node) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(n.Dir, "node.json"))
	if err != nil {
		t.Fatal(err)
	}
	var id struct{ ServerID string }
	if err := json.Unmarshal(b, &id); err != nil {
		t.Fatal(err)
	}
	return id.ServerID
}

// votes waits until every node knows the new server, and not the old one, as
// one of three voters of every partition.
func votes(t *testing.T, c *cluster.Cluster, before, after string) {
	t.Helper()
	cluster.Until(t, formTime, "server "+after+" votes instead of "+before, func(ctx context.Context) error {
		for _, n := range c.Nodes {
			s, err := n.Status(ctx)
			if err != nil {
				return err
			}
			for _, p := range s.Partitions {
				if text := strings.Join(p.Voters, " "); len(p.Voters) != 3 || strings.Contains(text, before) || !strings.Contains(text, after) {
					return fmt.Errorf("voters of partition %d as node %d knows: %s", p.ID, n.ID, text)
				}
			}
		}
		return nil
	})
}

// TestDirectoryOfAnotherCluster: a node with the directory of another cluster is
// refused with one line that says so, and disturbs nobody.
func TestDirectoryOfAnotherCluster(t *testing.T) {
	t.Parallel()
	other := three(t)
	for _, n := range other.Nodes {
		n.Stop()
	}
	c := three(t)
	l := startLoad(t, c)
	n := c.Nodes[2]
	n.Stop()
	own := n.Dir + ".own"
	if err := os.Rename(n.Dir, own); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other.Nodes[2].Dir, n.Dir); err != nil {
		t.Fatal(err)
	}
	l.flows(50)
	n.Start()
	line, err := n.Exited(serveTime)
	if err == nil || !strings.HasPrefix(line, "grevy: data-dir: belongs to another cluster: ") {
		t.Errorf("it ended with %v and said: %s", err, line)
	}
	servesEverywhere(t, c)
	if err := os.RemoveAll(n.Dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(own, n.Dir); err != nil {
		t.Fatal(err)
	}
	n.Start()
	c.WaitReady(serveTime)
	l.settle(formTime)
}

// TestDamagedStore: a node finds at its start that a table of its store is not what
// was written. It says which, keeps the store aside, has all its partitions
// filled anew and counts for their majorities again.
func TestDamagedStore(t *testing.T) {
	t.Parallel()
	c := three(t)
	l := startLoad(t, c)
	l.flows(300)
	bad := c.Nodes[2]
	bad.Stop() // writes a table
	tables, err := filepath.Glob(filepath.Join(bad.Dir, "state", "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatal(tables, err)
	}
	data, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/3] ^= 8
	if err := os.WriteFile(tables[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	bad.Start()
	bad.WaitReady(formTime)
	if log := bad.Log(); !strings.Contains(log, "state store damaged, it is set aside") || !strings.Contains(log, filepath.Base(tables[0])) {
		t.Error("the log does not say which file is damaged")
	}
	kept, err := os.ReadFile(filepath.Join(bad.Dir, "state.damaged-1", filepath.Base(tables[0])))
	if err != nil || !slices.Equal(kept, data) {
		t.Errorf("the damaged table was not kept as it was: %v", err)
	}
	cluster.Until(t, formTime, "all replicas vote", func(ctx context.Context) error {
		s, err := c.Nodes[0].Status(ctx)
		if err == nil && len(s.Problems) > 0 {
			err = fmt.Errorf("%v", s.Problems)
		}
		return err
	})
	c.Nodes[1].Kill()
	servesEverywhere(t, c)
	c.Nodes[1].Start()
	c.WaitReady(serveTime)
	l.settle(formTime)
}
