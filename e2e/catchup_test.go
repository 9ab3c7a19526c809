package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grevy-io/grevy"
	"github.com/grevy-io/grevy/e2e/cluster"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
)

// embedded is a cluster in this process, for what no flag can set.
type embedded struct {
	t       *testing.T
	configs []grevy.Config
	brokers []*grevy.Broker
	logs    []string
}

// newEmbedded prepares three nodes that keep only a short log.
func newEmbedded(t *testing.T) *embedded {
	t.Helper()
	e := &embedded{t: t, brokers: make([]*grevy.Broker, 3)}
	offsets := cluster.Offsets(t, 3)
	var join []string
	for _, o := range offsets {
		join = append(join, net.JoinHostPort("127.0.0.1", strconv.Itoa(grevy.GossipPort+o)))
	}
	dir := t.TempDir()
	for i, o := range offsets {
		path := filepath.Join(dir, fmt.Sprintf("node-%d.log", i))
		log, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { log.Close() })
		e.logs = append(e.logs, path)
		e.configs = append(e.configs, grevy.Config{
			NodeID: i, ClusterSize: 3, Join: join, Host: "127.0.0.1", PortOffset: o, WithoutHTTP: true,
			DataDir: filepath.Join(dir, fmt.Sprintf("node-%d", i)),
			Log:     slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			Tuning:  raftadapter.Tuning{SnapshotEntries: 50, SnapshotInterval: 100 * time.Millisecond, TrailingLogs: 20, SegmentSize: 64 << 10},
		})
	}
	t.Cleanup(func() {
		for i := range e.brokers {
			e.close(i)
		}
	})
	return e
}

// open opens nodes side by side: none of them is ready alone.
func (e *embedded) open(nodes ...int) {
	e.t.Helper()
	errs := make([]error, 3)
	var wg sync.WaitGroup
	for _, i := range nodes {
		wg.Go(func() { e.brokers[i], errs[i] = grevy.Open(e.configs[i]) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		e.t.Fatal(err)
	}
}

func (e *embedded) close(i int) {
	e.t.Helper()
	if b := e.brokers[i]; b != nil {
		if err := b.Close(); err != nil {
			e.t.Errorf("close node %d: %v", i, err)
		}
		e.brokers[i] = nil
	}
}

// do executes a command from node 0, or 1 if that is closed.
func (e *embedded) do(p protocol.PartitionID, c protocol.Command) (protocol.Reply, error) {
	b := e.brokers[0]
	if b == nil {
		b = e.brokers[1]
	}
	ctx, cancel := context.WithTimeout(e.t.Context(), callTime)
	defer cancel()
	return b.Execute(ctx, p, c)
}

// TestCatchUpBySnapshot: a node is away for longer than the others' logs reach
// back. What it missed comes as a snapshot, with resources, while work goes on;
// afterwards it leads with all of it.
func TestCatchUpBySnapshot(t *testing.T) {
	t.Parallel()
	e := newEmbedded(t)
	e.open(0, 1, 2)
	if _, err := e.do(1, &protocol.Deploy{Resources: []protocol.Resource{{Name: "task.bpmn", Content: oneTask(taskProcess)}}}); err != nil {
		t.Fatal(err)
	}
	made := map[protocol.Key]bool{}
	e.create(made, 50)
	reached := e.brokers[0].Status(t.Context()).Partitions
	e.close(2)
	for i := range 20 { // resources that only the snapshot can bring
		if _, err := e.do(1, &protocol.Deploy{Resources: []protocol.Resource{{Name: "rolled.bpmn", Content: straight(rolledProcess, i)}}}); err != nil {
			t.Fatal(err)
		}
	}
	e.create(made, size(500, 20_000))
	e.shorten(made, reached)
	e.open(2)
	e.create(made, 100)
	cluster.Until(t, formTime, "node 2 leads partition 3 again", func(ctx context.Context) error {
		if p := e.brokers[2].Status(ctx).Partitions[2]; p.Leader != 2 || p.Problem != "" {
			return fmt.Errorf("it is led by node %d (%s)", p.Leader, p.Problem)
		}
		return nil
	})
	log, err := os.ReadFile(e.logs[2])
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), "nstalled remote snapshot") {
		t.Error("node 2 has caught up without a snapshot: its log was not short enough for this test")
	}
	e.close(0) // now nothing is done without node 2
	e.takeAll(made)
	created, err := e.do(3, &protocol.CreateInstance{ProcessID: rolledProcess, Version: 20, DefinitionKey: -1})
	if err != nil || created.(*protocol.Created).Version != 20 {
		t.Errorf("a definition that came by snapshot: %+v, %v", created, err)
	}
}

// shorten makes instances until the logs of nodes 0 and 1 begin after what node 2
// had when the partitions had reached this. How many that takes depends on how many
// commands go into one entry.
func (e *embedded) shorten(made map[protocol.Key]bool, reached []grevy.PartitionStatus) {
	e.t.Helper()
	for _, p := range reached {
		if p.Applied == 0 {
			e.t.Fatalf("partition %d: nothing is known of its log: %+v", p.ID, p)
		}
		cluster.Until(e.t, formTime, fmt.Sprintf("the logs of partition %d begin after entry %d", p.ID, p.Applied), func(context.Context) error {
			to := min(e.cutTo(0, p.ID), e.cutTo(1, p.ID))
			if to >= p.Applied {
				return nil
			}
			e.create(made, 3) // at least one more entry each
			return fmt.Errorf("they are cut up to %d", to)
		})
	}
}

// cutTo is up to which entry a node has cut off a partition's log.
func (e *embedded) cutTo(node, partition int) (to uint64) {
	e.t.Helper()
	log, err := os.ReadFile(e.logs[node])
	if err != nil {
		e.t.Fatal(err)
	}
	cut := regexp.MustCompile(fmt.Sprintf(`msg="compacting logs" .*\bpartition=%d\b.* to=(\d+)`, partition))
	for _, m := range cut.FindAllStringSubmatch(string(log), -1) {
		n, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil {
			e.t.Fatal(err)
		}
		to = max(to, n)
	}
	return to
}

// create makes n instances with a job, over all partitions.
func (e *embedded) create(made map[protocol.Key]bool, n int) {
	e.t.Helper()
	type answer struct {
		reply protocol.Reply
		err   error
	}
	answers := make(chan answer, n)
	limit := make(chan struct{}, 32)
	for i := range n {
		limit <- struct{}{}
		go func() {
			r, err := e.do(protocol.PartitionID(i%3+1), &protocol.CreateInstance{ProcessID: taskProcess, Version: -1, DefinitionKey: -1})
			<-limit
			answers <- answer{r, err}
		}()
	}
	for range n {
		a := <-answers
		if a.err != nil {
			e.t.Fatal(a.err)
		}
		made[a.reply.(*protocol.Created).InstanceKey] = true
	}
}

// takeAll activates every job and compares them with the instances made.
func (e *embedded) takeAll(made map[protocol.Key]bool) {
	e.t.Helper()
	seen := map[protocol.Key]bool{}
	for p := protocol.PartitionID(1); p <= 3; p++ {
		for {
			r, err := e.do(p, &protocol.ActivateJobs{Type: taskProcess, Worker: "e2e", Timeout: time.Hour.Milliseconds(), Max: 100})
			if err != nil {
				e.t.Fatal(err)
			}
			jobs := r.(*protocol.Jobs).Jobs
			if len(jobs) == 0 {
				break
			}
			for _, j := range jobs {
				if seen[j.InstanceKey] || !made[j.InstanceKey] {
					e.t.Errorf("job %d is of instance %d, made: %v, seen before: %v", j.Key, j.InstanceKey, made[j.InstanceKey], seen[j.InstanceKey])
				}
				seen[j.InstanceKey] = true
			}
		}
	}
	if len(seen) != len(made) {
		e.t.Errorf("%d of %d instances have their job", len(seen), len(made))
	}
}
