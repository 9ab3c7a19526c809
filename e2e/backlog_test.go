package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// TestBacklogDrains: a partition that was away gets what was deployed meanwhile
// within two seconds of the first link, others notice little, and then it is
// quiet. In the original retries flooded other partitions' logs (#29495, #24897), and what was
// pending went on after up to five minutes.
func TestBacklogDrains(t *testing.T) {
	t.Parallel()
	c := alone(t)
	one, away := c.Leader(1), c.Leader(3)
	if one == nil || away == nil || one == away {
		t.Fatalf("leaders of partitions 1 and 3: %v, %v", one, away)
	}
	mustDeploy(t, one.Client(), "steady", straight("steady", 0))
	drained(t, one, drainTime)
	away.Kill()
	linkDown(t, one, away)
	rows := size(2000, 10_000)
	deployMany(t, one, rows)

	before := measure(t, one, 2*time.Second)
	away.Start()
	const pending = `grevy_outbox_pending_rows{lane="deployments",partition="1",target="3"}`
	up := waitMetric(t, one, fmt.Sprintf(`grevy_link_up{peer="%d"}`, away.ID), func(v float64) bool { return v == 1 })
	// It leads its partition from now on: a creation there waits for the deployments only.
	waitMetric(t, one, pending, func(v float64) bool { return v < float64(rows) })
	during := make(chan []time.Duration, 1)
	ctx, stop := context.WithCancel(t.Context())
	go func() { during <- creates(ctx, one) }()
	done := waitMetric(t, one, pending, func(v float64) bool { return v == 0 })
	stop()
	took := done.Sub(up)
	b, d := quantile(before, 0.99), quantile(<-during, 0.99)
	onEveryPartition(t, away, 3, fmt.Sprintf("p%d", (rows-1)%8), -1)
	idle := cpu(t, one, away, time.Second)
	t.Logf("%d rows in %s; p99 of creates %s before, %s meanwhile; %.0f %% of a core afterwards", rows, took.Round(time.Millisecond), b, d, 100*idle)
	if limit := 2 * time.Second; took > limit {
		t.Errorf("%d rows took %s, more than %s", rows, took, limit)
	}
	if idle > 0.5 {
		t.Errorf("%.2f cores are busy when everything is done", idle)
	}
}

// deployMany deploys versions of some processes, several at a time.
func deployMany(t *testing.T, n *cluster.Node, count int) {
	t.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	begun := time.Now()
	for range 16 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(count); i = next.Add(1) {
				id := fmt.Sprintf("p%d", i%8)
				if _, err := deploy(t.Context(), n.Client(), id, straight(id, int(i))); err != nil {
					t.Errorf("deploy %d: %v", i, err)
					return
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d deployments in %s", count, time.Since(begun).Round(time.Millisecond))
}

// measure creates instances for some time and tells how long each took.
func measure(t *testing.T, n *cluster.Node, d time.Duration) []time.Duration {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return creates(ctx, n)
}

// creates makes instances, a few at a time, until ctx ends.
func creates(ctx context.Context, n *cluster.Node) []time.Duration {
	var mu sync.Mutex
	var all []time.Duration
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				begun := time.Now()
				if _, err := create(ctx, n.Client(), "steady", 1, ""); err != nil {
					continue
				}
				mu.Lock()
				all = append(all, time.Since(begun))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return all
}

func quantile(list []time.Duration, q float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[min(len(list)-1, int(q*float64(len(list))))]
}

// waitMetric reads a node's metrics until one of them is as wanted, and tells when
// that was seen.
func waitMetric(t *testing.T, n *cluster.Node, name string, ok func(float64) bool) (at time.Time) {
	t.Helper()
	cluster.Until(t, 30*time.Second, name, func(ctx context.Context) error {
		v, err := n.Metric(ctx, name)
		if at = time.Now(); err == nil && !ok(v) {
			err = fmt.Errorf("%s is %g", name, v)
		}
		return err
	})
	return at
}

// cpu is how many cores nodes use together.
func cpu(t *testing.T, a, b *cluster.Node, d time.Duration) float64 {
	t.Helper()
	sum := func() (s float64) {
		for _, n := range []*cluster.Node{a, b} {
			v, err := n.Metric(t.Context(), "process_cpu_seconds_total")
			if err != nil {
				t.Fatal(err)
			}
			s += v
		}
		return s
	}
	before := sum()
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
	return (sum() - before) / d.Seconds()
}
