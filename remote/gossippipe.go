package remote

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/grevy-io/grevy/protocol"
)

// With TLS packets go over a connection to each node: UDP has no certificates, and
// a shared key would be one more secret to keep and to renew. What packets must
// be stays true: sending never waits, and what cannot be sent now is lost. A frame
// is a length (2) and the packet; the receiver answers each with one byte, so that
// a connection that leads nowhere any more is given up instead of filling up.

// What a gossip connection is for (Preamble.Group).
const (
	gossipStream  uint32 = 0 // one of memberlist's streams
	gossipPackets uint32 = 1 // packets, in frames
)

const (
	pipeQueue   = 64               // packets that wait for one node
	pipePatient = time.Second      // for a dial, and for the answers to what was sent
	pipeIdle    = 30 * time.Second // without packets a connection is closed
)

// pipes are the outgoing connections for packets, by address.
type pipes struct {
	mu   sync.Mutex
	open map[string]*pipe
}

// pipe sends packets to one node. Its goroutine runs while there are some.
type pipe struct {
	g     *gossipNet
	to    memberlist.Address
	queue chan []byte
	conn  net.Conn // of the goroutine; nil: none now
}

// pipe gives a packet on its way. One that finds the queue full is lost, as it
// might be in a socket's.
func (g *gossipNet) pipe(b []byte, a memberlist.Address) error {
	if len(b) > 1<<16-1 {
		return fmt.Errorf("send gossip: a packet of %d bytes", len(b))
	}
	pass, delay := g.faults.PacketOut(g.target(a))
	if !pass {
		return nil
	}
	frame := append(binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(b)), uint16(len(b))), b...)
	if delay > 0 {
		time.AfterFunc(delay, func() { g.enqueue(frame, a) })
		return nil
	}
	g.enqueue(frame, a)
	return nil
}

func (g *gossipNet) enqueue(frame []byte, a memberlist.Address) {
	g.pipes.mu.Lock()
	defer g.pipes.mu.Unlock()
	p := g.pipes.open[a.Addr]
	if p == nil {
		if g.ctx.Err() != nil {
			return
		}
		p = &pipe{g: g, to: a, queue: make(chan []byte, pipeQueue)}
		g.pipes.open[a.Addr] = p
		g.wg.Go(p.run)
	}
	select {
	case p.queue <- frame:
	default:
	}
}

// run sends what comes, until nothing has come for a while.
func (p *pipe) run() {
	defer p.drop()
	idle := time.NewTimer(pipeIdle)
	defer idle.Stop()
	for {
		select {
		case first := <-p.queue:
			if err := p.send(first); err != nil {
				p.g.log.Debug("gossip packets lost", "addr", p.to.Addr, "err", err)
				p.drop()
			}
			idle.Reset(pipeIdle)
		case <-idle.C:
			if p.retire() {
				return
			}
			idle.Reset(pipeIdle)
		case <-p.g.ctx.Done():
			return
		}
	}
}

// retire takes the pipe off the table, unless a packet came meanwhile.
func (p *pipe) retire() bool {
	p.g.pipes.mu.Lock()
	defer p.g.pipes.mu.Unlock()
	if len(p.queue) > 0 {
		return false
	}
	delete(p.g.pipes.open, p.to.Addr)
	return true
}

func (p *pipe) drop() {
	if p.conn != nil {
		_ = p.conn.Close() // it is idle or broken
		p.conn = nil
	}
}

// send writes a packet with all that wait behind it, and waits for the answers.
func (p *pipe) send(first []byte) error {
	batch, n := append([]byte(nil), first...), 1
	for more := true; more; {
		select {
		case next := <-p.queue:
			batch, n = append(batch, next...), n+1
		default:
			more = false
		}
	}
	if p.conn == nil {
		ctx, cancel := context.WithTimeout(p.g.ctx, pipePatient)
		defer cancel()
		c, err := p.g.dial(ctx, p.to, gossipPackets)
		if err != nil {
			return err
		}
		p.conn = c
	}
	defer context.AfterFunc(p.g.ctx, p.hurry(p.conn))()
	if err := p.conn.SetDeadline(time.Now().Add(pipePatient)); err != nil {
		return err
	}
	if _, err := p.conn.Write(batch); err != nil {
		return err
	}
	_, err := io.ReadFull(p.conn, make([]byte, n))
	return err
}

// hurry ends a wait on c when the transport closes.
func (p *pipe) hurry(c net.Conn) func() { return func() { _ = c.Close() } }

// drain takes the packets of a connection until it ends.
func (g *gossipNet) drain(c net.Conn, from protocol.NodeID) {
	defer c.Close()
	defer context.AfterFunc(g.ctx, func() { c.Close() })()
	if err := g.drainFrames(c, from); err != nil {
		g.log.Debug("gossip packets end", "from", from, "err", err)
	}
}

func (g *gossipNet) drainFrames(c net.Conn, from protocol.NodeID) error {
	r := bufio.NewReaderSize(c, 4<<10)
	for {
		if err := c.SetDeadline(time.Now().Add(2 * pipeIdle)); err != nil {
			return err
		}
		b, err := readPacket(r)
		if err != nil {
			return err
		}
		if g.faults.PacketIn(from) {
			select {
			case g.packets <- &memberlist.Packet{Buf: b, From: c.RemoteAddr(), Timestamp: time.Now()}:
			case <-g.ctx.Done():
				return nil
			}
		}
		if _, err := c.Write([]byte{1}); err != nil {
			return err
		}
	}
}

// readPacket reads one frame.
func readPacket(r io.Reader) ([]byte, error) {
	var n [2]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(n[:]))
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: an empty packet", errBroken)
	}
	_, err := io.ReadFull(r, b)
	return b, err
}
