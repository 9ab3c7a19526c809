package saga

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// deletion is a proposal to delete the rows up to upTo; 0 means none under way.
type deletion struct {
	upTo     Seq
	deadline time.Time
	retryAt  time.Time // after a failure; zero if not waiting
	fails    int
	lastErr  string
}

// dueDeletions returns what the touched channels have to delete, together, so
// that it becomes one entry.
func (s *State) dueDeletions() []Ack {
	var acks []Ack
	for _, c := range s.touched {
		first, ok := c.rows.after(c.gone)
		if !ok || first > c.acked || c.deletion.upTo != 0 || !c.deletion.retryAt.IsZero() {
			continue
		}
		ack := Ack{Channel: c.name, From: first, UpTo: c.acked}
		n := min(len(c.refused), s.cfg.Window)
		if n < len(c.refused) {
			ack.UpTo = c.refused[n].Seq - 1 // keeps the entry small
		}
		ack.Refused = slices.Clone(c.refused[:n])
		c.deletion.upTo = ack.UpTo
		c.deletion.deadline = s.now.Add(s.cfg.DeleteTimeout)
		acks = append(acks, ack)
	}
	return acks
}

func (s *State) deleted(ev Deleted) {
	for _, ack := range ev.Acks {
		c := s.channel(ack.Channel)
		c.gone = max(c.gone, ack.UpTo)
		c.sendable = max(c.sendable, ack.UpTo)
		c.rows.drop(ack.UpTo)
		i, _ := slices.BinarySearchFunc(c.refused, ack.UpTo, func(r Refusal, n Seq) int { return cmp.Or(compareSeq(r.Seq, n), -1) })
		c.refused = slices.Delete(c.refused, 0, i)
		if c.deletion.upTo <= ack.UpTo {
			c.deletion = deletion{}
		}
		if ack.UpTo > c.acked {
			c.progress(ack.UpTo)
		}
		s.touch(c)
	}
}

func (s *State) deleteFailed(ev DeleteFailed) {
	for _, ack := range ev.Acks {
		c := s.byName[ack.Channel]
		if c == nil || c.deletion.upTo == 0 || c.deletion.upTo != ack.UpTo {
			continue
		}
		c.deletion.upTo = 0
		c.deletion.fails++
		c.deletion.lastErr = ev.Reason
		c.deletion.retryAt = s.now.Add(s.backOff(c, c.deletion.fails))
		s.touch(c)
	}
}

// expireDeletion gives up a proposal of which nothing is heard: a shell that
// forgets one must not keep rows for ever (#63712). Deleting twice is harmless.
func (c *channel) expireDeletion(now time.Time, timeout time.Duration) {
	d := &c.deletion
	if d.upTo != 0 && !d.deadline.After(now) {
		d.lastErr = fmt.Sprintf("deletion up to row %d not applied within %s", d.upTo, timeout)
		d.fails++
		d.upTo = 0
	}
	if !d.retryAt.After(now) {
		d.retryAt = time.Time{}
	}
}

func compareSeq(a, b Seq) int { return cmp.Compare(a, b) }
