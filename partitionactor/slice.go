package partitionactor

import (
	"slices"

	"github.com/grevy-io/grevy/protocol"
)

// sliceRows is how many rows of another partition are taken in one turn, and go
// into one entry. A batch after an outage has more: what clients ask for in between
// must not wait for all of it, neither for its execution nor for its commit.
const sliceRows = 16

// parts are those of one batch of rows, with their answers.
type parts struct {
	whole   *request
	replies []*protocol.Received
	left    int
	ended   bool
}

// slice takes a large batch of rows apart. It tells whether it has done so.
func (l *leader) slice(r *request) bool {
	c, ok := r.command.(*protocol.Receive)
	if !ok || len(c.Items) <= sliceRows {
		return false
	}
	s := &parts{whole: r}
	for items := c.Items; len(items) > 0; s.left++ {
		n, i := min(len(items), sliceRows), s.left
		part := *c
		part.Items, items = items[:n], items[n:]
		l.rows.waiting = append(l.rows.waiting, &request{ctx: r.ctx, partition: r.partition, command: &part, done: func(reply protocol.Reply, err error) { s.done(i, reply, err) }})
	}
	s.replies = make([]*protocol.Received, s.left)
	l.askForRows()
	return true
}

// rows are slices that wait for their turn.
type rows struct {
	waiting []*request
	asked   bool // for a turn
}

// rowsTurn is a turn for the next slice; its number is the incarnation.
type rowsTurn uint64

// mayTakeRows tells whether a slice may be packed: one at a time is on its way, and
// what clients ask for goes in between.
func (l *leader) mayTakeRows() bool {
	flying := slices.ContainsFunc(l.flying, func(e *entry) bool { return e.rows })
	return len(l.rows.waiting) > 0 && !flying && !l.packing.rows && len(l.closed) == 0
}

// askForRows posts a turn for the next slice behind what waits.
func (l *leader) askForRows() {
	if !l.rows.asked && l.mayTakeRows() {
		l.rows.asked = true
		l.host.Post(rowsTurn(l.incarnation))
	}
}

func (l *leader) onRowsTurn() {
	l.rows.asked = false
	if l.ended || !l.mayTakeRows() {
		return
	}
	r := l.rows.waiting[0]
	l.rows.waiting = slices.Delete(l.rows.waiting, 0, 1)
	l.packing.rows = true
	l.take(r)
	if l.packing.empty() {
		l.packing.rows = false // it has written nothing, or is packed already
	}
}

func (q *rows) fail(err error) {
	for _, r := range q.waiting {
		r.done(nil, err)
	}
	q.waiting = nil
}

// done takes the answer of one part, which may come before that of another.
func (s *parts) done(i int, reply protocol.Reply, err error) {
	s.left--
	got, ok := reply.(*protocol.Received)
	if err != nil || !ok {
		if !s.ended {
			s.ended = true
			s.whole.done(reply, err)
		}
		return
	}
	if s.replies[i] = got; s.left == 0 && !s.ended {
		s.whole.done(s.together(), nil)
	}
}

// together is the answer to all of it. What follows a hole or a missing resource
// has met it as a hole, and says nothing new.
func (s *parts) together() *protocol.Received {
	all := *s.replies[0]
	for _, r := range s.replies[1:] {
		if all.Gap || len(all.Missing) > 0 {
			break
		}
		refused := append(all.Refused, r.Refused...)
		all = *r
		all.Refused = refused
	}
	return &all
}
