package saga

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestQueueAgainstSlice does the same to a queue and to a sorted slice.
func TestQueueAgainstSlice(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var q queue
		var dumb []Row
		begin := time.UnixMilli(1_700_000_000_000).UTC()
		next := Seq(1)
		for step := range 600 {
			switch rng.IntN(4) {
			case 0, 1: // mostly in order, with a hole now and then
				if rng.IntN(20) == 0 {
					next += Seq(rng.IntN(5))
				}
				for range rng.IntN(40) {
					row := Row{Seq: next, Size: rng.IntN(1000), Since: begin.Add(time.Duration(step) * time.Second)}
					q.add(row)
					dumb = dumbAdd(dumb, row)
					next++
				}
			case 2: // anywhere, known or not
				row := Row{Seq: Seq(rng.Uint64N(uint64(next) + 3)), Size: rng.IntN(1000), Since: begin}
				if row.Seq > 0 {
					dumb = dumbAdd(dumb, row)
					next = max(next, row.Seq+1)
				}
				q.add(row)
			case 3:
				if upTo := Seq(rng.Uint64N(uint64(next) + 2)); rng.IntN(4) == 0 {
					q.drop(upTo)
					dumb = slices.DeleteFunc(dumb, func(r Row) bool { return r.Seq <= upTo })
				}
			}
			compareQueue(t, seed, &q, dumb, Seq(rng.Uint64N(uint64(next)+2)), 1+rng.IntN(300), rng.IntN(20000))
		}
	}
}

func dumbAdd(rows []Row, row Row) []Row {
	for i, r := range rows {
		if r.Seq == row.Seq {
			return rows
		}
		if r.Seq > row.Seq {
			return slices.Insert(rows, i, row)
		}
	}
	return append(rows, row)
}

func compareQueue(t *testing.T, seed uint64, q *queue, dumb []Row, at Seq, window, bytes int) {
	t.Helper()
	var last, after Seq
	has, count, first := false, 0, -1
	for i, r := range dumb {
		last = r.Seq
		has = has || r.Seq == at
		if r.Seq <= at {
			count++
		} else if first < 0 {
			first, after = i, r.Seq
		}
	}
	got, ok := q.after(at)
	if q.n != len(dumb) || q.last() != last || q.has(at) != has || q.countTo(at) != count || got != after || ok != (first >= 0) {
		t.Fatalf("seed %d, row %d: %d rows, last %d, has %v, %d up to it, next %d; want %d, %d, %v, %d, %d",
			seed, at, q.n, q.last(), q.has(at), q.countTo(at), got, len(dumb), last, has, count, after)
	}
	if !ok {
		return
	}
	if since := q.since(after); !since.Equal(dumb[first].Since) && since.Before(dumb[first].Since) {
		t.Fatalf("seed %d: row %d since %s, want %s", seed, after, since, dumb[first].Since)
	}
	size, to := dumb[first].Size, after
	for i := first + 1; i < len(dumb) && i-first < window && dumb[i].Seq == to+1 && size+dumb[i].Size <= bytes; i++ {
		size, to = size+dumb[i].Size, dumb[i].Seq
	}
	if gotTo, gotSize := q.batch(after, window, bytes); gotTo != to || gotSize != size {
		t.Fatalf("seed %d: batch from %d to %d with %d bytes, want %d with %d", seed, after, gotTo, gotSize, to, size)
	}
}

// TestQueueEdges: values at the ends of their ranges neither wrap nor panic.
func TestQueueEdges(t *testing.T) {
	var q queue
	old, now := time.Time{}, time.UnixMilli(1_700_000_000_000)
	q.add(Row{Seq: 0})
	q.add(Row{Seq: math.MaxUint64 - 1, Size: -5, Since: old})
	q.add(Row{Seq: math.MaxUint64, Size: math.MaxInt, Since: now})
	q.add(Row{Seq: math.MaxUint64, Size: 1, Since: old})
	if q.n != 2 {
		t.Fatalf("%d rows, want 2", q.n)
	}
	if to, size := q.batch(math.MaxUint64-1, 10, math.MaxInt); to != math.MaxUint64 || size != math.MaxInt32 {
		t.Errorf("batch to %d with %d bytes", to, size)
	}
	if seq, ok := q.after(math.MaxUint64); ok {
		t.Errorf("row %d after the last", seq)
	}
	// More than 49 days apart do not fit one chunk's clock.
	if a, b := q.since(math.MaxUint64-1), q.since(math.MaxUint64); !a.Equal(old) || !b.Equal(now) {
		t.Errorf("since %s and %s", a, b)
	}
	q.drop(math.MaxUint64)
	if q.n != 0 || q.chunks != nil {
		t.Errorf("%d rows left", q.n)
	}
}

// TestTimersAgainstSlice pops in the order that sorting gives.
func TestTimersAgainstSlice(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	base := time.UnixMilli(1_700_000_000_000)
	var ts timers
	all := make([]*channel, 50)
	for i := range all {
		all[i] = &channel{name: Channel{Target: 1, Lane: Lane(i)}, slot: noSlot}
	}
	due := map[*channel]time.Time{}
	for range 5000 {
		c := all[rng.IntN(len(all))]
		switch rng.IntN(5) {
		case 0:
			ts.set(c, time.Time{})
			delete(due, c)
		case 1:
			var want *channel
			for _, c := range all {
				if d, ok := due[c]; ok && (want == nil || d.Before(due[want])) {
					want = c
				}
			}
			if at, ok := ts.next(); ok != (want != nil) || ok && !at.Equal(due[want]) {
				t.Fatalf("next %s, %v; want %v", at, ok, want)
			}
			now := base.Add(time.Duration(rng.IntN(100)) * time.Second)
			if want != nil && due[want].After(now) {
				want = nil
			}
			if got := ts.popDue(now); got != want {
				t.Fatalf("popped %v, want %v", got, want)
			}
			if want != nil {
				delete(due, want)
			}
		default:
			due[c] = base.Add(time.Duration(rng.IntN(100)) * time.Second)
			ts.set(c, due[c])
		}
		if len(ts.heap) != len(due) {
			t.Fatalf("%d in the heap, want %d", len(ts.heap), len(due))
		}
	}
}

// TestBackOff doubles from RetryMin to RetryMax, less at most the jitter.
func TestBackOff(t *testing.T) {
	seen := map[time.Duration]bool{}
	for seed := range uint64(50) {
		s := New(Config{Seed: seed, JitterPercent: 10})
		for fails, want := range []int{50, 50, 100, 200, 400, 800, 1600, 3000, 3000} {
			full := time.Duration(want) * time.Millisecond
			got := s.backOff(&channel{name: Channel{Target: 2, Lane: Messages}}, fails)
			if got > full || got < full-full/10 {
				t.Errorf("seed %d: %s after %d failures, want %s less 10 %%", seed, got, fails, full)
			}
			seen[got] = true
		}
		if d := s.backOff(&channel{}, math.MaxInt); d > 3*time.Second {
			t.Errorf("%s after very many failures", d)
		}
	}
	if len(seen) < 300 {
		t.Errorf("only %d different waits in 450: no jitter", len(seen))
	}
}
