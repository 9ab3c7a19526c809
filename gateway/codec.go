package gateway

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// hardLimit: gRPC reads requests of up to so many times the message size and
// the gateway refuses them, with the original's text, since gRPC's own refusal
// cannot be worded: it is written before any handler or interceptor is called.
// Beyond it, gRPC refuses without reading.
const hardLimit = 4

// incoming stands in for a request while it is decoded, so that what is wrong
// with it becomes a status of ours (gRPC would say INTERNAL).
type incoming struct {
	message any
	limit   int
	err     error
}

// codec is gRPC's for protobuf, and knows incoming.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(proto.Name)} }

func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	in, ok := v.(*incoming)
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	if size := data.Len(); size > in.limit {
		in.err = requestTooLarge(size, in.limit)
	} else if err := c.CodecV2.Unmarshal(data, in.message); err != nil {
		in.err = malformed(err)
	}
	return nil
}
