package partitionactor

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/raftadapter"
)

// Partition is one partition on this node.
type Partition struct {
	Config
	gate   *Gate
	group  *raftadapter.Group
	pid    *actors.PID
	leader *actors.PID
	term   uint64 // of the leader child

	serves atomic.Uint64 // term in which a leader serves here, 0: none
	halted atomic.Pointer[string]
	child  atomic.Pointer[actors.PID]
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
	c.Limits = c.Limits.withDefaults()
	if c.Observer == nil {
		c.Observer = NoObserver{}
	}
	if c.Deployed == nil {
		c.Deployed = func(_ uint64, done func()) { done() }
	}
	if c.Changed == nil {
		c.Changed = func() {}
	}
	c.Log = c.Log.With("partition", c.Partition)
	p := &Partition{Config: c}
	p.gate = &Gate{partition: c.Partition, system: c.System, models: c.Models, limit: int64(c.Limits.InFlight)}
	p.pid = c.System.Spawn(actors.Props{Name: fmt.Sprintf("partition-%d", c.Partition), New: func() actors.Actor { return actors.Func(p.receive) }})
	ready := make(chan struct{})
	group, err := c.Node.Start(c.Partition, c.Bootstrap, listener{p, ready})
	if err != nil {
		c.System.Stop(p.pid)
		return nil, err
	}
	p.group = group
	close(ready)
	return p, nil
}

// listener carries raft's news into the actor. Raft may speak before Start
// returns; then it waits until the group is known.
type listener struct {
	p     *Partition
	ready chan struct{}
}

func (l listener) Applied(a raftadapter.Applied) {
	if child := l.p.child.Load(); child != nil {
		l.p.System.Send(child, a)
	}
}

func (l listener) Leadership(won bool, term uint64) {
	<-l.ready
	l.p.System.Send(l.p.pid, leadership{won, term})
}

func (l listener) Failed(err error) {
	<-l.ready
	l.p.System.Send(l.p.pid, failure{err})
}

// Gate is where commands enter.
func (p *Partition) Gate() *Gate { return p.gate }

// Group is the partition's raft.
func (p *Partition) Group() *raftadapter.Group { return p.group }

// Role says what this node is for the partition.
func (p *Partition) Role() (leader bool, term uint64, problem string) {
	if h := p.halted.Load(); h != nil {
		return false, p.group.Term(), *h
	}
	if term := p.serves.Load(); term != 0 {
		return true, term, ""
	}
	return false, p.group.Term(), ""
}

// News tells the leader here, if there is one, that a try makes sense.
func (p *Partition) News(n actors.LinkNews) {
	if child := p.child.Load(); child != nil {
		p.System.Send(child, n)
	}
}

func (p *Partition) receive(ctx *actors.Context) {
	switch m := ctx.Message().(type) {
	case leadership:
		p.onLeadership(ctx, m)
	case failure:
		p.halt(ctx, m.err)
	case actors.Stopping:
		p.child.Store(nil)
	}
}

func (p *Partition) onLeadership(ctx *actors.Context, m leadership) {
	if p.leader != nil {
		p.child.Store(nil)
		ctx.Stop(p.leader)
		<-p.leader.Done()
		p.leader = nil
	}
	p.serves.Store(0)
	if m.won && p.halted.Load() == nil {
		p.term = m.term
		p.leader = p.spawnLeader(ctx)
	}
	p.Changed()
}

// restartPause is kept short: a leader that gave up for a reason that stays is
// asked again soon, because nobody else may take over in this term.
var restartPause = actors.Backoff{Min: 5 * time.Millisecond, Max: time.Second, Reset: 5 * time.Second}

func (p *Partition) spawnLeader(ctx *actors.Context) *actors.PID {
	known := make(chan struct{})
	pid := ctx.Spawn(actors.Props{
		Name: "leader", Restart: restartPause, Undelivered: p.gate.undelivered,
		New: func() actors.Actor {
			<-known // the child must be known before it can propose
			return newLeader(p)
		},
	})
	p.child.Store(pid)
	close(known)
	return pid
}

// serving is called by the leader when it begins to take commands.
func (p *Partition) serving(term uint64) {
	p.serves.Store(term)
	p.Log.Info("leading", "term", term)
	p.Changed()
}

// halt ends service here for good: the store refused a write, so what is
// applied no longer follows the log, or the log was found damaged.
func (p *Partition) halt(ctx *actors.Context, err error) {
	reason := fmt.Sprintf("halted: %v", err)
	p.halted.Store(&reason)
	p.Log.Error("partition halted on this node: its state could not be written, or its log not be read", "err", err)
	p.onLeadership(ctx, leadership{})
	if p.group.IsLeader() {
		go p.giveUp(p.Log)
	}
}

// giveUp hands leadership to a node whose store works.
func (p *Partition) giveUp(log *slog.Logger) {
	if err := p.group.Transfer(""); err != nil {
		log.Warn("leadership could not be handed over", "err", err)
	}
}

// Handover gives leadership away before a stop, if there is anybody to take it,
// and waits until commands under way are answered or the time is over.
func (p *Partition) Handover(alone bool) {
	if !alone && p.group.IsLeader() {
		p.giveUp(p.Log)
	}
}

// Stop ends the partition on this node: commands under way are answered first.
func (p *Partition) Stop() error {
	p.gate.leader.Store(nil)
	p.System.Stop(p.pid)
	<-p.pid.Done()
	return p.group.Close()
}
