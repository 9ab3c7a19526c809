package raftadapter

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// opsOf makes writes of a stream that comes in pieces of a size.
func opsOf(b []byte, size int) (ops []protocol.Op, err error) {
	s := NewStreamOps(func(op *protocol.Op) error {
		ops = append(ops, protocol.Op{Kind: op.Kind, Key: clone(op.Key), Value: clone(op.Value), Chunk: op.Chunk, Last: op.Last})
		return nil
	})
	for len(b) > 0 && err == nil {
		n := min(size, len(b))
		_, err = s.Write(b[:n])
		b = b[n:]
	}
	return ops, errors.Join(err, s.End())
}

// TestCut_StreamMakesAnEqualPartition: what a cut is read as, applied as writes of
// entries, has a stream of the same bytes; nothing of the replica is in it.
func TestCut_StreamMakesAnEqualPartition(t *testing.T) {
	t.Parallel()
	from := sample(t)
	want, err := io.ReadAll(from.cut().Stream())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(want, []byte("applied")) {
		t.Error("how far the replica is applied is in the stream")
	}
	ops, err := opsOf(want, 7)
	if err != nil {
		t.Fatal(err)
	}
	to := newReceiver(t).fsm
	to.prefix = state.Prefix(7, 9)
	lasts := 0
	for i := range ops {
		to.put(&ops[i], 1)
		if ops[i].Last {
			lasts++
		}
	}
	if err := to.kv.Update(to.ops); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(to.cut().Stream())
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("restored: %x, %v, want %x", got, err, want)
	}
	if lasts != 1 {
		t.Errorf("%d ops say that a resource ends, of one", lasts)
	}
}

// FuzzStreamOps: whatever bytes come as a backup make writes of the partition's own
// rows and resources, or an error, and nothing else.
func FuzzStreamOps(f *testing.F) {
	b, err := io.ReadAll(sample(f).cut().Stream())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, 3)
	f.Add(b[:len(b)-1], 100)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		ops, err := opsOf(b, 1+size&1023)
		for i := range ops {
			op := &ops[i]
			row := op.Kind == protocol.OpPut && len(op.Key) > 0 && !state.Apart(op.Key)
			if !row && (op.Kind != protocol.OpBody || len(op.Key) != 32) {
				t.Errorf("a backup makes %+v", op)
			}
		}
		if err == nil && len(b) == 0 {
			t.Error("nothing at all is taken for a whole backup")
		}
	})
}
