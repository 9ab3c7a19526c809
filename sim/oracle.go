package sim

import (
	"encoding/binary"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/state"
)

// oracle applies a partition's log as soon as it is committed, on a store of its
// own, and knows who has made each entry. It says what must not happen without
// asking the guard: that looks at numbers, the oracle at who and in which order.
type oracle struct {
	g       *group
	machine *raftadapter.Machine

	open *life  // whose Open was the last one to pass
	seq  uint64 // of the last entry of its that passed

	minted  map[protocol.Key]bool
	counter int64 // of the last key
	inboxes map[string]state.Inbox
	past    map[string]map[uint64]bool // epochs of an inbox that are over
}

func (o *oracle) begin(g *group) {
	o.g = g
	var err error
	o.machine, err = raftadapter.OpenMachine(g.id, g.w.reference.kv, func(raftadapter.Applied) {})
	must(err)
	o.open, o.seq, o.counter = nil, 0, 0
	o.minted, o.inboxes, o.past = map[protocol.Key]bool{}, map[string]state.Inbox{}, map[string]map[uint64]bool{}
}

// applied takes the next committed entry.
func (o *oracle) applied(index uint64) {
	w, g := o.g.w, o.g
	l := &g.log[index-1]
	entry := g.entry(index)
	before := o.machine.Applied().Guard
	if w.mutant.guards() {
		entry = w.mutant.doctor(o.machine, entry)
	}
	if l.data != nil && o.passes(l) {
		o.look(l)
	}
	must(o.machine.Apply([]raftadapter.Entry{entry}))
	g.digests = append(g.digests[:index], w.reference.kv.digests[g.id])
	if l.data == nil {
		w.note("partition %d commits %d: raft's own, term %d", g.id, index, l.term)
		return
	}
	passed := o.machine.Applied().Guard != before
	w.note("partition %d commits %d: %d bytes, passed %t, digest %x", g.id, index, len(l.data), passed, g.digests[index])
	w.stats.Entries++
	if !passed {
		w.stats.Dropped++
	}
	if passed != o.passes(l) {
		w.fail("partition %d: entry %d of life %d on node %d in term %d, committed in term %d, was applied: %t",
			g.id, index, l.by.from.number, l.by.from.r.node.id, header(l.data).Term, l.term, passed)
		return
	}
	if passed {
		h := header(l.data)
		o.open, o.seq = l.by.from, h.Seq
	}
}

func header(data []byte) protocol.EntryHeader {
	h, err := protocol.ReadEntryHeader(protocol.NewReader(data))
	must(err)
	return h
}

// passes tells whether an entry must be applied: it opens a leadership in the term
// in which it was committed, or follows its own leadership's last entry, and
// nobody else has opened since.
func (o *oracle) passes(l *logged) bool {
	h := header(l.data)
	if h.Term != l.term {
		return false
	}
	if h.Kind == protocol.EntryOpen {
		return true
	}
	return o.open == l.by.from && h.Seq == o.seq+1
}

// oneKey are the tables with one row per key that a partition mints.
var oneKey = map[state.Table]bool{
	state.TableElement: true, state.TableJob: true, state.TableIncident: true,
	state.TableDefinition: true, state.TableDeployment: true, state.TableContinue: true,
}

// look reads what an entry writes, before it is applied.
func (o *oracle) look(l *logged) {
	r := protocol.NewReader(l.data)
	_, err := protocol.ReadEntryHeader(r)
	must(err)
	top := o.counter
	view, _, _ := o.machine.View()
	defer view.Close()
	for r.Len() > 0 {
		op, err := protocol.ReadOp(r)
		must(err)
		if op.Kind != protocol.OpPut {
			continue
		}
		switch table := state.Table(op.Key[0]); {
		case oneKey[table]:
			o.lookAtKey(view, &op, &top)
		case table == state.TableInbox:
			o.lookAtInbox(string(op.Key), state.ReadInbox(op.Value[1:]))
		}
	}
	o.counter = top
}

// lookAtKey makes sure that a row which is new has a key that was never minted.
func (o *oracle) lookAtKey(view *state.View, op *protocol.Op, top *int64) {
	key := protocol.Key(binary.BigEndian.Uint64(op.Key[len(op.Key)-8:]))
	if key.Partition() != o.g.id {
		return // minted by the deployment partition
	}
	old, err := view.Raw(op.Key)
	must(err)
	if old != nil {
		return
	}
	later, err := view.Raw(state.TableLater.OfKey(key)) // minted before, for an instance that was to begin
	must(err)
	id := key
	if o.minted[id] || later == nil && key.Counter() <= o.counter {
		o.g.w.fail("partition %d mints key %d again", o.g.id, key)
	}
	o.minted[id] = true
	*top = max(*top, key.Counter())
}

// lookAtInbox makes sure that an inbox only goes on, within an epoch of its
// sender, and that an epoch that is over does not come again.
func (o *oracle) lookAtInbox(row string, in state.Inbox) {
	was := o.inboxes[row]
	switch {
	case was.Epoch == in.Epoch && in.Seq < was.Seq, o.past[row][in.Epoch]:
		o.g.w.fail("partition %d: an inbox goes back from %+v to %+v", o.g.id, was, in)
	case was.Epoch != in.Epoch && was.Epoch != 0:
		if o.past[row] == nil {
			o.past[row] = map[uint64]bool{}
		}
		o.past[row][was.Epoch] = true
	}
	o.inboxes[row] = in
}

// contents decodes what is committed, and closes the view.
func (o *oracle) contents() *enginetest.Contents {
	view, _, _ := o.machine.View()
	c, err := enginetest.ReadContents(view)
	must(err)
	return c
}

// check looks for what must never be the case of a partition's state.
func (o *oracle) check() {
	c := o.contents()
	wrong, err := c.Check(o.g.id, o.g.w.partitions())
	must(err)
	for _, s := range wrong {
		o.g.w.fail("partition %d: %s", o.g.id, s)
	}
}
