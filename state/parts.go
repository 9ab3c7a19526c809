package state

import (
	"encoding/binary"
	"fmt"

	"github.com/grevy-io/grevy/protocol"
)

// MaxValue is the largest value stored in one piece; larger ones are stored as
// parts (Badger writes no value near its memtable's size).
const MaxValue = 256 << 10

// maxBelieved is how much memory a stored size gets before the parts are seen.
const maxBelieved = 8 << 20

// The first byte of a stored value.
const (
	inline  = 0 // the value follows
	inParts = 1 // a count of parts and the total size follow
)

func partKey(key []byte, i int) []byte {
	b := TableParts.Key(len(key) + 6)
	b = append(b, key...)
	return binary.BigEndian.AppendUint32(b, uint32(i))
}

func joinParts(stored []byte, part func(int) ([]byte, error)) ([]byte, error) {
	if len(stored) == 0 {
		return nil, fmt.Errorf("%w: stored value without a first byte", protocol.ErrCorrupt)
	}
	if stored[0] == inline {
		return stored[1:], nil
	}
	r := protocol.NewReader(stored[1:])
	n, size := r.Uint(), r.Uint()
	if err := r.Done(); err != nil {
		return nil, err
	}
	if n > size || size > n*MaxValue {
		return nil, fmt.Errorf("%w: %d bytes in %d parts", protocol.ErrCorrupt, size, n)
	}
	data := make([]byte, 0, min(size, maxBelieved))
	for i := range int(n) {
		p, err := part(i)
		if err != nil {
			return nil, err
		}
		if p == nil {
			return nil, fmt.Errorf("%w: part %d of %d is missing", protocol.ErrCorrupt, i, n)
		}
		data = append(data, p...)
	}
	if uint64(len(data)) != size {
		return nil, fmt.Errorf("%w: %d bytes in %d parts instead of %d", protocol.ErrCorrupt, len(data), n, size)
	}
	return data, nil
}

// splitValue returns what is stored at the key, and the parts if it is too big
// for one value.
func splitValue(stored []byte) (head []byte, parts [][]byte) {
	value := stored[1:]
	if len(value) <= MaxValue {
		return stored, nil
	}
	for rest := value; len(rest) > 0; {
		n := min(len(rest), MaxValue)
		parts = append(parts, rest[:n])
		rest = rest[n:]
	}
	head = protocol.AppendUint([]byte{inParts}, uint64(len(parts)))
	return protocol.AppendUint(head, uint64(len(value))), parts
}
