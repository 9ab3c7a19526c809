package grevy

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/remote"
)

// "Latest means latest" (architecture §3): each node holds a watermark, the counter of
// the deployment lane, under a lease from the deployment partition's leader. A
// deployment is answered when every node has the new watermark or holds no lease
// any more. A node without a lease asks every partition it can reach.
const (
	// kindLease asks the leader of the deployment partition for the watermark
	// and a lease; the answer is the counter (8 bytes), or empty if the node
	// asked does not lead.
	kindLease remote.Kind = 3
	// kindMark tells a node a new watermark; the answer is empty.
	kindMark remote.Kind = 4

	leaseTime = time.Second
)

type watermarks struct {
	b *Broker

	mu    sync.Mutex
	seq   uint64    // highest counter heard of
	until time.Time // end of this node's lease

	// Of the deployment partition's leader on this node:
	term   uint64                        // leadership these leases belong to
	opened time.Time                     // leases of former leaders end leaseTime later
	leases map[protocol.NodeID]time.Time // end of each node's lease
}

func newWatermarks(b *Broker) *watermarks {
	m := &watermarks{b: b, leases: map[protocol.NodeID]time.Time{}}
	b.post.Handle(kindLease, m.grant)
	b.post.Handle(kindMark, m.mark)
	return m
}

func (m *watermarks) learn(seq uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seq = max(m.seq, seq)
}

// known is the watermark without asking anybody.
func (m *watermarks) known() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seq
}

// current is the watermark to resolve "latest" by. Without a lease it asks all
// partitions for theirs and takes the highest.
func (m *watermarks) current() uint64 {
	if m.held() {
		return m.known()
	}
	return m.ask()
}

// held tells whether this node has a lease, so that nobody has to be asked.
func (m *watermarks) held() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Before(m.until)
}

// askTimeout bounds how long a creation waits for partitions that do not answer.
const askTimeout = 300 * time.Millisecond

func (m *watermarks) ask() uint64 {
	for _, seq := range m.b.counters() {
		m.learn(seq)
	}
	return m.known()
}

// counters asks every partition how far it knows the deployments' lane. Who does not
// say so in time is left out.
func (b *Broker) counters() map[protocol.PartitionID]uint64 {
	ctx, cancel := context.WithTimeout(b.life, askTimeout)
	defer cancel()
	told := map[protocol.PartitionID]uint64{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for p := protocol.PartitionID(1); int(p) <= b.partitionCount(); p++ {
		wg.Add(1)
		b.router.Once(ctx, p, &protocol.Watermark{}, func(r protocol.Reply, err error) {
			defer wg.Done()
			if k, ok := r.(*protocol.KeyReply); ok && err == nil {
				mu.Lock()
				defer mu.Unlock()
				told[p] = uint64(k.Key)
			}
		})
	}
	wg.Wait()
	return told
}

// renew asks for a new lease. It counts from before the question was sent, so
// it ends no later here than the leader believes.
func (m *watermarks) renew(ctx context.Context) {
	asked := time.Now()
	leader := directory{m.b}.Leader(protocol.DeploymentPartition)
	if leader == protocol.NoNode {
		return
	}
	asking, cancel := context.WithTimeout(ctx, leaseTime)
	defer cancel()
	b, err := m.b.post.Request(asking, leader, kindLease, nil)
	if err != nil || len(b) != 8 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seq = max(m.seq, binary.BigEndian.Uint64(b))
	m.until = asked.Add(leaseTime)
}

// grant gives a lease if this node leads the deployment partition.
func (m *watermarks) grant(_ context.Context, from protocol.NodeID, _ []byte, reply func([]byte)) {
	seq, ok := m.leading()
	if !ok {
		reply(nil)
		return
	}
	if _, member := m.b.plan().Member(int(from)); !member {
		reply(nil) // it is not told of deployments yet, so it asks
		return
	}
	m.mu.Lock()
	m.leases[from] = time.Now().Add(leaseTime)
	seq = max(seq, m.seq)
	m.mu.Unlock()
	reply(binary.BigEndian.AppendUint64(nil, seq))
}

// leading tells whether this node leads the deployment partition, and the
// lane's counter in its applied state.
func (m *watermarks) leading() (uint64, bool) {
	part := m.b.part(protocol.DeploymentPartition)
	if part == nil {
		return 0, false
	}
	leader, term, _ := part.Role()
	if !leader {
		return 0, false
	}
	seq, err := m.lead(term, part.DeploymentSeq)
	if err != nil {
		m.b.Log.Error("read deployment counter", "err", err)
		return 0, false
	}
	return seq, true
}

// lead is the counter to answer with in a leadership. Nobody is answered in a new
// one before its counter is read: what others have heard of may be older.
func (m *watermarks) lead(term uint64, read func() (uint64, error)) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.term == term {
		return m.seq, nil
	}
	clear(m.leases)
	m.opened = time.Now()
	seq, err := read()
	if err != nil {
		return 0, err // it is read again at the next question
	}
	m.term, m.seq = term, max(m.seq, seq)
	return m.seq, nil
}

func (m *watermarks) mark(_ context.Context, _ protocol.NodeID, payload []byte, reply func([]byte)) {
	if len(payload) == 8 {
		m.learn(binary.BigEndian.Uint64(payload))
	}
	reply(nil)
}

// deployed is called by the leader of the deployment partition when a
// deployment is applied. done is called when no node can resolve "latest" from
// before it: each has the new watermark, or its lease is over.
func (m *watermarks) deployed(seq uint64, done func()) {
	// path: deployment 3/9 watermark: every gateway knows, or has no lease
	m.learn(seq)
	m.leading() // a new leadership begins with the leases of the former ones
	if len(m.b.nodes()) == 1 {
		done()
		return
	}
	tell := func() {
		m.spread(seq)
		done()
	}
	if !m.b.aside(tell) {
		tell() // the node is closing: it waits here, for no longer than a lease
	}
}

func (m *watermarks) spread(seq uint64) {
	payload := binary.BigEndian.AppendUint64(nil, seq)
	var wg sync.WaitGroup
	for _, n := range m.b.nodes() {
		if n != m.b.NodeID {
			wg.Go(func() { m.tell(protocol.NodeID(n), payload) })
		}
	}
	wg.Wait()
}

// tell waits until a node has the watermark or its lease is over.
func (m *watermarks) tell(n protocol.NodeID, payload []byte) {
	m.mu.Lock()
	end := m.leases[n]
	if former := m.opened.Add(leaseTime); former.After(end) {
		end = former
	}
	m.mu.Unlock()
	ctx, cancel := context.WithDeadline(context.Background(), end) // also while the node closes
	defer cancel()
	for ctx.Err() == nil {
		if _, err := m.b.post.Request(ctx, n, kindMark, payload); err == nil {
			return
		}
		pause(ctx, 20*time.Millisecond)
	}
}
