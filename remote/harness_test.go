package remote_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/remote"
)

const patience = 10 * time.Second

const (
	kindEcho  remote.Kind = 1
	kindOther remote.Kind = 2
)

// node is one post under test, with a fault switch of its own.
type node struct {
	*remote.Post
	id     protocol.NodeID
	faults *linkfault.Switch
	log    *logBuffer
}

// start opens a post on a port of the system's choice.
func start(t testing.TB, id protocol.NodeID, edit ...func(*remote.Config)) *node {
	t.Helper()
	n := &node{id: id, faults: linkfault.New(id), log: &logBuffer{}}
	cfg := remote.Config{
		NodeID: id, Bind: "127.0.0.1:0", Faults: n.faults,
		Logger: slog.New(slog.NewTextHandler(n.log, nil)),
	}
	for _, e := range edit {
		e(&cfg)
	}
	p, err := remote.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	n.Post = p
	return n
}

// connect tells every node of every other and waits for all links.
func connect(t testing.TB, nodes ...*node) {
	t.Helper()
	addrs := map[protocol.NodeID]string{}
	for _, n := range nodes {
		addrs[n.id] = n.Addr()
	}
	for _, n := range nodes {
		n.SetPeers(addrs)
	}
	for _, n := range nodes {
		for _, o := range nodes {
			if o != n {
				until(t, "all links are up", func() bool { return n.up(o.id) })
			}
		}
	}
}

func (n *node) link(to protocol.NodeID) remote.Link {
	for _, l := range n.Links() {
		if l.Peer == to {
			return l
		}
	}
	return remote.Link{Peer: to, Relay: protocol.NoNode}
}

func (n *node) up(to protocol.NodeID) bool { return n.link(to).Up }

// echo serves kindEcho: the payload comes back.
func echo(_ context.Context, _ protocol.NodeID, payload []byte, reply func([]byte)) { reply(payload) }

// ask sends with a deadline no healthy request reaches.
func (n *node) ask(t testing.TB, to protocol.NodeID, k remote.Kind, payload []byte) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return n.Request(ctx, to, k, payload)
}

// mustEcho asks for an echo and wants it.
func (n *node) mustEcho(t testing.TB, to protocol.NodeID, payload []byte) {
	t.Helper()
	got, err := n.ask(t, to, kindEcho, payload)
	if err != nil {
		t.Fatalf("node %d to %d: %v", n.id, to, err)
	}
	if !bytes.Equal(got, payload) {
		t.Fatalf("node %d to %d: %d bytes came back as %d others", n.id, to, len(payload), len(got))
	}
}

// cut applies the same rules at all nodes, as the file of rules does.
func cut(t testing.TB, rules string, nodes ...*node) {
	t.Helper()
	for _, n := range nodes {
		if err := n.faults.SetRules(rules); err != nil {
			t.Fatal(err)
		}
	}
}

// until polls cond.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !cond() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// within receives with a deadline.
func within[T any](t testing.TB, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("not within %v: %s", patience, what)
		panic("unreachable")
	}
}

// logBuffer keeps what was logged.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Count(l.b.Bytes(), []byte(text))
}
