package partitionactor

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// limiter says how many commands a partition may have under way. It follows how
// long they take, by additive increase and multiplicative decrease, as TCP does
// (Chiu and Jain 1989): what comes in faster than it is committed only waits
// longer, so it is refused at once instead (ADR 0022).
type limiter struct {
	least, most int64
	patience    time.Duration // a command may take so long

	limit atomic.Int64

	mu     sync.Mutex
	gained int64         // commands in time since the limit was last raised
	cut    time.Time     // when it was last lowered
	base   time.Duration // the quickest commit of this while, 0: none yet
	before time.Duration // and of the one before
	since  time.Time
}

const (
	raise     = 10 // more for each round of as many commands as the limit allows
	lower     = 0.9
	baseWhile = 30 * time.Second
	// baseTimes: a command waits for the entry under way and for its own, and has
	// as much again before it counts as late.
	baseTimes = 4
)

func newLimiter(most int, patience time.Duration) *limiter {
	l := &limiter{least: int64(min(most, leastInFlight)), most: int64(most), patience: patience}
	l.limit.Store(l.most)
	return l
}

// leastInFlight keeps entries from becoming so small that they cost more than
// what is in them.
const leastInFlight = 50

// committed notes how long an entry took. The quickest of late is what the disks
// and the network need without any load.
func (l *limiter) committed(took time.Duration, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.since) > baseWhile {
		l.before, l.base, l.since = l.base, 0, now
	}
	if l.base == 0 || took < l.base {
		l.base = took
	}
}

// timing tells the limiter of commits.
type timing struct {
	Observer
	limiter *limiter
}

// Entry passes on, and notes how long it took.
func (t timing) Entry(p protocol.PartitionID, commands, bytes int, took time.Duration) {
	t.limiter.committed(took, time.Now())
	t.Observer.Entry(p, commands, bytes, took)
}

// late is how long a command may take before there are too many.
func (l *limiter) late() time.Duration {
	base := l.base
	if base == 0 || l.before > 0 && l.before < base {
		base = l.before
	}
	return max(l.patience, baseTimes*base)
}

// done notes that a command that was let in at start is answered, with so many
// under way. The limit is lowered once for all that were let in before.
func (l *limiter) done(start, now time.Time, inFlight int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := l.limit.Load()
	if now.Sub(start) > l.late() {
		if start.After(l.cut) {
			l.cut, l.gained = now, 0
			l.limit.Store(max(l.least, int64(float64(limit)*lower)))
		}
		return
	}
	if 2*inFlight < limit {
		return // the limit is not what holds them back
	}
	if l.gained++; l.gained >= limit {
		l.gained = 0
		l.limit.Store(min(l.most, limit+raise))
	}
}
