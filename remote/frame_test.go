package remote

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

func TestHeaderBytes(t *testing.T) {
	h := header{size: 3, typ: frameRequest, flags: flagRelay | flagNotice, kind: 9, code: 0, node: 2, id: 0x0102, total: 70000}
	const doc = "00000003" + "04" + "03" + "09" + "00" + "00000002" + "0000000000000102" + "00011170"
	b := h.append(nil)
	if hex.EncodeToString(b) != doc {
		t.Errorf("bytes %x, documented %s", b, doc)
	}
	got, err := parseHeader((*[headerSize]byte)(b))
	if err != nil || got != h {
		t.Errorf("got %+v, %v", got, err)
	}
}

func frames(hs ...any) []byte {
	var b []byte
	for _, x := range hs {
		switch x := x.(type) {
		case header:
			b = x.append(b)
		case int:
			b = append(b, make([]byte, x)...)
		}
	}
	return b
}

func TestBrokenFrames(t *testing.T) {
	const m = 1 << 20
	chunk := func(id uint64, size, total uint32) header {
		return header{size: size, typ: frameRequest, id: id, total: total}
	}
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"frame too large":     {frames(header{size: chunkSize + 1}), errBroken},
		"message too large":   {frames(chunk(1, 1, MaxMessage+1)), errBroken},
		"empty chunk":         {frames(chunk(1, 0, m)), errBroken},
		"chunk over total":    {frames(chunk(1, 9, 8)), errBroken},
		"chunk past the end":  {frames(chunk(1, 6, 10), 6, chunk(1, 6, 10)), errBroken},
		"total that changes":  {frames(chunk(1, 6, 10), 6, chunk(1, 4, 11)), errBroken},
		"type that changes":   {frames(chunk(1, 6, 10), 6, header{size: 4, typ: frameReply, id: 1, total: 10}), errBroken},
		"too many unfinished": {frames(chunk(1, 1, m), 1, chunk(2, 1, m), 1, chunk(3, 1, m), 1, chunk(4, 1, m), 1, chunk(5, 1, m)), errBroken},
		"cut in the header":   {frames(chunk(1, 1, m))[:7], io.ErrUnexpectedEOF},
		"cut in the body":     {frames(header{size: 9, typ: frameRequest}, 8), io.ErrUnexpectedEOF},
		"cut in a chunk":      {frames(chunk(1, 9, m), 8), io.ErrUnexpectedEOF},
		"end":                 {nil, io.EOF},
	} {
		if _, err := newReassembler(bytes.NewReader(c.in)).next(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCancelFreesTheUnfinishedMessage(t *testing.T) {
	var in []byte
	for id := range uint64(20) {
		in = append(in, frames(header{size: 1, typ: frameRequest, id: id, total: MaxMessage}, 1, header{typ: frameCancel, id: id})...)
	}
	a := newReassembler(bytes.NewReader(in))
	for range 20 {
		if m, err := a.next(); err != nil || m.typ != frameCancel {
			t.Fatalf("got %+v, %v", m.header, err)
		}
	}
	if a.reserved != 0 || len(a.partial) != 0 {
		t.Errorf("%d bytes kept for %d messages", a.reserved, len(a.partial))
	}
}

// sendAll empties a queue into bytes, and tells the order of the frames.
func sendAll(q *sendQueue) (wire []byte, order []uint64) {
	for {
		batch, bytes := q.take(nil)
		if len(batch) == 0 {
			return wire, order
		}
		before := len(wire)
		for _, o := range batch {
			wire = append(o.header.append(wire), o.body...)
			order = append(order, o.id)
		}
		if len(wire)-before != bytes {
			panic("take does not know its own size")
		}
	}
}

func TestChunksAreInterleaved(t *testing.T) {
	var q sendQueue
	body := func(size int, fill byte) []byte { return bytes.Repeat([]byte{fill}, size) }
	add := func(id uint64, size int) {
		q.push(outgoing{header: header{typ: frameRequest, id: id}, body: body(size, byte(id))})
	}
	add(1, 3*chunkSize)
	add(2, 2*chunkSize+5)
	add(3, 10)
	add(4, 20)
	q.push(outgoing{header: header{typ: frameHeartbeat, id: 5}})
	wire, order := sendAll(&q)
	if want := []uint64{5, 3, 4, 1, 2, 1, 2, 1, 2}; !reflect.DeepEqual(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	sizes := map[uint64]int{1: 3 * chunkSize, 2: 2*chunkSize + 5, 3: 10, 4: 20, 5: 0}
	in := newReassembler(bytes.NewReader(wire))
	for range len(sizes) {
		m, err := in.next()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(m.body, body(sizes[m.id], byte(m.id))) {
			t.Errorf("message %d came as %d bytes", m.id, len(m.body))
		}
		delete(sizes, m.id)
	}
	if len(sizes) != 0 {
		t.Errorf("lost: %v", sizes)
	}
}

func TestSmallMessagesDoNotStarveLargeOnes(t *testing.T) {
	var q sendQueue
	q.push(outgoing{header: header{typ: frameRequest, id: 1}, body: make([]byte, 2*chunkSize)})
	for range 10 {
		for range 3 * batchBytes / 1000 {
			q.push(outgoing{header: header{typ: frameRequest, id: 2}, body: make([]byte, 1000)})
		}
		batch, _ := q.take(nil)
		if len(q.open) == 0 && len(q.waiting) == 0 {
			return
		}
		if batch[len(batch)-1].id != 1 {
			t.Fatal("a batch without a chunk of the large message")
		}
	}
	t.Error("the large message is still there")
}

func TestNoMoreThanMaxOpenAreUnderWay(t *testing.T) {
	var q sendQueue
	for id := range uint64(maxOpen + 3) {
		q.push(outgoing{header: header{typ: frameRequest, id: id}, body: make([]byte, 4*chunkSize)})
	}
	wire, _ := sendAll(&q)
	in := newReassembler(bytes.NewReader(wire)) // refuses more than maxOpen
	for range maxOpen + 3 {
		if _, err := in.next(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWithdrawnMessagesAreNotSent(t *testing.T) {
	var q sendQueue
	small, large, half := &call{}, &call{}, &call{}
	q.push(outgoing{header: header{typ: frameRequest, id: 3}, body: make([]byte, 3*chunkSize), call: half})
	q.take(nil)
	if !half.begun || half.handed {
		t.Errorf("after a chunk: %+v", half)
	}
	q.push(outgoing{header: header{typ: frameRequest, id: 1}, call: small})
	q.push(outgoing{header: header{typ: frameRequest, id: 2}, body: make([]byte, 3*chunkSize), call: large})
	small.ended, large.ended, half.ended = true, true, true
	if _, order := sendAll(&q); len(order) != 0 {
		t.Errorf("sent: %v", order)
	}
	if small.begun || large.begun || small.handed || large.handed || half.handed {
		t.Error("what was withdrawn counts as sent")
	}
}

func TestHeartbeatRoundTrip(t *testing.T) {
	h := heartbeat{stamp: 1, echo: -1, hold: 3, silence: 4, cluster: [16]byte{5},
		links: map[protocol.NodeID]word{0: {up: true, rtt: 70 * time.Microsecond}, 7: {}}}
	b := h.append(nil)
	got, err := parseHeartbeat(append(b, "more, from a newer node"...))
	if err != nil || !reflect.DeepEqual(got, h) {
		t.Errorf("got %+v, %v", got, err)
	}
	for i := range b {
		if _, err := parseHeartbeat(b[:i]); !errors.Is(err, errBroken) {
			t.Errorf("%d bytes of %d: %v", i, len(b), err)
		}
	}
}

func TestWelcomeRoundTrip(t *testing.T) {
	w := welcome{status: welcomeOtherNode, node: 3, incarnation: 1 << 60, cluster: [16]byte{9, 15: 8}}
	b := w.append(nil)
	if len(b) != welcomeSize || parseWelcome(b) != w {
		t.Errorf("%d bytes, %+v", len(b), parseWelcome(b))
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(frames(header{size: 3, typ: frameRequest, id: 1}, 3))
	f.Add(frames(header{size: 3, typ: frameReply, id: 1, total: 5}, 3, header{size: 2, typ: frameReply, id: 1, total: 5}, 2))
	f.Add(frames(header{size: 1, typ: frameRequest, id: 1, total: 1 << 20}, 1, header{typ: frameCancel, id: 1}))
	f.Add(heartbeat{links: map[protocol.NodeID]word{1: {}}}.append(header{size: beatHead + beatLink, typ: frameHeartbeat}.append(nil)))
	f.Fuzz(func(t *testing.T, in []byte) {
		a := newReassembler(bytes.NewReader(in))
		for {
			m, err := a.next()
			if a.reserved > maxPartial || len(a.partial) > maxOpen {
				t.Fatalf("%d bytes kept for %d messages", a.reserved, len(a.partial))
			}
			if err != nil {
				if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errBroken) {
					return
				}
				t.Fatal(err)
			}
			if len(m.body) > MaxMessage || len(m.body) > len(in) {
				t.Fatalf("a body of %d bytes from %d", len(m.body), len(in))
			}
			if m.typ == frameHeartbeat {
				if h, err := parseHeartbeat(m.body); err == nil && len(h.links)*beatLink > len(m.body) {
					t.Fatal("more links than bytes")
				}
			}
		}
	})
}
