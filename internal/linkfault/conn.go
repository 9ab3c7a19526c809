package linkfault

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/grevy-io/grevy/internal/certs"
	"github.com/grevy-io/grevy/protocol"
)

// conn is a connection under the rules of a switch.
type conn struct {
	net.Conn
	s     *Switch
	peer  protocol.NodeID
	proto byte

	rd, wd deadline
	closed chan struct{}

	mu       sync.Mutex // orders what follows against changes of the rules
	lostIn   bool       // bytes from the peer vanished
	lostOut  bool       // bytes for the peer vanished
	line     *delayLine // once there, every byte for the peer goes through it
	isClosed bool
	killed   bool // by a rule, not by its owner
}

func newConn(s *Switch, c net.Conn, peer protocol.NodeID, proto byte) *conn {
	return &conn{Conn: c, s: s, peer: peer, proto: proto, closed: make(chan struct{})}
}

// rules returns the table in force with what it says of the two directions.
func (c *conn) rules() (t *table, out, in rule) {
	t = c.s.tab.Load()
	return t, t.get(c.s.self, c.peer, c.proto), t.get(c.peer, c.s.self, c.proto)
}

// rulesChanged acts on what the new rules say of this connection: reset it, or
// close it if it lost bytes under a drop that is now over.
func (c *conn) rulesChanged() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, out, in := c.rules()
	if out.reset || in.reset || c.lostIn && !in.drop || c.lostOut && !out.drop {
		c.killLocked()
	}
}

// killLocked breaks the connection so that the peer's kernel is told by a RST.
func (c *conn) killLocked() {
	if c.isClosed {
		return
	}
	c.killed = true
	bare := certs.Bare(c.Conn) // TLS would say goodbye
	if t, ok := bare.(interface{ SetLinger(int) error }); ok {
		// It fails only on a socket that is closed already.
		_ = t.SetLinger(0)
	}
	c.finishLocked()
	_ = bare.Close() // the connection is being broken on purpose
}

// finishLocked marks the connection closed for everybody on this side.
func (c *conn) finishLocked() {
	c.isClosed = true
	close(c.closed)
	c.s.forget(c)
}

// Read implements net.Conn. Under drop, bytes from the peer are read and thrown
// away, and the end of the stream is not seen before the rule is over.
func (c *conn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		t, dropped := c.takeIn(n)
		switch {
		case !dropped && n > 0:
			return n, err
		case err == nil && dropped:
			continue
		case err == nil:
			return n, nil
		case !dropped || isTimeout(err):
			return 0, c.opErr("read", err)
		}
		if err := c.rd.wait(t.replaced, c.closed); err != nil {
			return 0, c.opErr("read", err)
		}
		if c.gone() {
			return 0, c.opErr("read", net.ErrClosed)
		}
	}
}

// takeIn notes n bytes from the peer and tells whether they vanish.
func (c *conn) takeIn(n int) (*table, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, _, in := c.rules()
	if in.drop && n > 0 {
		c.lostIn = true
	}
	return t, in.drop
}

// Write implements net.Conn. Under drop it succeeds and the bytes vanish; under
// delay, loss and slow it succeeds and the bytes leave later.
func (c *conn) Write(p []byte) (int, error) {
	if c.wd.expired() {
		return 0, c.opErr("write", os.ErrDeadlineExceeded)
	}
	c.mu.Lock()
	if c.isClosed {
		c.mu.Unlock()
		return 0, c.opErr("write", net.ErrClosed)
	}
	_, out, _ := c.rules()
	if out.drop {
		c.lostOut = c.lostOut || len(p) > 0
		c.mu.Unlock()
		return len(p), nil
	}
	if out.held() && c.line == nil {
		c.line = newDelayLine(c)
	}
	line := c.line
	c.mu.Unlock()
	if line == nil {
		n, err := c.Conn.Write(p)
		return n, c.opErr("write", err)
	}
	return line.put(p, &out)
}

// Close implements net.Conn. What still waits for its delay is sent first, in
// the background, as the network would.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isClosed {
		return nil
	}
	c.finishLocked()
	if c.line != nil && !c.line.empty() {
		return c.Conn.SetReadDeadline(time.Now()) // the line closes it
	}
	return c.Conn.Close()
}

func (c *conn) gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isClosed
}

// opErr gives an error the shape callers know from TCP: reset if a rule broke
// the connection, closed if its owner closed it.
func (c *conn) opErr(op string, err error) error {
	if err == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.killed {
		err = syscall.ECONNRESET
	} else if c.isClosed {
		err = net.ErrClosed
	}
	var oe *net.OpError
	if errors.As(err, &oe) || errors.Is(err, io.EOF) {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	c.rd.set(t)
	c.wd.set(t)
	return c.Conn.SetDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.rd.set(t)
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.wd.set(t)
	return c.Conn.SetWriteDeadline(t)
}
