package partitionactor

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"

	"github.com/grevy-io/grevy/raftadapter"
)

// cuts are the states of this partition that backups read (hold.go). Nobody reads
// for ever: what is not read for a while is let go of, because it holds back the
// store.
type cuts struct {
	mu     sync.Mutex
	list   map[uint64]*cut
	closed bool
}

// ErrNoCut says that a cut is not here, or not any more.
var ErrNoCut = errors.New("what was kept for the backup is not there any more")

// cut is one that is read piece by piece.
type cut struct {
	mu       sync.Mutex
	from     *raftadapter.Cut
	patience time.Duration // how long it is kept for the next question
	stream   io.ReadCloser // once it is read
	timer    *time.Timer
	sum      hash.Hash
	at       int64  // where last begins
	last     []byte // so that an answer that was lost can be given again
	ended    bool
	closed   bool
}

// Piece is a part of a cut's stream.
type Piece struct {
	Data []byte
	// End: the stream is this and what came before, so many bytes with this sum.
	End   bool
	Bytes int64
	Sum   [sha256.Size]byte
}

func (c *cuts) keep(token uint64, from *raftadapter.Cut, patience time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.list[token] != nil {
		from.Close()
		return
	}
	k := &cut{from: from, patience: patience, sum: sha256.New()}
	k.timer = time.AfterFunc(patience, func() { c.drop(token) })
	if c.list == nil {
		c.list = map[uint64]*cut{}
	}
	c.list[token] = k
}

// ReadCut gives the piece at an offset, of about size bytes. Only the last piece
// can be had again.
func (p *Partition) ReadCut(token uint64, offset int64, size int) (Piece, error) {
	k := p.cuts.find(token)
	if k == nil {
		return Piece{}, ErrNoCut
	}
	return k.read(offset, size)
}

// KeepCut keeps a cut that is to be read later.
func (p *Partition) KeepCut(token uint64) error {
	if k := p.cuts.find(token); k == nil || !k.keep() {
		return ErrNoCut
	}
	return nil
}

func (c *cuts) find(token uint64) *cut {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.list[token]
}

// DropCut lets go of a cut.
func (p *Partition) DropCut(token uint64) { p.cuts.drop(token) }

func (c *cuts) drop(token uint64) {
	c.mu.Lock()
	k := c.list[token]
	delete(c.list, token)
	c.mu.Unlock()
	if k != nil {
		k.close()
	}
}

func (c *cuts) close() {
	c.mu.Lock()
	list := c.list
	c.list, c.closed = nil, true
	c.mu.Unlock()
	for _, k := range list {
		k.close()
	}
}

func (k *cut) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return
	}
	k.closed = true
	k.timer.Stop()
	if k.stream == nil {
		k.from.Close()
		return
	}
	k.stream.Close() // a reader of memory and of the store's view: nothing can fail
}

// keep tells whether it is there, and keeps it.
func (k *cut) keep() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.closed {
		k.timer.Reset(k.patience)
	}
	return !k.closed
}

func (k *cut) read(offset int64, size int) (Piece, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return Piece{}, ErrNoCut
	}
	k.timer.Reset(k.patience)
	next := k.at + int64(len(k.last))
	if offset != k.at && offset != next {
		return Piece{}, fmt.Errorf("%w: %d was asked for, it goes on at %d", ErrNoCut, offset, next)
	}
	if offset == next && !k.ended {
		if err := k.advance(size); err != nil {
			return Piece{}, err
		}
	}
	return k.piece(), nil
}

func (k *cut) advance(size int) error {
	if k.stream == nil {
		k.stream = k.from.Stream()
	}
	k.at += int64(len(k.last))
	b := make([]byte, size)
	n, err := io.ReadFull(k.stream, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		k.ended, err = true, nil
	}
	k.last = b[:n]
	k.sum.Write(k.last)
	return err
}

func (k *cut) piece() Piece {
	p := Piece{Data: bytes.Clone(k.last), End: k.ended}
	if k.ended {
		p.Bytes = k.at + int64(len(k.last))
		k.sum.Sum(p.Sum[:0])
	}
	return p
}

// SumCut reads all that is left of a cut and gives its end.
func (p *Partition) SumCut(token uint64) (Piece, error) {
	for offset := int64(0); ; {
		piece, err := p.ReadCut(token, offset, sumSize)
		if err != nil || piece.End {
			return piece, err
		}
		offset += int64(len(piece.Data))
	}
}

// sumSize is how much of a cut is read at once for its sum.
const sumSize = 256 << 10
