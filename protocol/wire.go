package protocol

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrCorrupt is what decoding says of bytes that no encoder of ours made.
var ErrCorrupt = errors.New("corrupt encoding")

// AppendString appends a length and the bytes of s.
func AppendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// AppendBytes appends a length and the bytes of s.
func AppendBytes(b, s []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// AppendInt appends a signed number as a zigzag varint.
func AppendInt(b []byte, v int64) []byte { return binary.AppendVarint(b, v) }

// AppendUint appends an unsigned number as a varint.
func AppendUint(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

// AppendBool appends one byte, 0 or 1.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// AppendStrings appends a count and each string.
func AppendStrings(b []byte, v []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	for _, s := range v {
		b = AppendString(b, s)
	}
	return b
}

// Reader takes apart what the Append functions made. Its first error sticks:
// every later call returns a zero value, and Err tells at the end.
type Reader struct {
	b   []byte
	err error
}

// NewReader reads b. Byte slices it returns share memory with b.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

func (r *Reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrCorrupt, what)
	}
	r.b = nil
}

// Err returns the first error, if any.
func (r *Reader) Err() error { return r.err }

// Done returns the first error, or an error if bytes are left over.
func (r *Reader) Done() error {
	if r.err == nil && len(r.b) != 0 {
		r.fail(fmt.Sprintf("%d bytes left over", len(r.b)))
	}
	return r.err
}

// Len returns how many bytes are left.
func (r *Reader) Len() int { return len(r.b) }

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if len(r.b) == 0 {
		r.fail("byte missing")
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

// Bool reads what AppendBool made.
func (r *Reader) Bool() bool { return r.Byte() != 0 }

// Int reads what AppendInt made.
func (r *Reader) Int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail("number")
		return 0
	}
	r.b = r.b[n:]
	return v
}

// Uint reads what AppendUint made.
func (r *Reader) Uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail("number")
		return 0
	}
	r.b = r.b[n:]
	return v
}

// Key reads a key that AppendInt made.
func (r *Reader) Key() Key { return Key(r.Int()) }

// Count reads a length that is followed by at least size bytes for each.
func (r *Reader) Count(size int) int {
	n := r.Uint()
	if n > uint64(len(r.b))/uint64(max(size, 1)) {
		r.fail("count beyond the end")
		return 0
	}
	return int(n)
}

// Bytes reads what AppendBytes made, without copying; nil if empty.
func (r *Reader) Bytes() []byte {
	n := r.Count(1)
	if r.err != nil || n == 0 {
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// String reads what AppendString made.
func (r *Reader) String() string { return string(r.Bytes()) }

// Strings reads what AppendStrings made; nil if empty.
func (r *Reader) Strings() []string {
	n := r.Count(1)
	if n == 0 {
		return nil
	}
	v := make([]string, n)
	for i := range v {
		v[i] = r.String()
	}
	return v
}

// Rest reads all that is left, without copying.
func (r *Reader) Rest() []byte {
	v := r.b
	r.b = nil
	return v
}
