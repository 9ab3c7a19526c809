package remote_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/remote"
)

// gate is a handler that holds requests until it is opened.
type gate struct {
	ran     atomic.Int64
	opened  chan struct{}
	entered chan struct{}
}

func newGate() *gate { return &gate{opened: make(chan struct{}), entered: make(chan struct{}, 10000)} }

func (g *gate) serve(ctx context.Context, _ protocol.NodeID, p []byte, reply func([]byte)) {
	g.ran.Add(1)
	g.entered <- struct{}{}
	select {
	case <-g.opened:
		reply(p)
	case <-ctx.Done():
	}
}

func TestFullWindowRefusesAtOnceAndOpensAgain(t *testing.T) {
	a := start(t, 0, func(c *remote.Config) { c.Window = 10_000 })
	b := start(t, 1)
	g := newGate()
	b.Handle(kindEcho, g.serve)
	connect(t, a, b)
	results := make(chan error, 100)
	sent := 0
	var full error
	for full == nil && sent < 100 {
		ctx, cancel := context.WithCancel(context.Background())
		t.Cleanup(cancel)
		proven := make(chan error, 1)
		a.Go(ctx, 1, kindEcho, make([]byte, 1000-64), func(_ []byte, err error) { proven <- err; results <- err })
		select {
		case full = <-proven: // a refusal comes before Go returns
		default:
			sent++
		}
	}
	if sent != 10 || !errors.Is(full, remote.ErrNotSent) || !strings.Contains(full.Error(), "link to node 1 is full") {
		t.Fatalf("%d requests of 1000 in a window of 10000, then %v", sent, full)
	}
	if got := a.link(1).InFlightBytes; got != 10_000 {
		t.Errorf("%d bytes in flight", got)
	}
	if err := a.Notify(1, kindEcho, []byte("x")); !errors.Is(err, remote.ErrNotSent) {
		t.Errorf("a notice got through: %v", err)
	}
	within(t, "the refusal", results)
	close(g.opened)
	for range sent {
		if err := within(t, "a reply", results); err != nil {
			t.Error(err)
		}
	}
	if n := g.ran.Load(); n != int64(sent) {
		t.Errorf("%d handlers ran for %d accepted requests", n, sent)
	}
	until(t, "the window is free", func() bool { return a.link(1).InFlightBytes == 0 })
	a.mustEcho(t, 1, make([]byte, 1000))
}

func TestLargestMessageFitsASmallWindow(t *testing.T) {
	a := start(t, 0, func(c *remote.Config) { c.Window = 1000 })
	b := start(t, 1)
	b.Handle(kindEcho, echo)
	connect(t, a, b)
	a.mustEcho(t, 1, pattern(remote.MaxMessage))
}

func TestTooManyHandlersIsARefusal(t *testing.T) {
	a := start(t, 0, func(c *remote.Config) { c.MaxHandlers = 3 })
	b := start(t, 1, func(c *remote.Config) { c.MaxHandlers = 3 })
	for _, to := range []protocol.NodeID{0, 1} {
		g := newGate()
		a.Handle(kindEcho, g.serve)
		b.Handle(kindEcho, g.serve)
		connect(t, a, b)
		results := make(chan error, 10)
		for range 3 {
			a.Go(context.Background(), to, kindEcho, nil, func(_ []byte, err error) { results <- err })
			within(t, "a handler is at work", g.entered)
		}
		if _, err := a.ask(t, to, kindEcho, nil); !errors.Is(err, remote.ErrNotSent) || !strings.Contains(err.Error(), "3 handlers at work") {
			t.Errorf("to %d: %v", to, err)
		}
		if n := g.ran.Load(); n != 3 {
			t.Errorf("to %d: %d handlers ran", to, n)
		}
		close(g.opened)
		for range 3 {
			if err := within(t, "a reply", results); err != nil {
				t.Error(err)
			}
		}
		until(t, "there is room again", func() bool { _, err := a.ask(t, to, kindEcho, nil); return err == nil })
	}
}

// A large body on a slow link must not delay what is small.
func TestLargeBodiesDoNotDelaySmallMessages(t *testing.T) {
	a, b := start(t, 0), start(t, 1)
	b.Handle(kindEcho, echo)
	connect(t, a, b)
	large := make(chan error, 4)
	for range 2 {
		a.Go(context.Background(), 1, kindEcho, make([]byte, remote.MaxMessage), func(_ []byte, err error) { large <- err })
	}
	smallFirst := 0
	for len(large) == 0 {
		a.mustEcho(t, 1, []byte("small"))
		if len(large) == 0 {
			smallFirst++
		}
	}
	for range 2 {
		if err := within(t, "the large ones", large); err != nil {
			t.Error(err)
		}
	}
	if smallFirst < 3 {
		t.Errorf("only %d small round trips during 32 MB of large ones", smallFirst)
	}
}

func TestLargeBodiesLeaveHalfOfTheWindow(t *testing.T) {
	a, b := start(t, 0), start(t, 1)
	g := newGate()
	b.Handle(kindOther, g.serve)
	b.Handle(kindEcho, echo)
	connect(t, a, b)
	results := make(chan error, 10)
	done := func(_ []byte, err error) { results <- err }
	for range 2 {
		a.Go(context.Background(), 1, kindOther, make([]byte, 4<<20), done)
	}
	if _, err := a.ask(t, 1, kindOther, make([]byte, 4<<20)); !errors.Is(err, remote.ErrNotSent) {
		t.Errorf("a third large body: %v", err)
	}
	a.mustEcho(t, 1, make([]byte, 256<<10))
	close(g.opened)
	for range 2 {
		if err := within(t, "the large ones", results); err != nil {
			t.Error(err)
		}
	}
	a.Go(context.Background(), 1, kindOther, make([]byte, 4<<20), done)
	if err := within(t, "another one", results); err != nil {
		t.Error(err)
	}
}

// Withdrawn while queued or half sent: proven not executed, and the link goes on.
func TestCancelOfALargeRequestHalfSent(t *testing.T) {
	a, b := start(t, 0), start(t, 1)
	var ran atomic.Int64
	b.Handle(kindOther, func(_ context.Context, _ protocol.NodeID, _ []byte, reply func([]byte)) { ran.Add(1); reply(nil) })
	b.Handle(kindEcho, echo)
	connect(t, a, b)
	cut(t, "delay 0 1 100ms", a) // 4 MB of delay line: the rest stays with us
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	_, err := a.Request(ctx, 1, kindOther, make([]byte, remote.MaxMessage))
	if !errors.Is(err, remote.ErrNotSent) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	cut(t, "", a)
	for range 8 { // more than a receiver holds open unless cancels free the place
		ctx, cancel := context.WithCancel(context.Background())
		a.Go(ctx, 1, kindOther, make([]byte, remote.MaxMessage), func([]byte, error) {})
		cancel()
	}
	until(t, "the link has room for what is asked next", func() bool { // it is freed behind what is on its way
		got, err := a.ask(t, 1, kindEcho, pattern(1<<20))
		return err == nil && bytes.Equal(got, pattern(1<<20))
	})
	if n := ran.Load(); n > 8 {
		t.Errorf("%d handlers ran", n)
	}
}
