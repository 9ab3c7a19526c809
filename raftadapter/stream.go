package raftadapter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// The stream of a snapshot (docs/formats/snapshot.md): a magic, records, an end
// record with their count and checksum.
//
//	record: kind (1) | key length (4) | value length (4) | key | value
const (
	streamMagic = "grevysn1"
	recordRow   = 1 // key without the partition's prefix
	recordBody  = 2 // key: hash and chunk number
	recordEnd   = 3 // key: count (8) and CRC-32C (4) of all before
	headerSize  = 9
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// stream reads a partition out, as of one moment.
type stream struct {
	snap  state.Snapshot
	size  int64
	walk  func() (kind byte, key, value []byte, err error) // kind 0: the end
	buf   bytes.Buffer
	crc   uint32
	count uint64
	ended bool
	stop  func()
}

func openStream(f *fsm) (*stream, error) {
	f.mu.Lock()
	snap, prefix, at := f.kv.Snapshot(), f.prefix, f.at
	f.mu.Unlock()
	hashes := append(contents(snap, prefix), pending(snap, f.partition, at.Index)...)
	size, err := measure(snap, prefix, hashes)
	if err != nil {
		snap.Close()
		return nil, err
	}
	s := &stream{snap: snap, size: size}
	s.walk, s.stop = walker(snap, prefix, hashes, func([]byte) bool { return false })
	s.buf.WriteString(streamMagic)
	return s, nil
}

// measure finds the size of a partition's stream.
func measure(snap state.Snapshot, prefix []byte, hashes []protocol.Hash) (size int64, err error) {
	size = int64(len(streamMagic)) + headerSize + 12
	it := snap.Iterate(prefix, nil)
	defer it.Close()
	for ; it.Valid(); it.Next() {
		size += int64(headerSize + len(it.Key()) - len(prefix) + it.ValueSize())
	}
	for _, h := range hashes {
		for i := uint32(0); ; i++ {
			b, err := snap.Get(state.BodyKey(h, i))
			if err != nil {
				return 0, err
			}
			if b == nil {
				break
			}
			size += int64(headerSize + 36 + len(b))
		}
	}
	return size, nil
}

// walker gives all bodies, then all rows but those to leave out: what is named is
// there before what names it.
func walker(snap state.Snapshot, prefix []byte, hashes []protocol.Hash, leaveOut func(key []byte) bool) (func() (byte, []byte, []byte, error), func()) {
	it := snap.Iterate(prefix, nil)
	chunk := uint32(0)
	return func() (byte, []byte, []byte, error) {
		for len(hashes) > 0 {
			b, err := snap.Get(state.BodyKey(hashes[0], chunk))
			if err != nil {
				return 0, nil, nil, err
			}
			if b == nil {
				hashes, chunk = hashes[1:], 0
				continue
			}
			key := binary.BigEndian.AppendUint32(clone(hashes[0][:]), chunk)
			chunk++
			return recordBody, key, b, nil
		}
		for it.Valid() && leaveOut(it.Key()[len(prefix):]) {
			it.Next()
		}
		if !it.Valid() {
			return 0, nil, nil, nil
		}
		key := clone(it.Key()[len(prefix):])
		value, err := it.Value()
		it.Next()
		return recordRow, key, value, err
	}, it.Close
}

// Read gives the next bytes of the stream.
func (s *stream) Read(p []byte) (int, error) {
	for s.buf.Len() < len(p) && !s.ended {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	if s.buf.Len() == 0 {
		return 0, io.EOF
	}
	return s.buf.Read(p)
}

func (s *stream) fill() error {
	kind, key, value, err := s.walk()
	if err != nil {
		return err
	}
	if kind == 0 {
		key = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, s.count), s.crc)
		s.record(recordEnd, key, nil)
		s.ended = true
		return nil
	}
	s.record(kind, key, value)
	return nil
}

func (s *stream) record(kind byte, key, value []byte) {
	h := [headerSize]byte{kind}
	binary.BigEndian.PutUint32(h[1:], uint32(len(key)))
	binary.BigEndian.PutUint32(h[5:], uint32(len(value)))
	for _, b := range [][]byte{h[:], key, value} {
		s.crc = crc32.Update(s.crc, crcTable, b)
		s.buf.Write(b)
	}
	s.count++
}

// Close frees the view.
func (s *stream) Close() error {
	if s.stop != nil {
		s.stop()
		s.stop = nil
		s.snap.Close()
	}
	return nil
}

// parser takes a stream apart as its bytes come in.
type parser struct {
	buf   []byte
	crc   uint32
	count uint64
	begun bool
	ended bool
	row   func(kind byte, key, value []byte) error
}

func (p *parser) Write(b []byte) (int, error) {
	p.buf = append(p.buf, b...)
	rest := p.buf
	for {
		n, err := p.next(rest)
		if err != nil {
			return 0, fmt.Errorf("snapshot stream: %w", err)
		}
		if n == 0 {
			break
		}
		rest = rest[n:]
	}
	p.buf = append(p.buf[:0], rest...)
	return len(b), nil
}

// next takes one record off b and returns its length, 0 if it is not whole yet.
func (p *parser) next(b []byte) (int, error) {
	if !p.begun {
		if len(b) < len(streamMagic) {
			return 0, nil
		}
		if string(b[:len(streamMagic)]) != streamMagic {
			return 0, fmt.Errorf("%w: unknown format", protocol.ErrCorrupt)
		}
		p.begun = true
		return len(streamMagic), nil
	}
	if len(b) < headerSize {
		return 0, nil
	}
	kl, vl := int(binary.BigEndian.Uint32(b[1:])), int(binary.BigEndian.Uint32(b[5:]))
	if p.ended || kl > 1<<20 || vl > 16<<20 {
		return 0, fmt.Errorf("%w: bad record", protocol.ErrCorrupt)
	}
	n := headerSize + kl + vl
	if len(b) < n {
		return 0, nil
	}
	key, value := b[headerSize:headerSize+kl], b[headerSize+kl:n]
	if b[0] == recordEnd {
		return n, p.end(key)
	}
	p.crc = crc32.Update(p.crc, crcTable, b[:n])
	p.count++
	return n, p.row(b[0], key, value)
}

func (p *parser) end(key []byte) error {
	p.ended = true
	if len(key) != 12 || binary.BigEndian.Uint64(key) != p.count || binary.BigEndian.Uint32(key[8:]) != p.crc {
		return fmt.Errorf("%w: checksum", protocol.ErrCorrupt)
	}
	return nil
}
