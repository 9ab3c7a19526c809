package saga

import (
	"fmt"
	"time"
)

// channel is what the State holds of one Channel.
//
//	gone ≤ rows of the table … acked < rows to send … last
type channel struct {
	name Channel
	rows queue

	gone     Seq       // the table has no row up to here
	acked    Seq       // the receiver has a result for every row up to here
	sendable Seq       // nobody can have sent a row above
	refused  []Refusal // of acknowledged rows, ascending

	flight   flight
	retryAt  time.Time // waiting until then; zero if not waiting
	fails    int       // failures in a row, for the back-off
	tries    int       // attempts since the last progress
	lastErr  string
	needBase bool // the next attempt offers a base
	baseSent bool // a base was offered since rows were last acknowledged

	deletion deletion

	due     time.Time // in timers
	slot    int
	touched bool
}

// flight is the attempt under way; attempt 0 means none.
type flight struct {
	attempt  uint64
	from, to Seq
	base     bool
	hurried  bool      // News cut the deadline: passing it is no failure
	heardAt  time.Time // when it was sent, or last heard of by NeedBodies
	deadline time.Time
}

// progress notes that the receiver's applied state moved.
func (c *channel) progress(upTo Seq) {
	c.acked = upTo
	c.fails, c.tries, c.lastErr = 0, 0, ""
	c.retryAt = time.Time{}
	if !c.flight.base && c.flight.to <= c.acked {
		c.flight = flight{}
	}
}

// hurry ends an attempt under way because of News, or cuts its deadline if it
// is younger than gap: what was sent before may have gone to a dead link or to a
// former leader.
func (c *channel) hurry(now time.Time, gap time.Duration) {
	f := &c.flight
	if f.attempt == 0 {
		return
	}
	at := f.heardAt.Add(gap)
	switch {
	case !at.After(now):
		*f = flight{}
	case at.Before(f.deadline):
		f.deadline = at
		f.hurried = true
	}
}

func (c *channel) expireFlight(now time.Time, timeout time.Duration) {
	if c.flight.attempt == 0 || c.flight.deadline.After(now) {
		return
	}
	if !c.flight.hurried {
		c.fails++
		c.lastErr = fmt.Sprintf("no answer within %s", timeout)
	}
	c.flight = flight{}
}

// nextDue returns when the channel must be looked at, or zero.
func (c *channel) nextDue() time.Time {
	at := earlier(c.retryAt, c.deletion.retryAt)
	if c.flight.attempt != 0 {
		at = earlier(at, c.flight.deadline)
	}
	if c.deletion.upTo != 0 {
		at = earlier(at, c.deletion.deadline)
	}
	return at
}

// earlier returns the earlier of two times, of which zero ones do not count.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// backOff returns the wait after so many failures in a row: doubling from
// RetryMin to RetryMax, less a little jitter.
func (s *State) backOff(c *channel, fails int) time.Duration {
	d := s.cfg.RetryMin
	for i := 1; i < fails && d < s.cfg.RetryMax; i++ {
		d *= 2
	}
	d = min(d, s.cfg.RetryMax)
	cut := int64(d) / 100 * int64(s.cfg.JitterPercent)
	if cut <= 0 {
		return d
	}
	r := mix(s.cfg.Seed ^ uint64(c.name.Target)<<8 ^ uint64(c.name.Lane) ^ mix(uint64(c.acked)^uint64(fails)<<48))
	return d - time.Duration(r%uint64(cut))
}

// mix scatters the bits of x (the finaliser of splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
