package partitionactor

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/raftadapter"
)

// Partition is one partition on this node.
type Partition struct {
	Config
	gate   *Gate
	group  atomic.Pointer[raftadapter.Group]
	pid    *actor.PID
	leader *actor.PID // the child, until it is gone
	wanted bool       // a leader, now or as soon as the last one is gone
	ending bool       // this life of the partition's actor
	halt   halt

	serves atomic.Uint64 // term in which a leader serves here, 0: none
	halted atomic.Pointer[string]
	child  atomic.Pointer[actor.PID] // a leader that hears what is applied

	exported exportStatus
	cuts     cuts
}

// Messages from raft's goroutines to the partition.
type (
	leadership struct {
		won  bool
		term uint64
	}
	failure struct{ err error }
)

// Start opens the partition's group and the actor around it. It returns when
// everything applied before the last stop is there.
func Start(c Config) (*Partition, error) {
	c.defaults()
	c.Log = c.Log.With("partition", c.Partition)
	p := &Partition{Config: c}
	p.gate = &Gate{partition: c.Partition, system: c.System, models: c.Models, limiter: newLimiter(c.Limits.InFlight, c.Limits.Latency), space: c.Space}
	p.Observer = timing{p.Observer, p.gate.limiter}
	p.pid = actors.Spawn(c.System, fmt.Sprintf("partition-%d", c.Partition), actors.FuncProps(p.receive, actor.WithSupervisor(restartPause)))
	if err := p.open(); err != nil {
		actors.Stop(c.System, p.pid)
		return nil, err
	}
	return p, nil
}

// open starts the group.
func (p *Partition) open() error {
	ready := make(chan struct{})
	defer close(ready) // if it fails nobody listens any more
	group, err := p.Node.Start(p.Partition, p.Bootstrap, listener{p, ready})
	if err != nil {
		return err
	}
	p.group.Store(group)
	p.halt.open = true
	return nil
}

// listener carries raft's news into the actor. Raft may speak before Start
// returns; then it waits until the group is known.
type listener struct {
	p     *Partition
	ready chan struct{}
}

func (l listener) Applied(a raftadapter.Applied) {
	if child := l.p.child.Load(); child != nil {
		l.p.System.Root.Send(child, a)
	}
}

func (l listener) Leadership(won bool, term uint64) {
	<-l.ready
	l.p.System.Root.Send(l.p.pid, leadership{won, term})
}

func (l listener) Failed(err error) {
	<-l.ready
	l.p.System.Root.Send(l.p.pid, failure{err})
}

// Gate is where commands enter.
func (p *Partition) Gate() *Gate { return p.gate }

// Group is the partition's raft.
func (p *Partition) Group() *raftadapter.Group { return p.group.Load() }

// Role says what this node is for the partition.
func (p *Partition) Role() (leader bool, term uint64, problem string) {
	if h := p.halted.Load(); h != nil {
		return false, p.Group().Term(), *h
	}
	if term := p.serves.Load(); term != 0 {
		return true, term, ""
	}
	return false, p.Group().Term(), ""
}

// News tells the leader here, if there is one, that a try makes sense.
func (p *Partition) News(n actors.LinkNews) {
	if child := p.child.Load(); child != nil {
		p.System.Root.Send(child, n)
	}
}

func (p *Partition) receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		p.ending = false
		if p.wanted {
			p.seat(ctx)
		}
		if p.halted.Load() != nil {
			actors.After(ctx, p.Limits.Probe, probe{})
		}
	case *actor.Restarting, *actor.Stopping:
		p.ending = true // a new child would keep it from ending
		p.unseat()
	case leadership:
		p.onLeadership(ctx, m)
	case failure:
		p.onFailure(ctx, m.err)
	case probe:
		p.onProbe()
	case revived:
		p.onRevived(ctx, m.err)
	case *actor.Terminated:
		p.onEnded(ctx, m.Who)
	}
}

// onLeadership ends a former leadership first: the next leader begins when the
// last one is gone, so that there are never two.
func (p *Partition) onLeadership(ctx actor.Context, m leadership) {
	p.wanted = m.won
	if p.leader != nil {
		p.unseat()
		ctx.Stop(p.leader)
		return
	}
	p.seat(ctx)
}

// onEnded goes on when a leader is gone.
func (p *Partition) onEnded(ctx actor.Context, who *actor.PID) {
	if p.leader == nil || !p.leader.Equal(who) {
		return
	}
	p.leader = nil
	p.unseat()
	p.seat(ctx)
}

func (p *Partition) unseat() {
	p.child.Store(nil)
	p.serves.Store(0)
}

func (p *Partition) seat(ctx actor.Context) {
	if p.wanted && !p.ending && p.halted.Load() == nil {
		p.leader = ctx.SpawnPrefix(actors.Props(func() actor.Actor { return newSeat(p) }), "leader")
	}
	p.Changed()
}

// restartPause is kept short: a leader that gave up for a reason that stays is
// asked again soon, because nobody else may take over in this term.
var restartPause = actors.Backoff{Min: 5 * time.Millisecond, Max: time.Second, Reset: 5 * time.Second}

// serving is called by the leader when it begins to take commands.
func (p *Partition) serving(term uint64) {
	p.serves.Store(term)
	p.Log.Info("leading", "term", term)
	p.Changed()
}

// giveUp hands leadership to a node whose store works.
func (p *Partition) giveUp(log *slog.Logger) {
	if err := p.Group().Transfer(""); err != nil {
		log.Warn("leadership could not be handed over", "err", err)
	}
}

// Handover gives leadership away before a stop, if there is anybody to take it,
// and waits until commands under way are answered or the time is over.
func (p *Partition) Handover(alone bool) {
	if !alone && p.Group().IsLeader() {
		p.giveUp(p.Log)
	}
}

// Stop ends the partition on this node: commands under way are answered first.
func (p *Partition) Stop() error {
	p.gate.leader.Store(nil)
	actors.Stop(p.System, p.pid)
	p.cuts.close()
	return p.end()
}
