package raftadapter_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/grevy-io/grevy/internal/certs"
	"github.com/grevy-io/grevy/internal/certs/certstest"
	"github.com/grevy-io/grevy/internal/linkfault"
)

// secure gives a certificate to each member, before it starts again.
func secure(t *testing.T, members []*member) {
	t.Helper()
	dir := t.TempDir()
	ca := certstest.New(t, dir, "ca")
	for _, m := range members {
		s, err := certs.Open(ca.Issue(t, dir, fmt.Sprint("node", m.id)), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		m.secure = s
	}
}

// A group works over TLS: it elects, replicates, and elects again. A member
// without a certificate hears nothing from the others and does not disturb them.
func TestGroup_OverTLS(t *testing.T) {
	t.Parallel()
	members, servers := newCluster(t, 3, fast)
	for _, m := range members {
		m.stop()
	}
	secure(t, members)
	for _, m := range members {
		m.start(servers)
	}
	leader := leaderOf(t, members...)
	s := leader.open(1)
	s.put("k", "v")
	leader.stop()
	rest := []*member{members[(leader.id+1)%3], members[(leader.id+2)%3]}
	next := leaderOf(t, rest...)
	next.open(2).put("k2", "v2")

	leader.secure = nil
	leader.start(servers)
	before := next.group.Status().Term
	next.open(3).put("k3", "v3")
	leader.awaitDials()
	leader.awaitDials()
	if got := leader.get("k2"); got != "" {
		t.Errorf("the one without a certificate has got k2 = %q", got)
	}
	if now := next.group.Status(); now.Term != before || !now.IsLeader {
		t.Errorf("term %d became %d, leader: %v", before, now.Term, now.IsLeader)
	}
}

// Whoever connects to the raft port and sends anything is closed or waits in
// vain, and the group goes on; also one who knows the name of a server, whose
// words reach raft's own decoder.
func TestGroup_HostileConnections(t *testing.T) {
	t.Parallel()
	members, _ := newCluster(t, 3, fast)
	leader := leaderOf(t, members...)
	s := leader.open(1)
	addr := leader.book.get(leader.server())
	named := func(rest []byte) []byte {
		b := []byte("grvy\x01\x02\x00\x00\x00\x00\x00\x01\x00\x00\x00\x09")
		b = append(b, make([]byte, 16)...)
		return append(append(append(b, byte(len(leader.server()))), leader.server()...), rest...)
	}
	if _, err := linkfault.ReadPreamble(preambleOf(named(nil)), time.Second); err != nil {
		t.Fatal(err)
	}
	huge := []byte{0xdf, 0xff, 0xff, 0xff, 0xff}                                // a map of four billion pairs
	bin := []byte{0x81, 0xa4, 'A', 'd', 'd', 'r', 0xc6, 0xff, 0xff, 0xff, 0xff} // a value of four GB
	entries := append([]byte{0x81, 0xa7}, "Entries\xdd\xff\xff\xff\xff"...)     // four billion entries
	for i, bytes := range [][]byte{
		nil, bytes.Repeat([]byte{0xff}, 4096), named(nil), named([]byte{99}), named(append([]byte{0}, huge...)), named(append([]byte{0}, bin...)),
		named(append([]byte{0}, entries...)), named(append([]byte{1}, bin...)), named(append([]byte{2}, huge...)), named(append([]byte{3}, huge...)), named([]byte{0, 0xc0}), named([]byte{1, 0x80}),
	} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write(bytes); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			if err := c.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, c); isTimeout(err) {
				t.Errorf("connection %d is open still", i)
			}
		}
		s.put(fmt.Sprint("k", i), "v")
	}
	if got := leader.group.Status(); !got.IsLeader {
		t.Error("leadership was lost")
	}
}

func isTimeout(err error) bool {
	ne, ok := err.(net.Error)
	return ok && ne.Timeout()
}

// preambleOf is a connection that holds bytes.
func preambleOf(b []byte) net.Conn {
	near, far := net.Pipe()
	go func() { _, _ = far.Write(b[:linkfault.PreambleSize]); far.Close() }()
	return near
}
