package raftadapter_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
)

// TestGroup_PowerLossOfSome takes the power from one, two and all of three nodes,
// at a moment at which their stores have synced nothing, some or all. Each
// entry that was acknowledged is on each of them afterwards, and they are equal.
func TestGroup_PowerLossOfSome(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 3; n++ {
		t.Run(fmt.Sprintf("%d of 3", n), func(t *testing.T) {
			t.Parallel()
			tuning := fast
			tuning.TrailingLogs, tuning.SegmentSize = 1, 64<<10
			members, servers := newCluster(t, 3, tuning)
			written := 0
			for round := uint64(1); round <= 3; round++ {
				s := leaderOf(t, members...).open(round)
				for range 100 {
					s.put(fmt.Sprint("k", written), fmt.Sprint(round))
					written++
				}
				if who := members[rand.IntN(3)]; round > 1 {
					if err := who.group.TakeSnapshot(); err != nil {
						t.Fatal(err)
					}
				}
				powerless(t, members, servers, rand.Perm(3)[:n], fmt.Sprint("boot-", round+1))
				s = leaderOf(t, members...).open(round + 100)
				s.put("last", fmt.Sprint(round))
				for _, m := range members {
					m.wait("the last entry", func() bool { return m.applied.Incarnation == s.guard.Incarnation && m.applied.Seq == s.guard.Seq })
				}
				equalAndWhole(t, members, written)
			}
		})
	}
}

// powerless takes the power from some nodes and gives it back.
func powerless(t *testing.T, members []*member, servers []raftadapter.Server, who []int, boot string) {
	t.Helper()
	for _, i := range who {
		members[i].stop()
		members[i].kv.PowerLoss()
		members[i].boot = boot
	}
	for _, i := range who {
		members[i].start(servers)
	}
}

func equalAndWhole(t *testing.T, members []*member, written int) {
	t.Helper()
	var guards []protocol.Guard
	for _, m := range members {
		for i := range written {
			if m.get(fmt.Sprint("k", i)) == "" {
				t.Fatalf("node %d lacks k%d of %d", m.id, i, written)
			}
		}
		v, _, guard := m.group.View()
		v.Close()
		guards = append(guards, guard)
	}
	if guards[0] != guards[1] || guards[1] != guards[2] {
		t.Errorf("guards %+v", guards)
	}
}
