package remote

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/grevy-io/grevy/protocol"
)

// meta is what a process says of itself once: memberlist's node meta, at most 512
// bytes. See docs/formats/gossip.md.
type meta struct {
	node    protocol.NodeID
	started time.Time
	ports   Ports
	cluster [16]byte
	host    string
	raftID  string
	version string
}

const metaVersion = 1

func (m meta) append(b []byte) []byte {
	b = append(b, metaVersion)
	b = protocol.AppendInt(b, int64(m.node))
	b = protocol.AppendInt(b, m.started.UnixNano())
	for _, p := range []int{m.ports.Gateway, m.ports.Remote, m.ports.Raft, m.ports.Gossip, m.ports.HTTP} {
		b = protocol.AppendUint(b, uint64(p))
	}
	b = append(b, m.cluster[:]...)
	b = protocol.AppendString(b, m.host)
	b = protocol.AppendString(b, m.raftID)
	return protocol.AppendString(b, m.version)
}

// fits tells whether memberlist takes it.
func (m meta) fits() error {
	if n := len(m.append(nil)); n > memberlist.MetaMaxSize {
		return fmt.Errorf("host, raft id and version take %d bytes, the most is %d", n, memberlist.MetaMaxSize)
	}
	return nil
}

// parseMeta reads what append made; what a newer version appends is not read.
func parseMeta(b []byte) (meta, error) {
	r := protocol.NewReader(b)
	if v := r.Byte(); r.Err() == nil && v != metaVersion {
		return meta{}, fmt.Errorf("parse node meta: version %d", v)
	}
	m := meta{node: protocol.NodeID(r.Int()), started: time.Unix(0, r.Int())}
	for _, p := range []*int{&m.ports.Gateway, &m.ports.Remote, &m.ports.Raft, &m.ports.Gossip, &m.ports.HTTP} {
		*p = int(min(r.Uint(), math.MaxUint16))
	}
	for i := range m.cluster {
		m.cluster[i] = r.Byte()
	}
	m.host, m.raftID, m.version = r.String(), r.String(), r.String()
	if err := r.Err(); err != nil {
		return meta{}, fmt.Errorf("parse node meta: %w", err)
	}
	return m, nil
}

// nodeOf reads the node id from the name of a process; NoNode if it has none.
func nodeOf(name string) protocol.NodeID {
	head, _, ok := strings.Cut(name, "-")
	if !ok {
		return protocol.NoNode
	}
	n, err := strconv.ParseInt(head, 10, 32)
	if err != nil {
		return protocol.NoNode
	}
	return protocol.NodeID(n)
}

// instance is one process of a node: a restart is another instance. So nothing an
// older process said can be taken for the word of the younger.
type instance struct {
	name  string
	meta  *meta // nil: only its news came yet; never changed, only replaced
	alive bool
	addr  string // of its gossip, IP:port
	seen  time.Time
	parts map[protocol.PartitionID]entry
}

// entry is news of one partition. Higher counters of the same instance are newer.
type entry struct {
	counter uint64
	gone    bool // the node does not hold it any more
	info    PartitionInfo
}

// selfEntry is the partition that stands for the process itself: gone means that
// it left on purpose.
const selfEntry protocol.PartitionID = 0

func (i *instance) left() bool { return i.parts[selfEntry].gone }

func (i *instance) member() Member {
	mt := i.meta
	m := Member{
		NodeID: mt.node, Host: mt.host, Ports: mt.ports, RaftID: mt.raftID, Version: mt.version,
		Started: mt.started, Cluster: clusterName(mt.cluster), Alive: i.alive && !i.left(),
	}
	for _, e := range i.parts {
		if !e.gone {
			m.Partitions = append(m.Partitions, e.info)
		}
	}
	slices.SortFunc(m.Partitions, func(a, b PartitionInfo) int { return cmp.Compare(a.Partition, b.Partition) })
	return m
}

// better tells which of two processes of a node speaks for it.
func (i *instance) better(o *instance) bool {
	if i.alive != o.alive {
		return i.alive
	}
	return i.younger(o)
}

func (i *instance) younger(o *instance) bool {
	if c := i.meta.started.Compare(o.meta.started); c != 0 {
		return c > 0
	}
	return i.name > o.name
}

// chosenLocked picks for every node the process that speaks for it. This one
// speaks for its own id. Processes of other clusters are left out.
func (m *Members) chosenLocked() map[protocol.NodeID]*instance {
	best := map[protocol.NodeID]*instance{m.cfg.NodeID: m.known[m.name]}
	for _, i := range m.known {
		if i.meta == nil || i.meta.node == m.cfg.NodeID || differ(i.meta.cluster, m.self.cluster) {
			continue
		}
		if b := best[i.meta.node]; b == nil || i.better(b) {
			best[i.meta.node] = i
		}
	}
	return best
}

// sweepLocked forgets processes that speak for nobody: replaced ones that are
// dead, and those of whom for a minute only news came. One of this node's id may be
// a living duplicate and stays while it is alive.
func (m *Members) sweepLocked() {
	chosen := m.chosenLocked()
	for name, i := range m.known {
		switch {
		case i.alive:
		case i.meta == nil && time.Since(i.seen) < time.Minute:
		case i.meta != nil && chosen[i.meta.node] == i:
		default:
			delete(m.known, name)
		}
	}
}
