package sim

import (
	"container/heap"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"time"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
)

// world is everything that exists in a run.
type world struct {
	conf   settings
	mutant mutation
	rnd    *rand.Rand

	now    time.Duration // since the start; never goes back, never jumps
	jumped time.Duration // by how much wall clocks are ahead of that
	events queue
	count  uint64 // of all events there were

	nodes     []*node
	groups    []*group // by partition - 1
	reference *node    // applies everything as soon as it is committed
	clients   []*client
	books     *books
	models    [][]byte
	calm      bool // the faults are over
	requests  uint64
	cut       map[[2]int]bool // links, by direction

	hash  hash.Hash
	trace io.Writer // nil: nobody wants to read it
	wrong []string
	stats Stats

	copying *copies // nil: no backup is being taken
}

// Stats counts what a run consisted of, so that a test can tell a storm from a
// calm.
type Stats struct {
	Events, Entries, Dropped, Leaders, Crashes, Cuts, Lost, Doubled, Jumps, Restores int
	Replies, Rejections, Refusals, Unknown                                           int
	Created, Messages, Signals, Deployments, Handed, Correlated, Rung, Copies        int
}

func (s *Stats) add(o Stats) {
	for _, p := range [][2]*int{
		{&s.Events, &o.Events}, {&s.Entries, &o.Entries}, {&s.Dropped, &o.Dropped}, {&s.Leaders, &o.Leaders}, {&s.Crashes, &o.Crashes},
		{&s.Cuts, &o.Cuts}, {&s.Lost, &o.Lost}, {&s.Doubled, &o.Doubled}, {&s.Jumps, &o.Jumps}, {&s.Restores, &o.Restores},
		{&s.Replies, &o.Replies}, {&s.Rejections, &o.Rejections}, {&s.Refusals, &o.Refusals}, {&s.Unknown, &o.Unknown},
		{&s.Created, &o.Created}, {&s.Messages, &o.Messages}, {&s.Signals, &o.Signals}, {&s.Deployments, &o.Deployments},
		{&s.Handed, &o.Handed}, {&s.Correlated, &o.Correlated}, {&s.Rung, &o.Rung}, {&s.Copies, &o.Copies},
	} {
		*p[0] += *p[1]
	}
}

// event is something that will happen. Of two at the same time the one that was
// planned first comes first.
type event struct {
	at time.Duration
	id uint64
	do func()
}

type queue []event

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].id < q[j].id
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push is heap.Interface's.
func (q *queue) Push(x any) { *q = append(*q, x.(event)) }

// Pop is heap.Interface's.
func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last].do = nil
	*q = (*q)[:last]
	return e
}

// after plans something.
func (w *world) after(d time.Duration, do func()) {
	w.count++
	heap.Push(&w.events, event{w.now + max(d, 0), w.count, do})
}

// runUntil lets things happen until a time has come, or something is wrong.
func (w *world) runUntil(end time.Duration) {
	for len(w.wrong) == 0 && len(w.events) > 0 && w.events[0].at <= end {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		w.stats.Events++
		e.do()
	}
	w.now = max(w.now, end)
}

// wall is what clocks on the wall show: time since the start, and jumps.
func (w *world) wall() time.Time {
	return time.UnixMilli(enginetest.Start).Add(w.now + w.jumped).UTC()
}

// steady is a clock that does not jump.
func (w *world) steady() time.Time { return time.UnixMilli(enginetest.Start).Add(w.now).UTC() }

// note writes down what happened: two runs of a seed must be equal in all of it.
func (w *world) note(format string, args ...any) {
	fmt.Fprintf(w.hash, format, args...)
	if w.trace != nil {
		fmt.Fprintf(w.trace, "%10.3f  %s\n", w.now.Seconds()*1000, fmt.Sprintf(format, args...))
	}
}

// fail says that something happened that must never happen.
func (w *world) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.note("WRONG: %s", text)
	w.wrong = append(w.wrong, fmt.Sprintf("at %v: %s", w.now, text))
}

// must stops a run on what is no fault of what is tested.
func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("sim: %v", err))
	}
}

// chance is true so many times of a hundred.
func (w *world) chance(percent int) bool { return w.rnd.IntN(100) < percent }

// between draws a time.
func (w *world) between(a, b time.Duration) time.Duration {
	return a + time.Duration(w.rnd.Int64N(int64(b-a)+1))
}

func (w *world) partitions() int { return len(w.groups) }

func (w *world) group(p protocol.PartitionID) *group { return w.groups[p-1] }

func newHash() hash.Hash { return sha256.New() }

// tame tells whether something that the simulation is there for has not happened.
func (s *Stats) tame() bool {
	for _, n := range []int{
		s.Dropped, s.Leaders, s.Crashes, s.Cuts, s.Lost, s.Doubled, s.Jumps, s.Restores, s.Rejections, s.Refusals, s.Unknown,
		s.Created, s.Messages, s.Signals, s.Deployments, s.Handed, s.Correlated, s.Rung, s.Copies,
	} {
		if n == 0 {
			return true
		}
	}
	return false
}
