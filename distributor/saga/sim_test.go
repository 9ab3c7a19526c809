package saga_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy/distributor/saga"
	"github.com/grevy-io/grevy/protocol"
)

var (
	simSeed  = flag.Uint64("seed", 0, "run the model test with this seed only")
	simCount = flag.Int("seeds", 40, "how many seeds the model test runs")
)

// TestModel lets sagas carry outboxes to dumb receivers over a network that
// loses, doubles, delays and reorders, through cuts and leader changes. After
// the storm everything must have arrived, once and in order, and all tables
// must be empty.
func TestModel(t *testing.T) {
	seeds := []uint64{*simSeed}
	if *simSeed == 0 {
		seeds = nil
		for i := range *simCount {
			seeds = append(seeds, uint64(i)+1)
		}
	}
	var sum simStats
	for _, seed := range seeds {
		sum.add(runModel(t, seed))
	}
	t.Logf("%d seeds: %+v", len(seeds), sum)
	if *simSeed == 0 && (sum.Refused == 0 || sum.Bases == 0 || sum.Gaps == 0 || sum.Leaders == 0 || sum.LateAcks == 0 || sum.EntriesLost == 0) {
		t.Errorf("the storm is not one any more: %+v", sum)
	}
}

// runModel runs one seed; every odd one also restores receivers to their past.
func runModel(t *testing.T, seed uint64) simStats {
	t.Helper()
	w := newWorld(t, seed)
	w.electLeader()
	w.after(0, w.writeRows)
	w.after(0, w.disturb)
	w.runUntil(w.now.Add(40 * time.Second))
	w.heal()
	// Nobody tells the saga that the storm is over.
	bound := w.k.cfg.RetryMax + w.k.cfg.AckTimeout + w.k.cfg.DeleteTimeout
	for end := w.now.Add(bound + 20*time.Second); w.now.Before(end) && !w.drained(); {
		w.runUntil(w.now.Add(100 * time.Millisecond))
	}
	w.verify()
	w.verifyReplay()
	return w.stats
}

type simStats struct {
	Rows, Sends, Resent, Refused, Bases, Gaps, Leaders, LateAcks, EntriesLost, Restores int
}

func (s *simStats) add(o simStats) {
	s.Rows += o.Rows
	s.Sends += o.Sends
	s.Resent += o.Resent
	s.Refused += o.Refused
	s.Bases += o.Bases
	s.Gaps += o.Gaps
	s.Leaders += o.Leaders
	s.LateAcks += o.LateAcks
	s.EntriesLost += o.EntriesLost
	s.Restores += o.Restores
}

// world is the simulation: one sender, its receivers, and what is on its way.
type world struct {
	t     *testing.T
	seed  uint64
	rng   *rand.Rand
	now   time.Time
	todo  timeline
	order int
	calm  bool

	targets   int
	names     []saga.Channel
	outbox    map[saga.Channel][]saga.Row
	last      map[saga.Channel]saga.Seq
	receivers map[saga.Channel]*receiver
	cut       map[protocol.PartitionID]bool

	leader   uint64 // incarnation
	k        *checker
	former   []*checker
	proposed []saga.Delete
	stats    simStats
}

// receiver applies rows strictly in order; got is what it has, one by one.
type receiver struct {
	inbox saga.Seq
	got   []saga.Seq
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)),
		now:    time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		outbox: map[saga.Channel][]saga.Row{}, last: map[saga.Channel]saga.Seq{},
		receivers: map[saga.Channel]*receiver{}, cut: map[protocol.PartitionID]bool{},
	}
	w.targets = 1 + w.rng.IntN(5)
	for p := range w.targets {
		for _, lane := range []saga.Lane{saga.Deployments, saga.Messages} {
			c := outboxChannel(p+2, lane)
			w.names = append(w.names, c)
			w.receivers[c] = &receiver{}
		}
	}
	return w
}

func (w *world) failf(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("seed %d (-seed=%d), %s into it: %s", w.seed, w.seed, w.elapsed(), fmt.Sprintf(format, args...))
}

func (w *world) elapsed() time.Duration {
	return w.now.Sub(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
}

func (w *world) chance(percent int) bool { return w.rng.IntN(100) < percent }

// delay is mostly short and sometimes longer than AckTimeout.
func (w *world) delay() time.Duration {
	if !w.calm && w.chance(3) {
		return time.Duration(w.rng.Int64N(int64(12 * time.Second)))
	}
	return time.Duration(1 + w.rng.Int64N(int64(20*time.Millisecond)))
}

// electLeader ends the leadership and begins a new one from the table. What the
// old one proposed is applied or lost.
func (w *world) electLeader() {
	for _, d := range w.proposed {
		if w.chance(50) {
			w.deleteRows(d)
		}
	}
	w.proposed = nil
	w.leader++
	w.stats.Leaders++
	if w.k != nil {
		w.former = append(w.former, w.k)
	}
	cfg := saga.Config{
		Window: 1 + w.rng.IntN(20), WindowBytes: 500 + w.rng.IntN(5000),
		RetryMin: 20 * time.Millisecond, RetryMax: 2 * time.Second,
		AckTimeout: time.Duration(1+w.rng.IntN(5)) * time.Second, DeleteTimeout: 10 * time.Second,
		Seed: w.leader,
	}
	w.k = newChecker(cfg, w.failf)
	var tables []saga.Rows
	for _, c := range w.names {
		if rows := w.outbox[c]; len(rows) > 0 {
			tables = append(tables, saga.Rows{Channel: c, Rows: slices.Clone(rows)})
		}
	}
	w.step(saga.Started{Now: w.now, Tables: tables})
}

// writeRows commits some rows and comes again.
func (w *world) writeRows() {
	if w.calm {
		return
	}
	c := w.names[w.rng.IntN(len(w.names))]
	var added []saga.Row
	for range 1 + w.rng.IntN(30) {
		w.last[c]++
		added = append(added, saga.Row{Seq: w.last[c], Size: w.rng.IntN(700), Since: w.now})
	}
	w.stats.Rows += len(added)
	w.outbox[c] = append(w.outbox[c], added...)
	w.step(saga.RowsAdded{Now: w.now, Rows: saga.Rows{Channel: c, Rows: added}})
	w.after(time.Duration(w.rng.Int64N(int64(400*time.Millisecond))), w.writeRows)
}

// disturb does one unkind thing and comes again.
func (w *world) disturb() {
	if w.calm {
		return
	}
	p := protocol.PartitionID(2 + w.rng.IntN(w.targets))
	switch n := w.rng.IntN(100); {
	case n < 25:
		w.cut[p] = true
	case n < 55:
		delete(w.cut, p)
		if w.chance(50) {
			w.step(saga.News{Now: w.now, Target: p})
		}
	case n < 65:
		w.electLeader()
	case n < 70:
		w.step(saga.News{Now: w.now})
	case n < 80:
		w.step(saga.Tick{Now: w.now})
	case n < 84 && w.seed%2 == 1:
		w.restore(w.names[w.rng.IntN(len(w.names))])
	}
	w.after(time.Duration(w.rng.Int64N(int64(800*time.Millisecond))), w.disturb)
}

// restore puts a receiver back to an earlier state.
func (w *world) restore(c saga.Channel) {
	r := w.receivers[c]
	r.inbox = saga.Seq(w.rng.Uint64N(uint64(r.inbox) + 1))
	r.got = r.got[:r.inbox]
	w.stats.Restores++
}

func (w *world) heal() {
	w.calm = true
	w.cut = map[protocol.PartitionID]bool{}
}

// step feeds the leader and performs its actions.
func (w *world) step(ev saga.Event) {
	for _, a := range w.k.step(w.now, ev) {
		switch a := a.(type) {
		case saga.Send:
			w.send(a)
		case saga.SendBase:
			w.sendBase(a)
		case saga.Delete:
			w.propose(a)
		case saga.WakeAt:
			w.tickAt(a.At)
		}
	}
}

func (w *world) tickAt(at time.Time) {
	leader := w.leader
	w.after(at.Sub(w.now), func() {
		if w.leader == leader {
			w.step(saga.Tick{Now: w.now})
		}
	})
}

// propose lets an entry be applied, refused, or (rarely) forgotten by the shell.
func (w *world) propose(d saga.Delete) {
	leader := w.leader
	w.proposed = append(w.proposed, d)
	if !w.calm && w.chance(2) {
		w.stats.EntriesLost++
		return
	}
	refused := !w.calm && w.chance(10)
	w.after(w.delay()/4, func() {
		if w.leader != leader {
			return
		}
		w.proposed = slices.DeleteFunc(w.proposed, func(p saga.Delete) bool { return &p.Acks[0] == &d.Acks[0] })
		if refused {
			w.step(saga.DeleteFailed{Now: w.now, Acks: d.Acks, Reason: "gate full"})
			return
		}
		w.deleteRows(d)
		w.step(saga.Deleted{Now: w.now, Acks: d.Acks})
	})
}

// deleteRows applies a deletion, and fails if a row goes that never arrived.
func (w *world) deleteRows(d saga.Delete) {
	for _, ack := range d.Acks {
		if got := w.receivers[ack.Channel].inbox; ack.UpTo > got && w.stats.Restores == 0 {
			w.failf("%s, but the receiver has only %d", d, got)
		}
		w.stats.Refused += len(ack.Refused)
		for _, r := range ack.Refused {
			if r.Seq%17 != 0 {
				w.failf("%s: row %d was not refused", d, r.Seq)
			}
		}
		w.outbox[ack.Channel] = slices.DeleteFunc(slices.Clone(w.outbox[ack.Channel]), func(r saga.Row) bool { return r.Seq <= ack.UpTo })
	}
}

func (w *world) drained() bool {
	for _, c := range w.names {
		if len(w.outbox[c]) > 0 {
			return false
		}
	}
	return true
}

// verify: everything arrived, once and in order, and the tables are empty.
func (w *world) verify() {
	w.t.Helper()
	for _, c := range w.names {
		r := w.receivers[c]
		if len(w.outbox[c]) > 0 {
			var b strings.Builder
			for _, st := range w.k.state.Status() {
				fmt.Fprintf(&b, "\n%+v", st)
			}
			w.failf("%s: %d rows left of %d, the receiver has %d%s", c, len(w.outbox[c]), w.last[c], r.inbox, b.String())
		}
		for i, seq := range r.got {
			if seq != saga.Seq(i)+1 {
				w.failf("%s: row %d arrived as number %d", c, seq, i+1)
			}
		}
		// A receiver restored after its last row was deleted is found by the
		// next row, or by anti-entropy; there is no next row here.
		if r.inbox != w.last[c] && w.stats.Restores == 0 {
			w.failf("%s: the receiver has %d of %d rows", c, r.inbox, w.last[c])
		}
	}
}

// verifyReplay: the same events give the same actions.
func (w *world) verifyReplay() {
	w.t.Helper()
	for _, k := range append(w.former, w.k) {
		if err := k.replay(); err != nil {
			w.failf("replay: %v", err)
		}
	}
}
