package remote_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/remote"
)

const cutZeroTwo = "drop 0 2\ndrop 2 0"

// triangle gives three nodes whose link between 0 and 2 is cut.
func triangle(t *testing.T) (a, b, c *node) {
	t.Helper()
	a, b, c = start(t, 0), start(t, 1), start(t, 2)
	connect(t, a, b, c)
	cut(t, cutZeroTwo, a, b, c)
	until(t, "the cut is seen", func() bool { return !a.up(2) && !c.up(0) })
	until(t, "the detour is known", func() bool { return a.link(2).Relay == 1 && c.link(0).Relay == 1 })
	return a, b, c
}

func TestRelay(t *testing.T) {
	t.Parallel()
	a, b, c := triangle(t)
	b.Handle(kindEcho, func(context.Context, protocol.NodeID, []byte, func([]byte)) { t.Error("the relay served the request") })
	c.Handle(kindEcho, func(_ context.Context, from protocol.NodeID, p []byte, reply func([]byte)) {
		reply(fmt.Append(nil, "from ", from, ": ", len(p)))
	})
	if !a.Reachable(2) || a.up(2) {
		t.Errorf("link: %+v", a.link(2))
	}
	for _, size := range []int{0, 100, 3 << 20} {
		got, err := a.ask(t, 2, kindEcho, make([]byte, size))
		if want := fmt.Sprint("from 0: ", size); err != nil || string(got) != want {
			t.Errorf("%d bytes: %q, %v", size, got, err)
		}
	}
	noted := make(chan protocol.NodeID, 1)
	c.Handle(kindOther, func(_ context.Context, from protocol.NodeID, _ []byte, _ func([]byte)) { noted <- from })
	if err := a.Notify(2, kindOther, nil); err != nil {
		t.Fatal(err)
	}
	if from := within(t, "the notice", noted); from != 0 {
		t.Errorf("from %d", from)
	}
	until(t, "it is acknowledged", func() bool { return a.link(1).InFlightBytes == 0 })
}

func TestRelayedAnswersKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	a, b, c := triangle(t)
	c.Handle(kindOther, func(context.Context, protocol.NodeID, []byte, func([]byte)) { panic("boom") })
	if _, err := a.ask(t, 2, 99, nil); !errors.Is(err, remote.ErrNotSent) || !strings.Contains(err.Error(), "node 2 does not know") {
		t.Errorf("unknown kind: %v", err)
	}
	if _, err := a.ask(t, 2, kindOther, nil); !errors.Is(err, remote.ErrHandlerFailed) || errors.Is(err, remote.ErrNotSent) {
		t.Errorf("panic: %v", err)
	}
	// The target dies with the request: the relay cannot know.
	g := newGate()
	c.Handle(kindEcho, g.serve)
	errs := make(chan error, 1)
	a.Go(context.Background(), 2, kindEcho, nil, func(_ []byte, err error) { errs <- err })
	within(t, "the handler is at work", g.entered)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := within(t, "the request fails", errs); !errors.Is(err, remote.ErrLinkLost) || errors.Is(err, remote.ErrNotSent) {
		t.Errorf("target lost: %v", err)
	}
	// Now the relay has no link to it either, and says so.
	until(t, "the relay sees it", func() bool { return !b.up(2) })
	if _, err := a.ask(t, 2, kindEcho, nil); !errors.Is(err, remote.ErrNotSent) {
		t.Errorf("target gone: %v", err)
	}
	until(t, "the detour is gone", func() bool { return !a.Reachable(2) })
	if n := g.ran.Load(); n != 1 {
		t.Errorf("%d handlers ran", n)
	}
}

func TestRelayLostIsUnknown(t *testing.T) {
	t.Parallel()
	a, b, c := triangle(t)
	g := newGate()
	c.Handle(kindEcho, g.serve)
	errs := make(chan error, 1)
	a.Go(context.Background(), 2, kindEcho, nil, func(_ []byte, err error) { errs <- err })
	within(t, "the handler is at work", g.entered)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := within(t, "the request fails", errs); !errors.Is(err, remote.ErrLinkLost) || errors.Is(err, remote.ErrNotSent) {
		t.Errorf("got %v", err)
	}
}

func TestCancelIsRelayed(t *testing.T) {
	t.Parallel()
	a, _, c := triangle(t)
	entered, ended := make(chan struct{}), make(chan struct{})
	c.Handle(kindEcho, func(ctx context.Context, _ protocol.NodeID, _ []byte, _ func([]byte)) {
		close(entered)
		<-ctx.Done()
		close(ended)
	})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	a.Go(ctx, 2, kindEcho, nil, func([]byte, error) {})
	within(t, "the handler is at work", entered)
	cancel()
	within(t, "the handler's context ends", ended)
}

func TestFullLinkBeyondTheRelayIsProof(t *testing.T) {
	t.Parallel()
	a, c := start(t, 0), start(t, 2)
	b := start(t, 1, func(cfg *remote.Config) { cfg.Window = 1000 })
	connect(t, a, b, c)
	cut(t, cutZeroTwo, a, b, c)
	until(t, "the detour is known", func() bool { return a.link(2).Relay == 1 })
	g := newGate()
	c.Handle(kindEcho, g.serve)
	for range 4 {
		a.Go(context.Background(), 2, kindEcho, make([]byte, 500), func([]byte, error) {})
		within(t, "the handler is at work", g.entered)
	}
	if _, err := a.ask(t, 2, kindEcho, make([]byte, 500)); !errors.Is(err, remote.ErrNotSent) || !strings.Contains(err.Error(), "full") {
		t.Errorf("got %v", err)
	}
	if n := g.ran.Load(); n != 4 {
		t.Errorf("%d handlers ran", n)
	}
}

func TestNeverTwoHops(t *testing.T) {
	t.Parallel()
	// 0 - 1 - 2 - 3 in a row: 0 reaches 2 by way of 1, but not 3.
	ns := []*node{start(t, 0), start(t, 1), start(t, 2), start(t, 3)}
	var ran atomic.Int64
	ns[3].Handle(kindEcho, func(_ context.Context, _ protocol.NodeID, p []byte, reply func([]byte)) { ran.Add(1); reply(p) })
	ns[2].Handle(kindEcho, echo)
	connect(t, ns...)
	cut(t, "drop 0 2\ndrop 2 0\ndrop 0 3\ndrop 3 0\ndrop 1 3\ndrop 3 1", ns...)
	until(t, "the cuts are seen", func() bool {
		return !ns[0].up(2) && !ns[0].up(3) && !ns[1].up(3) && ns[0].Reachable(2) && !ns[0].Reachable(3)
	})
	ns[0].mustEcho(t, 2, []byte("one hop"))
	if _, err := ns[0].ask(t, 3, kindEcho, nil); !errors.Is(err, remote.ErrNotSent) {
		t.Errorf("two hops: %v", err)
	}
	ns[1].mustEcho(t, 3, []byte("one hop"))
	if n := ran.Load(); n != 1 {
		t.Errorf("%d handlers ran at node 3", n)
	}
}

func TestWatchTellsOfTheDetour(t *testing.T) {
	t.Parallel()
	a, b, c := start(t, 0), start(t, 1), start(t, 2)
	connect(t, a, b, c)
	events := make(chan remote.LinkEvent, 100)
	defer a.Watch(func(e remote.LinkEvent) { events <- e })()
	cut(t, cutZeroTwo, a, b, c)
	e := within(t, "news of node 2", events)
	for e.Up || !e.Reachable {
		e = within(t, "word of the detour", events)
	}
	if e != (remote.LinkEvent{Peer: 2, Reachable: true}) {
		t.Errorf("got %+v", e)
	}
	cut(t, "", a, b, c)
	for !e.Up {
		e = within(t, "the link is back", events)
	}
	c.Handle(kindEcho, echo)
	a.mustEcho(t, 2, []byte("direct"))
	if r := a.link(2).Relay; r != protocol.NoNode {
		t.Errorf("relay %d beside a direct link", r)
	}
}
