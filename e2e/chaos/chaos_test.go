package chaos

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grevy-io/grevy/e2e/cluster"
	"github.com/grevy-io/grevy/e2e/history"
)

var (
	duration = flag.Duration("duration", time.Minute, "how long faults are made")
	seed     = flag.Uint64("seed", 11, "draws the faults; 0: another one each time")
	nodes    = flag.Int("nodes", 3, "nodes of the cluster, three or more; each partition is kept on three")
	onlyPlan = flag.Bool("plan", false, "only tell what would be done")
	keep     = flag.String("keep", "", "directory for logs and pictures of a run that failed; empty: a new one")
)

// What the cluster owes when the last fault is over.
const (
	servesWithin  = 15 * time.Second // every partition takes writes at every gateway
	healthyWithin = 45 * time.Second // no node has anything to complain about
	drainsWithin  = 60 * time.Second // what was begun has ended
	changesWithin = 2 * time.Minute  // an operation on the cluster that faults have held up
	mostMemory    = 1 << 30          // of a node, at any time
	mostRoutines  = 5000             // of a node, at any time
	idleRoutines  = 600              // of a node, when all is over
)

// longRun is from when on there is time for what takes long.
const longRun = 5 * time.Minute

var binary string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	flag.Parse()
	if testing.Short() {
		return m.Run()
	}
	if binary = os.Getenv("GREVY_E2E_BINARY"); binary != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "grevy-chaos-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if binary, err = cluster.Build(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// TestChaos does what the package says, for as long as it is told to.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("real processes for a minute")
	}
	if *seed == 0 {
		*seed = rand.Uint64N(1_000_000)
	}
	s := setup{nodes: *nodes, partitions: 3, long: *duration >= longRun}
	t.Logf("seed %d: go test ./e2e/chaos -seed %d -duration %s -nodes %d", *seed, *seed, *duration, *nodes)
	p := newPlan(*seed, s)
	if *onlyPlan {
		for i, end := 0, *duration/(8*time.Second); i < int(end); i++ {
			t.Logf("step %d: %s", i+1, p.next())
		}
		return
	}
	r := newRun(t, s)
	for r.h.Now() < *duration {
		r.step(p.next())
	}
	r.settle()
	r.judge()
}

// run is one run of it.
type run struct {
	t *testing.T
	c *cluster.Cluster
	setup
	h      *history.Recorder
	load   *load
	probe  *prober
	watch  *watch
	report report

	rules  map[int][]string // of the fault switch, by fault
	faults int              // numbers them
	states []atomic.Int32   // of the nodes, but for the spare
	after  []func()         // what ends when everything has recovered
	disk   *disk
	spare  *cluster.Node
	change string // the operation under way
	skewed bool   // some clock was wrong at some time
}

// states of a node, as far as the run itself has done something to it.
const (
	stateUp int32 = iota
	stateDown
	statePaused
)

func newRun(t *testing.T, s setup) *run {
	t.Helper()
	r := &run{t: t, setup: s, rules: map[int][]string{}, states: make([]atomic.Int32, s.nodes)}
	r.report.begin()
	r.disk = newDisk(t)
	r.c = cluster.New(t, cluster.Options{Binary: binary, Size: s.nodes, Partitions: s.partitions, Flags: r.disk.flags})
	r.disk.under(r.c.Nodes[s.nodes-1])
	r.c.StartAll()
	r.c.WaitReady(formTime)
	r.h = history.NewRecorder()
	r.load = newLoad(r.h, r.c, *seed, r.up)
	r.deployAll()
	r.probe = newProber(r.load)
	r.watch = newWatch(r)
	r.load.start()
	t.Cleanup(func() {
		r.load.stop()
		r.load.finish()
		r.probe.stop()
		r.watch.stop()
		r.load.makers.Wait()
		r.load.workers.Wait()
		r.keepEvidence()
	})
	return r
}

const formTime = 30 * time.Second

// deployAll deploys what the load needs.
func (r *run) deployAll() {
	r.t.Helper()
	for id, content := range processes() {
		done := r.h.Versions(rolledProcess).Deploying()
		ctx, cancel := within()
		p, err := deployOnce(ctx, r.load.clients[0], id, content)
		cancel()
		if err != nil {
			r.t.Fatalf("deploy %s: %v", id, err)
		}
		if id == rolledProcess {
			done(p.GetVersion(), p.GetProcessDefinitionKey(), nil)
		}
	}
}

// up tells whether a node runs, as far as is intended.
func (r *run) up(node int) bool { return node >= len(r.states) || r.states[node].Load() == stateUp }

// progress tells what happens while it happens.
func (r *run) progress(format string, args ...any) {
	r.t.Logf("%7s  %s", r.h.Now().Round(100*time.Millisecond), fmt.Sprintf(format, args...))
}
