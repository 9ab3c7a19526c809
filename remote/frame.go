package remote

import (
	"encoding/binary"
	"fmt"

	"github.com/grevy-io/grevy/protocol"
)

// Sizes of the wire format, in bytes.
const (
	headerSize = 24
	// chunkSize is the most a frame carries. Larger messages are cut, and their
	// chunks interleaved with other messages.
	chunkSize = 256 << 10
	// MaxMessage is the largest payload of a request or reply.
	MaxMessage = 16 << 20
	// maxOpen is how many chunked messages a sender has under way at a time.
	maxOpen = 4
	// maxPartial bounds the unfinished messages of one connection at the
	// receiver. A sender that keeps maxOpen cannot exceed it.
	maxPartial = maxOpen * MaxMessage
)

// frameType is the first word of a frame. The values are wire format; a receiver
// skips types it does not know.
type frameType uint8

const (
	frameHello     frameType = 1 // dialler's first: who am I, whom do I want
	frameWelcome   frameType = 2 // the answer: who I am, or why not
	frameHeartbeat frameType = 3
	frameRequest   frameType = 4
	frameReply     frameType = 5 // also the acknowledgement of a notice, then empty
	frameFailure   frameType = 6 // header.code says what, the body why
	frameCancel    frameType = 7 // the requester has lost interest in header.id
)

// Flags of a request.
const (
	flagNotice  uint8 = 1 // one-way: the reply is an empty acknowledgement
	flagRelay   uint8 = 2 // for node header.node, please
	flagRelayed uint8 = 4 // from node header.node, by way of the sender
)

// header opens every frame. See docs/formats/remote.md.
type header struct {
	size  uint32 // bytes of body in this frame
	typ   frameType
	flags uint8
	kind  Kind
	code  code
	node  protocol.NodeID // target of flagRelay, origin of flagRelayed
	id    uint64          // of the request, chosen by the requester, never twice on a connection
	total uint32          // bytes of the whole message if it is cut into chunks, else 0
}

func (h header) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, h.size)
	b = append(b, byte(h.typ), h.flags, byte(h.kind), byte(h.code))
	b = binary.BigEndian.AppendUint32(b, uint32(h.node))
	b = binary.BigEndian.AppendUint64(b, h.id)
	return binary.BigEndian.AppendUint32(b, h.total)
}

// parseHeader reads a header and checks what can be checked without the body.
func parseHeader(b *[headerSize]byte) (header, error) {
	h := header{
		size:  binary.BigEndian.Uint32(b[0:]),
		typ:   frameType(b[4]),
		flags: b[5],
		kind:  Kind(b[6]),
		code:  code(b[7]),
		node:  protocol.NodeID(binary.BigEndian.Uint32(b[8:])),
		id:    binary.BigEndian.Uint64(b[12:]),
		total: binary.BigEndian.Uint32(b[20:]),
	}
	switch {
	case h.size > chunkSize:
		return h, fmt.Errorf("%w: %d bytes, the most is %d", errBroken, h.size, chunkSize)
	case h.total > MaxMessage:
		return h, fmt.Errorf("%w: message of %d bytes, the most is %d", errBroken, h.total, MaxMessage)
	case h.total != 0 && (h.size == 0 || h.size > h.total):
		return h, fmt.Errorf("%w: chunk of %d bytes in a message of %d", errBroken, h.size, h.total)
	}
	return h, nil
}
