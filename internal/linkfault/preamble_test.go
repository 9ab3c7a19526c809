package linkfault_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/grevy-io/grevy/internal/linkfault"
)

func TestPreambleBytes(t *testing.T) {
	a, b := tcpPair(t)
	want := linkfault.Preamble{Proto: linkfault.ProtoRaft, Group: 7, From: 2, Cluster: [16]byte{0xaa, 15: 0xbb}}
	if err := linkfault.WritePreamble(a, want); err != nil {
		t.Fatal(err)
	}
	send(t, a, "next")
	var raw bytes.Buffer
	got, err := linkfault.ReadPreamble(teeConn{b, &raw}, patience)
	if err != nil || got != want {
		t.Fatalf("got %+v, %v", got, err)
	}
	const doc = "67727679" + "01" + "02" + "0000" + "00000007" + "00000002" + "aa0000000000000000000000000000bb"
	if hex.EncodeToString(raw.Bytes()) != doc {
		t.Errorf("bytes %x, documented %s", raw.Bytes(), doc)
	}
	expect(t, b, "next") // not one byte more was read
}

func TestPreambleRefused(t *testing.T) {
	for name, head := range map[string]string{"another protocol": "GET /", "another version": "grvy\x09"} {
		a, b := tcpPair(t)
		send(t, a, head+string(make([]byte, linkfault.PreambleSize)))
		if _, err := linkfault.ReadPreamble(b, patience); !errors.Is(err, linkfault.ErrPreamble) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, b := tcpPair(t)
	if _, err := linkfault.ReadPreamble(b, 20*time.Millisecond); !isTimeout(err) {
		t.Errorf("silence: %v", err)
	}
	a, b := tcpPair(t)
	send(t, a, "grvy")
	a.Close()
	if _, err := linkfault.ReadPreamble(b, patience); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut short: %v", err)
	}
}

// teeConn notes what is read.
type teeConn struct {
	net.Conn
	seen *bytes.Buffer
}

func (c teeConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.seen.Write(p[:n])
	return n, err
}
