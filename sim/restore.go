package sim

import (
	"encoding/binary"
	"time"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

const elements = state.TableElement

// backup remembers how far a partition is, and restores it to there some time
// later: what was committed since then is lost, and what clients were told of
// it no longer holds. What is done afterwards must hold again.
func (w *world) backup() {
	g := w.groups[1+w.rnd.IntN(len(w.groups)-1)]
	index := g.commit
	w.after(w.between(500*time.Millisecond, 2*time.Second), func() {
		if !w.calm {
			g.restore(index)
		}
	})
}

func (g *group) restore(index uint64) {
	w := g.w
	w.note("partition %d is restored to %d of %d", g.id, index, g.commit)
	w.stats.Restores++
	lost := g.oracle.counter
	g.life++
	g.leader = -1
	for _, r := range g.members {
		r.die()
		r.node.kv.forget(g.id)
	}
	for _, b := range w.books.bells {
		if b.from == g.id {
			b.past = true
		}
	}
	for _, o := range w.books.orders {
		o.lost = o.lost || o.p == g.id
	}
	g.log, g.commit, g.digests = g.log[:index], 0, g.digests[:1]
	w.reference.kv.forget(g.id)
	g.oracle.begin(g)
	g.commitUpTo(index)
	g.renew(lost)
	for _, r := range g.members {
		r.open()
		r.follow(0)
	}
	g.plan(w.between(100*time.Millisecond, 500*time.Millisecond))
}

// renew gives a restored partition another life as a sender, and lifts its
// counter of keys above all that it may have given out.
func (g *group) renew(lost int64) {
	w := g.w
	g.term += 2
	by := &life{replica: g.members[0], r: g.members[0], number: 1 << 20, ended: true, gone: true}
	guard := protocol.Guard{Term: g.term, Incarnation: w.rnd.Uint64()}
	put := func(kind protocol.EntryKind, ops ...protocol.Op) {
		b := protocol.AppendEntryHeader(nil, protocol.EntryHeader{Kind: kind, Guard: guard})
		for i := range ops {
			b = protocol.AppendOp(b, &ops[i])
		}
		g.log = append(g.log, logged{term: g.term, data: b, by: &proposal{from: by, done: func(error) {}}})
		guard.Seq++
	}
	put(protocol.EntryOpen)
	put(protocol.EntryWrites, number("epoch", w.rnd.Uint64()|1), number("counter", uint64(lost)+1000))
	g.commitUpTo(g.last())
}

// number is a write of one of a partition's own numbers, as state.Tx makes it.
func number(name string, v uint64) protocol.Op {
	value := append([]byte{0}, binary.BigEndian.AppendUint64(nil, v)...)
	return protocol.Op{Kind: protocol.OpPut, Key: append(state.TableMeta.Key(len(name)), name...), Value: value}
}
