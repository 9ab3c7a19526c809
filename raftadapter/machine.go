package raftadapter

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Machine is the state machine of one replica without a raft around it: it
// applies entries to a store exactly as a [Group] does. It is for simulation.
type Machine struct{ fsm *fsm }

// Entry is a committed entry of a log. One without data is raft's own.
type Entry struct {
	Index, Term uint64
	Data        []byte
}

// OpenMachine opens a partition in a store, which may be new. applied is called
// for each batch.
func OpenMachine(p protocol.PartitionID, kv state.KV, applied func(Applied)) (*Machine, error) {
	prefix, at, err := readPosition(kv, p)
	if err == errNoGeneration {
		if err = putUint32(kv, generationKey(p), 1); err == nil {
			prefix, at, err = readPosition(kv, p)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open partition %d: %w", p, err)
	}
	return &Machine{fsm: &fsm{
		partition: p, kv: kv, log: slog.New(slog.NewTextHandler(io.Discard, nil)), applied: applied, failed: func(error) {}, limit: 4 << 20, prefix: prefix, at: at,
	}}, nil
}

// Apply applies committed entries. What was applied before is passed over.
func (m *Machine) Apply(entries []Entry) error {
	logs := make([]*raft.Log, len(entries))
	for i, e := range entries {
		logs[i] = &raft.Log{Index: e.Index, Term: e.Term, Type: raft.LogCommand, Data: e.Data}
		if e.Data == nil {
			logs[i].Type = raft.LogNoop
		}
	}
	m.fsm.ApplyBatch(logs)
	return m.fsm.err
}

// View opens the committed state, as [Group.View] does.
func (m *Machine) View() (v *state.View, index uint64, guard protocol.Guard) {
	v, at := m.fsm.view()
	return v, at.Index, at.Guard
}

// Applied is how far it is, as [Group.Applied] tells.
func (m *Machine) Applied() Mark { return Mark(m.fsm.position()) }
