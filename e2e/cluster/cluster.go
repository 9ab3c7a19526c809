package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// Options say what cluster to make. Zero fields mean three nodes, three
// partitions, each on three nodes.
type Options struct {
	// Binary is the program to run; see Build.
	Binary            string
	Size              int
	Partitions        int
	ReplicationFactor int
	// Flags are added to those of a node, at each of its starts.
	Flags func(node int) []string
	// Secure is what clients of the gateways use; nil: no TLS.
	Secure credentials.TransportCredentials
}

func (o Options) withDefaults() Options {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	set(&o.Size, 3)
	set(&o.Partitions, 3)
	set(&o.ReplicationFactor, 3)
	if o.Flags == nil {
		o.Flags = func(int) []string { return nil }
	}
	if o.Secure == nil {
		o.Secure = insecure.NewCredentials()
	}
	return o
}

// Cluster is a set of processes on this machine. Its methods must not be called
// from several goroutines, but for those of its nodes' clients.
type Cluster struct {
	Options
	Nodes  []*Node
	t      testing.TB
	dir    string
	faults string // path of the file of rules
}

// Build compiles the program into dir and returns its path.
func Build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "grevy")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "github.com/grevy-io/grevy/cmd/grevy")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build grevy: %w\n%s", err, out)
	}
	return path, nil
}

// New prepares a cluster; no process runs yet. It ends with the test.
func New(t testing.TB, o Options) *Cluster {
	t.Helper()
	c := &Cluster{Options: o.withDefaults(), t: t, dir: t.TempDir()}
	c.faults = filepath.Join(c.dir, "faults")
	if err := os.WriteFile(c.faults, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	offsets, release := reserve(t, c.Size)
	for i := range c.Size {
		c.Nodes = append(c.Nodes, &Node{
			ID: i, c: c, offset: offsets[i],
			Dir: filepath.Join(c.dir, fmt.Sprintf("node-%d", i)), log: filepath.Join(c.dir, fmt.Sprintf("node-%d.log", i)),
		})
	}
	t.Cleanup(func() {
		c.end()
		release()
	})
	return c
}

// Join starts a node beside a cluster that runs, and adds it to the nodes.
func (c *Cluster) Join() *Node {
	c.t.Helper()
	offsets, release := reserve(c.t, 1)
	c.t.Cleanup(release)
	id := len(c.Nodes)
	n := &Node{
		ID: id, c: c, offset: offsets[0], joins: true,
		Dir: filepath.Join(c.dir, fmt.Sprintf("node-%d", id)), log: filepath.Join(c.dir, fmt.Sprintf("node-%d.log", id)),
	}
	c.Nodes = append(c.Nodes, n)
	n.Start()
	return n
}

// Start is New, with every node started and the cluster ready.
func Start(t testing.TB, o Options) *Cluster {
	t.Helper()
	c := New(t, o)
	c.StartAll()
	c.WaitReady(formTime)
	return c
}

// formTime is how long a cluster may take to form or to come back.
const formTime = 30 * time.Second

// StartAll starts every node that does not run. It does not wait for them.
func (c *Cluster) StartAll() {
	c.t.Helper()
	for _, n := range c.Nodes {
		if !n.Running() {
			n.Start()
		}
	}
}

// KillAll kills every node at once, as a power switch would the processes.
func (c *Cluster) KillAll() {
	c.t.Helper()
	var wg sync.WaitGroup
	for _, n := range c.Nodes {
		wg.Go(n.Kill)
	}
	wg.Wait()
}

// WaitReady waits until every node that runs says that it can serve clients.
func (c *Cluster) WaitReady(d time.Duration) {
	c.t.Helper()
	for _, n := range c.Nodes {
		if n.Running() {
			n.WaitReady(d)
		}
	}
}

// Running lists the nodes that run.
func (c *Cluster) Running() (list []*Node) {
	for _, n := range c.Nodes {
		if n.Running() {
			list = append(list, n)
		}
	}
	return list
}

// Leader finds which node leads a partition, by the word of any node that runs;
// nil if none knows.
func (c *Cluster) Leader(partition int) *Node {
	for _, n := range c.Running() {
		s, err := n.Status(context.Background())
		if err != nil {
			continue
		}
		for _, p := range s.Partitions {
			if p.ID == partition && p.Problem == "" && p.Leader >= 0 && c.Nodes[p.Leader].Running() {
				return c.Nodes[p.Leader]
			}
		}
	}
	return nil
}

// WaitPreferred waits until each partition is led by the first of its nodes,
// node partition-1: the place where it ends up when nothing is wrong.
func (c *Cluster) WaitPreferred(d time.Duration) {
	c.t.Helper()
	Until(c.t, d, "leaders on their preferred nodes", func(ctx context.Context) error {
		s, err := c.Running()[0].Status(ctx)
		if err != nil {
			return err
		}
		for _, p := range s.Partitions {
			if want := (p.ID - 1) % c.Size; p.Leader != want || p.Problem != "" {
				return fmt.Errorf("partition %d is led by node %d (%s)", p.ID, p.Leader, p.Problem)
			}
		}
		return nil
	})
}

// end kills what runs and shows the logs of a failed test.
func (c *Cluster) end() {
	for _, n := range c.Nodes {
		n.Kill()
		n.closeClient()
		if c.t.Failed() {
			c.t.Logf("---- log of node %d, its end ----\n%s", n.ID, tail(n.log, logLines))
		}
	}
}

// logLines is how much of each log is shown after a failure.
const logLines = 150

// tail reads the last lines of a file.
func tail(path string, lines int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// Until waits until cond returns nil, and fails the test with its last error if
// that does not happen within d. It is the only way that this package and its
// tests wait.
func Until(t testing.TB, d time.Duration, what string, cond func(context.Context) error) {
	t.Helper()
	if err := Wait(d, cond); err != nil {
		t.Fatalf("not within %s: %s: %v", d, what, err)
	}
}

// pollEvery is how often a condition is looked at.
const pollEvery = 20 * time.Millisecond

// Wait is Until for goroutines that must not end the test: it returns cond's
// last error.
func Wait(d time.Duration, cond func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var last error
	for {
		err := cond(ctx)
		if err == nil {
			return nil
		}
		if last == nil || !errors.Is(err, context.DeadlineExceeded) {
			last = err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return last
		}
	}
}
