package linkfault_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/protocol"
)

const patience = 5 * time.Second

// pairOf gives a wrapped connection of node 0 to node 1 and the bare other end.
func pairOf(t *testing.T, s *linkfault.Switch) (near net.Conn, far *net.TCPConn) {
	t.Helper()
	a, b := tcpPair(t)
	return s.Conn(a, 1, linkfault.ProtoRaft), b
}

func tcpPair(t *testing.T) (dialled, accepted *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	got := make(chan net.Conn, 1)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			close(got)
			return
		}
		got <- c
	}()
	a, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, ok := <-got
	if !ok {
		t.Fatal("accept failed")
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a.(*net.TCPConn), b.(*net.TCPConn)
}

func rules(t *testing.T, s *linkfault.Switch, text string) {
	t.Helper()
	if err := s.SetRules(text); err != nil {
		t.Fatal(err)
	}
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if n, err := c.Write([]byte(text)); err != nil || n != len(text) {
		t.Fatalf("write: %d, %v", n, err)
	}
}

func expect(t *testing.T, c net.Conn, text string) {
	t.Helper()
	b := make([]byte, len(text))
	c.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != text {
		t.Fatalf("read %q, %v; want %q", b, err, text)
	}
}

func expectTimeout(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(60 * time.Millisecond))
	n, err := c.Read(make([]byte, 8))
	var ne net.Error
	if n != 0 || !errors.As(err, &ne) || !ne.Timeout() {
		t.Fatalf("read: %d, %v; want a timeout", n, err)
	}
}

func TestNilSwitchHandsBackWhatItIsGiven(t *testing.T) {
	t.Setenv(linkfault.Env, "")
	s, err := linkfault.FromEnv(0, slog.Default())
	if s != nil || err != nil {
		t.Fatalf("got %v, %v", s, err)
	}
	a, _ := tcpPair(t)
	if s.Conn(a, 1, linkfault.ProtoRaft) != net.Conn(a) {
		t.Error("a nil switch wrapped a connection")
	}
	got, err := s.Dial(context.Background(), linkfault.ProtoRaft, "tcp", "x", 1, func(context.Context, string, string) (net.Conn, error) { return a, nil })
	if got != net.Conn(a) || err != nil {
		t.Errorf("dial: %v, %v", got, err)
	}
	if pass, d := s.PacketOut(1); !pass || d != 0 || !s.PacketIn(1) || s.Skew() != 0 {
		t.Error("a nil switch holds packets")
	}
	if s.SetRules("") == nil {
		t.Error("rules went nowhere without an error")
	}
	s.Close()
}

func TestDropOutActsOnAnOpenConnectionAndClosesItAfterwards(t *testing.T) {
	s := linkfault.New(0)
	near, far := pairOf(t, s)
	send(t, near, "a")
	expect(t, far, "a")
	rules(t, s, "drop 0 1")
	send(t, near, "lost")
	expectTimeout(t, far)
	send(t, far, "b") // the other direction works
	expect(t, near, "b")
	rules(t, s, "drop 1 0") // the first is over
	if _, err := near.Write([]byte("c")); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("write after lost bytes: %v", err)
	}
	far.SetReadDeadline(time.Now().Add(patience))
	if n, err := far.Read(make([]byte, 8)); n != 0 || err == nil || isTimeout(err) {
		t.Errorf("far end read %d, %v; want the end", n, err)
	}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func TestDropInHidesBytesAndTheEndOfTheStream(t *testing.T) {
	s := linkfault.New(0)
	near, far := pairOf(t, s)
	rules(t, s, "drop 1 0")
	send(t, far, "lost")
	expectTimeout(t, near)
	far.Close()
	expectTimeout(t, near)
	near.SetReadDeadline(time.Time{})
	done := make(chan error, 1)
	go func() {
		_, err := near.Read(make([]byte, 8))
		done <- err
	}()
	rules(t, s, "")
	select {
	case err := <-done:
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after the rule: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the reader was not woken")
	}
}

func TestDropThatLostNothingLeavesTheConnection(t *testing.T) {
	s := linkfault.New(0)
	near, far := pairOf(t, s)
	rules(t, s, "drop 0 1\ndrop 1 0")
	rules(t, s, "")
	send(t, near, "a")
	expect(t, far, "a")
	send(t, far, "b")
	expect(t, near, "b")
}

func TestReadDeadlineCanBeMovedDuringADrop(t *testing.T) {
	s := linkfault.New(0)
	near, far := pairOf(t, s)
	rules(t, s, "drop 1 0")
	far.Close()
	done := make(chan error, 1)
	go func() {
		_, err := near.Read(make([]byte, 8))
		done <- err
	}()
	near.SetReadDeadline(time.Now())
	select {
	case err := <-done:
		if !isTimeout(err) {
			t.Errorf("got %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the deadline did not wake the reader")
	}
	near.SetDeadline(time.Time{})
	go func() {
		_, err := near.Read(make([]byte, 8))
		done <- err
	}()
	near.Close()
	select {
	case err := <-done:
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v", err)
		}
	case <-time.After(patience):
		t.Fatal("close did not wake the reader")
	}
}

func TestDelayKeepsOrderAndEndsWithClose(t *testing.T) {
	const delay = 80 * time.Millisecond
	s := linkfault.New(0)
	near, far := pairOf(t, s)
	rules(t, s, "delay 0 1 80ms")
	start := time.Now()
	send(t, near, "a")
	rules(t, s, "")
	send(t, near, "b") // must not overtake
	near.Close()
	expect(t, far, "ab")
	if d := time.Since(start); d < delay {
		t.Errorf("arrived after %v", d)
	}
	if n, err := far.Read(make([]byte, 8)); err != io.EOF {
		t.Errorf("after close: %d, %v", n, err)
	}
}

// A slow link takes the time that its bytes need, and no longer.
func TestSlow(t *testing.T) {
	s := linkfault.New(0)
	near, far := pairOf(t, s)
	rules(t, s, "slow 0 1 100000")
	start := time.Now()
	text := strings.Repeat("x", 5000)
	send(t, near, text)
	send(t, near, text)
	expect(t, far, text+text)
	if d := time.Since(start); d < 100*time.Millisecond || d > time.Second {
		t.Errorf("10 kB at 100 kB/s took %v", d)
	}
}

// What is lost of a connection is sent again: it comes late, whole and in order.
// What is lost of gossip is lost.
func TestLoss(t *testing.T) {
	s := linkfault.New(0)
	near, far := pairOf(t, s)
	rules(t, s, "loss 0 1 99.9%")
	start := time.Now()
	send(t, near, "a")
	send(t, near, "b")
	expect(t, far, "ab")
	if d := time.Since(start); d < 200*time.Millisecond {
		t.Errorf("nothing was sent again: %v", d)
	}
	passed := 0
	for range 1000 {
		if pass, _ := s.PacketOut(1); pass {
			passed++
		}
	}
	if passed > 50 {
		t.Errorf("%d of 1000 packets passed", passed)
	}
}

// What is for one port leaves the others alone.
func TestOnePort(t *testing.T) {
	s := linkfault.New(0)
	a, b := tcpPair(t)
	post := s.Conn(a, 1, linkfault.ProtoRemote)
	raft, farRaft := pairOf(t, s)
	rules(t, s, "drop 0 1 post\ndrop 1 0 gossip")
	send(t, post, "lost")
	send(t, raft, "a")
	expect(t, farRaft, "a")
	expectTimeout(t, b)
	if pass, _ := s.PacketOut(1); !pass || s.PacketIn(1) {
		t.Error("gossip is to be heard and not to be seen")
	}
}

// A clock is that of one node, and goes right again when the rule is over.
func TestClock(t *testing.T) {
	s := linkfault.New(0)
	for _, c := range []struct {
		rules string
		want  time.Duration
	}{{"clock 0 -1h", -time.Hour}, {"clock 1 1h", 0}, {"clock 0 90m", 90 * time.Minute}, {"", 0}} {
		rules(t, s, c.rules)
		if got := s.Skew(); got != c.want {
			t.Errorf("%q: %v", c.rules, got)
		}
	}
}

func TestFullDelayLineMakesTheWriterWait(t *testing.T) {
	s := linkfault.New(0)
	near, _ := pairOf(t, s)
	rules(t, s, "delay 0 1 1h")
	if n, err := near.Write(make([]byte, 4<<20)); err != nil || n != 4<<20 {
		t.Fatalf("%d, %v", n, err)
	}
	near.SetWriteDeadline(time.Now().Add(30 * time.Millisecond))
	if _, err := near.Write([]byte("x")); !isTimeout(err) {
		t.Errorf("got %v, want a timeout", err)
	}
	if _, err := near.Write([]byte("x")); !isTimeout(err) {
		t.Errorf("past its deadline: %v", err)
	}
	rules(t, s, "reset 0 1") // or the line would hold its part for an hour
}

func TestReset(t *testing.T) {
	s := linkfault.New(0)
	near, far := pairOf(t, s)
	rules(t, s, "reset 1 0")
	if _, err := near.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("near: %v", err)
	}
	far.SetReadDeadline(time.Now().Add(patience))
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("far: %v", err)
	}
	a, _ := tcpPair(t)
	if _, err := s.Conn(a, 1, linkfault.ProtoRaft).Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("accepted under reset: %v", err)
	}
	_, err := s.Dial(context.Background(), linkfault.ProtoRaft, "tcp", "127.0.0.1:1", 1, nil)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v", err)
	}
}

func TestDialUnderDropHangsUntilItsTimeoutOrTheEndOfTheRule(t *testing.T) {
	for _, rule := range []string{"drop 0 1", "drop 1 0"} {
		s := linkfault.New(0)
		rules(t, s, rule)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
		_, err := s.Dial(ctx, linkfault.ProtoRaft, "tcp", "x", 1, nil)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", rule, err)
		}
		a, far := tcpPair(t)
		got := make(chan net.Conn, 1)
		go func() {
			c, err := s.Dial(context.Background(), linkfault.ProtoRaft, "tcp", "x", 1, func(context.Context, string, string) (net.Conn, error) { return a, nil })
			if err != nil {
				t.Errorf("dial: %v", err)
			}
			got <- c
		}()
		rules(t, s, "")
		select {
		case c := <-got:
			send(t, c, "hi")
			expect(t, far, "hi")
		case <-time.After(patience):
			t.Fatal("the dial did not go on after the rule")
		}
	}
}

func TestPackets(t *testing.T) {
	s := linkfault.New(0)
	rules(t, s, "drop 0 1\ndelay 0 2 5ms\ndrop 3 0")
	for _, c := range []struct {
		peer  int32
		out   bool
		delay time.Duration
		in    bool
	}{{1, false, 0, true}, {2, true, 5 * time.Millisecond, true}, {3, true, 0, false}} {
		out, d := s.PacketOut(protocol.NodeID(c.peer))
		if in := s.PacketIn(protocol.NodeID(c.peer)); out != c.out || d != c.delay || in != c.in {
			t.Errorf("peer %d: out %v after %v, in %v", c.peer, out, d, in)
		}
	}
}

func TestFromEnvFollowsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "faults")
	t.Setenv(linkfault.Env, path)
	s, err := linkfault.FromEnv(0, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	passes := func() bool { p, _ := s.PacketOut(1); return p }
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !passes() {
		t.Error("a rule without a file")
	}
	write("drop 0 1")
	until(t, "the rule is in force", func() bool { return !passes() })
	write("drop 0 2") // same size, perhaps the same time stamp
	until(t, "the rule is replaced", passes)
	write("drop 0 1")
	until(t, "the rule is back", func() bool { return !passes() })
	write("nonsense")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	until(t, "no file, no rule", passes)
}

func TestFromEnvRefusesBadRulesAtStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "faults")
	if err := os.WriteFile(path, []byte("drop 0"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(linkfault.Env, path)
	if _, err := linkfault.FromEnv(0, slog.Default()); err == nil {
		t.Error("bad rules were taken")
	}
}

// until polls cond.
func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !cond() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
