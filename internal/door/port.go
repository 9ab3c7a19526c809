package door

import (
	"container/list"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/grevy-io/grevy/internal/certs"
	"github.com/grevy-io/grevy/internal/linkfault"
)

// strangers is how many connections of one port may be without a known owner at
// a time. The oldest has to go when there are more, not the newest: whoever
// opens connections and says nothing must not keep out nodes, which say who they
// are within milliseconds.
const strangers = 256

// Port judges the connections of one port.
type Port struct {
	proto  byte
	secure *certs.Store
	log    *slog.Logger
	most   int

	mu      sync.Mutex
	waiting *list.List // of net.Conn, oldest first
	said    map[string]bool
}

// New makes the judge of a port for connections of one protocol
// (linkfault.Proto…). secure is nil if the port has no TLS.
func New(proto byte, secure *certs.Store, log *slog.Logger) *Port {
	return &Port{proto: proto, secure: secure, log: log, most: strangers, waiting: list.New(), said: map[string]bool{}}
}

// Guest is a connection that has said whose it is.
type Guest struct {
	net.Conn
	linkfault.Preamble
	// Until is the deadline that the connection has: the end of the patience.
	Until time.Time
	// Leave says that the guest counts as a stranger no longer: it has told the
	// rest of what it must, or is closed. It may be called again.
	Leave func()
}

// Admit learns whose a connection is. An error: the connection is closed.
func (p *Port) Admit(raw net.Conn, patience time.Duration) (*Guest, error) {
	leave := p.enter(raw)
	g, err := p.read(raw, time.Now().Add(patience))
	if err != nil {
		leave()
		p.say(raw.RemoteAddr(), err)
		_ = raw.Close() // whatever it says: nobody is there who could be told
		return nil, err
	}
	g.Leave = leave
	return g, nil
}

// say logs what an operator should know of, once for each address: it may be a
// node whose certificate is not the right one, or one that has TLS where this one
// has none. What just ended or said nothing may be anything.
func (p *Port) say(addr net.Addr, err error) {
	what := "refused a connection: TLS"
	if errors.Is(err, linkfault.ErrPreamble) {
		what = "refused a connection: no node, or one with TLS"
	} else if !certs.Refused(err) {
		return
	}
	host, _, _ := net.SplitHostPort(addr.String())
	p.mu.Lock()
	said := p.said[host] || len(p.said) >= strangers
	if !said {
		p.said[host] = true
	}
	p.mu.Unlock()
	if !said {
		p.log.Warn(what, "addr", host, "err", err)
	}
}

func (p *Port) read(raw net.Conn, end time.Time) (*Guest, error) {
	c, err := p.secure.Accept(raw, end)
	if err != nil {
		return nil, err
	}
	pre, err := linkfault.ReadPreamble(c, time.Until(end))
	if err != nil {
		return nil, err
	}
	if pre.Proto != p.proto {
		return nil, fmt.Errorf("admit: protocol %d does not belong on this port", pre.Proto)
	}
	if err := c.SetDeadline(end); err != nil {
		return nil, fmt.Errorf("admit: %w", err)
	}
	return &Guest{Conn: c, Preamble: pre, Until: end}, nil
}

// Close shows all strangers out, now and from now on.
func (p *Port) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.most = 0
	for e := p.waiting.Front(); e != nil; e = e.Next() {
		_ = e.Value.(net.Conn).Close() // its goroutine is told by its read
	}
}

// enter counts a stranger, and shows the oldest one out if there are too many.
func (p *Port) enter(raw net.Conn) (leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.most == 0 {
		_ = raw.Close()
	}
	if p.waiting.Len() > 0 && p.waiting.Len() >= p.most {
		oldest := p.waiting.Remove(p.waiting.Front()).(net.Conn)
		_ = oldest.Close() // its goroutine is told by its read
	}
	e := p.waiting.PushBack(raw)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.waiting.Remove(e) // does nothing if it was shown out
	}
}
