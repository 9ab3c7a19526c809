package partitionactor

import (
	"testing"
	"time"
)

// steps drives a limiter with rounds of commands that all take the same time.
func steps(l *limiter, now *time.Time, rounds int, took time.Duration) int64 {
	for range rounds {
		start := *now
		*now = now.Add(took)
		limit := l.limit.Load()
		for range limit {
			l.done(start, *now, limit)
		}
		*now = now.Add(time.Millisecond)
	}
	return l.limit.Load()
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	l := newLimiter(1000, 200*time.Millisecond)
	if got := steps(l, &now, 1, time.Second); got != 900 {
		t.Errorf("one late round: %d", got)
	}
	if got := steps(l, &now, 60, time.Second); got != leastInFlight {
		t.Errorf("always late: %d", got)
	}
	if got := steps(l, &now, 3, 10*time.Millisecond); got != leastInFlight+3*raise {
		t.Errorf("three rounds in time: %d", got)
	}
	if got := steps(l, &now, 200, 10*time.Millisecond); got != 1000 {
		t.Errorf("always in time: %d", got)
	}
	before := steps(l, &now, 5, time.Second)
	start := now
	now = now.Add(10 * time.Millisecond)
	for range 10_000 {
		l.done(start, now, 3)
	}
	if got := l.limit.Load(); got != before {
		t.Errorf("hardly used, but raised from %d to %d", before, got)
	}
}

// Where a commit takes long without any load, that is no overload.
func TestLimiter_SlowCommits(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	l := newLimiter(1000, 200*time.Millisecond)
	l.committed(300*time.Millisecond, now)
	if got := steps(l, &now, 10, time.Second); got != 1000 {
		t.Errorf("two slow commits are not late: %d", got)
	}
	if got := steps(l, &now, 1, 2*time.Second); got != 900 {
		t.Errorf("seven are: %d", got)
	}
	l.committed(time.Millisecond, now)
	if got := steps(l, &now, 1, 400*time.Millisecond); got != 810 {
		t.Errorf("the quickest commit counts: %d", got)
	}
	for range 3 { // and is forgotten after a while
		now = now.Add(baseWhile + time.Second)
		l.committed(300*time.Millisecond, now)
	}
	if got := steps(l, &now, 1, time.Second); got < 810 {
		t.Errorf("a quick commit of long ago still counts: %d", got)
	}
}

// A limit below the least is kept.
func TestLimiter_Small(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	l := newLimiter(5, time.Millisecond)
	if got := steps(l, &now, 10, time.Second); got != 5 {
		t.Errorf("%d", got)
	}
}
