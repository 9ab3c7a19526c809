package sim

import (
	"errors"

	"github.com/grevy-io/grevy/protocol"
)

// books are what clients were told, and what must follow from it.
type books struct {
	w      *world
	orders []*order
	bells  []*bell
	locks  map[protocol.Key]lock
	held   []held
	keys   map[protocol.Key]bool // of instances, messages and signals: given once each
	told   uint64                // the deployment lane, as clients know it
	newest int32                 // version of the orders' process
}

// order is an instance of the process in models.go that a client has made.
type order struct {
	id       string // its correlation key
	p        protocol.PartitionID
	key      protocol.Key // 0: its client does not know whether it is there
	created  int          // moment
	job      protocol.Key // that holds it
	given    bool         // a client has its job
	value    int          // the last one set for certain
	maybe    []int        // set since then, perhaps
	busy     bool         // its value is being set
	closing  bool         // somebody has begun to complete its job
	closed   bool         // and it is certain
	payments []*payment
	lost     bool // its partition was restored since
}

// payment is a message to an order.
type payment struct {
	id   int
	sure bool
}

// bell is a signal that was broadcast.
type bell struct {
	id    int
	from  protocol.PartitionID
	begun int // moment
	sure  bool
	past  bool // before its partition was restored
}

// lock is a job in a worker's hands.
type lock struct{ from, until int64 }

// moment is a number for now: whatever happens later has a greater one.
func (w *world) moment() int {
	w.count++
	return int(w.count)
}

// answered looks at every answer when a leader lets go of it, also if it gets
// lost afterwards.
func (b *books) answered(q *request, reply protocol.Reply) {
	jobs, ok := reply.(*protocol.Jobs)
	if !ok || len(jobs.Jobs) == 0 || b.w.group(q.p).life > 0 {
		return
	}
	c, ok := q.decoded().(*protocol.ActivateJobs)
	if !ok || c.Type != holdType {
		return
	}
	for i := range jobs.Jobs {
		j := &jobs.Jobs[i]
		b.w.stats.Handed++
		now := lock{from: j.Deadline - c.Timeout, until: j.Deadline}
		if was, locked := b.locks[j.Key]; locked && now.from < was.until && was.from < now.until {
			b.w.fail("job %d is handed out from %d to %d, and from %d to %d", j.Key, was.from, was.until, now.from, now.until)
		}
		b.locks[j.Key] = now
		for _, o := range b.orders {
			if o.closed && o.job == j.Key {
				b.w.fail("job %d is handed out, but it was completed", j.Key)
			}
		}
	}
}

// given notes a key that somebody was told.
func (b *books) given(key protocol.Key) {
	if b.keys[key] {
		b.w.fail("key %d is given twice", key)
	}
	b.keys[key] = true
}

// holder finds the order that a job holds.
func (b *books) holder(instance protocol.Key) *order {
	for _, o := range b.orders {
		if o.key == instance {
			return o
		}
	}
	return nil
}

// certain tells what an answer proves: done, not done, or neither.
func certain(err error) (done, not bool) {
	var rejection *protocol.Rejection
	var refusal *protocol.Refusal
	switch {
	case err == nil:
		return true, false
	case errors.As(err, &rejection), errors.As(err, &refusal):
		return false, true
	}
	return false, false
}

func rejected(err error) protocol.RejectionType {
	var rejection *protocol.Rejection
	if errors.As(err, &rejection) {
		return rejection.Type
	}
	return 0
}
