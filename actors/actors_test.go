package actors_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/actors/actorstest"
)

func TestActor_TakesMessagesInOrderFromEachSender(t *testing.T) {
	const senders, each = 4, 2000
	last := [senders]int{}
	done := make(chan struct{})
	n := 0
	s := actorstest.System(t)
	pid := actorstest.Spawn(t, s, actors.FuncProps(func(ctx actor.Context) {
		m, ok := ctx.Message().([2]int)
		if !ok {
			return
		}
		if m[1] != last[m[0]]+1 {
			t.Errorf("sender %d: %d after %d", m[0], m[1], last[m[0]])
		}
		last[m[0]] = m[1]
		if n++; n == senders*each {
			close(done)
		}
	}))
	for i := range senders {
		go func() {
			for k := range each {
				s.Root.Send(pid, [2]int{i, k + 1})
			}
		}()
	}
	actorstest.Within(t, "end", done)
}

// note is a message that comes back if nobody reads it.
type note struct {
	n    int
	back chan<- int
}

func (n note) Undelivered() { n.back <- n.n }

func drain(ch chan int) (list []int) {
	for len(ch) > 0 {
		list = append(list, <-ch)
	}
	return list
}

// The default mailbox has no bound, and drops what an actor leaves unread.
func TestMailbox_RefusesBeyondItsBoundAndHandsBackWhatIsUnread(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	back := make(chan int, 20)
	s := actorstest.System(t)
	pid := actorstest.Spawn(t, s, actors.FuncProps(func(ctx actor.Context) {
		if _, ok := ctx.Message().(note); ok {
			close(entered)
			<-release
		}
	}, actors.Bounded(3)))
	s.Root.Send(pid, note{0, back})
	actorstest.Within(t, "first message", entered)
	for i := 1; i < 7; i++ {
		s.Root.Send(pid, note{i, back})
	}
	if got := drain(back); !slices.Equal(got, []int{4, 5, 6}) {
		t.Errorf("the bound is 3; handed back at once %v", got)
	}
	future := s.Root.RequestFuture(pid, "a question", -1) // does not fit either
	if err := future.Wait(); !errors.Is(err, actor.ErrDeadLetter) {
		t.Errorf("a request that does not fit: %v", err)
	}
	probe := actorstest.NewProbe(t, s)
	probe.Watch(s, pid)
	s.Root.Stop(pid)
	close(release)
	actorstest.Next[*actor.Terminated](probe)
	if got := drain(back); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("handed back at the end %v", got)
	}
	s.Root.Send(pid, note{8, back})
	if got := drain(back); !slices.Equal(got, []int{8}) {
		t.Errorf("handed back by one that is gone %v", got)
	}
}

// Default supervision stops a child for good after ten failures; the messages
// behind it are lost (measured).
func TestSupervision_NeverGivesUpAndKeepsTheMailbox(t *testing.T) {
	var starts, good atomic.Int32
	done := make(chan struct{})
	s := actorstest.System(t)
	fast := actors.Backoff{Min: time.Microsecond, Max: time.Millisecond, Reset: time.Hour}
	failing := actors.FuncProps(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			starts.Add(1)
		case int:
			switch {
			case m%4 == 1:
				panic("bad message")
			case m%4 == 3:
				actors.Fail(ctx, errors.New("give up"))
			case good.Add(1) == 40:
				close(done)
			}
		}
	})
	actorstest.Spawn(t, s, actors.FuncProps(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			child := ctx.Spawn(failing)
			for i := range 80 {
				ctx.Send(child, i)
			}
		}
	}, actor.WithSupervisor(fast)))
	actorstest.Within(t, "end of all good messages", done)
	if got := starts.Load(); got < 40 {
		t.Errorf("%d starts", got)
	}
}

// failer notes what it hears of its own failures.
type failer struct {
	heard chan<- string
	life  int
}

func (f *failer) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started, *actor.Restarting, *actor.Stopping, *actor.Stopped:
		f.heard <- fmt.Sprintf("%d %T", f.life, m)
		if _, starts := m.(*actor.Started); !starts {
			panic("once more")
		}
	case string:
		panic(m)
	case error:
		actors.Fail(ctx, m)
		panic("on top of it")
	}
}

func (f *failer) Failed(_ actor.Context, reason error) { f.heard <- fmt.Sprint(f.life, " ", reason) }

// A panic while an actor is restarted or stopped would be taken for a reason to
// restart it again: the stop would be lost.
func TestLife_EndsWhateverHappens(t *testing.T) {
	heard := make(chan string, 20)
	lives := 0
	s := actorstest.System(t)
	pid := actorstest.Spawn(t, s, actors.Props(func() actor.Actor {
		lives++
		return &failer{heard, lives}
	}))
	want := func(list ...string) {
		t.Helper()
		for _, w := range list {
			if got := actorstest.Within(t, w, heard); got != w {
				t.Errorf("%q instead of %q", got, w)
			}
		}
	}
	want("1 *actor.Started")
	s.Root.Send(pid, "bad message")
	want("1 panic: bad message", "1 *actor.Restarting", "2 *actor.Started")
	s.Root.Send(pid, errors.New("give up"))
	want("2 panic: on top of it", "2 *actor.Restarting", "3 *actor.Started")
	actors.Stop(s, pid)
	want("3 *actor.Stopping", "3 *actor.Stopped")
}

// An actor that is told to end while it waits for its restart ends.
func TestSupervision_StopsInThePause(t *testing.T) {
	failed := make(chan struct{})
	s := actorstest.System(t)
	child := make(chan *actor.PID, 1)
	parent := actorstest.Spawn(t, s, actors.FuncProps(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			child <- ctx.Spawn(actors.FuncProps(func(ctx actor.Context) {
				switch ctx.Message().(type) {
				case string:
					actors.Fail(ctx, errors.New("give up"))
					close(failed)
				case *actor.Started:
				}
			}))
		}
	}, actor.WithSupervisor(actors.Backoff{Min: time.Hour, Max: time.Hour, Reset: time.Hour})))
	pid := actorstest.Within(t, "child", child)
	back := make(chan int, 2)
	s.Root.Send(pid, "bad message")
	actorstest.Within(t, "failure", failed)
	s.Root.Send(pid, note{1, back})
	actors.Stop(s, parent)
	if got := actorstest.Within(t, "message handed back", back); got != 1 {
		t.Errorf("handed back %d", got)
	}
}

// Whoever waits for an end waits for the children too, also if the actor was told
// to stop before.
func TestStop_IsComplete(t *testing.T) {
	release := make(chan struct{})
	var gone atomic.Bool
	stopping := make(chan struct{})
	s := actorstest.System(t)
	parent := actorstest.Spawn(t, s, actors.FuncProps(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			ctx.Spawn(actors.FuncProps(func(ctx actor.Context) {
				switch ctx.Message().(type) {
				case *actor.Stopping:
					close(stopping)
					<-release
				case *actor.Stopped:
					gone.Store(true)
				}
			}))
		}
	}))
	s.Root.Stop(parent)
	actorstest.Within(t, "end of the child", stopping)
	probe := actorstest.NewProbe(t, s)
	probe.Watch(s, parent)
	stopped := make(chan struct{})
	go func() {
		actors.Stop(s, parent)
		close(stopped)
	}()
	close(release)
	actorstest.Within(t, "end", stopped)
	actorstest.Next[*actor.Terminated](probe)
	if !gone.Load() {
		t.Error("the child is still there")
	}
	actors.Stop(s, parent) // again: nothing to wait for
}

func TestStop_LeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	s := actors.NewSystem(nil)
	var pids []*actor.PID
	for range 20 {
		pids = append(pids, actors.Spawn(s, "a", actors.FuncProps(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Started); ok {
				ctx.Spawn(actors.FuncProps(func(actor.Context) {}))
				actors.After(ctx, time.Hour, "never")
			}
		})))
	}
	actors.Stop(s, pids...)
	for _, pid := range pids {
		s.Root.Send(pid, "a dead letter")
	}
	s.Shutdown()
	deadline := time.After(10 * time.Second)
	for runtime.NumGoroutine() > before {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
	}
}

type batcher struct {
	seen int
	idle chan int
}

func (b *batcher) Receive(ctx actor.Context) {
	if _, ok := ctx.Message().(int); ok {
		b.seen++
	}
}

func (b *batcher) Idle(actor.Context) {
	if b.seen > 0 {
		b.idle <- b.seen
	}
}

func TestIdle_ComesWhenTheMailboxIsEmpty(t *testing.T) {
	b := &batcher{idle: make(chan int, 100)}
	s := actorstest.System(t)
	pid := actorstest.Spawn(t, s, actors.Props(func() actor.Actor { return b }))
	for range 50 {
		s.Root.Send(pid, 1)
	}
	for actorstest.Within(t, "Idle after the last message", b.idle) != 50 {
	}
}

// A timer of a former life is not heard, even if its message waits already.
func TestAfter_BelongsToOneLife(t *testing.T) {
	heard := make(chan string, 10)
	lives := 0
	s := actorstest.System(t)
	rest := make(chan struct{})
	pid := actorstest.Spawn(t, s, actors.Props(func() actor.Actor {
		lives++
		life := lives
		return actor.ReceiveFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started:
				cancel := actors.After(ctx, time.Hour, "cancelled")
				cancel()
			case error:
				actors.After(ctx, time.Nanosecond, fmt.Sprint("timer of life ", life))
				<-rest // it waits in the mailbox now, or comes later
				actors.Fail(ctx, m)
			case string:
				heard <- fmt.Sprint(life, ": ", m)
			case int:
				actors.After(ctx, time.Nanosecond, fmt.Sprint("timer of life ", life))
			}
		})
	}))
	s.Root.Send(pid, errors.New("give up"))
	go func() {
		runtime.Gosched()
		close(rest)
	}()
	s.Root.Send(pid, 1)
	if got := actorstest.Within(t, "timer", heard); got != "2: timer of life 2" {
		t.Errorf("heard %q", got)
	}
}

func TestLog_IsTheGivenOneAndQuiet(t *testing.T) {
	var mu sync.Mutex
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(writer(func(b []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return out.Write(b)
	}), nil))
	s := actors.NewSystem(log)
	defer s.Shutdown()
	heard := make(chan string, 10)
	pid := actors.Spawn(s, "chatty", actors.Props(func() actor.Actor { return &failer{heard, 1} }))
	actorstest.Within(t, "start", heard)
	s.Root.Send(pid, "the reason")
	actorstest.Within(t, "failure", heard)
	actors.Stop(s, pid)
	s.Root.Send(pid, "a dead letter")
	mu.Lock()
	defer mu.Unlock()
	if text := out.String(); strings.Contains(text, "level=INFO") || !strings.Contains(text, "the reason") || !strings.Contains(text, "actors_test.go") {
		t.Errorf("only the panic is worth a line, with its place:\n%s", text)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

func BenchmarkSend(b *testing.B) {
	s := actors.NewSystem(nil)
	defer s.Shutdown()
	done := make(chan struct{})
	pid := actors.Spawn(s, "counter", actors.FuncProps(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*bool); ok && *m {
			close(done)
		}
	}))
	defer actors.Stop(s, pid)
	msg, last := new(bool), new(bool)
	*last = true
	b.ReportAllocs()
	for b.Loop() {
		s.Root.Send(pid, msg)
	}
	s.Root.Send(pid, last)
	<-done
}

func BenchmarkRequest(b *testing.B) {
	s := actors.NewSystem(nil)
	defer s.Shutdown()
	pid := actors.Spawn(s, "echo", actors.FuncProps(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*int); ok {
			ctx.Respond(m)
		}
	}))
	defer actors.Stop(s, pid)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := s.Root.RequestFuture(pid, new(int), time.Minute).Wait(); err != nil {
				b.Error(err)
			}
		}
	})
}
