package partitionactor

import (
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// A backup is consistent because no partition takes anything in from another, nor
// forgets what it has sent, from a moment before the first cut until its own
// (docs/adr/0024): what a partition has taken in before, its sender has sent
// before; what a sender has forgotten before, its receiver has taken in before.
// Commands of clients go on meanwhile. It lasts milliseconds; what comes from
// other partitions waits in the leader.

// holding is a hold in force. It ends with the leadership.
type holding struct {
	token     uint64
	postponed []any // messages that wait, in order
}

// holdOver ends a hold whose time is over.
type holdOver uint64 // token

// hold begins or ends one.
func (l *leader) hold(c *protocol.Hold, r *request) {
	if c.For <= 0 {
		l.release(c.Token)
		r.done(&protocol.Done{}, nil)
		return
	}
	if l.holding != nil && l.holding.token != c.Token {
		l.release(l.holding.token) // another backup has begun, the former one will be told
	}
	if l.holding == nil {
		l.holding = &holding{token: c.Token}
		l.host.After(time.Duration(min(c.For, protocol.MaxHold))*time.Millisecond, holdOver(c.Token))
	}
	r.done(&protocol.Done{}, nil)
}

// release takes up what was postponed.
func (l *leader) release(token uint64) {
	h := l.holding
	if h == nil || h.token != token {
		return
	}
	l.holding = nil
	for _, m := range h.postponed {
		l.handle(m)
	}
}

// postpone lets a message wait if a hold is in force, and tells whether it does.
func (l *leader) postpone(m any) bool {
	if l.holding == nil {
		return false
	}
	l.holding.postponed = append(l.holding.postponed, m)
	return true
}

// crosses tells whether a command brings something in from other partitions, or
// forgets what was sent to them.
func crosses(c protocol.Command) bool {
	switch c.Kind() {
	case protocol.KindReceive, protocol.KindAcknowledge, protocol.KindTakeBase, protocol.KindReconcile, protocol.KindPulled:
		return true
	}
	return false
}

// cut keeps what is applied now. Whoever had been leader in between would have
// held nothing, so the answer waits for proof that nobody was.
func (l *leader) cut(c *protocol.Cut, r *request) {
	if l.holding == nil || l.holding.token != c.Token {
		l.read(r, nil, protocol.Reject(protocol.InvalidState, c.Intent(), "Expected partition %d to hold under token %d, but it does not, or no longer", l.p.Partition, c.Token))
		return
	}
	l.host.Cut(c.Token)
	view, _, guard := l.group.View()
	view.Close()
	if !l.own(guard) { // looked at afterwards: what was cut is not newer
		r.done(nil, protocol.Refuse(protocol.NotLeader, l.p.Partition, "%s", errStopped))
		return
	}
	l.read(r, &protocol.Done{}, nil)
}

// failPostponed answers who waits for the end of a hold.
func (l *leader) failPostponed(err error) {
	if l.holding == nil {
		return
	}
	for _, m := range l.holding.postponed {
		if r, ok := m.(*request); ok {
			r.done(nil, err)
		}
	}
	l.holding = nil
}
