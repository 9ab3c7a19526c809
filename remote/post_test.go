package remote_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/remote"
)

func pattern(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i * 7 / 3)
	}
	return b
}

func TestRequestOfAllSizes(t *testing.T) {
	a, b := start(t, 0), start(t, 1)
	b.Handle(kindEcho, echo)
	connect(t, a, b)
	for _, size := range []int{0, 1, 300, 256 << 10, 256<<10 + 1, 1 << 20, remote.MaxMessage} {
		a.mustEcho(t, 1, pattern(size))
	}
}

func TestManyRequestsOfMixedSizes(t *testing.T) {
	a, b := start(t, 0), start(t, 1)
	for _, n := range []*node{a, b} {
		n.Handle(kindEcho, echo)
	}
	connect(t, a, b)
	var wg sync.WaitGroup
	for i := range 16 {
		from, to := a, protocol.NodeID(1)
		if i%2 == 1 {
			from, to = b, 0
		}
		wg.Go(func() {
			for j := range 40 {
				size := 100 + 37*j
				if j%10 == 9 {
					size = 300<<10 + j
				}
				got, err := from.ask(t, to, kindEcho, pattern(size))
				if err != nil && !errors.Is(err, remote.ErrNotSent) || err == nil && len(got) != size {
					t.Errorf("%d bytes: %d, %v", size, len(got), err)
				}
			}
		})
	}
	wg.Wait()
}

func TestHandlerIsToldWhoAsks(t *testing.T) {
	a, b := start(t, 0), start(t, 1)
	b.Handle(kindEcho, func(_ context.Context, from protocol.NodeID, _ []byte, reply func([]byte)) {
		reply(fmt.Append(nil, from))
	})
	connect(t, a, b)
	for _, n := range []*node{a, b} {
		if got, err := n.ask(t, 1, kindEcho, nil); err != nil || string(got) != fmt.Sprint(n.id) {
			t.Errorf("node %d: %q, %v", n.id, got, err)
		}
	}
}

func TestReplyAfterTheHandlerReturned(t *testing.T) {
	a, b := start(t, 0), start(t, 1)
	var once sync.Once
	b.Handle(kindEcho, func(ctx context.Context, _ protocol.NodeID, p []byte, reply func([]byte)) {
		go func() {
			once.Do(func() {}) // the handler is long gone
			if ctx.Err() != nil {
				t.Error("the context ended before the reply")
			}
			reply(p)
			reply([]byte("again")) // does nothing
		}()
	})
	connect(t, a, b)
	a.mustEcho(t, 1, []byte("hello"))
}

func TestLocalRequest(t *testing.T) {
	a := start(t, 0)
	noted := make(chan string, 1)
	a.Handle(kindEcho, echo)
	a.Handle(kindOther, func(_ context.Context, from protocol.NodeID, p []byte, reply func([]byte)) {
		noted <- fmt.Sprint(from, " ", string(p))
		reply(nil)
	})
	a.mustEcho(t, 0, []byte("self"))
	if err := a.Notify(0, kindOther, []byte("note")); err != nil {
		t.Fatal(err)
	}
	if got := within(t, "the notice", noted); got != "0 note" {
		t.Errorf("got %q", got)
	}
	if _, err := a.ask(t, 0, 99, nil); !errors.Is(err, remote.ErrNotSent) {
		t.Errorf("unknown kind: %v", err)
	}
	if !a.Reachable(0) {
		t.Error("a node does not reach itself")
	}
}

func TestGo(t *testing.T) {
	a, b := start(t, 0), start(t, 1)
	b.Handle(kindEcho, echo)
	b.Handle(kindOther, func(ctx context.Context, _ protocol.NodeID, _ []byte, _ func([]byte)) { <-ctx.Done() })
	connect(t, a, b)
	type result struct {
		body string
		err  error
	}
	results := make(chan result, 1)
	done := func(b []byte, err error) { results <- result{string(b), err} }
	a.Go(context.Background(), 1, kindEcho, []byte("x"), done)
	if r := within(t, "the reply", results); r != (result{"x", nil}) {
		t.Errorf("got %+v", r)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a.Go(ctx, 1, kindOther, nil, done)
	cancel()
	if r := within(t, "the end", results); !errors.Is(r.err, context.Canceled) {
		t.Errorf("cancelled: %v", r.err)
	}
	a.Go(context.Background(), 7, kindEcho, nil, done)
	if r := within(t, "the refusal", results); !errors.Is(r.err, remote.ErrNotSent) {
		t.Errorf("unknown node: %v", r.err)
	}
}

func TestNotify(t *testing.T) {
	a, b := start(t, 0), start(t, 1)
	got := make(chan string, 10)
	b.Handle(kindEcho, func(_ context.Context, _ protocol.NodeID, p []byte, reply func([]byte)) {
		reply([]byte("nobody waits"))
		got <- string(p)
	})
	connect(t, a, b)
	if err := a.Notify(1, kindEcho, []byte("note")); err != nil {
		t.Fatal(err)
	}
	if s := within(t, "the notice", got); s != "note" {
		t.Errorf("got %q", s)
	}
	until(t, "it is acknowledged", func() bool { return a.link(1).InFlightBytes == 0 })
	if err := a.Notify(9, kindEcho, nil); !errors.Is(err, remote.ErrNotSent) {
		t.Errorf("unknown node: %v", err)
	}
}

func TestCancelReachesTheHandler(t *testing.T) {
	for _, to := range []protocol.NodeID{0, 1} { // locally, and over a link
		a, b := start(t, 0), start(t, 1)
		entered, ended := make(chan struct{}), make(chan error, 1)
		h := func(ctx context.Context, _ protocol.NodeID, _ []byte, _ func([]byte)) {
			close(entered)
			<-ctx.Done()
			ended <- ctx.Err()
		}
		a.Handle(kindEcho, h)
		b.Handle(kindEcho, h)
		connect(t, a, b)
		ctx, cancel := context.WithCancelCause(context.Background())
		errs := make(chan error, 1)
		go func() {
			_, err := a.Request(ctx, to, kindEcho, nil)
			errs <- err
		}()
		within(t, "the handler is at work", entered)
		why := errors.New("enough")
		cancel(why)
		if err := within(t, "the request ends", errs); !errors.Is(err, why) || errors.Is(err, remote.ErrNotSent) {
			t.Errorf("got %v", err)
		}
		within(t, "the handler's context ends", ended)
		until(t, "the window is free", func() bool { return a.link(1).InFlightBytes == 0 })
	}
}

func TestDeadlineIsTheContextsError(t *testing.T) {
	a, b := start(t, 0), start(t, 1)
	b.Handle(kindEcho, func(ctx context.Context, _ protocol.NodeID, _ []byte, _ func([]byte)) { <-ctx.Done() })
	connect(t, a, b)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := a.Request(ctx, 1, kindEcho, nil)
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, remote.ErrNotSent) {
		t.Errorf("got %v", err)
	}
}

func TestPanicIsAnAnswer(t *testing.T) {
	a, b := start(t, 0), start(t, 1)
	boom := func(context.Context, protocol.NodeID, []byte, func([]byte)) { panic("boom") }
	a.Handle(kindOther, boom)
	b.Handle(kindOther, boom)
	b.Handle(kindEcho, echo)
	connect(t, a, b)
	for _, to := range []protocol.NodeID{0, 1} {
		_, err := a.ask(t, to, kindOther, nil)
		if !errors.Is(err, remote.ErrHandlerFailed) || !errors.Is(err, protocol.ErrOutcomeUnknown) || errors.Is(err, remote.ErrNotSent) {
			t.Errorf("to %d: %v", to, err)
		}
	}
	if a.log.count("boom") != 1 || b.log.count("boom") != 1 {
		t.Error("the panic is not logged")
	}
	if err := a.Notify(1, kindOther, nil); err != nil {
		t.Error(err)
	}
	a.mustEcho(t, 1, []byte("still alive"))
}

func TestRepliesTooLargeAreSaidToBeLost(t *testing.T) {
	a, b := start(t, 0), start(t, 1)
	b.Handle(kindEcho, func(_ context.Context, _ protocol.NodeID, _ []byte, reply func([]byte)) {
		reply(make([]byte, remote.MaxMessage+1))
	})
	connect(t, a, b)
	if _, err := a.ask(t, 1, kindEcho, nil); !errors.Is(err, remote.ErrHandlerFailed) {
		t.Errorf("got %v", err)
	}
}

// Each way to ErrNotSent, with proof that no handler ran.
func TestNotSentIsProof(t *testing.T) {
	var ran atomic.Int64
	count := func(_ context.Context, _ protocol.NodeID, _ []byte, reply func([]byte)) {
		ran.Add(1)
		reply(nil)
	}
	a, b := start(t, 0), start(t, 1)
	a.Handle(kindEcho, count)
	b.Handle(kindEcho, count)
	connect(t, a, b)
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	closed := start(t, 5)
	closed.Handle(kindEcho, count)
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	lonely := start(t, 6)
	lonely.SetPeers(map[protocol.NodeID]string{1: "127.0.0.1:1"})
	bg := context.Background()
	for name, c := range map[string]struct {
		ctx  context.Context
		from *node
		to   protocol.NodeID
		kind remote.Kind
		size int
		want string
	}{
		"unknown node":       {bg, a, 9, kindEcho, 1, "node 9 is unknown"},
		"unknown kind":       {bg, a, 1, 99, 1, "does not know messages of kind 99"},
		"context is over":    {gone, a, 1, kindEcho, 1, "canceled"},
		"too large":          {bg, a, 1, kindEcho, remote.MaxMessage + 1, "the most is"},
		"link never opened":  {bg, lonely, 1, kindEcho, 1, "no path to node 1"},
		"closed here":        {bg, closed, 5, kindEcho, 1, "closed"},
		"closed, other node": {bg, closed, 1, kindEcho, 1, "node 1 is unknown"},
	} {
		_, err := c.from.Request(c.ctx, c.to, c.kind, make([]byte, c.size))
		if !errors.Is(err, remote.ErrNotSent) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if errors.Is(err, protocol.ErrOutcomeUnknown) {
			t.Errorf("%s: both proven and unknown: %v", name, err)
		}
	}
	a.Handle(kindOther, echo)
	b.Handle(kindOther, echo) // what was sent before has been served by now
	if _, err := a.ask(t, 1, kindOther, nil); err != nil {
		t.Fatal(err)
	}
	if n := ran.Load(); n != 0 {
		t.Errorf("%d handlers ran", n)
	}
}

func TestKindTakenAway(t *testing.T) {
	a, b := start(t, 0), start(t, 1)
	b.Handle(kindEcho, echo)
	connect(t, a, b)
	a.mustEcho(t, 1, nil)
	b.Handle(kindEcho, nil)
	if _, err := a.ask(t, 1, kindEcho, nil); !errors.Is(err, remote.ErrNotSent) {
		t.Errorf("got %v", err)
	}
}

func TestCloseFailsWhatIsOutstanding(t *testing.T) {
	a, b := start(t, 0), start(t, 1)
	entered := make(chan struct{}, 2)
	wait := func(ctx context.Context, _ protocol.NodeID, _ []byte, _ func([]byte)) {
		entered <- struct{}{}
		<-ctx.Done()
	}
	a.Handle(kindEcho, wait)
	b.Handle(kindEcho, wait)
	connect(t, a, b)
	errs := make(chan error, 2)
	for _, to := range []protocol.NodeID{0, 1} {
		a.Go(context.Background(), to, kindEcho, nil, func(_ []byte, err error) { errs <- err })
		within(t, "the handler is at work", entered)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err := within(t, "the request ends", errs)
		if !errors.Is(err, remote.ErrLinkLost) || !errors.Is(err, remote.ErrClosed) || errors.Is(err, remote.ErrNotSent) {
			t.Errorf("got %v", err)
		}
	}
}
