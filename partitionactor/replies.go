package partitionactor

import (
	"fmt"

	"github.com/grevy-io/grevy/protocol"
)

// reads holds answers that write nothing. They were made from committed state
// and overlay, perhaps by a leader that has been deposed without knowing it, so
// they wait for proof: an entry of this leadership that was proposed later is
// applied, or a verification that was started later succeeds. In both cases all
// that they may have seen of the overlay must be applied too (architecture §2
// "Replies").
type reads struct {
	waiting   []readReply
	last      uint64 // id given out
	verifying bool
}

type readReply struct {
	id    uint64
	sees  uint64 // the last entry whose writes it may have seen
	proof uint64 // an entry that is proposed after it was made
	r     *request
	reply protocol.Reply
	err   error
	sure  bool // a verification has succeeded
}

// read notes an answer that writes nothing. Of the leader's own commands nobody is
// told, so that they need no proof: an idle leader looks ten times in a second what
// is due.
func (l *leader) read(r *request, reply protocol.Reply, err error) {
	if r.own {
		r.done(reply, err)
		return
	}
	q := &l.reads
	q.last++
	w := readReply{id: q.last, sees: l.packing.seq - 1, proof: l.packing.seq, r: r, reply: reply, err: err}
	if !l.packing.empty() {
		w.sees = l.packing.seq
	}
	q.waiting = append(q.waiting, w)
}

// release answers what is applied and proven.
func (q *reads) release(applied uint64) {
	kept := q.waiting[:0]
	for _, w := range q.waiting {
		if w.sees <= applied && (w.sure || w.proof <= applied) {
			w.r.done(w.reply, w.err)
			continue
		}
		kept = append(kept, w)
	}
	clear(q.waiting[len(kept):])
	q.waiting = kept
}

func (q *reads) fail(err error) {
	for _, w := range q.waiting {
		w.r.done(nil, err)
	}
	q.waiting = nil
}

// unproven tells whether an answer waits that no entry under way will prove.
func (q *reads) unproven(packing uint64) bool {
	n := len(q.waiting)
	return n > 0 && q.waiting[n-1].proof >= packing && !q.waiting[n-1].sure
}

// verify asks for proof if answers wait and no entry is on its way that would
// give it. One verification serves all that wait when it starts.
func (l *leader) verify() {
	q := &l.reads
	if q.verifying || !l.packing.empty() || !q.unproven(l.packing.seq) {
		return
	}
	q.verifying = true
	host, m := l.host, verified{incarnation: l.incarnation, upTo: q.last}
	l.group.Verify(func(err error) {
		m.err = err
		host.Post(m)
	})
}

func (l *leader) onVerified(m verified) {
	if l.ended || m.incarnation != l.incarnation {
		return
	}
	q := &l.reads
	q.verifying = false
	if m.err != nil {
		l.end(fmt.Errorf("verify leadership: %w", m.err))
		return
	}
	if term := l.group.Term(); term != l.term {
		// This node leads, but in another term: somebody may have led in between.
		l.end(fmt.Errorf("verify leadership: the term is %d by now", term))
		return
	}
	for i := range q.waiting {
		if q.waiting[i].id <= m.upTo {
			q.waiting[i].sure = true
		}
	}
	q.release(l.applied)
}
