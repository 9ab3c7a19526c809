package remote

import (
	"fmt"
	"io"
	"log"
	"log/slog"
	"strings"

	"github.com/hashicorp/memberlist"
)

// delegate is what memberlist calls. The event methods run under its lock: they
// must not call it back.
type delegate struct{ m *Members }

// NodeMeta implements memberlist.Delegate. That it fits was checked when it was set.
func (d delegate) NodeMeta(int) []byte {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	return d.m.self.append(nil)
}

// NotifyMsg implements memberlist.Delegate. The buffer is not kept.
func (d delegate) NotifyMsg(b []byte) { d.m.takeNews(b, true) }

// GetBroadcasts implements memberlist.Delegate.
func (d delegate) GetBroadcasts(overhead, limit int) [][]byte {
	return d.m.queue.GetBroadcasts(overhead, limit)
}

// LocalState implements memberlist.Delegate.
func (d delegate) LocalState(bool) []byte { return d.m.stateForAll() }

// MergeRemoteState implements memberlist.Delegate.
func (d delegate) MergeRemoteState(b []byte, _ bool) { d.m.takeNews(b, false) }

// NotifyJoin implements memberlist.EventDelegate.
func (d delegate) NotifyJoin(n *memberlist.Node) { d.m.seen(n, true) }

// NotifyUpdate implements memberlist.EventDelegate.
func (d delegate) NotifyUpdate(n *memberlist.Node) { d.m.seen(n, true) }

// NotifyLeave implements memberlist.EventDelegate.
func (d delegate) NotifyLeave(n *memberlist.Node) { d.m.seen(n, false) }

// NotifyAlive implements memberlist.AliveDelegate: an error keeps the node out.
func (d delegate) NotifyAlive(n *memberlist.Node) error { return d.m.judge(n) }

// NotifyMerge implements memberlist.MergeDelegate: an error keeps out a whole
// cluster that is another.
func (d delegate) NotifyMerge(ns []*memberlist.Node) error {
	for _, n := range ns {
		if err := d.m.judge(n); err != nil {
			return err
		}
	}
	return nil
}

// judge tells why a node does not belong here.
func (m *Members) judge(n *memberlist.Node) error {
	mt, err := parseMeta(n.Meta)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if differ(mt.cluster, m.self.cluster) {
		m.foreign = fmt.Sprintf("node %d at %s of %s", mt.node, n.Address(), clusterName(mt.cluster))
		return fmt.Errorf("node %d at %s belongs to cluster %x, this node to %x", mt.node, n.Address(), mt.cluster, m.self.cluster)
	}
	return nil
}

// seen takes in that a process is there, or is not any more.
func (m *Members) seen(n *memberlist.Node, alive bool) {
	mt, err := parseMeta(n.Meta)
	if err != nil || n.Name == m.name {
		return // judge has refused it; or it is this process
	}
	name, addr := n.Name, n.Address() // n is memberlist's, and only ours until we return
	m.mu.Lock()
	i := m.ensureLocked(name)
	was := i.alive
	i.meta, i.alive, i.addr = &mt, alive, addr
	switch {
	case alive && !was:
		m.alive.Add(1)
	case was && !alive:
		m.alive.Add(-1)
	}
	m.sweepLocked()
	if alive && mt.node == m.cfg.NodeID && !m.closed {
		m.spawn(func() { m.checkDuplicate(name, addr, mt) })
	}
	left := i.left()
	m.mu.Unlock()
	m.net.learn(addr, mt.node)
	if was != alive {
		m.cfg.Logger.Info("member "+verb(alive, left), "node", mt.node, "addr", addr)
	}
	m.news.poke()
}

func verb(alive, left bool) string {
	switch {
	case alive:
		return "joined"
	case left:
		return "left"
	default:
		return "not seen any more"
	}
}

// gossipLogger passes memberlist's own log on at debug level. Dead peers are no
// errors of this node; what matters of them is said where they are seen.
func gossipLogger(l *slog.Logger) *log.Logger { return log.New(gossipLog{l}, "", 0) }

type gossipLog struct{ l *slog.Logger }

var _ io.Writer = gossipLog{}

// Write implements io.Writer, one line of memberlist's at a time.
func (g gossipLog) Write(p []byte) (int, error) {
	g.l.Debug("gossip", "text", strings.TrimSpace(string(p)))
	return len(p), nil
}
