package remote

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/grevy-io/grevy/internal/door"
	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/protocol"
)

// welcome is the answer to a hello.
type welcome struct {
	status      welcomeStatus
	node        protocol.NodeID // who answers
	incarnation uint64          // of the process that answers
	cluster     [16]byte        // zero while not known
}

// welcomeStatus is wire format.
type welcomeStatus uint8

const (
	welcomeOK           welcomeStatus = 0
	welcomeOtherCluster welcomeStatus = 1
	welcomeOtherNode    welcomeStatus = 2 // the node wanted is another
	welcomeSameNode     welcomeStatus = 3 // the caller says that it is me
)

const (
	helloSize   = 12
	welcomeSize = 29
)

// refusedError is a link that cannot be until an operator changes something.
type refusedError struct{ text string }

func (e *refusedError) Error() string { return e.text }

func refused(format string, args ...any) error {
	return &refusedError{fmt.Sprintf(format, args...)}
}

// greet introduces this node on a connection it dialled, and returns the
// incarnation of the process that answered as node id.
func (p *Post) greet(c net.Conn, id protocol.NodeID) (uint64, error) {
	if err := c.SetDeadline(time.Now().Add(helloTimeout)); err != nil {
		return 0, fmt.Errorf("greet: %w", err)
	}
	pre := linkfault.Preamble{Proto: linkfault.ProtoRemote, From: p.cfg.NodeID, Cluster: p.clusterID()}
	if err := linkfault.WritePreamble(c, pre); err != nil {
		return 0, fmt.Errorf("greet: %w", err)
	}
	body := binary.BigEndian.AppendUint32(nil, uint32(id))
	body = binary.BigEndian.AppendUint64(body, p.incarnation)
	if err := writeFrame(c, frameHello, body); err != nil {
		return 0, fmt.Errorf("greet: %w", err)
	}
	b, err := readFrame(c, frameWelcome, welcomeSize)
	if err != nil {
		return 0, fmt.Errorf("greet: %w", err)
	}
	w := parseWelcome(b)
	if err := p.judgeWelcome(id, w); err != nil {
		return 0, err
	}
	return w.incarnation, c.SetDeadline(time.Time{})
}

func parseWelcome(b []byte) welcome {
	return welcome{
		status:      welcomeStatus(b[0]),
		node:        protocol.NodeID(binary.BigEndian.Uint32(b[1:])),
		incarnation: binary.BigEndian.Uint64(b[5:]),
		cluster:     [16]byte(b[13:]),
	}
}

func (w welcome) append(b []byte) []byte {
	b = append(b, byte(w.status))
	b = binary.BigEndian.AppendUint32(b, uint32(w.node))
	b = binary.BigEndian.AppendUint64(b, w.incarnation)
	return append(b, w.cluster[:]...)
}

func (p *Post) judgeWelcome(id protocol.NodeID, w welcome) error {
	switch {
	case w.incarnation == p.incarnation:
		return refused("the address of node %d is this node's own", id)
	case w.status == welcomeOtherCluster || differ(p.clusterID(), w.cluster):
		return refused("node %d belongs to cluster %x, this node to %x", w.node, w.cluster, p.clusterID())
	case w.node != id:
		return refused("the address of node %d is that of node %d", id, w.node)
	case w.status == welcomeSameNode:
		return refused("node %d says that this node has its node id", w.node)
	case w.status != welcomeOK:
		return refused("node %d refused the link with status %d", w.node, w.status)
	}
	return nil
}

// differ tells whether two cluster ids are both known and not the same.
func differ(a, b [16]byte) bool {
	var unknown [16]byte
	return a != unknown && b != unknown && a != b
}

// accept takes connections until the listener closes.
func (p *Post) accept() {
	for {
		c, err := p.cfg.Listener.Accept()
		if err == nil {
			p.spawn(func() { p.admit(c) })
			continue
		}
		if p.ctx.Err() != nil {
			return
		}
		// Out of descriptors, for instance. It passes or it does not: say so, go on.
		p.cfg.Logger.Error("accept a node connection", "err", err)
		select {
		case <-time.After(backoffMin):
		case <-p.ctx.Done():
			return
		}
	}
}

// admit learns who is calling and carries the connection to its end.
func (p *Post) admit(raw net.Conn) {
	defer raw.Close()
	stop := context.AfterFunc(p.ctx, func() { raw.Close() })
	defer stop()
	w, err := p.receive(raw)
	if err != nil {
		if p.ctx.Err() == nil {
			p.cfg.Logger.Debug("connection not taken", "addr", raw.RemoteAddr(), "err", err)
		}
		return
	}
	err = w.run()
	w.peer.release(w)
	p.cfg.Logger.Debug("incoming connection ended", "peer", w.peer.id, "err", err)
}

// receive reads the dialler's hello and answers it.
func (p *Post) receive(raw net.Conn) (*wire, error) {
	guest, err := p.door.Admit(raw, 2*helloTimeout)
	if err != nil {
		return nil, err
	}
	defer guest.Leave()
	c := p.cfg.Faults.Conn(guest.Conn, guest.From, linkfault.ProtoRemote)
	w, err := p.welcome(c, guest)
	if err != nil {
		_ = c.Close() // it is not taken; admit says why
	}
	return w, err
}

func (p *Post) welcome(c net.Conn, guest *door.Guest) (*wire, error) {
	pre := guest.Preamble
	if err := c.SetDeadline(guest.Until); err != nil {
		return nil, fmt.Errorf("receive: %w", err)
	}
	b, err := readFrame(c, frameHello, helloSize)
	if err != nil {
		return nil, fmt.Errorf("receive: %w", err)
	}
	wanted := protocol.NodeID(binary.BigEndian.Uint32(b))
	incarnation := binary.BigEndian.Uint64(b[4:])
	answer := welcome{p.judgeHello(pre, wanted, incarnation), p.cfg.NodeID, p.incarnation, p.clusterID()}
	if err := writeFrame(c, frameWelcome, answer.append(nil)); err != nil {
		return nil, fmt.Errorf("receive: %w", err)
	}
	if answer.status != welcomeOK {
		return nil, fmt.Errorf("receive: refused node %d with status %d", pre.From, answer.status)
	}
	if err := c.SetDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("receive: %w", err)
	}
	pr := p.ensurePeer(pre.From)
	if pr == nil {
		return nil, fmt.Errorf("receive: node %d is one too many", pre.From)
	}
	w := newWire(p, c, pr, incarnation, false)
	pr.adopt(w)
	return w, nil
}

func (p *Post) judgeHello(pre linkfault.Preamble, wanted protocol.NodeID, incarnation uint64) welcomeStatus {
	switch {
	case differ(pre.Cluster, p.clusterID()):
		p.sayOnce(fmt.Sprintf("cluster %x %d", pre.Cluster, pre.From), "refused a node of another cluster",
			"node", pre.From, "cluster", fmt.Sprintf("%x", pre.Cluster))
		return welcomeOtherCluster
	case wanted != p.cfg.NodeID:
		return welcomeOtherNode
	case pre.From == p.cfg.NodeID:
		if incarnation != p.incarnation {
			p.sayOnce("same node", "refused a node that has this node's id", "node", pre.From)
		}
		return welcomeSameNode
	}
	return welcomeOK
}

func writeFrame(c net.Conn, t frameType, body []byte) error {
	b := header{typ: t, size: uint32(len(body))}.append(nil)
	_, err := c.Write(append(b, body...))
	return err
}

// readFrame reads one frame of type t, and not one byte more. A newer node may
// send a longer body than this one reads.
func readFrame(c net.Conn, t frameType, least uint32) ([]byte, error) {
	var hb [headerSize]byte
	if _, err := io.ReadFull(c, hb[:]); err != nil {
		return nil, err
	}
	h, err := parseHeader(&hb)
	if err != nil {
		return nil, err
	}
	if h.typ != t || h.size < least || h.size > 4096 {
		return nil, fmt.Errorf("%w: type %d with %d bytes where type %d belongs", errBroken, h.typ, h.size, t)
	}
	b := make([]byte, h.size)
	_, err = io.ReadFull(c, b)
	return b, err
}
