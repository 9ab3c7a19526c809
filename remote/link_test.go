package remote_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/remote"
)

// A cut is seen within the silence plus a beat; the rest is room for a slow machine.
const seenWithin = 4 * time.Second

func TestOneWayCutTakesTheLinkDownAtBothEnds(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{"drop 0 1", "drop 1 0"} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			a, b := start(t, 0), start(t, 1)
			a.Handle(kindEcho, echo)
			b.Handle(kindEcho, echo)
			connect(t, a, b)
			begin := time.Now()
			cut(t, rule, a, b)
			_, err := a.ask(t, 1, kindEcho, []byte("into the hole"))
			if !errors.Is(err, remote.ErrLinkLost) || errors.Is(err, remote.ErrNotSent) {
				t.Errorf("a request on its way when the link was cut: %v", err)
			}
			until(t, "both ends see it", func() bool { return !a.up(1) && !b.up(0) })
			if d := time.Since(begin); d > seenWithin {
				t.Errorf("seen after %v", d)
			}
			if _, err := a.ask(t, 1, kindEcho, nil); !errors.Is(err, remote.ErrNotSent) {
				t.Errorf("a request on a link that is down: %v", err)
			}
			if a.link(1).LastError == "" || a.Reachable(1) {
				t.Errorf("link: %+v", a.link(1))
			}
			cut(t, "", a, b)
			healed := time.Now()
			until(t, "the link is back", func() bool { return a.up(1) && b.up(0) })
			if d := time.Since(healed); d > 3*time.Second {
				t.Errorf("back after %v", d)
			}
			a.mustEcho(t, 1, []byte("back"))
			b.mustEcho(t, 0, []byte("back"))
		})
	}
}

// Only one end knows of the fault: the other must be told by the heartbeats.
func TestOneWayCutOnlyOneEndFeels(t *testing.T) {
	t.Parallel()
	a, b := start(t, 0), start(t, 1)
	connect(t, a, b)
	cut(t, "drop 0 1", a)
	until(t, "both ends see it", func() bool { return !a.up(1) && !b.up(0) })
	cut(t, "", a)
	until(t, "the link is back", func() bool { return a.up(1) && b.up(0) })
}

func TestResetLinkComesBackAtOnce(t *testing.T) {
	t.Parallel()
	a, b := start(t, 0), start(t, 1)
	b.Handle(kindEcho, echo)
	connect(t, a, b)
	cut(t, "reset 0 1", a, b)
	until(t, "the link is down", func() bool { return !a.up(1) && !b.up(0) })
	cut(t, "", a, b)
	until(t, "the link is back", func() bool { return a.up(1) && b.up(0) })
	a.mustEcho(t, 1, []byte("back"))
}

func TestDelayIsNoCut(t *testing.T) {
	t.Parallel()
	a, b := start(t, 0), start(t, 1)
	b.Handle(kindEcho, echo)
	connect(t, a, b)
	cut(t, "delay 0 1 60ms\ndelay 1 0 60ms", a, b)
	begin := time.Now()
	a.mustEcho(t, 1, pattern(3<<20))
	if d := time.Since(begin); d < 120*time.Millisecond {
		t.Errorf("a round trip of 120 ms took %v", d)
	}
	until(t, "the round trip time follows", func() bool { return a.link(1).RTT > 60*time.Millisecond })
	if !a.up(1) {
		t.Error("the link is down")
	}
}

// A peer that accepts and then says nothing more: a half-open connection.
func TestSilentPeerIsFoundOut(t *testing.T) {
	t.Parallel()
	b := start(t, 1)
	proxy := newProxy(t, b.Addr())
	a := start(t, 0)
	b.Handle(kindEcho, func(ctx context.Context, _ protocol.NodeID, _ []byte, _ func([]byte)) { <-ctx.Done() })
	a.SetPeers(map[protocol.NodeID]string{1: proxy.addr()})
	until(t, "the link is up", func() bool { return a.up(1) })
	errs := make(chan error, 1)
	a.Go(context.Background(), 1, kindEcho, nil, func(_ []byte, err error) { errs <- err })
	proxy.freeze()
	err := within(t, "the request fails", errs)
	if !errors.Is(err, remote.ErrLinkLost) || !strings.Contains(err.Error(), "heard") {
		t.Errorf("got %v", err)
	}
	until(t, "the link is down", func() bool { return !a.up(1) })
}

func TestRestartedPeer(t *testing.T) {
	t.Parallel()
	a, b := start(t, 0), start(t, 1)
	var ran atomic.Int64
	entered := make(chan struct{}, 10)
	hold := func(ctx context.Context, _ protocol.NodeID, _ []byte, _ func([]byte)) {
		ran.Add(1)
		entered <- struct{}{}
		<-ctx.Done()
	}
	b.Handle(kindOther, hold)
	connect(t, a, b)
	errs := make(chan error, 1)
	a.Go(context.Background(), 1, kindOther, []byte("once"), func(_ []byte, err error) { errs <- err })
	within(t, "the handler is at work", entered)
	addr := b.Addr()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	err := within(t, "the request fails", errs)
	if !errors.Is(err, remote.ErrLinkLost) || errors.Is(err, remote.ErrNotSent) {
		t.Errorf("got %v", err)
	}
	again := start(t, 1, func(c *remote.Config) { c.Bind = addr })
	again.Handle(kindOther, hold)
	again.Handle(kindEcho, echo)
	until(t, "the link is up", func() bool { return a.up(1) })
	a.mustEcho(t, 1, []byte("new"))
	if n := ran.Load(); n != 1 {
		t.Errorf("the request was delivered %d times", n)
	}
}

// The old process is cut off without a FIN and a new one calls from elsewhere: the
// new incarnation in its hello must end the old connection, not the silence.
func TestNewIncarnationEndsTheOldConnectionAtOnce(t *testing.T) {
	t.Parallel()
	old := start(t, 1)
	entered := make(chan struct{}, 1)
	old.Handle(kindEcho, func(ctx context.Context, _ protocol.NodeID, _ []byte, _ func([]byte)) {
		entered <- struct{}{}
		<-ctx.Done()
	})
	a := start(t, 0)
	a.SetPeers(map[protocol.NodeID]string{1: old.Addr()})
	until(t, "the link is up", func() bool { return a.up(1) })
	errs := make(chan error, 1)
	a.Go(context.Background(), 1, kindEcho, nil, func(_ []byte, err error) { errs <- err })
	within(t, "the handler is at work", entered)
	fresh := start(t, 1)
	fresh.Handle(kindEcho, echo)
	a.SetPeers(map[protocol.NodeID]string{1: fresh.Addr()}) // the old link is not broken for it
	if !a.up(1) {
		t.Error("a new address broke a link that works")
	}
	fresh.SetPeers(map[protocol.NodeID]string{0: a.Addr()})
	err := within(t, "the request fails", errs)
	if !errors.Is(err, remote.ErrLinkLost) || !strings.Contains(err.Error(), "restarted") {
		t.Errorf("got %v", err)
	}
	until(t, "the link is up", func() bool { return a.up(1) })
	a.mustEcho(t, 1, []byte("new"))
}

func TestWrongAddresses(t *testing.T) {
	t.Parallel()
	a, b, c := start(t, 0), start(t, 1), start(t, 2)
	a.SetPeers(map[protocol.NodeID]string{1: c.Addr(), 2: a.Addr(), 3: b.Addr()})
	for id, want := range map[protocol.NodeID]string{
		1: "the address of node 1 is that of node 2",
		2: "the address of node 2 is this node's own",
		3: "the address of node 3 is that of node 1",
	} {
		until(t, "node is refused: "+want, func() bool { return strings.Contains(a.link(id).LastError, want) })
	}
	a.SetPeers(map[protocol.NodeID]string{1: b.Addr(), 2: c.Addr()})
	until(t, "corrected", func() bool { return a.up(1) && a.up(2) })
}

func TestOtherClusterIsRefusedAndSaidOnce(t *testing.T) {
	t.Parallel()
	a, b, fresh := start(t, 0), start(t, 1), start(t, 2)
	a.SetCluster([16]byte{1})
	b.SetCluster([16]byte{2})
	addrs := map[protocol.NodeID]string{0: a.Addr(), 1: b.Addr(), 2: fresh.Addr()}
	for _, n := range []*node{a, b, fresh} {
		n.SetPeers(addrs)
	}
	until(t, "both refuse", func() bool {
		return strings.Contains(a.link(1).LastError, "belongs to cluster 02") && strings.Contains(b.link(0).LastError, "belongs to cluster 01")
	})
	until(t, "a node without a cluster is welcome", func() bool { return a.up(2) && fresh.up(0) && b.up(2) })
	for range 5 { // more attempts, not more lines
		a.NudgePeer(1)
		b.NudgePeer(0)
	}
	fresh.SetCluster([16]byte{1})
	until(t, "a link of two clusters is cut when it is known", func() bool { return !b.up(2) && !fresh.up(1) })
	if !a.up(2) || !fresh.up(0) {
		t.Error("the link within the cluster was cut")
	}
	if n := a.log.count("refused a node of another cluster"); n != 1 {
		t.Errorf("said %d times: %s", n, a.log.b.String())
	}
}

func TestStrangersOnThePort(t *testing.T) {
	t.Parallel()
	a, b := start(t, 0), start(t, 1)
	b.Handle(kindEcho, echo)
	connect(t, a, b)
	for _, text := range []string{"GET / HTTP/1.1\r\n\r\n" + strings.Repeat("x", 100), "", "grvy\x01\x02" + strings.Repeat("\x00", 26)} {
		c, err := net.Dial("tcp", b.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		c.SetReadDeadline(time.Now().Add(patience))
		if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("%q was answered", text)
		}
		c.Close()
	}
	a.mustEcho(t, 1, []byte("undisturbed"))
}

func TestWatchTellsUpAndDown(t *testing.T) {
	t.Parallel()
	a, b := start(t, 0), start(t, 1)
	events := make(chan remote.LinkEvent, 100)
	cancel := a.Watch(func(e remote.LinkEvent) { events <- e })
	connect(t, a, b)
	if e := within(t, "up", events); e != (remote.LinkEvent{Peer: 1, Up: true, Reachable: true}) {
		t.Errorf("got %+v", e)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if e := within(t, "down", events); e != (remote.LinkEvent{Peer: 1}) {
		t.Errorf("got %+v", e)
	}
	cancel()
}

func TestHandlerContextEndsWithTheLink(t *testing.T) {
	t.Parallel()
	a, b := start(t, 0), start(t, 1)
	entered, ended := make(chan struct{}), make(chan struct{})
	b.Handle(kindEcho, func(ctx context.Context, _ protocol.NodeID, _ []byte, reply func([]byte)) {
		close(entered)
		<-ctx.Done()
		reply([]byte("into the void"))
		close(ended)
	})
	connect(t, a, b)
	a.Go(context.Background(), 1, kindEcho, nil, func([]byte, error) {})
	within(t, "the handler is at work", entered)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	within(t, "its context ends", ended)
}

func TestRequestsQueuedOnADyingLinkAreEitherProvenOrUnknown(t *testing.T) {
	t.Parallel()
	a := start(t, 0, func(c *remote.Config) { c.Window = 64 << 20 })
	b := start(t, 1)
	var ran atomic.Int64
	b.Handle(kindEcho, func(_ context.Context, _ protocol.NodeID, _ []byte, _ func([]byte)) { ran.Add(1) })
	connect(t, a, b)
	cut(t, "delay 0 1 50ms", a) // the line takes 4 MB: what comes after stays in our queue
	const n = 40
	errs := make(chan error, n)
	for range n {
		a.Go(context.Background(), 1, kindEcho, make([]byte, 250<<10), func(_ []byte, err error) { errs <- err })
	}
	cut(t, "reset 0 1", a, b)
	proven := 0
	for range n {
		err := within(t, "every request ends", errs)
		sent, lost := errors.Is(err, remote.ErrNotSent), errors.Is(err, remote.ErrLinkLost)
		if sent == lost {
			t.Fatalf("neither or both: %v", err)
		}
		if sent {
			proven++
		}
	}
	if proven == 0 || int64(n-proven) < ran.Load() {
		t.Errorf("%d of %d proven not sent, %d ran", proven, n, ran.Load())
	}
}

func TestPeerLeftOutIsNotDialled(t *testing.T) {
	t.Parallel()
	a, b := start(t, 0), start(t, 1)
	b.Handle(kindEcho, echo)
	connect(t, a, b)
	a.SetPeers(nil)
	until(t, "the link is down", func() bool { return !a.up(1) })
	if _, err := a.ask(t, 1, kindEcho, nil); !errors.Is(err, remote.ErrNotSent) {
		t.Errorf("got %v", err)
	}
	a.SetPeers(map[protocol.NodeID]string{1: b.Addr()})
	until(t, "the link is back", func() bool { return a.up(1) })
}

// proxy stands between two nodes and can fall silent without closing anything.
type proxy struct {
	ln     net.Listener
	target string
	frozen atomic.Bool
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{ln: ln, target: target}
	t.Cleanup(func() { ln.Close() })
	go p.serve(t)
	return p
}

func (p *proxy) addr() string { return p.ln.Addr().String() }
func (p *proxy) freeze()      { p.frozen.Store(true) }

func (p *proxy) serve(t *testing.T) {
	for {
		in, err := p.ln.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.target)
		if err != nil {
			in.Close()
			continue
		}
		t.Cleanup(func() { in.Close(); out.Close() })
		go io.Copy(freezer{p, out}, in)
		go io.Copy(freezer{p, in}, out)
	}
}

// freezer takes bytes and passes none on while the proxy is frozen.
type freezer struct {
	p *proxy
	w io.Writer
}

func (f freezer) Write(b []byte) (int, error) {
	if f.p.frozen.Load() {
		return len(b), nil
	}
	return f.w.Write(b)
}
