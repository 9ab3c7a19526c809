package partitionactor

import "github.com/grevy-io/grevy/protocol"

// sliceRows is how many rows of another partition are taken in one turn. A
// batch after an outage has more: what clients ask for in between must not wait
// for all of it.
const sliceRows = 16

// parts are those of one batch of rows, with their answers.
type parts struct {
	whole   *request
	replies []*protocol.Received
	left    int
	ended   bool
}

// slice takes the first rows of a large batch now, and posts the rest behind
// what waits. It tells whether it has done so.
func (l *leader) slice(r *request) bool {
	c, ok := r.command.(*protocol.Receive)
	if !ok || len(c.Items) <= sliceRows {
		return false
	}
	s := &parts{whole: r}
	var list rest
	for items := c.Items; len(items) > 0; {
		n, i := min(len(items), sliceRows), len(list)
		part := *c
		part.Items, items = items[:n], items[n:]
		list = append(list, &request{ctx: r.ctx, partition: r.partition, command: &part, done: func(reply protocol.Reply, err error) { s.done(i, reply, err) }})
	}
	s.replies, s.left = make([]*protocol.Received, len(list)), len(list)
	l.takeSlices(list)
	return true
}

// rest are slices that wait for a turn.
type rest []*request

// Undelivered answers for all of them.
func (r rest) Undelivered() {
	for _, part := range r {
		part.Undelivered()
	}
}

func (l *leader) takeSlices(list rest) {
	l.take(list[0])
	if len(list) > 1 {
		l.host.Post(list[1:])
	}
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
