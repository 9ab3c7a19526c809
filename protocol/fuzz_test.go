package protocol_test

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"github.com/grevy-io/grevy/protocol"
)

// A decoder that believes a count could be made to allocate anything by a few
// bytes. The most a byte may cost is a Job (12 bytes at least, 200 in memory)
// or the like.
const maxPerByte = 64

// hostile are bytes that claim to hold 2^62 of something in each place a count
// can stand.
func hostile(kinds int) (list [][]byte) {
	huge := protocol.AppendUint(nil, 1<<62)
	for kind := range kinds {
		for zeros := range 12 {
			b := append([]byte{byte(kind)}, make([]byte, zeros)...)
			list = append(list, append(b, huge...))
		}
	}
	return list
}

// allocated measures what f allocates. Other goroutines would be counted too;
// there are none.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestDecode_CountsAreNotBelieved(t *testing.T) {
	for _, b := range hostile(32) {
		for name, decode := range decoders {
			n := allocated(func() { decode(b) })
			if n > 1<<16 {
				t.Errorf("%s of %x allocates %d bytes", name, b, n)
			}
		}
	}
}

// A count that the remaining bytes could just hold must cost no more than a
// fixed multiple of them.
func TestDecode_MemoryIsBoundedByTheBytes(t *testing.T) {
	const size = 1 << 20
	for kind := range 32 {
		for zeros := range 8 {
			b := append([]byte{byte(kind)}, make([]byte, zeros)...)
			b = protocol.AppendUint(b, size/45)
			b = append(b, make([]byte, size)...)
			for name, decode := range decoders {
				if n := allocated(func() { decode(b) }); n > maxPerByte*uint64(len(b)) {
					t.Errorf("%s, kind %d, count at %d: %d bytes for %d", name, kind, zeros+1, n, len(b))
				}
			}
		}
	}
}

var decoders = map[string]func([]byte){
	"DecodeCommand": func(b []byte) { _, _ = protocol.DecodeCommand(b) },
	"DecodeAnswer":  func(b []byte) { _, _ = protocol.DecodeAnswer(b) },
	"entry":         func(b []byte) { decodeEntry(b) },
}

func decodeEntry(b []byte) (protocol.EntryHeader, []protocol.Op, error) {
	r := protocol.NewReader(b)
	h, err := protocol.ReadEntryHeader(r)
	var ops []protocol.Op
	for err == nil && r.Len() > 0 {
		var o protocol.Op
		if o, err = protocol.ReadOp(r); err == nil {
			ops = append(ops, o)
		}
	}
	return h, ops, err
}

// FuzzDecodeCommand: bytes are refused, or are a command that survives another
// round trip.
func FuzzDecodeCommand(f *testing.F) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, c := range commands() {
		f.Add(protocol.EncodeCommand(nil, random(rnd, c)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := protocol.DecodeCommand(bytes.Clone(b))
		if err != nil {
			return
		}
		again, err := protocol.DecodeCommand(protocol.EncodeCommand(nil, c))
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Fatalf("%+v comes back as %+v, %v", c, again, err)
		}
	})
}

// FuzzDecodeAnswer does the same for answers.
func FuzzDecodeAnswer(f *testing.F) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, p := range replies() {
		f.Add(protocol.EncodeAnswer(nil, random(rnd, p), nil))
	}
	f.Add(protocol.EncodeAnswer(nil, nil, protocol.Reject(protocol.NotFound, "CANCEL", "none")))
	f.Add(protocol.EncodeAnswer(nil, nil, protocol.Refuse(protocol.Full, 1, "")))
	f.Add(protocol.EncodeAnswer(nil, nil, protocol.ErrInternal))
	f.Add(protocol.EncodeAnswer(nil, nil, protocol.ErrOutcomeUnknown))
	f.Fuzz(func(t *testing.T, b []byte) {
		reply, err := protocol.DecodeAnswer(bytes.Clone(b))
		if reply == nil {
			if err == nil {
				t.Fatal("neither a reply nor an error")
			}
			return
		}
		again, err := protocol.DecodeAnswer(protocol.EncodeAnswer(nil, reply, nil))
		if err != nil || !reflect.DeepEqual(again, reply) {
			t.Fatalf("%+v comes back as %+v, %v", reply, again, err)
		}
	})
}

// FuzzEntry does the same for entries.
func FuzzEntry(f *testing.F) {
	b := protocol.AppendEntryHeader(nil, protocol.EntryHeader{Kind: protocol.EntryWrites, Guard: protocol.Guard{Term: 3, Incarnation: 4, Seq: 5}})
	b = protocol.AppendOp(b, &protocol.Op{Kind: protocol.OpPut, Key: []byte("k"), Value: []byte("v")})
	b = protocol.AppendOp(b, &protocol.Op{Kind: protocol.OpDelete, Key: []byte("k")})
	f.Add(protocol.AppendOp(b, &protocol.Op{Kind: protocol.OpBody, Key: []byte("h"), Value: []byte("v"), Chunk: 2, Last: true}))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ops, err := decodeEntry(bytes.Clone(b))
		if err != nil {
			return
		}
		again := protocol.AppendEntryHeader(nil, h)
		for i := range ops {
			again = protocol.AppendOp(again, &ops[i])
		}
		h2, ops2, err := decodeEntry(again)
		if err != nil || h2 != h || !reflect.DeepEqual(ops2, ops) {
			t.Fatalf("%+v %+v comes back as %+v %+v, %v", h, ops, h2, ops2, err)
		}
	})
}

// FuzzNouns: what stands within commands, replies and rows is read alone, as rows
// hold it, and survives another round trip.
func FuzzNouns(f *testing.F) {
	rnd := rand.New(rand.NewPCG(1, 2))
	d, p := new(protocol.Definition), new(protocol.Deployment)
	random(rnd, d)
	random(rnd, p)
	f.Add(protocol.AppendDefinition(nil, d))
	f.Add(protocol.AppendDeployment(nil, p))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := protocol.NewReader(bytes.Clone(b))
		if d := protocol.ReadDefinition(r); r.Err() == nil {
			r := protocol.NewReader(protocol.AppendDefinition(nil, &d))
			if again := protocol.ReadDefinition(r); r.Err() != nil || !reflect.DeepEqual(again, d) {
				t.Fatalf("%+v comes back as %+v, %v", d, again, r.Err())
			}
		}
		r = protocol.NewReader(bytes.Clone(b))
		if p := protocol.ReadDeployment(r); r.Err() == nil {
			r := protocol.NewReader(protocol.AppendDeployment(nil, &p))
			if again := protocol.ReadDeployment(r); r.Err() != nil || !reflect.DeepEqual(again, p) {
				t.Fatalf("%+v comes back as %+v, %v", p, again, r.Err())
			}
		}
		protocol.ReadSubscription(protocol.NewReader(b))
		protocol.ReadDigest(protocol.NewReader(b))
		_, _ = protocol.ReadRecord(protocol.NewReader(b))
	})
}
