package distributor_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/distributor"
	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// realm is a cluster of real engines and carriers in one goroutine, with a time
// of its own.
type realm struct {
	t       *testing.T
	cluster *enginetest.Cluster
	now     time.Time
	todo    []*turn // by time, then in order
	count   int
	seats   map[protocol.PartitionID]*seat
}

// turn is something that somebody does later.
type turn struct {
	at    time.Time
	order int
	seat  *seat
	do    func()
	off   bool
}

// seat is one life of a partition's leader (distributor.Host, actors.Outbox).
type seat struct {
	r        *realm
	id       protocol.PartitionID
	part     *enginetest.Partition
	carrier  *distributor.Carrier
	away     bool        // nothing reaches it
	broken   error       // what its table says when it is read
	compared []time.Time // when it was told that the first comparisons are over
	asked    int         // commands that it has sent to others
}

func newRealm(t *testing.T, partitions int) *realm {
	t.Helper()
	cluster, err := enginetest.NewCluster(enginetest.Config{Partitions: partitions})
	if err != nil {
		t.Fatal(err)
	}
	r := &realm{t: t, cluster: cluster, now: time.UnixMilli(cluster.Now), seats: map[protocol.PartitionID]*seat{}}
	for p := 1; p <= partitions; p++ {
		r.lead(protocol.PartitionID(p))
	}
	return r
}

// lead begins another life of a partition's leader.
func (r *realm) lead(p protocol.PartitionID) {
	r.t.Helper()
	part, err := r.cluster.Partition(int(p))
	if err != nil {
		r.t.Fatal(err)
	}
	if old := r.seats[p]; old != nil {
		old.carrier.Stop()
	}
	s := &seat{r: r, id: p, part: part}
	s.carrier = distributor.NewCarrier(distributor.Config{
		Log: slog.New(slog.DiscardHandler), Partitions: func() int { return r.cluster.Partitions },
	}, s, s)
	r.seats[p] = s
	if err := s.carrier.Start(); err != nil {
		r.t.Fatal(err)
	}
}

// restore brings an old copy of a partition back and lets a leader begin with it.
func (r *realm) restore(p protocol.PartitionID, s enginetest.Saved) {
	r.t.Helper()
	if err := r.seats[p].part.Restore(s); err != nil {
		r.t.Fatal(err)
	}
	r.lead(p)
}

func (r *realm) save(p protocol.PartitionID) enginetest.Saved {
	r.t.Helper()
	s, err := r.seats[p].part.Save()
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// run lets time pass.
func (r *realm) run(d time.Duration) {
	end := r.now.Add(d)
	for len(r.todo) > 0 && !r.todo[0].at.After(end) {
		t := r.todo[0]
		r.todo = r.todo[1:]
		r.setTime(t.at)
		if !t.off && r.seats[t.seat.id] == t.seat {
			t.do()
		}
	}
	r.setTime(end)
}

func (r *realm) setTime(at time.Time) {
	r.now = at
	r.cluster.Now = at.UnixMilli()
}

func (r *realm) later(s *seat, d time.Duration, f func()) *turn {
	r.count++
	t := &turn{at: r.now.Add(d), order: r.count, seat: s, do: f}
	i, _ := slices.BinarySearchFunc(r.todo, t, func(a, b *turn) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order)) })
	r.todo = slices.Insert(r.todo, i, t)
	return t
}

func (s *seat) Turn(f func()) { s.r.later(s, 0, f) }
func (s *seat) After(d time.Duration, f func()) func() {
	t := s.r.later(s, d, f)
	return func() { t.off = true }
}
func (s *seat) Now() time.Time                  { return s.r.now }
func (s *seat) Random() uint64                  { return 7 }
func (s *seat) Partition() protocol.PartitionID { return s.id }

// do executes a command, commits it and tells the carrier.
func (s *seat) do(c protocol.Command) (protocol.Reply, error) {
	out, err := s.part.Execute(c)
	if err == nil && out.Err != nil {
		return nil, out.Err
	}
	if err == nil {
		err = s.part.CommitAll()
	}
	if err != nil {
		s.r.t.Fatalf("partition %d: %T: %v", s.id, c, err)
	}
	var rows []actors.OutboxRow
	for _, row := range out.Effects.Pushed {
		rows = append(rows, actors.OutboxRow{Target: row.Target, Lane: row.Lane, Seq: row.Seq, Since: row.Since, Size: row.Size})
	}
	s.Turn(func() {
		if len(rows) > 0 {
			s.carrier.Handle(actors.RowsAdded{Rows: rows})
		}
		if len(out.Effects.Acked) > 0 {
			s.carrier.Handle(actors.RowsDeleted{Acks: out.Effects.Acked})
		}
	})
	return out.Reply, nil
}

func (s *seat) contents() *enginetest.Contents {
	c, err := s.part.Contents()
	if err != nil {
		s.r.t.Fatal(err)
	}
	return c
}

func (s *seat) Epoch() (uint64, error) {
	if s.broken != nil {
		return 0, s.broken
	}
	reply, err := s.do(&protocol.Survey{From: s.id})
	if err != nil {
		s.r.t.Fatal(err)
	}
	if s.id == protocol.DeploymentPartition {
		return reply.(*protocol.Surveyed).Epoch, nil
	}
	return 1, nil // of lanes that these tests do not look at
}

func (s *seat) Pending() (rows []actors.OutboxRow, err error) {
	for _, row := range s.contents().Outbox {
		rows = append(rows, actors.OutboxRow{Target: row.Target, Lane: row.Lane, Seq: row.Seq, Since: row.Since, Size: row.Size})
	}
	return rows, nil
}

func (s *seat) Items(target protocol.PartitionID, lane protocol.Lane, from, to uint64) (items []protocol.Item, err error) {
	for _, row := range s.contents().Outbox {
		if row.Target == target && row.Lane == lane && row.Seq >= from && row.Seq <= to {
			items = append(items, protocol.Item{Seq: row.Seq, Command: row.Command})
		}
	}
	return items, nil
}

func (s *seat) Definitions(after protocol.Key, limit int) (defs []protocol.Definition, seq uint64, err error) {
	c := s.contents()
	for _, key := range c.Order[state.TableDefinition] {
		if key > after && len(defs) < limit {
			defs = append(defs, *c.Definitions[key])
		}
	}
	return defs, c.Lane, nil
}

func (s *seat) Compared() { s.compared = append(s.compared, s.r.now) }

func (s *seat) Body(h protocol.Hash) ([]byte, error) { return s.contents().Body(h), nil }

func (s *seat) Acknowledge(a *protocol.Acknowledge, done func(error)) {
	_, err := s.do(a)
	done(err)
}

func (s *seat) Reconcile(c *protocol.Reconcile, done func(protocol.Reply, error)) { done(s.do(c)) }

func (s *seat) Execute(_ context.Context, p protocol.PartitionID, c protocol.Command, done func(protocol.Reply, error)) {
	s.asked++
	if n := carried(c); n > 8<<20 {
		s.r.t.Errorf("%T carries %d bytes of resources", c, n)
	}
	s.r.later(s, time.Millisecond, func() {
		to := s.r.seats[p]
		if to.away || s.away && p != s.id {
			done(nil, protocol.Refuse(protocol.Unreachable, p, "away"))
			return
		}
		reply, err := to.do(c)
		s.r.later(s, time.Millisecond, func() { done(reply, err) })
	})
}

// carried is how large the resources are that a command brings along.
func carried(c protocol.Command) (n int) {
	var bodies []protocol.Body
	switch c := c.(type) {
	case *protocol.Receive:
		bodies = c.Bodies
	case *protocol.TakeBase:
		bodies = c.Bodies
	}
	for i := range bodies {
		n += len(bodies[i].Data)
	}
	return n
}

// deploy makes a new version of a process on partition 1.
func (r *realm) deploy(id string, note int) protocol.Definition {
	r.t.Helper()
	content := fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d%d" targetNamespace="x">`+
		`<process id="%s" isExecutable="true"><startEvent id="s"/></process></definitions>`, note, id)
	reply, err := r.seats[1].do(&protocol.Deploy{Resources: []protocol.Resource{{Name: id + ".bpmn", Content: []byte(content)}}})
	if err != nil {
		r.t.Fatal(err)
	}
	return reply.(*protocol.Deployed).Definitions[0]
}

func (r *realm) remove(key protocol.Key) {
	r.t.Helper()
	if _, err := r.seats[1].do(&protocol.DeleteResource{ResourceKey: key}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *realm) survey(p protocol.PartitionID) *protocol.Surveyed {
	r.t.Helper()
	reply, err := r.seats[p].do(&protocol.Survey{From: p})
	if err != nil {
		r.t.Fatal(err)
	}
	return reply.(*protocol.Surveyed)
}

// equal tells whether all partitions have the same definitions at the same seq.
func (r *realm) equal() error {
	one := r.survey(1)
	for p := range r.seats {
		if s := r.survey(p); s.Digest != one.Digest || s.Seq != one.Seq || s.Epoch != one.Epoch {
			return fmt.Errorf("partition %d is at %d of %d with %v, partition 1 at %d of %d with %v", p, s.Seq, s.Epoch, s.Digest, one.Seq, one.Epoch, one.Digest)
		}
		if n := len(r.seats[p].contents().Outbox); n != 0 {
			return fmt.Errorf("partition %d has %d rows left", p, n)
		}
	}
	return nil
}

// mustEqual also checks what must never be the case of a partition.
func (r *realm) mustEqual(what string) {
	r.t.Helper()
	if err := r.equal(); err != nil {
		r.t.Errorf("%s: %v", what, err)
	}
	for p, s := range r.seats {
		wrong, err := s.part.Check()
		if err != nil || len(wrong) > 0 {
			r.t.Errorf("%s: partition %d: %v, %v", what, p, wrong, err)
		}
	}
}

// comparison is what a partition says of itself and another.
func (r *realm) comparison(p, with protocol.PartitionID) (found actors.Comparison) {
	r.seats[p].carrier.Handle(actors.OutboxStatus{Reply: func(_ []actors.LaneStatus, list []actors.Comparison) {
		for _, c := range list {
			if c.Target == with {
				found = c
			}
		}
	}})
	return found
}

// lanes is what a partition says of its lanes to others.
func (r *realm) lanes(p protocol.PartitionID) (list []actors.LaneStatus) {
	r.seats[p].carrier.Handle(actors.OutboxStatus{Reply: func(l []actors.LaneStatus, _ []actors.Comparison) { list = l }})
	return list
}
