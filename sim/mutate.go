package sim

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/state"
)

// mutation takes one safeguard away, so that a test can show that the simulation
// would notice. It works from outside, on what goes into the code that is
// tested: an input that the safeguard would stop is made into one that it lets
// through.
type mutation byte

const (
	sound         mutation = iota
	noTerm                 // entries of another term pass
	noIncarnation          // entries of another life of the same term pass
	noSeq                  // entries pass in any order
	noDedupe               // rows that were applied are applied again
	noGapCheck             // rows are applied although some before them are missing
	noEpoch                // a sender's new life is taken for its old one
	earlyAck               // rows are acknowledged before they are committed
	noVerify               // what writes nothing is answered without proof
	noHold                 // partitions are cut for a backup before all hold
)

var mutations = []mutation{noTerm, noIncarnation, noSeq, noDedupe, noGapCheck, noEpoch, earlyAck, noVerify, noHold}

func (m mutation) String() string {
	return [...]string{"sound", "term guard", "incarnation guard", "seq guard", "dedupe", "inbox gap check", "source epoch", "ack from applied state", "verified read", "hold before a backup"}[m]
}

// guards tells whether it is one of the guard of entries.
func (m mutation) guards() bool { return m == noTerm || m == noIncarnation || m == noSeq }

// doctor changes an entry's header so that one part of the guard always holds.
func (m mutation) doctor(at *raftadapter.Machine, e raftadapter.Entry) raftadapter.Entry {
	if e.Data == nil {
		return e
	}
	last := at.Applied().Guard
	r := protocol.NewReader(e.Data)
	h, err := protocol.ReadEntryHeader(r)
	must(err)
	open := h.Kind == protocol.EntryOpen
	switch {
	case m == noTerm && open:
		e.Term = h.Term
	case m == noTerm:
		h.Term, e.Term = last.Term, last.Term
	case m == noIncarnation && !open:
		h.Incarnation = last.Incarnation
	case m == noSeq && !open:
		h.Seq = last.Seq + 1
	}
	e.Data = append(protocol.AppendEntryHeader(nil, h), r.Rest()...)
	return e
}

// before changes what comes to a leader.
func (m mutation) before(l *life, q *request) {
	switch m {
	case noDedupe, noGapCheck, noEpoch:
	default:
		return
	}
	switch c := q.decoded().(type) {
	case *protocol.Receive:
		m.receive(l, q, c)
	case *protocol.TakeBase:
		if in := l.inbox(c.Source, c.Lane); m == noEpoch && in.Epoch != 0 {
			c.Epoch = in.Epoch
			q.bytes = protocol.EncodeCommand(nil, c)
		}
	}
}

func (m mutation) receive(l *life, q *request, c *protocol.Receive) {
	in := l.inbox(c.Source, c.Lane)
	if len(c.Items) == 0 {
		return
	}
	switch first := c.Items[0].Seq; {
	case m == noEpoch && in.Epoch != 0:
		c.Epoch = in.Epoch
	case m == noDedupe && in.Epoch == c.Epoch && first <= in.Seq:
		for i := range c.Items {
			c.Items[i].Seq = in.Seq + 1 + uint64(i)
		}
	case m == noGapCheck && (in.Epoch != c.Epoch || first > in.Seq+1):
		// The inbox is moved up to the first row, as if nothing was missing.
		up := l.w.request(q.p, &protocol.TakeBase{Source: c.Source, Epoch: c.Epoch, Lane: c.Lane, UpTo: first - 1}, func(protocol.Reply, error) {})
		l.execute(up)
	}
	q.bytes = protocol.EncodeCommand(nil, c)
}

// inbox reads how far a lane is applied.
func (l *life) inbox(source protocol.PartitionID, lane protocol.Lane) state.Inbox {
	view, _, _ := l.View()
	defer view.Close()
	b, err := view.Get(state.InboxKey(source, lane))
	must(err)
	return state.ReadInbox(b)
}

// answerEarly acknowledges rows that were executed and are not committed yet.
func (m mutation) answerEarly(l *life, q *request) {
	if m != earlyAck {
		return
	}
	c, ok := q.decoded().(*protocol.Receive)
	if !ok || c.Lane == protocol.LaneDeployments || len(c.Items) == 0 || q.settled || l.ended {
		return
	}
	if in := l.inbox(c.Source, c.Lane); c.Items[0].Seq <= in.Seq+1 && (in.Epoch == c.Epoch || in.Epoch == 0) {
		q.back(l.r.node.id, &protocol.Received{Epoch: c.Epoch, UpTo: c.Items[len(c.Items)-1].Seq}, nil)
	}
}
