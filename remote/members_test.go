package remote_test

import (
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/remote"
)

// gossiper is one membership under test.
type gossiper struct {
	*remote.Members
	id     protocol.NodeID
	faults *linkfault.Switch
	log    *logBuffer
}

func gossipConfig(id protocol.NodeID, join ...string) (*gossiper, remote.MembersConfig) {
	g := &gossiper{id: id, faults: linkfault.New(id), log: &logBuffer{}}
	return g, remote.MembersConfig{
		NodeID: id, Bind: "127.0.0.1:0", Host: "127.0.0.1", RaftID: "raft", Version: "1.2.3",
		Ports:     remote.Ports{Gateway: 1000 + int(id), Remote: 2000 + int(id), Raft: 3000 + int(id), HTTP: 4000 + int(id)},
		JoinAddrs: join, Faults: g.faults,
		Logger: slog.New(slog.NewTextHandler(g.log, nil)),
	}
}

func gossip(t testing.TB, id protocol.NodeID, join ...string) *gossiper {
	t.Helper()
	g, cfg := gossipConfig(id, join...)
	return g.open(t, cfg)
}

func (g *gossiper) open(t testing.TB, cfg remote.MembersConfig) *gossiper {
	t.Helper()
	m, err := remote.OpenMembers(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	g.Members = m
	return g
}

func (g *gossiper) member(id protocol.NodeID) remote.Member {
	for _, m := range g.List() {
		if m.NodeID == id {
			return m
		}
	}
	return remote.Member{NodeID: protocol.NoNode}
}

func (g *gossiper) sees(alive ...protocol.NodeID) bool {
	var got []protocol.NodeID
	for _, m := range g.List() {
		if m.Alive {
			got = append(got, m.NodeID)
		}
	}
	if len(got) != len(alive) {
		return false
	}
	for i := range got {
		if got[i] != alive[i] {
			return false
		}
	}
	return true
}

func trio(t testing.TB) (a, b, c *gossiper) {
	t.Helper()
	a = gossip(t, 0)
	b = gossip(t, 1, a.Addr())
	c = gossip(t, 2, b.Addr())
	for _, g := range []*gossiper{a, b, c} {
		until(t, "all see all", func() bool { return g.sees(0, 1, 2) })
	}
	return a, b, c
}

func TestMembersConverge(t *testing.T) {
	t.Parallel()
	a, b, c := trio(t)
	m := a.member(2)
	want := remote.Ports{Gateway: 1002, Remote: 2002, Raft: 3002, Gossip: m.Ports.Gossip, HTTP: 4002}
	if m.Host != "127.0.0.1" || m.Ports != want || m.RaftID != "raft" || m.Version != "1.2.3" || m.Cluster != "" {
		t.Errorf("node 2 as node 0 sees it: %+v", m)
	}
	if got := a.RemoteAddrs(); len(got) != 2 || got[1] != "127.0.0.1:2001" || got[2] != "127.0.0.1:2002" {
		t.Errorf("addresses for the post: %v", got)
	}
	b.SetPartitions([]remote.PartitionInfo{
		{Partition: 1, Role: remote.Leader, Term: 4, Healthy: true},
		{Partition: 2, Role: remote.Follower, Term: 9, Reason: "disk full"},
	})
	c.SetPartitions([]remote.PartitionInfo{{Partition: 1, Role: remote.Leader, Term: 3, Healthy: true}})
	for _, g := range []*gossiper{a, b, c} {
		until(t, "the leader is known", func() bool {
			n, term, ok := g.Leader(1)
			return ok && n == 1 && term == 4
		})
		until(t, "partition 2 of node 1 is known", func() bool {
			ps := g.member(1).Partitions
			return len(ps) == 2 && ps[1] == remote.PartitionInfo{Partition: 2, Role: remote.Follower, Term: 9, Reason: "disk full"}
		})
		if _, _, ok := g.Leader(2); ok {
			t.Error("a follower was taken for the leader")
		}
	}
	b.SetPartitions([]remote.PartitionInfo{{Partition: 2, Role: remote.Leader, Term: 10, Healthy: true}})
	c.SetPartitions([]remote.PartitionInfo{{Partition: 1, Role: remote.Leader, Term: 3, Healthy: true}})
	for _, g := range []*gossiper{a, b, c} {
		until(t, "a partition is taken back", func() bool {
			n, term, ok := g.Leader(1)
			return ok && n == 2 && term == 3 && len(g.member(1).Partitions) == 1
		})
	}
}

func TestMembersSpreadManyPartitions(t *testing.T) {
	t.Parallel()
	a, b, c := trio(t)
	var ps []remote.PartitionInfo
	for i := range 200 {
		ps = append(ps, remote.PartitionInfo{Partition: protocol.PartitionID(i + 1), Role: remote.Leader, Term: 1,
			Reason: strings.Repeat("x", 500)})
	}
	a.SetPartitions(ps)
	for _, g := range []*gossiper{b, c} {
		until(t, "all partitions are known", func() bool { return len(g.member(0).Partitions) == 200 })
	}
}

func TestLateMemberLearnsPartitionsByPushPull(t *testing.T) {
	t.Parallel()
	a := gossip(t, 0)
	a.SetPartitions([]remote.PartitionInfo{{Partition: 7, Role: remote.Leader, Term: 2, Healthy: true}})
	b := gossip(t, 1, a.Addr())
	if n, term, ok := b.Leader(7); !ok || n != 0 || term != 2 {
		t.Errorf("after the first join: %d, %d, %v", n, term, ok)
	}
}

func TestJoinIsTriedForEver(t *testing.T) {
	t.Parallel()
	a := gossip(t, 0)
	addr := a.Addr()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	b := gossip(t, 1, addr) // nobody is there
	if !b.sees(1) {
		t.Fatal("b sees somebody")
	}
	again, cfg := gossipConfig(0, addr) // the own address is no harm
	cfg.Bind = addr
	again.open(t, cfg)
	until(t, "b has joined", func() bool { return b.sees(0, 1) })
	until(t, "so has a", func() bool { return again.sees(0, 1) })
}

func TestDeadLeftAndBack(t *testing.T) {
	t.Parallel()
	a, b, c := trio(t)
	c.SetPartitions([]remote.PartitionInfo{{Partition: 1, Role: remote.Leader, Term: 5, Healthy: true}})
	until(t, "the leader is known", func() bool { n, _, ok := a.Leader(1); return ok && n == 2 })
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, "the dead is missed", func() bool { return a.sees(0, 1) })
	if _, _, ok := a.Leader(1); ok {
		t.Error("a dead leader leads")
	}
	if _, ok := a.RemoteAddrs()[2]; !ok {
		t.Error("a dead node is no peer any more: gossip chose the path")
	}
	again := gossip(t, 2, a.Addr()) // another port, and no partitions yet
	until(t, "it is back", func() bool { return a.sees(0, 1, 2) && b.sees(0, 1, 2) })
	if ps := a.member(2).Partitions; len(ps) != 0 {
		t.Errorf("the word of the former process stands: %v", ps)
	}
	if err := again.Leave(2 * time.Second); err != nil {
		t.Fatal(err)
	}
	until(t, "it has left", func() bool { return a.sees(0, 1) && b.sees(0, 1) })
	until(t, "it is no peer any more", func() bool { _, ok := a.RemoteAddrs()[2]; return !ok })
}

func TestSecondProcessOfANodeDoesNotStart(t *testing.T) {
	t.Parallel()
	a, b, _ := trio(t)
	_, cfg := gossipConfig(1, a.Addr())
	m, err := remote.OpenMembers(cfg)
	if m != nil || !errors.Is(err, remote.ErrDuplicateNode) || !strings.Contains(err.Error(), "node id 1 is taken") {
		t.Fatalf("got %v, %v", m, err)
	}
	until(t, "the others see the first only", func() bool {
		return b.member(1).Alive && a.member(1).Alive && b.member(1).Ports.Gossip == a.member(1).Ports.Gossip
	})
}

func TestDuplicateThatIsFoundLater(t *testing.T) {
	t.Parallel()
	a := gossip(t, 0)
	first := gossip(t, 1)
	found := make(chan error, 1)
	second, cfg := gossipConfig(1, a.Addr())
	cfg.OnDuplicate = func(err error) { found <- err }
	second.open(t, cfg)
	third := gossip(t, 2, a.Addr(), first.Addr()) // brings them together
	if err := within(t, "the younger is told", found); !errors.Is(err, remote.ErrDuplicateNode) {
		t.Errorf("got %v", err)
	}
	_ = third
}

func TestClustersStayApart(t *testing.T) {
	t.Parallel()
	a := gossip(t, 0)
	a.SetCluster([16]byte{1})
	other, cfg := gossipConfig(1, a.Addr())
	cfg.Cluster = [16]byte{2}
	other.open(t, cfg)
	fresh := gossip(t, 2, a.Addr())
	until(t, "a node without a cluster joins", func() bool { return a.sees(0, 2) && fresh.sees(0, 2) })
	if !a.sees(0, 2) || !other.sees(1) {
		t.Errorf("the clusters met: %v, %v", a.List(), other.List())
	}
	until(t, "the stranger knows why", func() bool {
		return strings.Contains(other.Foreign(), "node 0 at "+a.Addr()+" of 0100") && fresh.Foreign() == ""
	})
	fresh.SetCluster([16]byte{1})
	until(t, "the change is seen", func() bool { return strings.HasPrefix(a.member(2).Cluster, "0100") })
}

func TestMembersUnderFaultsHealAfterwards(t *testing.T) {
	t.Parallel()
	a, b, c := trio(t)
	rules := "drop 0 2\ndrop 2 0\ndrop 1 2\ndrop 2 1"
	for _, g := range []*gossiper{a, b, c} {
		if err := g.faults.SetRules(rules); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the cut is seen", func() bool { return a.sees(0, 1) && b.sees(0, 1) && c.sees(2) })
	b.SetPartitions([]remote.PartitionInfo{{Partition: 1, Role: remote.Leader, Term: 8, Healthy: true}})
	for _, g := range []*gossiper{a, b, c} {
		if err := g.faults.SetRules(""); err != nil {
			t.Fatal(err)
		}
	}
	for _, g := range []*gossiper{a, b, c} {
		until(t, "all see all again", func() bool { return g.sees(0, 1, 2) })
		until(t, "and the news", func() bool { n, _, ok := g.Leader(1); return ok && n == 1 })
	}
}

func TestWatchMembers(t *testing.T) {
	t.Parallel()
	a := gossip(t, 0)
	told := make(chan struct{}, 100)
	cancel := a.Watch(func() { told <- struct{}{} })
	gossip(t, 1, a.Addr())
	within(t, "word of the new member", told)
	cancel()
}

func TestOversizedMetaIsRefused(t *testing.T) {
	t.Parallel()
	_, cfg := gossipConfig(0)
	cfg.Host = strings.Repeat("h", 600)
	if m, err := remote.OpenMembers(cfg); err == nil {
		m.Close()
		t.Error("600 bytes of host went into 512 of meta")
	} else if !strings.Contains(err.Error(), "512") {
		t.Errorf("got %v", err)
	}
}

func TestMembersBoundToAllAddressesAndJoinedByName(t *testing.T) {
	t.Parallel()
	a, cfg := gossipConfig(0)
	cfg.Bind, cfg.Host = "0.0.0.0:0", "localhost"
	a.open(t, cfg)
	b, cfg := gossipConfig(1, a.Addr()) // localhost:port
	cfg.Bind, cfg.Host = "127.0.0.1:0", ""
	b.open(t, cfg)
	until(t, "both see both", func() bool { return a.sees(0, 1) && b.sees(0, 1) })
	if h := b.member(0).Host; h != "localhost" {
		t.Errorf("host of node 0: %q", h)
	}
	if h := a.member(1).Host; h != "127.0.0.1" {
		t.Errorf("host of node 1: %q", h)
	}
}

func TestOwnAddressIsFoundWhenNoneIsNamed(t *testing.T) {
	t.Parallel()
	a, cfg := gossipConfig(0)
	cfg.Bind, cfg.Host = "0.0.0.0:0", ""
	m, err := remote.OpenMembers(cfg)
	if err != nil {
		if strings.Contains(err.Error(), "name a host") {
			t.Skip("this machine has no address but loopback")
		}
		t.Fatal(err)
	}
	a.Members = m
	defer m.Close()
	if h := m.Self().Host; h == "" || h == "0.0.0.0" {
		t.Errorf("host %q", h)
	}
}

func TestGossipPortTaken(t *testing.T) {
	t.Parallel()
	a := gossip(t, 0)
	_, cfg := gossipConfig(1)
	cfg.Bind = a.Addr()
	if m, err := remote.OpenMembers(cfg); err == nil {
		m.Close()
		t.Error("two nodes on one port")
	} else if !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
}

func TestRaftIDIsSpreadAndBounded(t *testing.T) {
	t.Parallel()
	a := gossip(t, 0)
	b := gossip(t, 1, a.Addr())
	if err := b.SetRaftID("1-fresh"); err != nil {
		t.Fatal(err)
	}
	until(t, "the change is seen", func() bool { return a.member(1).RaftID == "1-fresh" })
	if err := b.SetRaftID(strings.Repeat("x", 600)); err == nil || b.Self().RaftID != "1-fresh" {
		t.Errorf("600 bytes: %v, %q", err, b.Self().RaftID)
	}
}

func TestGossipUnderDelayAndAmongStrangers(t *testing.T) {
	t.Parallel()
	a, b, c := trio(t)
	for _, g := range []*gossiper{a, b, c} {
		if err := g.faults.SetRules("delay 0 1 30ms\ndelay 1 0 30ms"); err != nil {
			t.Fatal(err)
		}
	}
	for _, network := range []string{"udp", "tcp"} {
		conn, err := net.Dial(network, a.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(strings.Repeat("not gossip ", 10))); err != nil {
			t.Error(err)
		}
		conn.Close()
	}
	a.SetPartitions([]remote.PartitionInfo{{Partition: 1, Role: remote.Leader, Term: 1, Healthy: true}})
	until(t, "the news comes late but comes", func() bool { n, _, ok := b.Leader(1); return ok && n == 0 })
	if !a.sees(0, 1, 2) || !b.sees(0, 1, 2) {
		t.Error("a delay was taken for death")
	}
}
