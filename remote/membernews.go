package remote

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/grevy-io/grevy/protocol"
)

// SetPartitions tells the others what this node holds. What changed is sent to
// every live member at once, and spread by gossip and push/pull for those whom that
// does not reach. A partition that is no longer in the
// list is taken back.
func (m *Members) SetPartitions(ps []PartitionInfo) {
	m.mu.Lock()
	own := m.known[m.name]
	changed := map[protocol.PartitionID]entry{}
	listed := map[protocol.PartitionID]bool{}
	for _, p := range ps {
		listed[p.Partition] = true
		p.Reason = p.Reason[:min(len(p.Reason), maxReason)]
		if e, ok := own.parts[p.Partition]; !ok || e.gone || e.info != p {
			changed[p.Partition] = m.sayLocked(p.Partition, entry{info: p})
		}
	}
	for id, e := range own.parts {
		if id != selfEntry && !listed[id] && !e.gone {
			changed[id] = m.sayLocked(id, entry{gone: true, info: PartitionInfo{Partition: id}})
		}
	}
	if len(changed) > 0 && !m.closed {
		msg := appendNews([]byte{newsVersion}, m.name, changed)
		m.spawn(func() { m.sendToAll(msg) })
	}
	m.mu.Unlock()
	if len(changed) > 0 {
		m.news.poke()
	}
}

// packetNews is the size up to which news goes as a packet. Larger news takes a
// connection.
const packetNews = 1200

// sendToAll sends news to every live member. Gossip makes up for what fails. The
// nodes memberlist hands out are its own and may change while they are used:
// addresses are taken from our own table.
func (m *Members) sendToAll(msg []byte) {
	m.mu.Lock()
	to := map[string]string{}
	for _, i := range m.known {
		if i.alive && i.name != m.name {
			to[i.name] = i.addr
		}
	}
	m.mu.Unlock()
	for name, addr := range to {
		m.spawn(func() {
			if err := m.sendTo(name, addr, msg); err != nil {
				m.cfg.Logger.Debug("send news", "to", name, "err", err)
			}
		})
	}
}

func (m *Members) sendTo(name, addr string, msg []byte) error {
	if len(msg) <= packetNews {
		return m.ml.SendToAddress(memberlist.Address{Addr: addr, Name: name}, msg)
	}
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return fmt.Errorf("send news: %w", err)
	}
	return m.ml.SendReliable(&memberlist.Node{Name: name, Addr: ap.Addr().AsSlice(), Port: ap.Port()}, msg)
}

// maxReason keeps one piece of news well within a packet.
const maxReason = 160

// sayLocked notes own news, with its counter, and queues it for gossip.
func (m *Members) sayLocked(id protocol.PartitionID, e entry) entry {
	m.counter++
	e.counter = m.counter
	own := m.known[m.name]
	own.parts[id] = e
	m.queue.QueueBroadcast(newNewsItem(own.name, id, e))
	return e
}

func (m *Members) sayLeft() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sayLocked(selfEntry, entry{gone: true})
}

// newsItem is one piece of news on its way: memberlist.NamedBroadcast. A later one
// of the same process and partition replaces it in the queue.
type newsItem struct {
	name string
	msg  []byte
}

var _ memberlist.NamedBroadcast = (*newsItem)(nil)

func newNewsItem(process string, id protocol.PartitionID, e entry) *newsItem {
	return &newsItem{
		name: fmt.Sprintf("%s/%d", process, id),
		msg:  appendNews([]byte{newsVersion}, process, map[protocol.PartitionID]entry{id: e}),
	}
}

// Name implements memberlist.NamedBroadcast.
func (b *newsItem) Name() string { return b.name }

// Invalidates implements memberlist.Broadcast.
func (b *newsItem) Invalidates(o memberlist.Broadcast) bool {
	other, ok := o.(*newsItem)
	return ok && other.name == b.name
}

// Message implements memberlist.Broadcast.
func (b *newsItem) Message() []byte { return b.msg }

// Finished implements memberlist.Broadcast.
func (b *newsItem) Finished() {}

// newsVersion opens every message of ours: gossip and push/pull state alike. A
// node does not read other versions.
const newsVersion = 1

func appendNews(b []byte, process string, parts map[protocol.PartitionID]entry) []byte {
	b = protocol.AppendString(b, process)
	b = protocol.AppendUint(b, uint64(len(parts)))
	for id, e := range parts {
		b = protocol.AppendUint(b, uint64(id))
		b = protocol.AppendUint(b, e.counter)
		b = protocol.AppendBool(b, e.gone)
		b = append(b, byte(e.info.Role))
		b = protocol.AppendUint(b, e.info.Term)
		b = protocol.AppendBool(b, e.info.Healthy)
		b = protocol.AppendString(b, e.info.Reason)
		b = protocol.AppendUint(b, e.info.Replica)
	}
	return b
}

// parseNews reads a message: the processes it names, and what it says of each.
func parseNews(b []byte) (map[string]map[protocol.PartitionID]entry, error) {
	r := protocol.NewReader(b)
	if v := r.Byte(); r.Err() == nil && v != newsVersion {
		return nil, fmt.Errorf("parse news: version %d", v)
	}
	all := map[string]map[protocol.PartitionID]entry{}
	for r.Err() == nil && r.Len() > 0 {
		process := r.String()
		parts := map[protocol.PartitionID]entry{}
		for n := r.Count(8); n > 0; n-- {
			id := protocol.PartitionID(r.Uint())
			e := entry{counter: r.Uint(), gone: r.Bool()}
			e.info = PartitionInfo{Partition: id, Role: Role(r.Byte()), Term: r.Uint(), Healthy: r.Bool(), Reason: r.String(), Replica: r.Uint()}
			parts[id] = e
		}
		all[process] = parts
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("parse news: %w", err)
	}
	return all, nil
}

// takeNews merges what came from others. What is new here is passed on, if spread.
func (m *Members) takeNews(b []byte, spread bool) {
	all, err := parseNews(b)
	if err != nil {
		m.cfg.Logger.Debug("news not understood", "err", err)
		return
	}
	m.mu.Lock()
	fresh := false
	for process, parts := range all {
		if process == m.name || nodeOf(process) < 0 {
			continue
		}
		i := m.ensureLocked(process)
		for id, e := range parts {
			if old, ok := i.parts[id]; ok && old.counter >= e.counter {
				continue
			}
			i.parts[id] = e
			fresh = true
			if spread {
				m.queue.QueueBroadcast(newNewsItem(process, id, e))
			}
		}
	}
	m.mu.Unlock()
	if fresh {
		m.news.poke()
	}
}

func (m *Members) ensureLocked(name string) *instance {
	i := m.known[name]
	if i == nil {
		i = &instance{name: name, seen: time.Now(), parts: map[protocol.PartitionID]entry{}}
		m.known[name] = i
	}
	return i
}

// stateForAll is everything this node knows of partitions.
func (m *Members) stateForAll() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweepLocked()
	names := make([]string, 0, len(m.known))
	for name := range m.known {
		names = append(names, name)
	}
	slices.Sort(names)
	b := []byte{newsVersion}
	for _, name := range names {
		b = appendNews(b, name, m.known[name].parts)
	}
	return b
}
