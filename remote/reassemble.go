package remote

import (
	"fmt"
	"io"
)

// reassembler reads frames and puts chunked messages together again. One
// goroutine uses it.
type reassembler struct {
	r        io.Reader
	head     [headerSize]byte
	partial  map[uint64]*partial
	reserved int // bytes promised by the messages in partial
}

type partial struct {
	first header
	body  []byte
	got   int
}

// message is a whole one. The body belongs to whoever receives it.
type message struct {
	header
	body []byte
}

func newReassembler(r io.Reader) *reassembler {
	return &reassembler{r: r, partial: map[uint64]*partial{}}
}

// next returns the next message that is complete. An error ends the connection.
func (a *reassembler) next() (message, error) {
	for {
		if _, err := io.ReadFull(a.r, a.head[:]); err != nil {
			return message{}, err
		}
		h, err := parseHeader(&a.head)
		if err != nil {
			return message{}, err
		}
		if h.total != 0 {
			m, whole, err := a.chunk(h)
			if err != nil || whole {
				return m, err
			}
			continue
		}
		m := message{header: h}
		if h.size > 0 {
			m.body = make([]byte, h.size)
			if _, err := io.ReadFull(a.r, m.body); err != nil {
				return message{}, err
			}
		}
		if h.typ == frameCancel {
			a.forget(h.id)
		}
		return m, nil
	}
}

// chunk reads the body of one chunk to its place.
func (a *reassembler) chunk(h header) (message, bool, error) {
	p := a.partial[h.id]
	if p == nil {
		if a.reserved+int(h.total) > maxPartial || len(a.partial) >= maxOpen {
			return message{}, false, fmt.Errorf("%w: too many unfinished messages", errBroken)
		}
		p = &partial{first: h, body: make([]byte, h.total)}
		a.partial[h.id] = p
		a.reserved += int(h.total)
	}
	if h.typ != p.first.typ || h.total != p.first.total || p.got+int(h.size) > len(p.body) {
		return message{}, false, fmt.Errorf("%w: chunk does not fit message %d", errBroken, h.id)
	}
	if _, err := io.ReadFull(a.r, p.body[p.got:p.got+int(h.size)]); err != nil {
		return message{}, false, err
	}
	p.got += int(h.size)
	if p.got < len(p.body) {
		return message{}, false, nil
	}
	a.forget(h.id)
	return message{header: p.first, body: p.body}, true, nil
}

// forget drops an unfinished message: it is complete, or its sender withdrew it.
func (a *reassembler) forget(id uint64) {
	if p := a.partial[id]; p != nil {
		a.reserved -= len(p.body)
		delete(a.partial, id)
	}
}
