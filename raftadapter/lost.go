package raftadapter

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/raft"

	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/protocol"
)

// A leader whose process has ended is not waited for: its connections close, and
// its port refuses new ones, which no living node's does. Then a follower stands
// for election at once. A leader that is silent in any other way (cut off, stopped,
// its host down) is given the whole heartbeat timeout, since it may yet live; so it
// is if its process has been started again before anybody looked.

const (
	lookTime  = 300 * time.Millisecond // how long the port may take to close behind the connections
	lookPause = 20 * time.Millisecond
	turnTime  = 200 * time.Millisecond // between two who would stand
)

// hearing is an accepted connection that tells once when it has ended.
type hearing struct {
	net.Conn
	once  sync.Once
	ended func()
}

// Read implements net.Conn.
func (h *hearing) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	if err != nil {
		h.once.Do(h.ended)
	}
	return n, err
}

// watchLeader looks after the leader whenever a connection of its has ended.
func (g *Group) watchLeader(lost <-chan protocol.NodeID) {
	for {
		select {
		case from := <-lost:
			g.leaderLost(from)
		case <-g.stop:
			return
		}
	}
}

// leaderLost stands for election if a node from which a connection has ended leads
// the group and is gone. Those that have a vote do so in turn, in case the first
// ones lack entries.
func (g *Group) leaderLost(from protocol.NodeID) {
	_, leader := g.raft.LeaderWithID()
	if leader == "" || g.node.NodeOf(string(leader)) != from || g.raft.State() != raft.Follower {
		return
	}
	turn := g.turn(leader)
	if turn < 0 || !g.gone(string(leader)) || !g.pause(time.Duration(turn)*turnTime) {
		return
	}
	if _, now := g.raft.LeaderWithID(); now != "" && now != leader || g.raft.State() != raft.Follower {
		return
	}
	g.logger().Info("the leader's process has ended: standing for election", "leader", leader)
	self := g.node.ServerOf(g.partition)
	// It is what a leader that hands over sends, and skips asking whether the others
	// have lost the leader too.
	err := g.trans.TimeoutNow(raft.ServerID(self), raft.ServerAddress(self), &raft.TimeoutNowRequest{RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax}}, &raft.TimeoutNowResponse{})
	if err != nil {
		g.logger().Warn("stand for election", "err", err) // then after the timeout
	}
}

// turn is this server's place among those that may be elected; -1: it may not.
func (g *Group) turn(leader raft.ServerID) int {
	f := g.raft.GetConfiguration()
	if f.Error() != nil {
		return -1
	}
	var voters []string
	for _, s := range f.Configuration().Servers {
		if s.Suffrage == raft.Voter && s.ID != leader {
			voters = append(voters, string(s.ID))
		}
	}
	slices.Sort(voters)
	return slices.Index(voters, g.node.ServerOf(g.partition))
}

// gone tells whether a server's port refuses connections.
func (g *Group) gone(server string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), lookTime)
	defer cancel()
	for {
		if g.node.refuses(ctx, server) {
			return true
		}
		if ctx.Err() != nil || !g.pause(lookPause) {
			return false
		}
	}
}

// refuses tries one connection.
func (n *Node) refuses(ctx context.Context, server string) bool {
	addr := n.Resolve(server)
	if addr == "" {
		return false
	}
	var d net.Dialer
	c, err := n.Faults.Dial(ctx, linkfault.ProtoRaft, "tcp", addr, n.NodeOf(server), d.DialContext)
	if err == nil {
		_ = c.Close() // it was only a question
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// pause waits; false if the group is being closed.
func (g *Group) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-g.stop:
		return false
	}
}
