package partitionactor

import (
	"fmt"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/actors"
)

// halt is what a partition keeps for a time in which its disk refuses writes.
type halt struct {
	mu      sync.Mutex // one at a time opens and closes the group
	open    bool
	stopped bool
	pause   time.Duration // until the next try
	trying  bool          // one is under way
}

type (
	probe   struct{}
	revived struct{ err error }
)

// maxPause is the longest time between two tries to come back.
const maxPause = 30 * time.Second

// onFailure ends service here: the store or the log refused a write, so what is
// applied no longer follows what is promised; or the log was found damaged. When
// writes work again the group is opened anew, as at a start of the process.
func (p *Partition) onFailure(ctx actor.Context, err error) {
	if p.Group() == nil || p.Group().Failure() == nil {
		return // of a group that was closed since, or never opened
	}
	reason := fmt.Sprintf("halted: %v", err)
	if before := p.halted.Swap(&reason); before != nil {
		return // it is tried already
	}
	p.Log.Error("partition halted on this node, until its state and log can be written again", "err", err)
	p.onLeadership(ctx, leadership{})
	if p.Group().IsLeader() {
		go p.giveUp(p.Log)
	}
	p.halt.pause = p.Limits.Probe
	actors.After(ctx, p.halt.pause, probe{})
}

// onProbe tries to come back, beside the actor: closing and opening takes a while.
// A second try would close what the first one has opened.
func (p *Partition) onProbe() {
	if p.halt.trying || p.halted.Load() == nil {
		return
	}
	p.halt.trying = true
	go func() { p.System.Root.Send(p.pid, revived{p.revive()}) }()
}

func (p *Partition) onRevived(ctx actor.Context, err error) {
	p.halt.trying = false
	if err == nil {
		err = p.Group().Failure() // it may have failed again meanwhile
	}
	if err != nil {
		p.halt.pause = min(2*p.halt.pause, maxPause)
		reason := fmt.Sprintf("halted: %v", err)
		p.halted.Store(&reason)
		p.Log.Warn("partition still halted on this node", "err", err, "again", p.halt.pause)
		actors.After(ctx, p.halt.pause, probe{})
		return
	}
	p.halted.Store(nil)
	p.Log.Info("partition goes on: its state and log can be written again")
	if p.leader == nil { // else it is seated when that one has ended
		p.seat(ctx)
	}
}

// revive opens the group again if the disk takes writes.
func (p *Partition) revive() error {
	p.halt.mu.Lock()
	defer p.halt.mu.Unlock()
	switch {
	case p.halt.stopped:
		return errStopped
	case p.halt.open:
		if err := p.Group().Probe(); err != nil {
			return err
		}
		p.halt.open = false
		if err := p.Group().Close(); err != nil {
			p.Log.Warn("a halted group was not closed well", "err", err)
		}
	}
	return p.open()
}

// end closes the group for good.
func (p *Partition) end() error {
	p.halt.mu.Lock()
	defer p.halt.mu.Unlock()
	p.halt.stopped = true
	if !p.halt.open {
		return nil
	}
	p.halt.open = false
	return p.Group().Close()
}
