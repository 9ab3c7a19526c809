package raftwal_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/hashicorp/raft"
)

// model is what a log must hold, without any thought.
type model struct {
	first, last uint64
	logs        map[uint64]raft.Log
	keys        map[string]string
}

func newModel() *model { return &model{logs: map[uint64]raft.Log{}, keys: map[string]string{}} }

func (m *model) clone() *model {
	return &model{m.first, m.last, maps.Clone(m.logs), maps.Clone(m.keys)}
}

func (m *model) store(logs []*raft.Log) {
	for _, l := range logs {
		if m.last == 0 {
			m.first = l.Index
		}
		m.last = l.Index
		m.logs[l.Index] = *l
	}
}

func (m *model) deleteRange(lo, hi uint64) {
	for i := lo; i <= hi; i++ {
		delete(m.logs, i)
	}
	m.first, m.last = 0, 0
	for i := range m.logs {
		if m.first == 0 || i < m.first {
			m.first = i
		}
		m.last = max(m.last, i)
	}
}

// diff says where the log differs from the model, nil when nowhere.
func (m *model) diff(l store) error {
	first, err := l.FirstIndex()
	if err != nil {
		return err
	}
	last, err := l.LastIndex()
	if err != nil {
		return err
	}
	if first != m.first || last != m.last {
		return fmt.Errorf("log is %d to %d, want %d to %d", first, last, m.first, m.last)
	}
	for i := m.first; i != 0 && i <= m.last; i++ {
		var got raft.Log
		if err := l.GetLog(i, &got); err != nil {
			return fmt.Errorf("get %d: %w", i, err)
		}
		if want := m.logs[i]; !equal(got, want) {
			return fmt.Errorf("entry %d is %v, want %v", i, brief(got), brief(want))
		}
	}
	// Not the one before the first: raft-wal still reads that until it is reopened, which raft does not mind.
	for _, i := range []uint64{0, m.last + 1} {
		var got raft.Log
		if err := l.GetLog(i, &got); !errors.Is(err, raft.ErrLogNotFound) {
			return fmt.Errorf("get %d outside the log: %v", i, err)
		}
	}
	return m.diffKeys(l)
}

func (m *model) diffKeys(l store) error {
	for _, k := range keyNames {
		got, err := l.Get([]byte(k))
		want, ok := m.keys[k]
		if !ok && len(got) > 0 { // raft takes "not found" and nothing for the same
			return fmt.Errorf("key %q: %q, %v, want not found", k, got, err)
		}
		if ok && (err != nil || string(got) != want) {
			return fmt.Errorf("key %q: %q, %v, want %q", k, got, err, want)
		}
	}
	return nil
}

// equal compares what raft reads of an entry.
func equal(a, b raft.Log) bool {
	return a.Index == b.Index && a.Term == b.Term && a.Type == b.Type && bytes.Equal(a.Data, b.Data) &&
		bytes.Equal(a.Extensions, b.Extensions) && a.AppendedAt.Equal(b.AppendedAt)
}

func brief(l raft.Log) string {
	return fmt.Sprintf("{%d term %d %v data %d ext %d %v}", l.Index, l.Term, l.Type, len(l.Data), len(l.Extensions), l.AppendedAt)
}

var keyNames = []string{"CurrentTerm", "LastVoteTerm", "LastVoteCand"}

// op is one write: what it does to a log, and the states that may be found if it is interrupted, the last of them
// the one after success.
type op struct {
	name   string
	do     func(store) error
	states []*model
}

// generator makes random writes that raft could ask for. Each entry it makes is unlike all others.
type generator struct {
	rng     *rand.Rand
	serial  uint64
	maxData int
}

func (g *generator) next(m *model) op {
	switch n := g.rng.IntN(20); {
	case n < 11 || m.last == 0:
		return g.storeOp(m)
	case n < 13:
		return g.deleteOp(m, m.first, m.first+g.rng.Uint64N(m.last-m.first+1))
	case n < 16:
		lo := m.last - min(g.rng.Uint64N(12), m.last-m.first)
		return g.deleteOp(m, lo, m.last)
	case n < 17:
		return g.deleteOp(m, m.first, m.last)
	default:
		return g.keyOp(m)
	}
}

func (g *generator) storeOp(m *model) op {
	first := m.last + 1
	if m.last == 0 {
		first = 1 + g.rng.Uint64N(1000)
	}
	logs := make([]*raft.Log, 1+g.rng.IntN(8))
	states := []*model{m}
	for i := range logs {
		logs[i] = g.entry(first + uint64(i))
		after := states[i].clone()
		after.store(logs[i : i+1])
		states = append(states, after)
	}
	do := func(l store) error { return l.StoreLogs(logs) }
	return op{fmt.Sprintf("store %d from %d", len(logs), first), do, states}
}

func (g *generator) entry(index uint64) *raft.Log {
	g.serial++
	l := &raft.Log{Index: index, Term: g.serial, Type: raft.LogType(g.rng.IntN(6))}
	l.Data = g.bytes(g.rng.IntN(g.maxData))
	if g.rng.IntN(4) == 0 {
		l.Extensions = g.bytes(g.rng.IntN(50))
	}
	if g.rng.IntN(30) == 0 {
		l.Data = g.bytes(3000 + g.rng.IntN(4000))
	}
	if g.rng.IntN(10) > 0 {
		l.AppendedAt = time.Unix(1_700_000_000+int64(g.serial), int64(g.rng.IntN(1e9))).UTC()
	}
	return l
}

func (g *generator) bytes(n int) []byte {
	if n == 0 {
		return nil
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.rng.Uint32())
	}
	return b
}

func (g *generator) deleteOp(m *model, lo, hi uint64) op {
	after := m.clone()
	after.deleteRange(lo, hi)
	do := func(l store) error { return l.DeleteRange(lo, hi) }
	return op{fmt.Sprintf("delete %d to %d of %d to %d", lo, hi, m.first, m.last), do, []*model{m, after}}
}

func (g *generator) keyOp(m *model) op {
	k, v := keyNames[g.rng.IntN(len(keyNames))], string(g.bytes(g.rng.IntN(40)))
	after := m.clone()
	after.keys[k] = v
	do := func(l store) error { return l.Set([]byte(k), []byte(v)) }
	return op{"set " + k, do, []*model{m, after}}
}
