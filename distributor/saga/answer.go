package saga

import (
	"fmt"
	"slices"
	"time"
)

// answer takes what became of an attempt. An acknowledgement tells of applied
// state and counts however late it is: a receiver slower than AckTimeout would
// otherwise never get on. All other answers count for the attempt under way.
func (s *State) answer(ev Answer) {
	c := s.byName[ev.Channel]
	if c == nil || ev.Attempt <= s.attemptsFrom || ev.Attempt > s.attempt {
		return
	}
	current := c.flight.attempt == ev.Attempt
	acked, isAck := ev.Result.(Acked)
	switch {
	case isAck && current:
		s.acked(c, acked)
	case isAck:
		c.ackedLate(acked)
	case current:
		s.other(c, ev.Result)
	}
	s.touch(c)
}

func (s *State) other(c *channel, res Result) {
	switch r := res.(type) {
	case NeedBodies:
		c.flight.heardAt = s.now
		c.flight.deadline = s.now.Add(s.cfg.AckTimeout)
		c.flight.hurried = false
	case Gap:
		s.gap(c, r.Next)
	case NeedBase:
		s.base(c, "receiver needs a base")
	case Based:
		s.based(c, r)
	case Busy:
		s.fail(c, "receiver is busy", r.After)
	case NotLeader:
		s.fail(c, "not the leader", 0)
	case Unreachable:
		s.fail(c, "unreachable: "+r.Reason, 0)
	case Failed:
		s.fail(c, "failed: "+r.Reason, 0)
	default:
		panic(fmt.Sprintf("saga: no result: %T", res))
	}
}

// acked takes the acknowledgement of the attempt under way. One that brings
// nothing new must not lead to the same batch at once: that would be a loop.
func (s *State) acked(c *channel, r Acked) {
	switch {
	case r.UpTo > c.sendable:
		s.base(c, fmt.Sprintf("receiver acknowledges row %d, but only rows up to %d can have been sent", r.UpTo, c.sendable))
	case r.UpTo <= c.acked:
		c.needBase = false
		s.fail(c, fmt.Sprintf("receiver acknowledges only row %d", r.UpTo), 0)
	default:
		c.flight = flight{}
		c.needBase, c.baseSent = false, false
		c.settle(r)
	}
}

// ackedLate takes the acknowledgement of a former attempt.
func (c *channel) ackedLate(r Acked) {
	if r.UpTo <= c.sendable && r.UpTo > c.acked {
		c.settle(r)
	}
}

// settle moves acked up and notes the refusals among the newly settled rows.
// The first acknowledgement that covers a row decides its result.
func (c *channel) settle(r Acked) {
	was := len(c.refused)
	for _, f := range r.Refused {
		if f.Seq > c.acked && f.Seq <= r.UpTo && c.rows.has(f.Seq) {
			c.refused = append(c.refused, f)
		}
	}
	added := c.refused[was:]
	slices.SortStableFunc(added, func(a, b Refusal) int { return compareSeq(a.Seq, b.Seq) })
	added = slices.CompactFunc(added, func(a, b Refusal) bool { return a.Seq == b.Seq })
	c.refused = c.refused[:was+len(added)]
	c.progress(r.UpTo)
}

// gap takes the answer that the receiver goes on with row next only. As one
// batch at a time is under way, that means that it has lost rows it had
// acknowledged: those still in the table are sent again, others need a base.
func (s *State) gap(c *channel, next Seq) {
	from := c.flight.from
	switch {
	case next == from:
		c.needBase = false
		s.fail(c, fmt.Sprintf("receiver asks for row %d again", next), 0)
	case next > from:
		c.needBase = false
		s.fail(c, fmt.Sprintf("receiver asks for row %d and does not acknowledge row %d", next, from), 0)
	case next > max(c.gone, c.deletion.upTo) && c.rows.has(next):
		c.needBase = false
		c.acked = min(c.acked, next-1)
		i, _ := slices.BinarySearchFunc(c.refused, next, func(r Refusal, n Seq) int { return compareSeq(r.Seq, n) })
		c.refused = c.refused[:i]
		s.fail(c, fmt.Sprintf("receiver went back to row %d", next), 0)
	default:
		s.base(c, fmt.Sprintf("receiver is at row %d, below the first row", next))
	}
}

// base makes the next attempt offer a base: at once for the first time, then
// with back-off until rows are acknowledged again.
func (s *State) base(c *channel, reason string) {
	again := c.baseSent
	c.needBase, c.baseSent = true, true
	s.fail(c, reason, 0)
	if !again {
		c.retryAt = time.Time{}
	}
}

func (s *State) based(c *channel, r Based) {
	if !c.flight.base {
		s.fail(c, "receiver took a base that was not offered", 0)
		return
	}
	c.flight = flight{}
	c.needBase = false
	if r.UpTo > c.acked {
		c.progress(r.UpTo)
	}
}

// fail ends the attempt and waits, at least for so long.
func (s *State) fail(c *channel, reason string, atLeast time.Duration) {
	c.flight = flight{}
	c.fails++
	c.lastErr = reason
	wait := max(s.backOff(c, c.fails), min(atLeast, s.cfg.RetryMax))
	c.retryAt = s.now.Add(wait)
}
