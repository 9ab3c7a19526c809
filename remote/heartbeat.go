package remote

import (
	"encoding/binary"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// pulse is what the heartbeats of one connection have told.
type pulse struct {
	mu     sync.Mutex
	stamp  int64         // the peer's clock in its last heartbeat
	at     time.Duration // our clock when it came; negative: none came yet
	rtt    time.Duration
	rttSet bool
}

func (u *pulse) init() { u.at = -1 }

func (u *pulse) rttNow() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.rtt
}

// heartbeat is the body of a heartbeat frame. Times are nanoseconds on the clock
// of whom they are named after, which only that node can read.
type heartbeat struct {
	stamp   int64 // sender's clock
	echo    int64 // receiver's clock, from its last heartbeat; -1: none came
	hold    int64 // how long ago that was
	silence int64 // for how long the sender has heard nothing on this connection
	cluster [16]byte
	links   map[protocol.NodeID]word // the sender's own links
}

const (
	beatHead = 4*8 + 16 + 2
	beatLink = 4 + 1 + 4
)

func (h heartbeat) append(b []byte) []byte {
	for _, v := range []int64{h.stamp, h.echo, h.hold, h.silence} {
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	b = append(b, h.cluster[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(h.links)))
	for id, w := range h.links {
		b = binary.BigEndian.AppendUint32(b, uint32(id))
		up := byte(0)
		if w.up {
			up = 1
		}
		b = append(b, up)
		b = binary.BigEndian.AppendUint32(b, uint32(min(w.rtt/time.Microsecond, 1<<31)))
	}
	return b
}

func parseHeartbeat(b []byte) (heartbeat, error) {
	if len(b) < beatHead {
		return heartbeat{}, fmt.Errorf("%w: heartbeat of %d bytes", errBroken, len(b))
	}
	at := func(i int) int64 { return int64(binary.BigEndian.Uint64(b[8*i:])) }
	h := heartbeat{stamp: at(0), echo: at(1), hold: at(2), silence: at(3), cluster: [16]byte(b[32:])}
	n := int(binary.BigEndian.Uint16(b[48:]))
	b = b[beatHead:]
	if len(b) < n*beatLink {
		return heartbeat{}, fmt.Errorf("%w: heartbeat of %d links in %d bytes", errBroken, n, len(b))
	}
	h.links = make(map[protocol.NodeID]word, n)
	for ; n > 0; n-- {
		rtt := time.Duration(min(binary.BigEndian.Uint32(b[5:]), 1<<31)) * time.Microsecond
		h.links[protocol.NodeID(binary.BigEndian.Uint32(b))] = word{up: b[4] == 1, rtt: rtt}
		b = b[beatLink:]
	}
	return h, nil
}

// beat watches all connections and sends heartbeats, until the post closes.
func (p *Post) beat() {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	last := p.now()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-p.beatNow:
		case <-tick.C:
			now := p.now()
			p.checkSilence(now-last > silence/2)
			last = now
		}
		p.sendBeats()
	}
}

// kickBeat makes the next heartbeats go out now: there is news in them.
func (p *Post) kickBeat() {
	select {
	case p.beatNow <- struct{}{}:
	default:
	}
}

// checkSilence ends the connections on which nothing came. If this process itself
// was not running (paused), the silence says nothing about the peers.
func (p *Post) checkSilence(overslept bool) {
	for _, w := range p.openWires() {
		if overslept {
			w.heard.Store(int64(p.now()))
			continue
		}
		if d := w.silentFor(); d > silence {
			w.kill(fmt.Errorf("nothing heard for %v", d.Round(time.Millisecond)))
		}
	}
}

func (p *Post) openWires() []*wire {
	p.mu.Lock()
	defer p.mu.Unlock()
	ws := make([]*wire, 0, len(p.wires))
	for w := range p.wires {
		ws = append(ws, w)
	}
	return ws
}

func (p *Post) sendBeats() {
	links := map[protocol.NodeID]word{}
	for id, pr := range *p.peers.Load() {
		w := pr.out.Load()
		if w == nil {
			links[id] = word{}
		} else {
			links[id] = word{up: true, rtt: w.pulse.rttNow()}
		}
	}
	cluster := p.clusterID()
	for _, w := range p.openWires() {
		w.sendBeat(heartbeat{cluster: cluster, links: links})
	}
}

func (w *wire) sendBeat(h heartbeat) {
	now := w.p.now()
	h.stamp = int64(now)
	h.silence = int64(w.silentFor())
	w.pulse.mu.Lock()
	h.echo, h.hold = -1, 0
	if w.pulse.at >= 0 {
		h.echo, h.hold = w.pulse.stamp, int64(now-w.pulse.at)
	}
	w.pulse.mu.Unlock()
	w.send(header{typ: frameHeartbeat}, h.append(make([]byte, 0, beatHead+len(h.links)*beatLink)))
}

// takeBeat takes in what the peer says. Its errors end the connection: the link
// works in one direction only, or leads into another cluster.
func (w *wire) takeBeat(b []byte) error {
	h, err := parseHeartbeat(b)
	if err != nil {
		return err
	}
	if time.Duration(h.silence) > silence {
		return fmt.Errorf("node %d has heard nothing for %v", w.peer.id, time.Duration(h.silence).Round(time.Millisecond))
	}
	if differ(h.cluster, w.p.clusterID()) {
		return refused("node %d belongs to cluster %x, this node to %x", w.peer.id, h.cluster, w.p.clusterID())
	}
	w.pulse.take(h, w.p.now())
	if w.peer.takeWords(h.links) {
		w.p.linksChanged()
	}
	return nil
}

func (u *pulse) take(h heartbeat, now time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stamp, u.at = h.stamp, now
	rtt := now - time.Duration(h.echo) - time.Duration(h.hold)
	if h.echo < 0 || rtt < 0 {
		return
	}
	if !u.rttSet {
		u.rtt, u.rttSet = rtt, true
	}
	u.rtt += (rtt - u.rtt) / 4
}

// takeWords notes the peer's links, and tells whether one went up or down.
func (pr *peer) takeWords(links map[protocol.NodeID]word) bool {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	same := maps.EqualFunc(pr.words, links, func(a, b word) bool { return a.up == b.up })
	pr.words = links
	return !same
}
