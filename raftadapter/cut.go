package raftadapter

import (
	"errors"
	"fmt"
	"io"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Cut is what a partition is at one moment, for a backup. It holds back the
// store's compaction until it is closed.
type Cut struct {
	snap   state.Snapshot
	prefix []byte
}

// Cut takes what is applied now. It costs next to nothing.
func (g *Group) Cut() *Cut { return g.fsm.cut() }

// Cut takes what is applied now, as [Group.Cut] does.
func (m *Machine) Cut() *Cut { return m.fsm.cut() }

func (f *fsm) cut() *Cut {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &Cut{snap: f.kv.Snapshot(), prefix: f.prefix}
}

// Stream reads it out as a snapshot's stream (docs/formats/snapshot.md), without the rows
// that are no part of a backup (state.Apart). Two partitions that hold the
// same have streams of the same bytes. Closing the stream closes the cut.
func (c *Cut) Stream() io.ReadCloser {
	s := &stream{snap: c.snap}
	s.walk, s.stop = walker(c.snap, c.prefix, contents(c.snap, c.prefix), state.Apart)
	s.buf.WriteString(streamMagic)
	return s
}

// View reads it. Closing the view closes the cut.
func (c *Cut) View() *state.View { return state.NewView(c.snap, c.prefix) }

// Close frees a cut of which neither stream nor view was asked for.
func (c *Cut) Close() { c.snap.Close() }

// contents lists the resources that a partition refers to, in order.
func contents(snap state.Snapshot, prefix []byte) (list []protocol.Hash) {
	it := snap.Iterate(append(clone(prefix), byte(state.TableContentRef)), nil)
	defer it.Close()
	for ; it.Valid(); it.Next() {
		if key := it.Key()[len(prefix):]; len(key) == 33 {
			list = append(list, protocol.Hash(key[1:]))
		}
	}
	return list
}

// StreamOps makes the writes of an entry out of a stream as its bytes come in: each
// is given to op as soon as it is whole. End must be called after the last byte.
type StreamOps struct {
	parser
	op   func(*protocol.Op) error
	body *protocol.Op // whether it is the last of its resource is not known yet
}

// NewStreamOps begins. An op is valid until op returns.
func NewStreamOps(op func(*protocol.Op) error) *StreamOps {
	s := &StreamOps{op: op}
	s.row = s.take
	return s
}

func (s *StreamOps) take(kind byte, key, value []byte) error {
	switch kind {
	case recordBody:
		return s.chunk(key, value)
	case recordRow:
		if len(key) == 0 || state.Apart(key) {
			return fmt.Errorf("%w: a row that is no part of a backup", protocol.ErrCorrupt)
		}
		return errors.Join(s.flush(true), s.op(&protocol.Op{Kind: protocol.OpPut, Key: key, Value: value}))
	}
	return fmt.Errorf("%w: record kind %d", protocol.ErrCorrupt, kind)
}

func (s *StreamOps) chunk(key, value []byte) error {
	if len(key) != 36 {
		return fmt.Errorf("%w: a resource's key of %d bytes", protocol.ErrCorrupt, len(key))
	}
	last := s.body != nil && string(s.body.Key) != string(key[:32])
	if err := s.flush(last); err != nil {
		return err
	}
	n := uint32(key[32])<<24 | uint32(key[33])<<16 | uint32(key[34])<<8 | uint32(key[35])
	s.body = &protocol.Op{Kind: protocol.OpBody, Key: clone(key[:32]), Chunk: n, Value: clone(value)}
	return nil
}

func (s *StreamOps) flush(last bool) error {
	if s.body == nil {
		return nil
	}
	op := s.body
	s.body, op.Last = nil, last
	return s.op(op)
}

// End fails if the stream was cut off.
func (s *StreamOps) End() error {
	if !s.ended {
		return fmt.Errorf("%w: the stream is cut off", protocol.ErrCorrupt)
	}
	return s.flush(true)
}

// ContentRef is the write of a reference to a resource, which has so many bytes.
func ContentRef(h protocol.Hash, size int) protocol.Op {
	return protocol.Op{Kind: protocol.OpPut, Key: append(state.TableContentRef.Key(32), h[:]...), Value: append([]byte{0}, state.BodyRef(size)...)}
}
