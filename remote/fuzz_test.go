package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/protocol"
)

// FuzzHeartbeat: bytes are refused, or are a heartbeat that survives another
// round trip.
func FuzzHeartbeat(f *testing.F) {
	f.Add(heartbeat{stamp: 1, links: map[protocol.NodeID]word{2: {up: true, rtt: time.Millisecond}}}.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := parseHeartbeat(b)
		if err != nil {
			return
		}
		again, err := parseHeartbeat(h.append(nil))
		if err != nil || !reflect.DeepEqual(again, h) {
			t.Errorf("%+v became %+v, %v", h, again, err)
		}
	})
}

// FuzzPackets: a connection for gossip packets ends with an error, or gives whole
// packets of what it was sent.
func FuzzPackets(f *testing.F) {
	f.Add([]byte("\x00\x03abc\x00\x01x"))
	f.Add([]byte("\xff\xffabc"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, n := bytes.NewReader(b), 0
		for {
			p, err := readPacket(r)
			if err != nil {
				break
			}
			n += 2 + len(p)
		}
		if n > len(b) {
			t.Errorf("%d bytes of %d", n, len(b))
		}
	})
}

// bytesConn is a connection whose other end has sent bytes and reads nothing.
type bytesConn struct {
	net.Conn
	r io.Reader
}

func (c bytesConn) Read(b []byte) (int, error)       { return c.r.Read(b) }
func (c bytesConn) Write(b []byte) (int, error)      { return len(b), nil }
func (c bytesConn) Close() error                     { return nil }
func (c bytesConn) SetDeadline(time.Time) error      { return nil }
func (c bytesConn) SetReadDeadline(time.Time) error  { return nil }
func (c bytesConn) SetWriteDeadline(time.Time) error { return nil }
func (c bytesConn) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
func (c bytesConn) LocalAddr() net.Addr              { return c.RemoteAddr() }

// FuzzAccepted: what a stranger sends to the post, from the first byte on, ends
// the connection; requests that it makes up are answered or refused.
func FuzzAccepted(f *testing.F) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	p, err := Open(Config{NodeID: 1, Listener: ln, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = p.Close() })
	var out bytes.Buffer
	c := recording{bytesConn{r: &out}, &out}
	pre := linkfault.Preamble{Proto: linkfault.ProtoRemote, From: 2}
	hello := header{typ: frameHello, size: helloSize}.append(nil)
	if err := linkfault.WritePreamble(c, pre); err != nil {
		f.Fatal(err)
	}
	out.Write(append(hello, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7))
	known := bytes.Clone(out.Bytes())
	f.Add(known)
	f.Add(append(bytes.Clone(known), header{typ: frameRequest, size: 3, id: 4, kind: 9}.append(nil)...))
	f.Add(append(append(bytes.Clone(known), header{typ: frameRequest, flags: flagRelay, node: 3, size: 1, id: 4}.append(nil)...), 1))
	f.Add(append(append(bytes.Clone(known), header{typ: frameHeartbeat, size: beatHead}.append(nil)...), make([]byte, beatHead)...))
	f.Add(append(bytes.Clone(known), header{typ: frameRequest, size: 1, total: MaxMessage, id: 4}.append(nil)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		p.admit(bytesConn{r: bytes.NewReader(b)}) // returns when the bytes are used up
	})
}

type recording struct {
	net.Conn
	out *bytes.Buffer
}

func (r recording) Write(b []byte) (int, error) { return r.out.Write(b) }

// FuzzGossip: packets and streams that did not come from memberlist do it no
// harm, nor those that did and were changed on the way.
func FuzzGossip(f *testing.F) {
	m, err := OpenMembers(MembersConfig{NodeID: 1, Bind: "127.0.0.1:0", Host: "127.0.0.1", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = m.Close() })
	for _, s := range []string{
		"\x00\x82\xa5SeqNo\x01\xa4Node\xa11", "\x07\x02\x00\x02\x00\x02\x00\x00", "\x09\x82\xa4Algo\x00\xa3Buf\xc4\x01x", "\x0c\x00\x00\x00\x00\x00",
		"\x04\x88\xabIncarnation\x01\xa4Addr\xc4\x04\x7f\x00\x00\x01\xa4Port\x02\xa4Node\xa12\xa4Meta\xc4\x01x\xa3Vsn\xc4\x06\x01\x05\x02\x02\x05\x04",
		"\x08" + "\x01\x00\x03abc", "\x06\x83\xa5Nodes\xce\x7f\xff\xff\xff\xacUserStateLen\xce\x7f\xff\xff\xff\xa4Join\xc3", "\x0b\xa1",
	} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, stream bool) {
		defer time.AfterFunc(10*time.Second, func() { panic(fmt.Sprintf("endless: %x, stream: %v", b, stream)) }).Stop()
		if !stream {
			m.net.packets <- &memberlist.Packet{Buf: bytes.Clone(b), From: &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, Timestamp: time.Now()}
			return
		}
		near, far := net.Pipe()
		m.net.streams <- addressed{far}
		if err := near.SetDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.Copy(io.Discard, near) }()
		if _, err := near.Write(b); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			var timeout net.Error
			if !errors.As(err, &timeout) {
				t.Fatal(err)
			}
		}
		near.Close()
	})
}

// addressed is a pipe with an address.
type addressed struct{ net.Conn }

func (addressed) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
