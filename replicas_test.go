package grevy_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
)

// flipInLog changes one bit of a partition's log.
func flipInLog(t *testing.T, dir string) {
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

// statusUntil asks a node for its status until it is as wanted.
func statusUntil(t *testing.T, b *grevy.Broker, what string, ok func(grevy.Status) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	for {
		asking, stop := context.WithTimeout(ctx, time.Second) // it takes all of it if a partition does not answer
		s := b.Status(asking)
		stop()
		if ok(s) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %+v", what, s)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// A node with a damaged replica of one partition and without the log of another
// starts, says so, gets both anew from the others, and counts again.
func TestBroker_DamagedReplicas(t *testing.T) {
	t.Parallel()
	brokers, configs := trio(t)
	execute(t, brokers[0], 1, &protocol.Deploy{Resources: []protocol.Resource{process("p", "")}})
	if err := brokers[2].Close(); err != nil {
		t.Fatal(err)
	}
	raft := filepath.Join(configs[2].DataDir, "raft")
	flipInLog(t, filepath.Join(raft, "p2"))
	if err := os.RemoveAll(filepath.Join(raft, "p3")); err != nil {
		t.Fatal(err)
	}
	again := open(t, configs[2])
	statusUntil(t, again, "both replicas vote, and nothing is wrong any more", func(s grevy.Status) bool {
		return s.Healthy && votesAs(s.Partitions[1], "2-", "/1") && votesAs(s.Partitions[2], "2-", "/1") && !votesAs(s.Partitions[0], "2-", "/")
	})
	for _, kept := range []string{"p2", "p2.state", "p2-1", "p3-1", "p3.state"} {
		if _, err := os.Stat(filepath.Join(raft, kept)); err != nil {
			t.Error(err)
		}
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	final := open(t, configs[2])
	statusUntil(t, final, "it is that server after its next start too", func(s grevy.Status) bool {
		return s.Healthy && votesAs(s.Partitions[1], "2-", "/1")
	})
	if err := brokers[1].Close(); err != nil { // from now on its vote is needed
		t.Fatal(err)
	}
	for p := protocol.PartitionID(1); p <= 3; p++ {
		execute(t, final, p, &protocol.CreateInstance{ProcessID: "p", Version: -1})
	}
}

// While a majority of a partition's replicas is damaged nothing is given up: one
// that is brought back makes a majority again, and then the other is replaced.
func TestBroker_DamagedMajority(t *testing.T) {
	t.Parallel()
	brokers, configs := trio(t)
	execute(t, brokers[0], 1, &protocol.Deploy{Resources: []protocol.Resource{process("p", "")}})
	for i, b := range brokers {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		configs[i].LeaderTimeout = time.Second
	}
	logs := []string{filepath.Join(configs[1].DataDir, "raft", "p2"), filepath.Join(configs[2].DataDir, "raft", "p2")}
	for _, log := range logs {
		flipInLog(t, log)
	}
	brokers = openAll(t, configs)
	for _, b := range brokers[1:] {
		statusUntil(t, b, "it says what is damaged, and that it waits", func(s grevy.Status) bool {
			return slices.ContainsFunc(s.Problems, func(p grevy.Problem) bool {
				return strings.Contains(p.Text, "partition 2: its replica is damaged; it is copied anew once")
			})
		})
	}
	execute(t, brokers[1], 3, &protocol.CreateInstance{ProcessID: "p", Version: -1}) // the others are served
	for _, log := range logs {
		if list, err := filepath.Glob(log + "?*"); err != nil || len(list) > 0 {
			t.Errorf("something was set aside: %v, %v", list, err)
		}
	}
	if err := brokers[1].Close(); err != nil {
		t.Fatal(err)
	}
	flipInLog(t, logs[0])
	statusUntil(t, open(t, configs[1]), "all is well again", func(s grevy.Status) bool {
		return s.Healthy && votesAs(s.Partitions[1], "2-", "/1") && !votesAs(s.Partitions[1], "1-", "/")
	})
}

// votesAs tells whether exactly three servers decide, one of them named like this.
func votesAs(p grevy.PartitionStatus, node, replica string) bool {
	return len(p.Voters) == 3 && slices.ContainsFunc(p.Voters, func(id string) bool {
		return strings.HasPrefix(id, node) && strings.Contains(id, replica)
	})
}

// Alone, a node with a damaged or lost log is refused with one line and left as
// it is.
func TestBroker_DamagedReplicaWithoutOthers(t *testing.T) {
	t.Parallel()
	c := config(t)
	if err := open(t, c).Close(); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(c.DataDir, "raft", "p1")
	refused := func(want string) {
		t.Helper()
		b, err := grevy.Open(c)
		if err == nil {
			_ = b.Close()
		}
		if !raftadapter.Damaged(err) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want one line with %q", err, want)
		}
	}
	flipInLog(t, log)
	refused("raft log damaged")
	flipInLog(t, log)
	if err := os.Rename(log, log+".moved"); err != nil {
		t.Fatal(err)
	}
	refused("its log is gone")
	if err := os.Rename(log+".moved", log); err != nil {
		t.Fatal(err)
	}
	open(t, c)
}

// A replica of which it cannot be noted that it has begun takes no part: the next
// start would not know that it may have voted.
func TestBroker_ReplicaThatCannotBeNoted(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.Partitions = 1
	b := open(t, c)
	inTheWay := filepath.Join(c.DataDir, "node.json.new")
	if err := os.Mkdir(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	if runs, err := b.TryReplica(2); runs || err == nil {
		t.Errorf("runs: %v, %v", runs, err)
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	if runs, err := b.TryReplica(2); !runs || err != nil {
		t.Errorf("later: runs: %v, %v", runs, err)
	}
}
