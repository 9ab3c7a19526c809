package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc/codes"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// handoverTime is how long a partition may be without a leader when its node is
// stopped with care, as clients of the other nodes feel it.
const handoverTime = time.Second

// TestGracefulStop stops every node in turn, as a rolling upgrade does, under
// load. Clients of the other nodes notice a pause, never an error.
func TestGracefulStop(t *testing.T) {
	t.Parallel()
	c := three(t)
	l := startLoad(t, c)
	mustDeploy(t, c.Nodes[0].Client(), probeProcess, oneTask(probeProcess))
	for _, n := range c.Nodes {
		c.WaitPreferred(formTime) // so that the node has something to hand over
		l.flows(100)
		unknown := l.unanswered()
		probes := startProbes(t, c, n)
		begun := time.Now()
		n.Stop()
		stopped := time.Since(begun)
		servesEverywhere(t, c)
		t.Logf("node %d stopped in %s; slowest calls at the others: %s", n.ID, stopped.Round(time.Millisecond), probes.end(c.Running()[0].Client()))
		if now := l.unanswered(); now != unknown {
			t.Errorf("node %d: %d calls ended without an answer", n.ID, now-unknown)
		}
		n.Start()
		n.WaitReady(serveTime)
	}
	l.settle(formTime)
}

// unanswered counts calls of which nobody could tell what became of them.
func (l *ledger) unanswered() (n int) {
	for _, what := range []string{"create", "result", "complete", "deploy"} {
		n += l.of(what, codes.DeadlineExceeded)
	}
	return n
}

const probeProcess = "probe" // its job is never done

// probes call each partition by a key, one after the other without pause, at
// every gateway but one, and note how long the slowest call took.
type probes struct {
	t    *testing.T
	stop context.CancelFunc
	wg   sync.WaitGroup

	instances []int64

	mu   sync.Mutex
	slow []time.Duration // by partition - 1
}

func startProbes(t *testing.T, c *cluster.Cluster, without *cluster.Node) *probes {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	p := &probes{t: t, stop: stop, slow: make([]time.Duration, c.Partitions)}
	t.Cleanup(func() { stop(); p.wg.Wait() })
	keys := p.makeInstances(c)
	for _, n := range c.Nodes {
		if n != without {
			client := n.Client()
			for i, key := range keys {
				p.wg.Go(func() { p.run(ctx, client, i, key) })
			}
		}
	}
	return p
}

// makeInstances makes an instance that stays on each partition.
func (p *probes) makeInstances(c *cluster.Cluster) []int64 {
	p.t.Helper()
	keys := make([]int64, c.Partitions)
	for slices.Contains(keys, 0) {
		resp, err := create(p.t.Context(), c.Nodes[0].Client(), probeProcess, -1, "")
		if err != nil {
			p.t.Fatal(err)
		}
		key := resp.GetProcessInstanceKey()
		keys[partitionOf(key)-1] = key
		p.instances = append(p.instances, key)
	}
	return keys
}

func (p *probes) run(ctx context.Context, client pb.GatewayClient, i int, key int64) {
	for n := 0; ctx.Err() == nil; n++ {
		begun := time.Now()
		calling, cancel := context.WithTimeout(context.Background(), callTime)
		_, err := client.SetVariables(calling, &pb.SetVariablesRequest{ElementInstanceKey: key, Variables: fmt.Sprintf(`{"n":%d}`, n)})
		cancel()
		took := time.Since(begun)
		p.mu.Lock()
		p.slow[i] = max(p.slow[i], took)
		p.mu.Unlock()
		if err != nil {
			p.t.Errorf("partition %d, after %s: %v", i+1, took.Round(time.Millisecond), err)
		}
	}
}

// end stops the probes, judges them and cancels their instances.
func (p *probes) end(client pb.GatewayClient) string {
	p.stop()
	p.wg.Wait()
	for _, key := range p.instances {
		ctx, cancel := context.WithTimeout(p.t.Context(), callTime)
		if _, err := client.CancelProcessInstance(ctx, &pb.CancelProcessInstanceRequest{ProcessInstanceKey: key}); err != nil {
			p.t.Errorf("cancel probe %d: %v", key, err)
		}
		cancel()
	}
	text := ""
	for i, d := range p.slow {
		if d > handoverTime {
			p.t.Errorf("partition %d did not answer for %s", i+1, d.Round(time.Millisecond))
		}
		text += fmt.Sprintf("partition %d: %s  ", i+1, d.Round(time.Millisecond))
	}
	return text
}
