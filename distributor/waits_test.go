package distributor_test

import (
	"testing"
	"time"

	"github.com/grevy-io/grevy/actors"
)

// heard is what who waits was told.
type heard struct {
	pending []actors.LaneStatus
	ok      bool
}

func (w *world) await(seq uint64, limit time.Duration, reachable bool) <-chan heard {
	ch := make(chan heard, 1)
	w.sys.Root.Send(w.pid, actors.AwaitDistributed{
		Seq: seq, Until: time.Now().Add(limit), Reachable: reachable,
		Reply: func(pending []actors.LaneStatus, ok bool) { ch <- heard{pending, ok} },
	})
	return ch
}

func (w *world) lose(target bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.targets[3].lost = target
}

func TestAwait_UntilEverywhere(t *testing.T) {
	w := newWorld(t)
	w.lose(true)
	w.lead()
	w.deploy(20)
	first, all := w.await(5, time.Minute, false), w.await(20, time.Minute, false)
	w.wait("partition 2", func() bool { return len(w.rows[2]) == 0 })
	select {
	case h := <-first:
		t.Fatalf("answered while partition 3 has nothing: %+v", h)
	default:
	}
	w.lose(false)
	w.sys.Root.Send(w.pid, actors.LinkNews{Partition: 3})
	for _, ch := range []<-chan heard{first, all} {
		if h := <-ch; !h.ok || len(h.pending) != 0 {
			t.Errorf("everything is everywhere: %+v", h)
		}
	}
	if h := <-w.await(20, 0, false); !h.ok || len(h.pending) != 0 {
		t.Errorf("asked afterwards: %+v", h)
	}
}

func TestAwait_TimeIsOver(t *testing.T) {
	w := newWorld(t)
	w.lose(true)
	w.lead()
	w.deploy(3)
	h := <-w.await(3, 50*time.Millisecond, false)
	if !h.ok || len(h.pending) != 1 || h.pending[0].Target != 3 || h.pending[0].Pending != 3 || h.pending[0].Error == "" || h.pending[0].Oldest == 0 {
		t.Errorf("%+v", h)
	}
}

// Whoever wants only what can be reached does not wait for the rest, and is told
// of it.
func TestAwait_OnlyReachable(t *testing.T) {
	w := newWorld(t)
	w.lose(true)
	w.lead()
	w.deploy(3)
	h := <-w.await(3, time.Minute, true)
	if !h.ok || len(h.pending) != 1 || h.pending[0].Target != 3 || h.pending[0].Error == "" {
		t.Errorf("%+v", h)
	}
}

// The end of a leadership is told: the next leader can be asked.
func TestAwait_LeadershipEnds(t *testing.T) {
	w := newWorld(t)
	w.lose(true)
	w.lead()
	w.deploy(3)
	ch := w.await(3, time.Minute, false)
	w.lead()
	if h := <-ch; h.ok {
		t.Errorf("%+v", h)
	}
	w.lose(false)
	if h := <-w.await(3, time.Minute, false); !h.ok || len(h.pending) != 0 {
		t.Errorf("the next leader: %+v", h)
	}
}
