package raftadapter

import (
	"io"
	"log/slog"
	"testing"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
	"github.com/grevy-io/grevy/state/memkv"
)

// bringing is a partition whose log brings a resource and names it, entry by entry.
type bringing struct {
	*fsm
	t     *testing.T
	hash  protocol.Hash
	index uint64
	guard protocol.Guard
}

func newBringing(t *testing.T) *bringing {
	kv := memkv.New()
	if err := putUint32(kv, generationKey(7), 1); err != nil {
		t.Fatal(err)
	}
	return &bringing{t: t, hash: protocol.Hash{0: 0xAA}, guard: protocol.Guard{Term: 1, Incarnation: 3}, fsm: &fsm{
		partition: 7, kv: kv, log: slog.New(slog.DiscardHandler), prefix: state.Prefix(7, 1), limit: 1 << 20,
		applied: func(Applied) {}, failed: func(err error) { t.Error(err) },
	}}
}

func (b *bringing) entry(kind protocol.EntryKind, ops ...protocol.Op) {
	b.index++
	e := protocol.AppendEntryHeader(nil, protocol.EntryHeader{Kind: kind, Guard: b.guard})
	for i := range ops {
		e = protocol.AppendOp(e, &ops[i])
	}
	b.guard.Seq++
	b.Apply(&raft.Log{Index: b.index, Term: 1, Data: e})
}

func (b *bringing) bring() {
	b.entry(protocol.EntryOpen)
	b.entry(protocol.EntryWrites, protocol.Op{Kind: protocol.OpBody, Key: b.hash[:], Value: []byte("body"), Last: true})
}

func (b *bringing) name() { b.entry(protocol.EntryWrites, ContentRef(b.hash, 4)) }

func (b *bringing) sweep() {
	b.t.Helper()
	n := &Node{Config: Config{KV: b.kv}}
	if err := n.Sweep([]protocol.PartitionID{7}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bringing) has(kv state.KV) bool {
	b.t.Helper()
	s := kv.Snapshot()
	defer s.Close()
	data, err := state.ReadBody(s, b.hash, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(data) == "body"
}

// A node starts after the bytes of a resource have come and before it is named.
func TestSweep_KeepsWhatIsAboutToBeNamed(t *testing.T) {
	b := newBringing(t)
	b.bring()
	b.sweep()
	if !b.has(b.kv) {
		t.Fatal("the resource is gone before it could be named")
	}
	b.name()
	b.sweep()
	s := b.kv.Snapshot()
	defer s.Close()
	if left := pending(s, 7, b.index); !b.has(b.kv) || len(left) > 0 {
		t.Errorf("named: the resource is there: %t, about to be named: %x", b.has(b.kv), left)
	}
}

// The leadership that has brought a resource ended before it named it.
func TestSweep_RemovesWhatIsNeverNamed(t *testing.T) {
	b := newBringing(t)
	b.bring()
	b.index += pendingFor
	b.entry(protocol.EntryWrites)
	b.sweep()
	if b.has(b.kv) {
		t.Error("a resource that nobody has named is kept for ever")
	}
}

// A snapshot is sent in between: it brings the resource along, and its receiver does
// not lose it either.
func TestInstall_KeepsWhatIsAboutToBeNamed(t *testing.T) {
	b := newBringing(t)
	b.bring()
	kv := memkv.New()
	to := &bringing{t: t, hash: b.hash, fsm: &fsm{
		partition: 7, kv: kv, log: slog.New(slog.DiscardHandler), prefix: state.Prefix(7, 1), limit: 1 << 20, applied: func(Applied) {}, failed: b.failed,
	}}
	node := &Node{Config: Config{KV: kv, Log: slog.New(slog.DiscardHandler)}}
	store := &snapshots{node: node, partition: 7, fsm: to.fsm, log: &boundedLog{}}
	in, err := newInstall(store, 2)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := openStream(b.fsm)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := io.Copy(in, stream); err != nil {
		t.Fatal(err)
	}
	if err := in.finish(snapshotMeta{Index: 2, Term: 1}); err != nil {
		t.Fatal(err)
	}
	if err := to.Restore(io.NopCloser(nil)); err != nil {
		t.Fatal(err)
	}
	to.index, to.guard = b.index, b.guard
	to.sweep()
	to.name()
	to.sweep()
	if !to.has(kv) {
		t.Error("the resource was lost on its way")
	}
}
