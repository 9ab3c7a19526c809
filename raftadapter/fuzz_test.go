package raftadapter

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/protocol"
)

// FuzzPosition: bytes are refused, or are a position that survives another round
// trip.
func FuzzPosition(f *testing.F) {
	f.Add(position{Index: 7, Guard: protocol.Guard{Term: 1, Incarnation: 2, Seq: 3}}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := decodePosition(b)
		if err == nil && len(b) > 0 && !bytes.Equal(p.encode(), b) {
			t.Errorf("%x became %x", b, p.encode())
		}
	})
}

// pipes is a stream layer of raft's whose connections a test makes.
type pipes struct{ conns chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return serverAddr("fuzz") }
func (p pipes) Dial(raft.ServerAddress, time.Duration) (net.Conn, error) {
	return nil, errors.New("nobody is there")
}

// FuzzRaft: what comes to raft's own decoder after a preamble that was right does
// not hurt it: no panic, no memory beyond what was sent.
func FuzzRaft(f *testing.F) {
	layer := pipes{make(chan net.Conn)}
	trans := raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{Stream: layer, MaxPool: 1, Timeout: time.Second, Logger: newLogger(slog.New(slog.DiscardHandler))})
	var end sync.Once
	f.Cleanup(func() { end.Do(func() { close(layer.conns); _ = trans.Close() }) })
	go func() {
		for rpc := range trans.Consumer() {
			if rpc.Reader != nil {
				_, _ = io.Copy(io.Discard, rpc.Reader)
			}
			rpc.Respond(nil, errors.New("fuzz"))
		}
	}()
	for _, s := range []string{
		"\x00\xdf\xff\xff\xff\xff", "\x00\x81\xa4Addr\xc6\xff\xff\xff\xff", "\x00\x81\xa7Entries\xdd\xff\xff\xff\xff", "\x01\x81\xa4Term\x05", "\x02\x82\xa4Size\x05\xa4Term\x01hello",
		"\x00\x81\xa7Entries\x91\x82\xa5Index\x01\xa4Data\xc4\x03abc", "\x63", "\x04\x80",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		near, far := net.Pipe()
		layer.conns <- far
		if err := near.SetDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.Copy(io.Discard, near) }()
		_, _ = near.Write(b) // it may be closed in the middle
		near.Close()
	})
}

// FuzzMeant: only a connection that names the server is taken.
func FuzzMeant(f *testing.F) {
	l := &layer{serverID: "0-abc"}
	f.Add([]byte("\x050-abc"))
	f.Add([]byte("\xff0-abc"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := l.meant(bytes.NewReader(b)); (err == nil) != bytes.HasPrefix(b, []byte("\x050-abc")) {
			t.Errorf("%q: %v", b, err)
		}
	})
}
