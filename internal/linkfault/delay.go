package linkfault

import (
	"math"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"
)

// maxDelayed bounds the bytes that wait in one delay line, as a network's
// buffers would; beyond it the writer waits.
const maxDelayed = 4 << 20

// delayLine sends bytes of one connection later, in order.
type delayLine struct {
	c *conn

	mu    sync.Mutex
	queue []delayed
	bytes int
	busy  bool      // the pump holds a part that is no longer in the queue
	free  time.Time // when a slow line has sent what is in it
	err   error
	room  chan struct{} // closed when bytes have left
	more  chan struct{} // one token: the queue may have something
}

type delayed struct {
	due time.Time
	b   []byte
}

func newDelayLine(c *conn) *delayLine {
	l := &delayLine{c: c, room: make(chan struct{}), more: make(chan struct{}, 1)}
	go l.pump()
	return l
}

func (l *delayLine) empty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue) == 0 && !l.busy
}

// put takes a copy of p, and waits while the line is full.
func (l *delayLine) put(p []byte, r *rule) (int, error) {
	for {
		l.mu.Lock()
		if l.err != nil {
			defer l.mu.Unlock()
			return 0, l.err
		}
		if l.bytes == 0 || l.bytes+len(p) <= maxDelayed {
			l.queue = append(l.queue, delayed{l.due(len(p), r), append([]byte(nil), p...)})
			l.bytes += len(p)
			l.mu.Unlock()
			l.poke()
			return len(p), nil
		}
		room := l.room
		l.mu.Unlock()
		if err := l.c.wd.wait(room, l.c.closed); err != nil {
			return 0, l.c.opErr("write", os.ErrDeadlineExceeded)
		}
		if l.c.gone() {
			return 0, l.c.opErr("write", net.ErrClosed)
		}
	}
}

// What TCP makes of a loss: a segment is sent again after the least time that
// Linux waits, and what is behind it waits too.
const (
	segment    = 1448
	retransmit = 200 * time.Millisecond
)

// due tells when n bytes that are written now may leave. The caller holds the lock.
func (l *delayLine) due(n int, r *rule) time.Time {
	at := time.Now()
	if r.rate > 0 {
		if l.free.After(at) {
			at = l.free
		}
		at = at.Add(time.Duration(float64(n) / float64(r.rate) * float64(time.Second)))
		l.free = at
	}
	at = at.Add(r.delay)
	if r.loss > 0 && rand.Float64() > math.Pow(1-r.loss, float64((n+segment-1)/segment)) {
		at = at.Add(retransmit)
	}
	return at
}

func (l *delayLine) poke() {
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// pump sends each part when it is due, until the connection is closed and the
// line empty, or the connection is broken.
func (l *delayLine) pump() {
	for {
		d, ok := l.next()
		if !ok {
			return
		}
		if !l.pause(time.Until(d.due)) {
			return
		}
		if err := l.send(d.b); err != nil {
			l.fail(err)
			if l.c.gone() {
				_ = l.c.Conn.Close() // its owner has closed it already
			}
			return
		}
	}
}

// next waits for a part. Not ok: there will be none.
func (l *delayLine) next() (delayed, bool) {
	for {
		gone := l.c.gone() // looked at first: what was put before the close must leave
		l.mu.Lock()
		l.busy = false
		if len(l.queue) > 0 {
			d := l.queue[0]
			l.queue[0] = delayed{}
			l.queue = l.queue[1:]
			l.busy = true
			l.mu.Unlock()
			return d, true
		}
		l.mu.Unlock()
		if gone {
			_ = l.c.Conn.Close() // its owner has closed it already
			return delayed{}, false
		}
		select {
		case <-l.more:
		case <-l.c.closed:
		}
	}
}

// pause waits for the due time; false if a rule broke the connection meanwhile.
func (l *delayLine) pause(d time.Duration) bool {
	l.c.mu.Lock()
	killed := l.c.killed
	l.c.mu.Unlock()
	if killed {
		return false
	}
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	<-t.C
	return true
}

// send gives a part to the network, unless it is dropped there meanwhile.
func (l *delayLine) send(b []byte) error {
	l.c.mu.Lock()
	_, out, _ := l.c.rules()
	if out.drop {
		l.c.lostOut = true
	}
	l.c.mu.Unlock()
	if !out.drop {
		if _, err := l.c.Conn.Write(b); err != nil {
			return l.c.opErr("write", err)
		}
	}
	l.mu.Lock()
	l.bytes -= len(b)
	close(l.room)
	l.room = make(chan struct{})
	l.mu.Unlock()
	return nil
}

func (l *delayLine) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
	l.queue = nil
	close(l.room)
	l.room = make(chan struct{})
}
