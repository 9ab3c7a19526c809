package partitionactor

import (
	"slices"
	"time"

	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// entry gathers commands that are committed together.
type entry struct {
	seq      uint64
	results  []result
	bodies   []byte // encoded ops that are no writes of the state: resources and records
	size     int
	bytes    []byte // once it is closed
	proposed time.Time
	rows     bool // of another partition are in it
}

// result is what one command of an entry leads to once it is applied.
type result struct {
	r       *request
	reply   protocol.Reply // nil: answered otherwise
	effects engine.Effects
}

func (e *entry) empty() bool { return len(e.results) == 0 && len(e.bodies) == 0 }

func (e *entry) fail(err error) {
	for i := range e.results {
		if e.results[i].reply != nil {
			e.results[i].r.done(nil, err)
		}
	}
}

// chunkSize is how many bytes of a resource stand in one op.
const chunkSize = state.MaxValue

// pack puts a command's writes into the entry, and its resources before them,
// in entries of their own if they are big. A command that writes nothing is
// answered like a read.
func (l *leader) pack(r *request, out engine.Outcome) {
	// path: write 4/8 pack: one entry carries many commands
	if l.tx.Empty() {
		if out.Reply != nil {
			l.read(r, out.Reply, nil)
		}
		return
	}
	for _, b := range l.tx.Bodies() {
		l.packBody(b)
	}
	recs := l.tx.Records()
	size := l.tx.Size() + len(recs)
	if l.packing.size > 0 && l.packing.size+size > l.p.Limits.EntryBytes {
		l.closeEntry()
	}
	if recs != nil {
		l.packing.bodies = protocol.AppendOp(l.packing.bodies, &protocol.Op{Kind: protocol.OpRecords, Value: recs})
	}
	l.packing.size += size
	l.tx.Commit()
	l.packing.results = append(l.packing.results, result{r: r, reply: out.Reply, effects: out.Effects})
	if l.packing.size >= l.p.Limits.EntryBytes {
		l.closeEntry()
	}
}

func (l *leader) packBody(b protocol.Body) {
	for i := 0; i == 0 || i < len(b.Data); i += chunkSize {
		end := min(i+chunkSize, len(b.Data))
		op := protocol.Op{Kind: protocol.OpBody, Key: b.Hash[:], Value: b.Data[i:end], Chunk: uint32(i / chunkSize), Last: end == len(b.Data)}
		if l.packing.size > 0 && l.packing.size+op.Size() > l.p.Limits.EntryBytes {
			l.closeEntry()
		}
		l.packing.bodies = protocol.AppendOp(l.packing.bodies, &op)
		l.packing.size += op.Size()
	}
}

// closeEntry ends the entry being packed; the next command begins another.
func (l *leader) closeEntry() {
	e := l.packing
	b := protocol.AppendEntryHeader(make([]byte, 0, e.size+64), protocol.EntryHeader{
		Kind: protocol.EntryWrites, Guard: protocol.Guard{Term: l.term, Incarnation: l.incarnation, Seq: e.seq},
	})
	b = append(b, e.bodies...)
	e.bytes, _ = l.over.Pack(b)
	e.bodies = nil
	l.closed = append(l.closed, &e)
	l.packing = entry{seq: l.over.Packing()}
	l.proposeNext()
}

// proposeNext sends the oldest closed entry on its way, if one may be.
func (l *leader) proposeNext() {
	for len(l.closed) > 0 && len(l.flying) < l.p.Limits.Proposals {
		e := l.closed[0]
		l.closed = slices.Delete(l.closed, 0, 1)
		l.flying = append(l.flying, e)
		e.proposed = l.host.Now()
		l.propose(e.bytes, nil)
	}
}

// idle is called when the mailbox has run empty: what is packed goes off, if
// nothing else is under way. Otherwise it goes on packing, which is what makes
// entries large under load without any timer.
func (l *leader) idle() {
	if l.ended || !l.opened {
		return
	}
	if !l.packing.empty() && len(l.closed) == 0 && len(l.flying) < l.p.Limits.Proposals {
		l.closeEntry()
	}
	l.verify()
	l.askForRows()
}

// settle finishes the commands of entries that are applied: effects first, so
// that who is told of a result can rely on them.
func (l *leader) settle() {
	// path: write 8/8 answer: replies leave, effects happen
	n := 0
	for ; n < len(l.flying) && l.flying[n].seq <= l.applied; n++ {
		e := l.flying[n]
		l.p.Observer.Entry(l.p.Partition, len(e.results), len(e.bytes), l.host.Now().Sub(e.proposed))
		for i := range e.results {
			l.finish(&e.results[i])
		}
	}
	l.flying = slices.Delete(l.flying, 0, n)
}

func (l *leader) finish(res *result) {
	fx := &res.effects
	for _, c := range fx.Completed {
		l.completed(c)
	}
	if len(fx.Pushed) > 0 {
		l.distributor(actors.RowsAdded{Rows: outboxRows(fx.Pushed)})
	}
	if len(fx.Acked) > 0 {
		l.distributor(actors.RowsDeleted{Acks: fx.Acked})
	}
	if res.reply == nil {
		if res.r.begun != nil {
			res.r.begun()
		}
		return
	}
	if fx.DeploymentSeq > 0 {
		done, reply := res.r.done, res.reply
		l.p.Deployed(fx.DeploymentSeq, func() { done(reply, nil) })
		return
	}
	res.r.done(res.reply, nil)
}

// completed answers whoever waits for an instance's result.
func (l *leader) completed(c engine.Completed) {
	r := l.awaiting[c.Instance]
	if r == nil {
		return // its creator's leader is gone, or the creator is
	}
	delete(l.awaiting, c.Instance)
	if c.Result == nil {
		r.done(nil, protocol.Reject(protocol.InvalidState, r.command.Intent(),
			"Expected to await the result of process instance with key '%d', but it was cancelled", c.Instance))
		return
	}
	r.done(c.Result, nil)
}
