package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"

	"github.com/grevy-io/grevy"
)

// Node is one process, or the place of one that does not run.
type Node struct {
	ID  int
	Dir string // what it keeps

	c       *Cluster
	offset  int
	joins   bool // it came when the cluster ran
	log     string
	process atomic.Pointer[process]
	conn    *grpc.ClientConn
}

// process is one life of a node.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // once done is closed
}

func (n *Node) addr(port int) string { return fmt.Sprintf("127.0.0.1:%d", port+n.offset) }

// Addr is the address of one of its ports, named by that of a node without an
// offset (grevy.RaftPort, for instance).
func (n *Node) Addr(port int) string { return n.addr(port) }

// Gateway is the address of its gateway.
func (n *Node) Gateway() string { return n.addr(grevy.GatewayPort) }

// Start starts the process and returns at once.
func (n *Node) Start() {
	n.c.t.Helper()
	if err := n.start(); err != nil {
		n.c.t.Fatalf("start node %d: %v", n.ID, err)
	}
}

func (n *Node) start() error {
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd := exec.Command(n.c.Binary, n.args()...)
	cmd.Env = append(environment(), "GREVY_FAULTS="+n.c.faults)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes()
	if err := cmd.Start(); err != nil {
		return errors.Join(err, log.Close())
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	n.process.Store(p)
	go func() {
		p.err = errors.Join(cmd.Wait(), log.Close())
		close(p.done)
	}()
	return nil
}

func (n *Node) args() []string {
	var join []string
	for _, m := range n.c.Nodes {
		join = append(join, m.addr(grevy.GossipPort))
	}
	num := strconv.Itoa
	if n.joins {
		return append([]string{
			"start", "--node-id", num(n.ID), "--join", strings.Join(join, ","), "--data-dir", n.Dir, "--host", "127.0.0.1", "--port-offset", num(n.offset),
		}, n.c.Flags(n.ID)...)
	}
	return append([]string{
		"start", "--node-id", num(n.ID), "--cluster-size", num(n.c.Size), "--partitions", num(n.c.Partitions),
		"--replication-factor", num(n.c.ReplicationFactor), "--join", strings.Join(join, ","),
		"--data-dir", n.Dir, "--host", "127.0.0.1", "--port-offset", num(n.offset),
	}, n.c.Flags(n.ID)...)
}

// environment is this process's, without settings meant for grevy.
func environment() (list []string) {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GREVY_") {
			list = append(list, v)
		}
	}
	return list
}

// Running tells whether the process runs.
func (n *Node) Running() bool {
	p := n.process.Load()
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// PID is that of the process that runs or ran last.
func (n *Node) PID() int { return n.process.Load().cmd.Process.Pid }

// Kill ends the process with SIGKILL and waits for its end. A node that does
// not run stays so.
func (n *Node) Kill() { _ = n.end(syscall.SIGKILL) }

// Pause stops the process as a debugger does (SIGSTOP): its connections stay, and
// nothing happens in it.
func (n *Node) Pause() error { return n.process.Load().cmd.Process.Signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (n *Node) Resume() error { return n.process.Load().cmd.Process.Signal(syscall.SIGCONT) }

// Stop ends the process with SIGTERM, as a service manager does, waits for its
// end and fails the test if that takes too long or the process ends with an error.
func (n *Node) Stop() {
	n.c.t.Helper()
	if err := n.end(syscall.SIGTERM); err != nil {
		n.c.t.Errorf("stop node %d: %v", n.ID, err)
	}
}

// stopTime is how long a node may take to stop.
const stopTime = 20 * time.Second

func (n *Node) end(s syscall.Signal) error {
	p := n.process.Load()
	if p == nil {
		return nil
	}
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return p.err
	case <-time.After(stopTime):
		return errors.Join(fmt.Errorf("it runs still after %s", stopTime), p.cmd.Process.Kill())
	}
}

// Exited waits for the process to end by itself and gives its error, and the
// last line that it has said.
func (n *Node) Exited(d time.Duration) (lastLine string, err error) {
	n.c.t.Helper()
	p := n.process.Load()
	select {
	case <-p.done:
		return tail(n.log, 1), p.err
	case <-time.After(d):
		n.c.t.Fatalf("node %d runs still after %s", n.ID, d)
		return "", nil
	}
}

// Log reads what the node has said so far, in all its lives.
func (n *Node) Log() string {
	b, err := os.ReadFile(n.log)
	if err != nil {
		n.c.t.Fatal(err)
	}
	return string(b)
}

// WaitReady waits until the node says that it can serve clients, each partition
// included, and a client of it is connected. A node that ends meanwhile fails
// the test at once.
func (n *Node) WaitReady(d time.Duration) {
	n.c.t.Helper()
	Until(n.c.t, d, fmt.Sprintf("node %d is ready", n.ID), func(ctx context.Context) error {
		if !n.Running() {
			n.c.t.Fatalf("node %d has ended: %s", n.ID, tail(n.log, 1))
		}
		_, err := n.get(ctx, "/ready")
		return err
	})
	n.WaitServing(d)
}

// WaitServing waits until the node's gateway answers, whatever the state of the
// partitions.
func (n *Node) WaitServing(d time.Duration) {
	n.c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	if _, err := n.Client().Topology(ctx, &pb.TopologyRequest{}, grpc.WaitForReady(true)); err != nil {
		n.c.t.Fatalf("the gateway of node %d: %v", n.ID, err)
	}
}
