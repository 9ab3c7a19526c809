package grevy_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/grevy-io/grevy"
	"github.com/grevy-io/grevy/cluster"
)

// A node whose disk has no room gives away what it leads, also if the cluster began
// without the others, and not to one whose disk is full too: it waits for that one.
func TestBroker_FullDiskLeadsNothing(t *testing.T) {
	t.Parallel()
	const room = 1 << 40
	var left [2]atomic.Uint64
	left[0].Store(room)
	left[1].Store(room)
	first := config(t)
	first.Partitions = 2
	first.SetFree(left[0].Load)
	second := config(t)
	second.SetFree(left[1].Load)
	brokers := []*grevy.Broker{open(t, first)}
	brokers = append(brokers, joinAs(t, second, first, 1))
	members(t, brokers[0], 2)
	change(t, brokers[0], cluster.Request{What: cluster.SetFactor, Count: 2})
	led := func(by int) func(grevy.Status) bool {
		return func(s grevy.Status) bool { return s.Partitions[0].Leader == by && s.Partitions[1].Leader == by }
	}
	statusUntil(t, brokers[1], "both partitions are led by the first node", led(0))
	left[1].Store(0) // the other one may still take them over before it notices
	left[0].Store(0)
	statusUntil(t, brokers[1], "both disks are full", func(s grevy.Status) bool {
		return strings.Count(fmt.Sprint(s.Problems), "disk space has ended") == 2
	})
	left[1].Store(room)
	statusUntil(t, brokers[1], "both partitions are led by the other node", led(1))
	left[0].Store(room)
	statusUntil(t, brokers[1], "nothing is wrong", func(s grevy.Status) bool { return s.Healthy })
}
