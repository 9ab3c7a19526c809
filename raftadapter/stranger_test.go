package raftadapter_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/state/memkv"
)

// A server answers only those who mean it. Where a member was, there may be a
// node with an empty disk or with the directory of another cluster: neither may
// take entries that are for that member, nor vote in its place.
func TestGroup_AnAddressThatIsNowAnotherServers(t *testing.T) {
	t.Parallel()
	members, _ := newCluster(t, 3, fast)
	leader := leaderOf(t, members...)
	s := leader.open(1)
	s.put("k", "v")
	gone := members[(leader.id+1)%3]
	gone.stop()

	other := &member{t: t, id: 7, dir: t.TempDir(), kv: memkv.New(), boot: "boot-1", tuning: fast, faults: linkfault.New(protocol.NodeID(7)),
		book: &book{addrs: map[string]string{}, asked: map[string]int{}}}
	other.news = sync.NewCond(&other.mu)
	t.Cleanup(other.stop)
	other.start([]raftadapter.Server{{ID: other.server(), Voter: true}})
	leaderOf(t, other)
	other.open(9).put("own", "kept")
	before := other.group.Status()

	gone.book.mu.Lock()
	gone.book.addrs[gone.server()] = other.book.get(other.server())
	gone.book.mu.Unlock()
	for i := range 20 {
		s.put(fmt.Sprint("k", i), "v")
	}
	gone.awaitDials()
	gone.awaitDials()
	after := other.group.Status()
	if after.Term != before.Term || after.Last != before.Last || !after.IsLeader {
		t.Errorf("the other server was in term %d with %d entries, is in term %d with %d, leader: %v", before.Term, before.Last, after.Term, after.Last, after.IsLeader)
	}
	if own, k := other.get("own"), other.get("k"); own != "kept" || k != "" {
		t.Errorf("the other server has own=%q k=%q", own, k)
	}
}
