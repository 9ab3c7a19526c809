package remote_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/remote"
)

// guide is a directory whose word about partition 1 can be stale.
type guide struct {
	mu     sync.Mutex
	leader protocol.NodeID
	asked  int
	here   remote.Executor
}

func (g *guide) Partitions() int { return 1 }
func (g *guide) Executor(protocol.PartitionID) remote.Executor {
	return g.here
}
func (g *guide) Leader(protocol.PartitionID) protocol.NodeID {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked++
	return g.leader
}

func (g *guide) say(n protocol.NodeID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leader = n
}

// office is a partition that serves or has served.
type office struct {
	serving bool
	taken   int
	turned  func() // called when it has turned a command away
}

func (o *office) Serving() bool { return o.serving }
func (o *office) Execute(_ context.Context, _ protocol.Command, done func(protocol.Reply, error)) {
	if !o.serving {
		o.turned()
		done(nil, protocol.Refuse(protocol.NotLeader, 1, ""))
		return
	}
	o.taken++
	done(&protocol.Done{}, nil)
}

// Zeebe issue #60450: after a failover one sender kept a stale route and failed
// for ever, with the commands of clients too. Here each attempt asks anew who leads.
func TestRouter_AsksAnewAfterARefusal(t *testing.T) {
	a, b, c := start(t, 0), start(t, 1), start(t, 2)
	connect(t, a, b, c)
	way := &guide{leader: 1}
	former, now := &office{}, &office{serving: true}
	turned := 0
	former.turned = func() {
		if turned++; turned == 3 {
			way.say(2)
		}
	}
	remote.NewRouter(b.Post, &guide{here: former}, 1)
	remote.NewRouter(c.Post, &guide{here: now}, 2)
	r := remote.NewRouter(a.Post, way, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	answer := make(chan error, 1)
	r.Execute(ctx, 1, &protocol.CompleteJob{}, func(_ protocol.Reply, err error) { answer <- err })
	if err := <-answer; err != nil || now.taken != 1 || turned != 3 {
		t.Errorf("%v; turned away %d times, taken %d times", err, turned, now.taken)
	}
	// Who has others to ask hears the first refusal.
	way.say(1)
	r.Once(ctx, 1, &protocol.CompleteJob{}, func(_ protocol.Reply, err error) { answer <- err })
	var refusal *protocol.Refusal
	if err := <-answer; !errors.As(err, &refusal) || refusal.Code != protocol.NotLeader {
		t.Errorf("%v", err)
	}
}
