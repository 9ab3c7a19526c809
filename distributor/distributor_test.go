package distributor_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/actors/actorstest"
	"github.com/grevy-io/grevy/distributor"
	"github.com/grevy-io/grevy/distributor/saga"
	"github.com/grevy-io/grevy/protocol"
)

// world is a sender's outbox (actors.Outbox) and the partitions it sends to.
type world struct {
	t   *testing.T
	sys *actor.ActorSystem

	mu      sync.Mutex
	changed *sync.Cond
	rows    map[protocol.PartitionID][]uint64 // pending seqs, in order
	lane    uint64
	bodies  map[protocol.Hash][]byte
	pid     *actor.PID
	led     []*actor.PID // all that were started
	targets map[protocol.PartitionID]*target
	acks    int
}

// target is a receiving partition.
type target struct {
	applied uint64
	epoch   uint64
	lost    bool // nothing reaches it
	deaf    int  // so many answers are lost
	known   map[protocol.Hash]bool
	got     []uint64
	pushes  int
	carried int // bodies that came along and were lacking
	refuse  uint64
	bases   int
}

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, sys: actorstest.System(t), rows: map[protocol.PartitionID][]uint64{}, bodies: map[protocol.Hash][]byte{},
		targets: map[protocol.PartitionID]*target{2: {known: map[protocol.Hash]bool{}}, 3: {known: map[protocol.Hash]bool{}}},
	}
	w.changed = sync.NewCond(&w.mu)
	t.Cleanup(func() { actors.Stop(w.sys, w.led...) })
	return w
}

func (w *world) Partition() protocol.PartitionID { return 1 }
func (w *world) Epoch() (uint64, error)          { return 7, nil }

func hashOf(seq uint64) protocol.Hash { return protocol.Hash{byte(seq), byte(seq >> 8), 1} }

func deployment(seq uint64) protocol.Deployment {
	return protocol.Deployment{Key: protocol.Key(seq), Definitions: []protocol.Definition{{Key: protocol.Key(seq), Hash: hashOf(seq)}}}
}

func (w *world) Pending() (rows []actors.OutboxRow, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range []protocol.PartitionID{2, 3} {
		for _, seq := range w.rows[p] {
			rows = append(rows, actors.OutboxRow{Target: p, Lane: protocol.LaneDeployments, Seq: seq, Since: time.Now().UnixMilli(), Size: 100})
		}
	}
	return rows, nil
}

func (w *world) Items(p protocol.PartitionID, _ protocol.Lane, from, to uint64) (items []protocol.Item, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, seq := range w.rows[p] {
		if seq >= from && seq <= to {
			items = append(items, protocol.Item{Seq: seq, Command: &protocol.Distribute{Deployment: deployment(seq)}})
		}
	}
	return items, nil
}

func (w *world) Definitions(after protocol.Key, limit int) (defs []protocol.Definition, seq uint64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for s := uint64(after) + 1; s <= w.lane && len(defs) < limit; s++ {
		defs = append(defs, deployment(s).Definitions...)
	}
	return defs, w.lane, nil
}

func (w *world) Body(h protocol.Hash) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bodies[h], nil
}

func (w *world) Acknowledge(a *protocol.Acknowledge, done func(error)) {
	w.mu.Lock()
	for _, ack := range a.Acks {
		w.rows[ack.Target] = slices.DeleteFunc(w.rows[ack.Target], func(s uint64) bool { return s <= ack.UpTo })
	}
	w.acks++
	pid := w.pid
	w.changed.Broadcast()
	w.mu.Unlock()
	done(nil)
	w.sys.Root.Send(pid, actors.RowsDeleted{Acks: a.Acks})
}

func (w *world) Compared() {}

func (w *world) Reconcile(_ *protocol.Reconcile, done func(protocol.Reply, error)) {
	done(&protocol.Received{}, nil)
}

func (w *world) Execute(_ context.Context, p protocol.PartitionID, c protocol.Command, done func(protocol.Reply, error)) {
	w.mu.Lock()
	reply, err := w.targets[p].execute(p, c)
	w.changed.Broadcast()
	w.mu.Unlock()
	done(reply, err)
}

func (t *target) execute(p protocol.PartitionID, c protocol.Command) (protocol.Reply, error) {
	t.pushes++
	if t.lost {
		return nil, protocol.Refuse(protocol.Unreachable, p, "cut off")
	}
	var reply *protocol.Received
	switch c := c.(type) {
	case *protocol.Receive:
		reply = t.receive(c)
	case *protocol.TakeBase:
		reply = t.takeBase(c)
	}
	if t.deaf > 0 {
		t.deaf--
		return nil, protocol.ErrOutcomeUnknown
	}
	return reply, nil
}

func (t *target) take(defs []protocol.Definition, bodies []protocol.Body) (missing []protocol.Hash) {
	for _, b := range bodies {
		if len(b.Data) > 0 && !t.known[b.Hash] {
			t.known[b.Hash] = true
			t.carried++
		}
	}
	for _, d := range defs {
		if !t.known[d.Hash] {
			missing = append(missing, d.Hash)
		}
	}
	return missing
}

func (t *target) receive(c *protocol.Receive) *protocol.Received {
	r := &protocol.Received{Epoch: c.Epoch}
	for _, item := range c.Items {
		if item.Seq <= t.applied {
			continue
		}
		if item.Seq != t.applied+1 {
			r.Gap = true
			break
		}
		if r.Missing = t.take(item.Command.(*protocol.Distribute).Deployment.Definitions, c.Bodies); len(r.Missing) > 0 {
			break
		}
		if item.Seq == t.refuse {
			r.Refused = append(r.Refused, protocol.RefusedItem{Seq: item.Seq, Reason: "no"})
		}
		t.applied = item.Seq
		t.got = append(t.got, item.Seq)
	}
	r.UpTo = t.applied
	return r
}

func (t *target) takeBase(c *protocol.TakeBase) *protocol.Received {
	r := &protocol.Received{Epoch: c.Epoch}
	if r.Missing = t.take(c.Definitions, c.Bodies); len(r.Missing) == 0 && c.UpTo > 0 {
		t.applied = c.UpTo
		t.bases++
	}
	r.UpTo = t.applied
	return r
}

// deploy adds rows to the outbox, as a committed deployment does.
func (w *world) deploy(n int) {
	var rows []actors.OutboxRow
	w.mu.Lock()
	for range n {
		w.lane++
		w.bodies[hashOf(w.lane)] = []byte("body")
		for _, p := range []protocol.PartitionID{2, 3} {
			w.rows[p] = append(w.rows[p], w.lane)
			rows = append(rows, actors.OutboxRow{Target: p, Lane: protocol.LaneDeployments, Seq: w.lane, Since: time.Now().UnixMilli(), Size: 100})
		}
	}
	pid := w.pid
	w.mu.Unlock()
	if pid != nil {
		w.sys.Root.Send(pid, actors.RowsAdded{Rows: rows})
	}
}

// lead starts a distributor, as a new leader does.
func (w *world) lead() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pid != nil {
		w.sys.Root.Stop(w.pid)
	}
	props := distributor.Props(distributor.Config{
		Log: slog.New(slog.DiscardHandler),
		Reachable: func(p protocol.PartitionID) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return !w.targets[p].lost
		},
		Saga: saga.Config{RetryMin: 2 * time.Millisecond, RetryMax: 20 * time.Millisecond},
	}, w)
	w.pid = actors.Spawn(w.sys, "distributor", props)
	w.led = append(w.led, w.pid)
}

// wait blocks until ok holds; it is called with the lock held.
func (w *world) wait(what string, ok func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	defer context.AfterFunc(ctx, w.changed.Broadcast)()
	w.mu.Lock()
	defer w.mu.Unlock()
	for !ok() {
		if ctx.Err() != nil {
			w.t.Fatalf("no %s: pending %v", what, w.rows)
		}
		w.changed.Wait()
	}
}

func (w *world) drained() bool { return len(w.rows[2]) == 0 && len(w.rows[3]) == 0 }

func inOrder(n int) []uint64 {
	var want []uint64
	for i := range n {
		want = append(want, uint64(i+1))
	}
	return want
}

func TestDistributor_PushesInOrderAndDeletesWhatIsAcknowledged(t *testing.T) {
	w := newWorld(t)
	w.lead()
	w.deploy(200)
	w.wait("empty outbox", w.drained)
	for p, tg := range w.targets {
		if fmt.Sprint(tg.got) != fmt.Sprint(inOrder(200)) {
			t.Errorf("partition %d got %v", p, tg.got)
		}
	}
}

// Bodies go along only if the receiver's node lacks them.
func TestDistributor_OffersByHash(t *testing.T) {
	w := newWorld(t)
	for i := range uint64(50) {
		w.targets[3].known[hashOf(i+1)] = true
	}
	w.lead()
	w.deploy(50)
	w.wait("empty outbox", w.drained)
	if w.targets[2].carried != 50 || w.targets[3].carried != 0 {
		t.Errorf("bodies carried: %d and %d", w.targets[2].carried, w.targets[3].carried)
	}
}

// Reference: Zeebe issue #7062 and #63712: what was pending when a leader
// ended is sent by the next one, without anything new being deployed.
func TestDistributor_ANewLeaderReplaysTheTable(t *testing.T) {
	w := newWorld(t)
	w.targets[2].lost, w.targets[3].lost = true, true
	w.lead()
	w.deploy(30)
	w.wait("tries", func() bool { return w.targets[2].pushes > 3 && w.targets[3].pushes > 3 })
	w.mu.Lock()
	w.targets[2].lost, w.targets[3].lost = false, false
	w.mu.Unlock()
	w.lead()
	w.wait("empty outbox", w.drained)
}

// One partition that is away delays nobody else.
func TestDistributor_OneTargetAway(t *testing.T) {
	w := newWorld(t)
	w.targets[2].lost = true
	w.lead()
	w.deploy(100)
	w.wait("partition 3", func() bool { return len(w.rows[3]) == 0 })
	if len(w.rows[2]) != 100 {
		t.Errorf("%d rows left for the one that is away", len(w.rows[2]))
	}
	lanes := make(chan []actors.LaneStatus, 1)
	w.sys.Root.Send(w.pid, actors.OutboxStatus{Reply: func(l []actors.LaneStatus, _ []actors.Comparison) { lanes <- l }})
	found := false
	for _, l := range <-lanes {
		if l.Target == 2 {
			found = l.Pending == 100 && l.Attempts > 0 && l.Error != ""
		}
	}
	if !found {
		t.Error("the status does not tell of the partition that is away")
	}
	w.mu.Lock()
	w.targets[2].lost = false
	w.mu.Unlock()
	w.sys.Root.Send(w.pid, actors.LinkNews{Partition: 2})
	w.wait("empty outbox", w.drained)
}

// Lost answers lead to repeats, which change nothing (#9877).
func TestDistributor_LostAnswers(t *testing.T) {
	w := newWorld(t)
	w.targets[2].deaf = 3
	w.lead()
	w.deploy(20)
	w.wait("empty outbox", w.drained)
	if fmt.Sprint(w.targets[2].got) != fmt.Sprint(inOrder(20)) {
		t.Errorf("got %v", w.targets[2].got)
	}
}

// A refused row blocks nothing (#24300).
func TestDistributor_Refusal(t *testing.T) {
	w := newWorld(t)
	w.targets[2].refuse = 5
	w.lead()
	w.deploy(10)
	w.wait("empty outbox", w.drained)
}

// A receiver that lost its state gets all definitions and goes on from there.
func TestDistributor_BaseForAReceiverThatIsBehindTheTable(t *testing.T) {
	w := newWorld(t)
	w.lead()
	w.deploy(120)
	w.wait("empty outbox", w.drained)
	w.mu.Lock()
	w.targets[3] = &target{known: map[protocol.Hash]bool{}}
	w.mu.Unlock()
	w.deploy(1)
	w.wait("empty outbox", w.drained)
	w.mu.Lock()
	defer w.mu.Unlock()
	if tg := w.targets[3]; tg.bases != 1 || tg.applied != 121 || len(tg.known) != 121 {
		t.Errorf("%d bases, applied %d, %d bodies", tg.bases, tg.applied, len(tg.known))
	}
}
