package remote_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/grevy-io/grevy/internal/certs"
	"github.com/grevy-io/grevy/internal/certs/certstest"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/remote"
)

// identities are certificates of one authority, and one of another that trusts
// the first.
type identities struct {
	t             *testing.T
	dir           string
	ours, foreign *certstest.Authority
}

func newIdentities(t *testing.T) *identities {
	dir := t.TempDir()
	return &identities{t, dir, certstest.New(t, dir, "ours"), certstest.New(t, dir, "foreign")}
}

func (i *identities) store(by *certstest.Authority, name string) *certs.Store {
	i.t.Helper()
	f := by.Issue(i.t, i.dir, name)
	f.CA = i.ours.Path
	s, err := certs.Open(f, slog.New(slog.DiscardHandler))
	if err != nil {
		i.t.Fatal(err)
	}
	return s
}

func secured(s *certs.Store) func(*remote.Config) {
	return func(c *remote.Config) { c.Secure = s }
}

// The post does over TLS what it does without: small and large messages, cuts.
func TestPostOverTLS(t *testing.T) {
	ids := newIdentities(t)
	a, b := start(t, 1, secured(ids.store(ids.ours, "a"))), start(t, 2, secured(ids.store(ids.ours, "b")))
	b.Handle(kindEcho, echo)
	connect(t, a, b)
	a.mustEcho(t, 2, []byte("small"))
	a.mustEcho(t, 2, bytes.Repeat([]byte("large "), 1<<20))
	cut(t, "drop 1 2", a, b)
	until(t, "the link is down", func() bool { return !a.up(2) && !b.up(1) })
	cut(t, "reset 1 2", a, b)
	cut(t, "", a, b)
	until(t, "the link is up again", func() bool { return a.up(2) && b.up(1) })
	a.mustEcho(t, 2, []byte("again"))
}

// Whoever has no certificate of the authority gets no link and is said once.
func TestPostKeepsOutStrangers(t *testing.T) {
	ids := newIdentities(t)
	n := start(t, 1, secured(ids.store(ids.ours, "node")))
	n.Handle(kindEcho, echo)
	for name, stranger := range map[string]*node{"plain": start(t, 2), "foreign": start(t, 3, secured(ids.store(ids.foreign, "foreign")))} {
		stranger.SetPeers(map[protocol.NodeID]string{1: n.Addr()})
		until(t, name+" has tried", func() bool {
			return stranger.link(1).LastError != "" && stranger.link(1).LastError != "not connected yet"
		})
		if _, err := stranger.ask(t, 1, kindEcho, nil); err == nil {
			t.Error(name, "is served")
		}
	}
	until(t, "it is said", func() bool { return n.log.count("refused a connection: TLS") == 1 })
}

// Gossip over TLS has no UDP, and finds out the same: who is there, what they say
// of partitions, who is cut off and who is back.
func TestGossipOverTLS(t *testing.T) {
	ids := newIdentities(t)
	var all []*gossiper
	for i := range protocol.NodeID(3) {
		var join []string
		if i > 0 {
			join = []string{all[0].Addr()}
		}
		g, cfg := gossipConfig(i, join...)
		cfg.Secure = ids.store(ids.ours, "node")
		all = append(all, g.open(t, cfg))
	}
	seen := func(alive ...protocol.NodeID) func() bool {
		return func() bool {
			for _, id := range alive {
				if !all[id].sees(alive...) {
					return false
				}
			}
			return true
		}
	}
	until(t, "all see all", seen(0, 1, 2))
	all[2].SetPartitions([]remote.PartitionInfo{{Partition: 5, Role: remote.Leader, Term: 9, Healthy: true}})
	until(t, "news has spread", func() bool {
		n, term, ok := all[0].Leader(5)
		return ok && n == 2 && term == 9
	})
	for _, g := range all {
		if err := g.faults.SetRules("drop 2 0\ndrop 0 2\ndrop 2 1\ndrop 1 2"); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the cut node is found out", seen(0, 1))
	for _, g := range all {
		if err := g.faults.SetRules("delay 0 2 30ms"); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "it is back", seen(0, 1, 2))
}

func TestGossipKeepsOutStrangers(t *testing.T) {
	ids := newIdentities(t)
	g, cfg := gossipConfig(0)
	cfg.Secure = ids.store(ids.ours, "node")
	node := g.open(t, cfg)
	_, plain := gossipConfig(1, node.Addr())
	f, foreign := gossipConfig(2, node.Addr())
	foreign.Secure = ids.store(ids.foreign, "foreign")
	p, err := remote.OpenMembers(plain)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	stranger := f.open(t, foreign)
	// One that belongs comes after them and is seen; they are not.
	m, member := gossipConfig(3, node.Addr())
	member.Secure = ids.store(ids.ours, "member")
	m.open(t, member)
	until(t, "the member is seen", func() bool { return node.sees(0, 3) })
	if !stranger.sees(2) || len(p.List()) != 1 {
		t.Errorf("strangers know of %v and %v", stranger.List(), p.List())
	}
}
