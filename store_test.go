package grevy_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/state/badgerkv"
)

// flipInTable changes one bit of a table of a node's store.
func flipInTable(t *testing.T, dataDir string) (path string) {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dataDir, "state", "*.sst"))
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	data, err := os.ReadFile(list[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 8
	if err := os.WriteFile(list[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	return list[0]
}

// A node whose store is damaged keeps it aside. A partition whose log does not
// reach back to its beginning is copied anew, under another server id.
func TestBroker_DamagedStore(t *testing.T) {
	t.Parallel()
	configs := trioConfigs(t)
	for i := range configs {
		configs[i].Tuning = raftadapter.Tuning{SnapshotEntries: 20, SnapshotInterval: 50 * time.Millisecond, TrailingLogs: 1, SegmentSize: 1 << 16}
	}
	brokers := openAll(t, configs)
	execute(t, brokers[0], 1, &protocol.Deploy{Resources: []protocol.Resource{process("p", strings.Repeat("x", 2000))}})
	for range 300 {
		execute(t, brokers[0], 1, &protocol.CreateInstance{ProcessID: "p", Version: -1})
	}
	statusUntil(t, brokers[2], "all entries are everywhere", func(s grevy.Status) bool { return s.Healthy })
	if err := brokers[2].Close(); err != nil {
		t.Fatal(err)
	}
	flipInTable(t, configs[2].DataDir)
	again := open(t, configs[2])
	statusUntil(t, again, "partition 1 is copied anew, and nothing is wrong any more", func(s grevy.Status) bool {
		return s.Healthy && votesAs(s.Partitions[0], "2-", "/1")
	})
	if _, err := os.Stat(filepath.Join(configs[2].DataDir, "state.damaged-1")); err != nil {
		t.Error(err)
	}
	if err := brokers[1].Close(); err != nil { // from now on its vote is needed
		t.Fatal(err)
	}
	for p := protocol.PartitionID(1); p <= 3; p++ {
		execute(t, again, p, &protocol.CreateInstance{ProcessID: "p", Version: -1})
	}
}

// Alone, a node with a damaged store is refused with one line that names the
// file, and left as it is.
func TestBroker_DamagedStoreWithoutOthers(t *testing.T) {
	t.Parallel()
	c := config(t)
	if err := open(t, c).Close(); err != nil {
		t.Fatal(err)
	}
	path := flipInTable(t, c.DataDir)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = grevy.Open(c)
	var bad *badgerkv.DamagedError
	if !errors.As(err, &bad) || bad.File != path || strings.Contains(err.Error(), "\n") {
		t.Errorf("it starts, or says: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Error("the store was touched", err)
	}
}
