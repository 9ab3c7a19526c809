package raftadapter

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Mark is a place in a group's log: behind the entry Index, with the guard that
// the next one has to pass.
type Mark struct {
	Index uint64
	Guard protocol.Guard
}

// Committed is an entry of the log that was applied: the guard let it through.
type Committed struct {
	Index uint64
	Data  []byte
}

// ErrLogGone says that entries behind a mark are no longer in this node's log.
var ErrLogGone = errors.New("the log begins later")

// Applied is the mark behind all that is applied here.
func (g *Group) Applied() Mark {
	at := g.fsm.position()
	return Mark(at)
}

// Committed reads entries behind a mark that are applied here, until they have
// about limit bytes; next is the mark behind them. Entries that the guard has
// dropped are left out. It may be called from any goroutine.
func (g *Group) Committed(from Mark, limit int) (list []Committed, next Mark, err error) {
	next = from
	applied := g.fsm.position().Index
	for size := 0; next.Index < applied && size < limit; {
		var l raft.Log
		if err := g.cache.GetLog(next.Index+1, &l); err != nil {
			if errors.Is(err, raft.ErrLogNotFound) {
				err = ErrLogGone
			}
			return list, next, fmt.Errorf("read entry %d: %w", next.Index+1, err)
		}
		size += len(l.Data) + 1
		if l.Type == raft.LogCommand {
			h, err := protocol.ReadEntryHeader(protocol.NewReader(l.Data))
			if err != nil {
				return list, next, fmt.Errorf("entry %d: %w", l.Index, err)
			}
			if pass(next.Guard, h, l.Term) {
				next.Guard = h.Guard
				list = append(list, Committed{l.Index, l.Data})
			}
		}
		next.Index = l.Index
	}
	return list, next, nil
}

// Earliest is the mark before the first entry that this node's log still has,
// for who has lost his place. The guard is guessed from that entry: of a
// leadership that ended there, one entry too many may pass.
func (g *Group) Earliest() (Mark, error) {
	first, err := g.log.FirstIndex()
	if err != nil || first == 0 {
		return g.Applied(), err
	}
	m := Mark{Index: first - 1}
	for i := first; i <= g.fsm.position().Index; i++ {
		var l raft.Log
		if err := g.cache.GetLog(i, &l); err != nil {
			return m, err
		}
		if l.Type != raft.LogCommand {
			continue
		}
		h, err := protocol.ReadEntryHeader(protocol.NewReader(l.Data))
		if err != nil {
			return m, err
		}
		if h.Term == l.Term {
			m.Guard = h.Guard
			m.Guard.Seq-- // an Open passes anyway
			return m, nil
		}
	}
	return m, nil
}

// exported is how far the record log is, as applied here; 0: there is none.
func (g *Group) exported() uint64 {
	view, _ := g.fsm.view()
	defer view.Close()
	b, err := view.Get(state.ExportedKey)
	if err != nil {
		return 0
	}
	index, _, _ := state.ReadExported(b)
	return index
}
