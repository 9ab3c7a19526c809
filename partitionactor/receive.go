package partitionactor

import (
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// late is a request that waits for a deployment which this partition has not
// applied, though its sender knows of it.
type late struct {
	r     *request
	until time.Time
}

// patience is how long such a request waits. The deployment is on its way, unless
// partition 1 is cut off: then whoever waits for the message already must not
// wait for a deployment too.
const patience = 500 * time.Millisecond

// catchUp tries again what waited for a deployment.
func (l *leader) catchUp() {
	if l.ended || len(l.behind) == 0 {
		return
	}
	waiting := l.behind
	l.behind = nil
	for _, b := range waiting {
		if l.host.Now().After(b.until) {
			b.r.command = regardless(b.r.command)
		}
		before := len(l.behind)
		l.take(b.r)
		if len(l.behind) > before {
			l.behind[before].until = b.until
		}
	}
}

// goOn takes up suspended work, unless entries wait to be proposed: it is made
// faster than it is committed, and whoever comes next would wait behind all of
// it.
func (l *leader) goOn() {
	if !l.opened || l.ended {
		return
	}
	if l.held = len(l.closed) > 0 || l.full(); !l.held {
		l.internal(&protocol.Continue{})
	}
}

// regardless is a command that is executed with the deployments that are here.
func regardless(c protocol.Command) protocol.Command {
	switch c := c.(type) {
	case *protocol.PublishMessage:
		now := *c
		now.DeploymentSeq = 0
		return &now
	case *protocol.BroadcastSignal:
		now := *c
		now.DeploymentSeq = 0
		return &now
	}
	return c
}
