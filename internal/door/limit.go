package door

import (
	"net"
	"sync"
	"sync/atomic"
)

// Limited is a listener with a bound on its connections.
type Limited struct {
	net.Listener
	most   int64
	open   atomic.Int64
	refuse func()
}

// Limit bounds the connections of l that are open at a time. One too many is
// closed at once, so that whoever has connected goes on being served; refused is
// then called, if it is not nil.
func Limit(l net.Listener, most int, refused func()) *Limited {
	if refused == nil {
		refused = func() {}
	}
	return &Limited{Listener: l, most: int64(most), refuse: refused}
}

// Accept waits for the next connection for which there is room.
func (l *Limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) <= l.most {
			return &counted{Conn: c, leave: sync.OnceFunc(func() { l.open.Add(-1) })}, nil
		}
		l.open.Add(-1)
		l.refuse()
		_ = c.Close() // it is not taken
	}
}

// counted gives its place back when it is closed.
type counted struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *counted) Close() error {
	c.leave()
	return c.Conn.Close()
}
