package remote

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/grevy-io/grevy/internal/certs"
	"github.com/grevy-io/grevy/internal/door"
	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/protocol"
)

// packetPrefix is the size of what stands before memberlist's bytes in a packet:
// a mark and the sender's node id. See docs/formats/preamble.md.
const packetPrefix = 8

var packetMark = [4]byte{'g', 'r', 'v', 'g'}

// gossipNet is memberlist's transport: UDP and TCP on one port, under the fault
// switch, each stream with a preamble and each packet with its sender. It is not
// built on memberlist's own, which takes 64 kB from the heap for every packet.
type gossipNet struct {
	self   protocol.NodeID
	secure *certs.Store
	door   *door.Port
	faults *linkfault.Switch
	log    *slog.Logger
	tcp    *net.TCPListener
	udp    *net.UDPConn // nil with TLS: see gossippipe.go
	pipes  pipes

	refused sync.Map // addresses of which it was said; as many as there are to join

	packets chan *memberlist.Packet
	streams chan net.Conn
	ctx     context.Context // ends with Shutdown
	cancel  context.CancelFunc
	wg      sync.WaitGroup

	mu    sync.Mutex
	nodes map[string]protocol.NodeID // by address, IP:port
	adv   string                     // own address, IP:port
}

var _ memberlist.NodeAwareTransport = (*gossipNet)(nil)

func openGossipNet(cfg MembersConfig) (*gossipNet, error) {
	g := &gossipNet{self: cfg.NodeID, secure: cfg.Secure, faults: cfg.Faults, log: cfg.Logger,
		door: door.New(linkfault.ProtoGossip, cfg.Secure, cfg.Logger), pipes: pipes{open: map[string]*pipe{}},
		packets: make(chan *memberlist.Packet), streams: make(chan net.Conn), nodes: map[string]protocol.NodeID{}}
	if err := g.listen(cfg.Bind); err != nil {
		return nil, err
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.wg.Go(g.accept)
	if g.udp != nil {
		g.wg.Go(g.readPackets)
	}
	return g, nil
}

// listen takes the same port for TCP and UDP. With port 0 the one the system gave
// for TCP may be taken for UDP; then another is tried.
func (g *gossipNet) listen(bind string) error {
	addr, err := net.ResolveTCPAddr("tcp", bind)
	if err != nil {
		return fmt.Errorf("gossip address: %w", err)
	}
	for range 10 {
		if g.tcp, err = net.ListenTCP("tcp", addr); err != nil {
			return fmt.Errorf("listen for gossip: %w", err)
		}
		if g.secure != nil {
			return nil
		}
		g.udp, err = net.ListenUDP("udp", &net.UDPAddr{IP: addr.IP, Port: g.port(), Zone: addr.Zone})
		if err == nil {
			return nil
		}
		if cerr := g.tcp.Close(); cerr != nil || addr.Port != 0 {
			break
		}
	}
	return fmt.Errorf("listen for gossip: %w", err)
}

func (g *gossipNet) port() int { return g.tcp.Addr().(*net.TCPAddr).Port }

// advertise finds the IP at which the others reach this node's gossip, and fills
// in the host if it was not given.
func (m *Members) advertise() (net.IP, error) {
	bound := m.net.tcp.Addr().(*net.TCPAddr).IP
	if m.cfg.Host == "" {
		ip := bound
		if ip.IsUnspecified() {
			var err error
			if ip, err = privateIP(); err != nil {
				return nil, err
			}
		}
		m.cfg.Host = ip.String()
		return ip, nil
	}
	if !bound.IsUnspecified() {
		return bound, nil
	}
	ctx, cancel := context.WithTimeout(m.ctx, resolveLimit)
	defer cancel()
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, m.cfg.Host)
	if err != nil {
		return nil, fmt.Errorf("resolve own host: %w", err)
	}
	for _, ip := range ips {
		if (ip.IP.To4() != nil) == (bound.To4() != nil) {
			return ip.IP, nil // of the family the sockets are bound to
		}
	}
	return ips[0].IP, nil
}

// privateIP is the first address of an interface that is neither loopback nor
// link-local, a private one if there is.
func privateIP() (net.IP, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("find own address: %w", err)
	}
	var found net.IP
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.IsLoopback() || n.IP.IsLinkLocalUnicast() {
			continue
		}
		if n.IP.IsPrivate() {
			return n.IP, nil
		}
		if found == nil {
			found = n.IP
		}
	}
	if found == nil {
		return nil, errors.New("find own address: this machine has none; name a host")
	}
	return found, nil
}

// FinalAdvertiseAddr implements memberlist.Transport.
func (g *gossipNet) FinalAdvertiseAddr(ip string, port int) (net.IP, int, error) {
	addr := net.ParseIP(ip)
	if addr == nil {
		return nil, 0, fmt.Errorf("advertise %q: no IP address", ip)
	}
	if v4 := addr.To4(); v4 != nil {
		addr = v4
	}
	g.mu.Lock()
	g.adv = net.JoinHostPort(addr.String(), strconv.Itoa(port))
	g.mu.Unlock()
	return addr, port, nil
}

func (g *gossipNet) ownAddr() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.adv
}

// learn notes whose an address is, for what is sent without a name.
func (g *gossipNet) learn(addr string, id protocol.NodeID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.nodes[addr] = id
}

// target tells which node an address belongs to; NoNode if that is not known,
// then only the receiver's rules apply.
func (g *gossipNet) target(a memberlist.Address) protocol.NodeID {
	if id := nodeOf(a.Name); id >= 0 {
		return id
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if id, ok := g.nodes[a.Addr]; ok {
		return id
	}
	return protocol.NoNode
}

// WriteTo implements memberlist.Transport.
func (g *gossipNet) WriteTo(b []byte, addr string) (time.Time, error) {
	return g.WriteToAddress(b, memberlist.Address{Addr: addr})
}

// WriteToAddress implements memberlist.NodeAwareTransport.
func (g *gossipNet) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	if g.secure != nil {
		return time.Now(), g.pipe(b, a)
	}
	addr, err := net.ResolveUDPAddr("udp", a.Addr)
	if err != nil {
		return time.Time{}, fmt.Errorf("send gossip: %w", err)
	}
	packet := append(make([]byte, 0, packetPrefix+len(b)), packetMark[:]...)
	packet = binary.BigEndian.AppendUint32(packet, uint32(g.self))
	packet = append(packet, b...)
	pass, delay := g.faults.PacketOut(g.target(a))
	switch {
	case !pass:
		return time.Now(), nil
	case delay > 0:
		time.AfterFunc(delay, func() {
			if _, err := g.udp.WriteTo(packet, addr); err != nil {
				g.log.Debug("send delayed gossip", "addr", addr, "err", err)
			}
		})
		return time.Now(), nil
	}
	if _, err := g.udp.WriteTo(packet, addr); err != nil {
		return time.Time{}, fmt.Errorf("send gossip: %w", err)
	}
	return time.Now(), nil
}

// DialTimeout implements memberlist.Transport.
func (g *gossipNet) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return g.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

// DialAddressTimeout implements memberlist.NodeAwareTransport.
func (g *gossipNet) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(g.ctx, timeout)
	defer cancel()
	return g.dial(ctx, a, gossipStream)
}

// dial opens a connection for one of the two things that gossip sends.
func (g *gossipNet) dial(ctx context.Context, a memberlist.Address, what uint32) (net.Conn, error) {
	c, err := g.faults.Dial(ctx, linkfault.ProtoGossip, "tcp", a.Addr, g.target(a), g.secure.Dial)
	if err != nil {
		g.sayRefused(a.Addr, err)
		return nil, err
	}
	if g.secure != nil {
		c = &hearingNo{c, g, a.Addr}
	}
	err = linkfault.WritePreamble(c, linkfault.Preamble{Proto: linkfault.ProtoGossip, Group: what, From: g.self})
	if err != nil {
		return nil, firstErr(err, c.Close())
	}
	return c, nil
}

// hearingNo is a connection to a node that may yet refuse our certificate: with
// TLS 1.3 that is seen by the first read.
type hearingNo struct {
	net.Conn
	g    *gossipNet
	addr string
}

// Read implements net.Conn.
func (h *hearingNo) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	h.g.sayRefused(h.addr, err)
	return n, err
}

// sayRefused logs that no gossip is possible with an address, once for each.
func (g *gossipNet) sayRefused(addr string, err error) {
	if !certs.Refused(err) {
		return
	}
	if _, said := g.refused.LoadOrStore(addr, true); !said {
		g.log.Warn("cannot join a node: TLS", "addr", addr, "err", err)
	}
}

// PacketCh implements memberlist.Transport.
func (g *gossipNet) PacketCh() <-chan *memberlist.Packet { return g.packets }

// StreamCh implements memberlist.Transport.
func (g *gossipNet) StreamCh() <-chan net.Conn { return g.streams }

// Shutdown implements memberlist.Transport.
func (g *gossipNet) Shutdown() error {
	g.cancel()
	err := g.tcp.Close()
	if g.udp != nil {
		err = errors.Join(err, g.udp.Close())
	}
	g.door.Close()
	g.wg.Wait()
	if err != nil {
		return fmt.Errorf("close gossip: %w", err)
	}
	return nil
}

func (g *gossipNet) readPackets() {
	buf := make([]byte, 64<<10)
	for {
		n, addr, err := g.udp.ReadFrom(buf)
		now := time.Now()
		if err != nil {
			if !g.goOn(err) {
				return
			}
			continue
		}
		if n <= packetPrefix || [4]byte(buf[:4]) != packetMark {
			continue // not ours
		}
		if !g.faults.PacketIn(protocol.NodeID(binary.BigEndian.Uint32(buf[4:]))) {
			continue
		}
		p := &memberlist.Packet{Buf: append([]byte(nil), buf[packetPrefix:n]...), From: addr, Timestamp: now}
		select {
		case g.packets <- p:
		case <-g.ctx.Done():
			return
		}
	}
}

// goOn waits a little after an error of a socket; false when it was closed.
func (g *gossipNet) goOn(err error) bool {
	if g.ctx.Err() != nil {
		return false
	}
	g.log.Debug("gossip socket", "err", err)
	select {
	case <-time.After(backoffMin):
		return true
	case <-g.ctx.Done():
		return false
	}
}

func (g *gossipNet) accept() {
	for {
		c, err := g.tcp.Accept()
		if err != nil {
			if !g.goOn(err) {
				return
			}
			continue
		}
		g.wg.Go(func() { g.admit(c) })
	}
}

// admit learns whose stream it is and hands it over.
func (g *gossipNet) admit(raw net.Conn) {
	guest, err := g.door.Admit(raw, 2*helloTimeout)
	if err == nil {
		guest.Leave()
		err = guest.SetDeadline(time.Time{})
	}
	if err == nil && guest.Group == gossipPackets && g.secure == nil {
		err = errors.New("packets over a stream, without TLS")
	}
	if err != nil {
		g.log.Debug("gossip stream not taken", "addr", raw.RemoteAddr(), "err", firstErr(err, raw.Close()))
		return
	}
	c := g.faults.Conn(guest.Conn, guest.From, linkfault.ProtoGossip)
	if guest.Group == gossipPackets {
		g.drain(c, guest.From)
		return
	}
	select {
	case g.streams <- c:
	case <-g.ctx.Done():
		_ = c.Close()
	}
}
