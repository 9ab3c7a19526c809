package actors_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grevy-io/grevy/actors"
)

func within(t *testing.T, what string, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(10 * time.Second):
		t.Fatalf("no %s", what)
	}
}

func spawn(t *testing.T, p actors.Props) (*actors.System, *actors.PID) {
	t.Helper()
	s := actors.NewSystem(nil)
	t.Cleanup(s.Shutdown)
	return s, s.Spawn(p)
}

func TestActor_TakesMessagesInOrderFromEachSender(t *testing.T) {
	const senders, each = 4, 2000
	last := [senders]int{}
	done := make(chan struct{})
	n := 0
	s, pid := spawn(t, actors.Props{New: func() actors.Actor {
		return actors.Func(func(ctx *actors.Context) {
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
		})
	}})
	for i := range senders {
		go func() {
			for k := range each {
				s.Send(pid, [2]int{i, k + 1})
			}
		}()
	}
	within(t, "end", done)
}

func TestMailbox_RefusesBeyondItsBoundAndHandsBackWhatIsUnread(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	var back []int
	s, pid := spawn(t, actors.Props{
		Mailbox: 3,
		New: func() actors.Actor {
			return actors.Func(func(ctx *actors.Context) {
				if _, ok := ctx.Message().(int); ok {
					close(entered)
					<-release
				}
			})
		},
		Undelivered: func(m any) { back = append(back, m.(int)) },
	})
	s.Send(pid, 0)
	within(t, "first message", entered)
	taken := 0
	for i := 1; i < 10; i++ {
		if s.TrySend(pid, i) {
			taken++
		}
	}
	if taken != 3 {
		t.Errorf("%d messages taken, the bound is 3", taken)
	}
	s.Stop(pid)
	close(release)
	within(t, "end of the actor", pid.Done())
	if !slices.Equal(back, []int{1, 2, 3}) {
		t.Errorf("handed back %v", back)
	}
	if s.TrySend(pid, 11) {
		t.Error("a stopped actor took a message")
	}
	s.Send(pid, 12)
	if !slices.Equal(back, []int{1, 2, 3, 12}) {
		t.Errorf("handed back %v", back)
	}
}

// Default supervision of the library this replaces stops a child for good
// after ten failures; the messages behind it are lost (measured).
func TestSupervision_NeverGivesUpAndKeepsTheMailbox(t *testing.T) {
	var starts, good atomic.Int32
	done := make(chan struct{})
	s, pid := spawn(t, actors.Props{
		Restart: actors.Backoff{Min: time.Microsecond, Max: time.Millisecond, Reset: time.Hour},
		New: func() actors.Actor {
			return actors.Func(func(ctx *actors.Context) {
				switch m := ctx.Message().(type) {
				case actors.Started:
					starts.Add(1)
				case int:
					switch {
					case m%4 == 1:
						panic("bad message")
					case m%4 == 3:
						ctx.Fail(errors.New("give up"))
					case good.Add(1) == 40:
						close(done)
					}
				}
			})
		},
	})
	for i := range 80 {
		s.Send(pid, i)
	}
	within(t, "all good messages", done)
	if got := starts.Load(); got < 40 {
		t.Errorf("%d starts", got)
	}
}

func TestChildren_StopBeforeTheirParentAndWatchersHear(t *testing.T) {
	var mu sync.Mutex
	var order []string
	note := func(s string) {
		mu.Lock()
		order = append(order, s)
		mu.Unlock()
	}
	heard := make(chan struct{})
	ready := make(chan struct{})
	s := actors.NewSystem(nil)
	defer s.Shutdown()
	child := func(name string) actors.Props {
		return actors.Props{Name: name, New: func() actors.Actor {
			return actors.Func(func(ctx *actors.Context) {
				if _, ok := ctx.Message().(actors.Stopping); ok {
					note(name)
				}
			})
		}}
	}
	parent := s.Spawn(actors.Props{Name: "parent", New: func() actors.Actor {
		return actors.Func(func(ctx *actors.Context) {
			switch ctx.Message().(type) {
			case actors.Started:
				ctx.Spawn(child("child"))
				close(ready)
			case actors.Stopping:
				note("parent")
			}
		})
	}})
	within(t, "start", ready)
	s.Spawn(actors.Props{New: func() actors.Actor {
		return actors.Func(func(ctx *actors.Context) {
			switch m := ctx.Message().(type) {
			case actors.Started:
				ctx.Watch(parent)
				s.Stop(parent)
			case actors.Terminated:
				if m.PID == parent {
					close(heard)
				}
			}
		})
	}})
	within(t, "word of the end", heard)
	if fmt.Sprint(order) != "[child parent]" {
		t.Errorf("stopped in order %v", order)
	}
}

type batcher struct {
	seen int
	idle chan int
}

func (b *batcher) Receive(ctx *actors.Context) {
	if _, ok := ctx.Message().(int); ok {
		b.seen++
	}
}

func (b *batcher) Idle(*actors.Context) {
	if b.seen > 0 {
		b.idle <- b.seen
	}
}

func TestIdle_ComesWhenTheMailboxIsEmpty(t *testing.T) {
	b := &batcher{idle: make(chan int, 100)}
	s, pid := spawn(t, actors.Props{New: func() actors.Actor { return b }})
	for range 50 {
		s.Send(pid, 1)
	}
	deadline := time.After(10 * time.Second)
	for {
		select {
		case n := <-b.idle:
			if n == 50 {
				return
			}
		case <-deadline:
			t.Fatal("Idle did not come after the last message")
		}
	}
}

func TestAsk(t *testing.T) {
	type question struct{ reply func(int) }
	s, pid := spawn(t, actors.Props{New: func() actors.Actor {
		return actors.Func(func(ctx *actors.Context) {
			if q, ok := ctx.Message().(question); ok {
				q.reply(42)
			}
		})
	}})
	got, err := actors.Ask(context.Background(), s, pid, func(r func(int)) any { return question{r} })
	if got != 42 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
	s.Stop(pid)
	within(t, "end", pid.Done())
	if _, err := actors.Ask(context.Background(), s, pid, func(r func(int)) any { return question{r} }); !errors.Is(err, actors.ErrFull) {
		t.Errorf("asking nobody: %v", err)
	}
}

func BenchmarkSend(b *testing.B) {
	s := actors.NewSystem(nil)
	defer s.Shutdown()
	done := make(chan struct{})
	n := 0
	pid := s.Spawn(actors.Props{New: func() actors.Actor {
		return actors.Func(func(ctx *actors.Context) {
			if _, ok := ctx.Message().(*int); ok {
				if n++; n == b.N {
					close(done)
				}
			}
		})
	}})
	msg := new(int)
	b.ReportAllocs()
	for b.Loop() {
		s.Send(pid, msg)
	}
	if b.N > 0 {
		<-done
	}
}
