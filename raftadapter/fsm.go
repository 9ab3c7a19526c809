package raftadapter

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Applied reports one batch of entries that is committed and in the store.
type Applied struct {
	Index       uint64
	Incarnation uint64 // of the last entry that passed the guard
	Seq         uint64 // its seq; 0: Open itself
	Dropped     int    // entries of the batch that the guard kept out
}

// fsm writes committed entries to the store. Only raft's goroutine writes its
// fields; mu lets others read them.
type fsm struct {
	partition protocol.PartitionID
	kv        state.KV
	log       *slog.Logger
	applied   func(Applied)
	failed    func(error)
	limit     int // bytes of one transaction
	// configured is the log index of the last configuration that is committed.
	configured atomic.Uint64

	mu     sync.Mutex
	prefix []byte
	at     position
	err    error // set once: the store failed, nothing is applied any more
	ops    []state.Op
}

var _ raft.BatchingFSM = (*fsm)(nil)

// Apply applies one entry.
func (f *fsm) Apply(l *raft.Log) any { return f.ApplyBatch([]*raft.Log{l})[0] }

// ApplyBatch writes a batch of committed entries, as few transactions as fit.
func (f *fsm) ApplyBatch(logs []*raft.Log) []any {
	// path: write 6/8 committed: every replica writes the entry's bytes
	report, err := f.batch(logs)
	if err != nil {
		f.mu.Lock()
		f.err = err
		f.mu.Unlock()
		f.failed(err)
	} else {
		f.applied(report)
	}
	return make([]any, len(logs))
}

func (f *fsm) batch(logs []*raft.Log) (Applied, error) {
	if f.err != nil {
		return Applied{}, f.err
	}
	report := Applied{}
	size, at := 0, f.at
	f.ops = f.ops[:0]
	for _, l := range logs {
		if l.Type == raft.LogConfiguration {
			f.configured.Store(l.Index)
		}
		if l.Index <= f.at.Index {
			continue // in the store already: raft replays its log at a start
		}
		if l.Type == raft.LogCommand {
			if size+len(l.Data) > f.limit && size > 0 {
				if err := f.write(at); err != nil {
					return report, err
				}
				size = 0
			}
			passed, err := f.entry(l, &at)
			if err != nil {
				return report, fmt.Errorf("entry %d: %w", l.Index, err)
			}
			if !passed {
				report.Dropped++
			}
			size += len(l.Data)
		}
		at.Index = l.Index
	}
	if err := f.write(at); err != nil {
		return report, err
	}
	report.Index, report.Incarnation, report.Seq = at.Index, at.Guard.Incarnation, at.Guard.Seq
	return report, nil
}

// entry puts one entry's writes in line if it passes the guard.
func (f *fsm) entry(l *raft.Log, at *position) (bool, error) {
	r := protocol.NewReader(l.Data)
	h, err := protocol.ReadEntryHeader(r)
	if err != nil {
		return false, err
	}
	if !pass(at.Guard, h, l.Term) {
		f.log.Info("entry of an ended leadership dropped", "index", l.Index, "term", h.Term, "seq", h.Seq)
		return false, nil
	}
	at.Guard = h.Guard
	for r.Len() > 0 {
		op, err := protocol.ReadOp(r)
		if err != nil {
			return false, err
		}
		f.put(&op, l.Index)
	}
	return true, nil
}

// pass is the guard: Open opens, everything else must follow it without a gap,
// in the term that it was made for (architecture §2).
func pass(last protocol.Guard, h protocol.EntryHeader, logTerm uint64) bool {
	if h.Term != logTerm {
		return false
	}
	if h.Kind == protocol.EntryOpen {
		return h.Seq == 0
	}
	return h.Term == last.Term && h.Incarnation == last.Incarnation && h.Seq == last.Seq+1
}

func (f *fsm) key(k []byte) []byte {
	return append(append(make([]byte, 0, len(f.prefix)+len(k)), f.prefix...), k...)
}

func (f *fsm) put(op *protocol.Op, index uint64) {
	switch op.Kind {
	case protocol.OpPut:
		f.ops = append(f.ops, state.Op{Key: f.key(op.Key), Value: op.Value})
		if done, is := named(f.partition, op.Key); is {
			f.ops = append(f.ops, done)
		}
	case protocol.OpDelete:
		f.ops = append(f.ops, state.Op{Key: f.key(op.Key), Delete: true})
	case protocol.OpBody:
		f.ops = append(f.ops, state.Op{Key: state.BodyKey(protocol.Hash(op.Key), op.Chunk), Value: op.Value}, pendingBody(f.partition, op.Key, index))
	}
}

// write commits what is in line, together with the position after it.
func (f *fsm) write(at position) error {
	if at == f.at {
		return nil
	}
	f.ops = append(f.ops, state.Op{Key: f.key(appliedKey), Value: at.encode()})
	if err := f.kv.Update(f.ops); err != nil {
		return err
	}
	f.mu.Lock()
	f.at = at
	f.mu.Unlock()
	clear(f.ops)
	f.ops = f.ops[:0]
	return nil
}

// view opens the committed state.
func (f *fsm) view() (*state.View, position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.at // before the snapshot, which is then at least as new
	return state.NewView(f.kv.Snapshot(), f.prefix), at
}

func (f *fsm) position() position {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

// Snapshot takes no copy: the store holds the state, and Persist only makes it
// durable before raft lets go of its log.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	return localSnapshot{at: f.at}, nil
}

// Restore switches to the generation that was installed: the sink's Close has
// done everything else.
func (f *fsm) Restore(rc io.ReadCloser) error {
	if err := rc.Close(); err != nil {
		return err
	}
	prefix, at, err := readPosition(f.kv, f.partition)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.prefix, f.at, f.err = prefix, at, nil
	f.mu.Unlock()
	f.applied(Applied{Index: at.Index, Incarnation: at.Guard.Incarnation, Seq: at.Guard.Seq})
	return nil
}

// readPosition finds a partition's current generation and how far it is applied.
func readPosition(kv state.KV, p protocol.PartitionID) (prefix []byte, at position, err error) {
	s := kv.Snapshot()
	defer s.Close()
	generation, err := getUint32(s, generationKey(p))
	if err != nil {
		return nil, at, err
	}
	if generation == 0 {
		return nil, at, errNoGeneration
	}
	prefix = state.Prefix(p, generation)
	b, err := s.Get(append(append([]byte(nil), prefix...), appliedKey...))
	if err != nil {
		return nil, at, err
	}
	at, err = decodePosition(b)
	return prefix, at, err
}

var errNoGeneration = errors.New("the partition has no state on this node")
