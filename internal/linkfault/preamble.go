package linkfault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// What a connection between nodes carries (Preamble.Proto).
const (
	ProtoRemote byte = 1 // the post: package remote
	ProtoRaft   byte = 2 // one raft group, named by Preamble.Group
	ProtoGossip byte = 3 // memberlist streams: package remote
)

// PreambleSize is the number of bytes of a preamble on the wire.
const PreambleSize = 32

// preambleVersion is raised when the layout changes. A node refuses versions it
// does not know: it cannot tell where their bytes end.
const preambleVersion = 1

var preambleMagic = [4]byte{'g', 'r', 'v', 'y'}

// ErrPreamble is what ReadPreamble says of bytes that are not a preamble, or one
// of a version this node does not know.
var ErrPreamble = errors.New("not a grevy node connection")

// Preamble opens every connection between nodes, sent by the one who dialled.
type Preamble struct {
	Proto   byte            // ProtoRemote, ProtoRaft or ProtoGossip
	Group   uint32          // the raft group; 0 elsewhere
	From    protocol.NodeID // who dialled
	Cluster [16]byte        // the cluster id; zero while not yet known
}

// WritePreamble writes p to c, with the deadlines c has. See docs/formats/preamble.md.
func WritePreamble(c net.Conn, p Preamble) error {
	b := p.append(make([]byte, 0, PreambleSize))
	if _, err := c.Write(b); err != nil {
		return fmt.Errorf("write preamble: %w", err)
	}
	return nil
}

func (p Preamble) append(b []byte) []byte {
	b = append(b, preambleMagic[:]...)
	b = append(b, preambleVersion, p.Proto, 0, 0)
	b = binary.BigEndian.AppendUint32(b, p.Group)
	b = binary.BigEndian.AppendUint32(b, uint32(p.From))
	return append(b, p.Cluster[:]...)
}

// ReadPreamble reads a preamble from a connection that was just accepted, and
// clears the read deadline afterwards. It reads not one byte more. Read it from
// the bare connection, then wrap that with Switch.Conn for Preamble.From.
func ReadPreamble(c net.Conn, timeout time.Duration) (Preamble, error) {
	if err := c.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return Preamble{}, fmt.Errorf("read preamble: %w", err)
	}
	var b [PreambleSize]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		return Preamble{}, fmt.Errorf("read preamble: %w", err)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		return Preamble{}, fmt.Errorf("read preamble: %w", err)
	}
	return parsePreamble(b)
}

func parsePreamble(b [PreambleSize]byte) (Preamble, error) {
	if [4]byte(b[:4]) != preambleMagic {
		return Preamble{}, fmt.Errorf("%w: it begins with % x", ErrPreamble, b[:4])
	}
	if b[4] != preambleVersion {
		return Preamble{}, fmt.Errorf("%w of a known version: its version is %d, ours %d", ErrPreamble, b[4], preambleVersion)
	}
	return Preamble{
		Proto:   b[5],
		Group:   binary.BigEndian.Uint32(b[8:]),
		From:    protocol.NodeID(binary.BigEndian.Uint32(b[12:])),
		Cluster: [16]byte(b[16:]),
	}, nil
}
