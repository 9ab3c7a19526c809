package gateway

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// Long polls of one job type stand in one line. For the whole line there is one
// AwaitJobs per partition; when one is answered, whoever is first in line looks
// at that partition, and only when it has looked is the next AwaitJobs sent. So
// a job wakes one poll, not all, and an idle type costs one parked command per
// partition, however many poll. At a backlog (looks get all they want, and the
// next answer comes at once) the answer wakes twice as many as the last.

// pollingState holds the lines. One lock for all: nothing slow happens under it.
type pollingState struct {
	mu      sync.Mutex
	queues  map[string]*queue // by job type
	arrived uint64
	offsets map[string]uint64 // by job type: where the next walk begins
}

// maxOffsets bounds what is remembered of types that clients make up.
const maxOffsets = 10_000

// turn lists all partitions in the order in which the next poll of a type asks
// them; each poll begins one further.
func (st *pollingState) turn(jobType string, partitions int) []protocol.PartitionID {
	st.mu.Lock()
	if len(st.offsets) >= maxOffsets || st.offsets == nil {
		st.offsets = map[string]uint64{}
	}
	offset := st.offsets[jobType]
	st.offsets[jobType] = offset + 1
	st.mu.Unlock()
	n := max(partitions, 1)
	parts := make([]protocol.PartitionID, n)
	for i := range parts {
		parts[i] = protocol.PartitionID((offset+uint64(i))%uint64(n) + 1)
	}
	return parts
}

// hasLine tells whether polls of a type are waiting.
func (st *pollingState) hasLine(jobType string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	q := st.queues[jobType]
	return q != nil && len(q.line) > 0
}

// queue is the line of one job type, guarded by pollingState.mu.
type queue struct {
	s       *Server
	jobType string
	ctx     context.Context // of its watchers
	cancel  context.CancelFunc
	line    []*waiter // in order of arrival
	walking int       // polls woken and not back yet
	watched map[protocol.PartitionID]*watched
	ready   []*watched // those with looks to give
	idle    *time.Timer
}

// watched is a partition that one watcher waits at.
type watched struct {
	id     protocol.PartitionID
	width  int       // how many polls the last answer woke
	looks  int       // how many polls may still be woken for this one
	out    int       // how many are looking
	filled bool      // all that looked got as many jobs as they wanted
	found  bool      // some got jobs
	looked chan bool // tells the watcher that all have looked, and found
}

// waiter is a poll in line. wake gets the partitions to look at.
type waiter struct {
	arrival uint64
	wake    chan []protocol.PartitionID
}

// enter puts a new poll at the end of the line of its type.
func (s *Server) enter(jobType string) (*queue, *waiter) {
	st := &s.polling
	st.mu.Lock()
	defer st.mu.Unlock()
	q := st.queues[jobType]
	if q == nil {
		q = &queue{s: s, jobType: jobType, watched: map[protocol.PartitionID]*watched{}}
		q.ctx, q.cancel = context.WithCancel(s.stopped)
		st.queues[jobType] = q
	}
	st.arrived++
	w := &waiter{arrival: st.arrived, wake: make(chan []protocol.PartitionID, 1)}
	q.line = append(q.line, w)
	q.watch()
	q.dispatch()
	return q, w
}

// leave takes a poll out. If it was woken in the same moment, the partitions
// go to the next.
func (q *queue) leave(w *waiter) {
	q.s.polling.mu.Lock()
	if i := slices.Index(q.line, w); i >= 0 {
		q.line = slices.Delete(q.line, i, i+1)
	}
	var parts []protocol.PartitionID
	select {
	case parts = <-w.wake:
	default:
	}
	q.settle()
	q.s.polling.mu.Unlock()
	if parts != nil {
		q.walked(w, parts, make([]visit, len(parts)), false)
	}
}

// walked takes back partitions that a poll was woken for, each as it was left.
// A poll that stays goes back to its place in line.
func (q *queue) walked(w *waiter, parts []protocol.PartitionID, visits []visit, stays bool) {
	q.s.polling.mu.Lock()
	defer q.s.polling.mu.Unlock()
	q.walking--
	for i, p := range parts {
		q.seen(q.watched[p], visits[i])
	}
	if stays {
		at, _ := slices.BinarySearchFunc(q.line, w, func(a, b *waiter) int { return cmp.Compare(a.arrival, b.arrival) })
		q.line = slices.Insert(q.line, at, w)
	}
	q.dispatch()
	q.settle()
}

// seen notes how one poll left a partition. When the last has, its watcher goes
// on.
func (q *queue) seen(p *watched, v visit) {
	p.out--
	switch v {
	case skipped:
		if p.looks++; p.looks == 1 {
			q.ready = append(q.ready, p)
		}
	case filled:
		p.found = true
	default: // nobody else need look
		p.found, p.filled = p.found || v == drained, false
		if p.looks > 0 {
			p.looks = 0
			q.ready = slices.DeleteFunc(q.ready, func(r *watched) bool { return r == p })
		}
	}
	if p.out > 0 || p.looks > 0 {
		return
	}
	p.looked <- p.found
}

// dispatch shares the ready partitions out to the first in line.
func (q *queue) dispatch() {
	for len(q.ready) > 0 && len(q.line) > 0 {
		n := (len(q.ready) + len(q.line) - 1) / len(q.line)
		parts, again := make([]protocol.PartitionID, n), []*watched(nil)
		for i, p := range q.ready[:n] {
			parts[i] = p.id
			p.out++
			if p.looks--; p.looks > 0 {
				again = append(again, p)
			}
		}
		q.ready = append(slices.Clone(q.ready[n:]), again...)
		q.line[0].wake <- parts
		q.line = q.line[1:]
		q.walking++
	}
}

// settle lets go of a type that nobody polls any more, after a while: most
// workers come back at once.
func (q *queue) settle() {
	if !q.deserted() {
		return
	}
	if q.idle != nil {
		q.idle.Reset(q.s.tuning.linger)
		return
	}
	q.idle = time.AfterFunc(q.s.tuning.linger, func() {
		st := &q.s.polling
		st.mu.Lock()
		defer st.mu.Unlock()
		if q.deserted() && st.queues[q.jobType] == q {
			q.cancel()
			delete(st.queues, q.jobType)
		}
	})
}

func (q *queue) deserted() bool { return len(q.line) == 0 && q.walking == 0 }

// watch starts a watcher for every partition that has none.
func (q *queue) watch() {
	for i := range max(q.s.partitions(), 1) {
		p := protocol.PartitionID(i + 1)
		if q.watched[p] != nil {
			continue
		}
		w := &watched{id: p, width: 1, looked: make(chan bool, 1)}
		q.watched[p] = w
		q.s.background.Go(func() { q.watchPartition(w) })
	}
}

// watchPartition reports its partition ready each time jobs are there.
func (q *queue) watchPartition(w *watched) {
	var b backoff
	var look time.Duration // how long the last took
	for q.ctx.Err() == nil {
		start := time.Now()
		err := q.await(w.id)
		took := time.Since(start)
		if took > maxBackoff {
			b.reset()
		}
		if err != nil {
			b.wait(q.ctx)
			continue
		}
		start = time.Now()
		q.jobsAt(w, took < look)
		select {
		case found := <-w.looked:
			if look = time.Since(start); found {
				b.reset()
			} else {
				b.wait(q.ctx)
			}
		case <-q.ctx.Done():
		}
	}
}

var errNothingYet = errors.New("no jobs yet")

// await returns nil when jobs of the type wait at the partition.
func (q *queue) await(p protocol.PartitionID) error {
	for q.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(q.ctx, q.s.tuning.await)
		_, err := q.s.call(ctx, p, &protocol.AwaitJobs{Type: q.jobType})
		quiet := ctx.Err() != nil // our own time is up: ask again
		cancel()
		if err == nil || !quiet {
			return err
		}
	}
	return errNothingYet
}

// jobsAt wakes polls for a partition: one, or more than before if there was
// more than those wanted.
func (q *queue) jobsAt(w *watched, soon bool) {
	q.s.polling.mu.Lock()
	defer q.s.polling.mu.Unlock()
	if w.width = min(2*w.width, q.s.tuning.width); !w.filled || !soon {
		w.width = 1
	}
	w.looks, w.filled, w.found = w.width, true, false
	q.ready = append(q.ready, w)
	q.dispatch()
}
