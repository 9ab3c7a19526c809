package sim

import (
	"context"
	"slices"
	"time"

	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/distributor"
	"github.com/grevy-io/grevy/distributor/saga"
	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
)

// life is one life of a leader, with its mailbox: what an actor would be. It is
// the leader's partitionactor.Host and partitionactor.Group.
type life struct {
	*replica
	r       *replica
	driven  *partitionactor.Driven
	mail    mailbox
	carrier *carrier
	number  int
	drawn   int // random numbers
	arrival time.Duration

	serving bool
	ended   bool // this life
	gone    bool // with its process
	failed  bool // and the next one is to begin

	answers []answer // of the present turn
}

// answer is what a command of the present turn has led to.
type answer struct {
	request *request
	reply   protocol.Reply
	err     error
}

// mailbox gives turns, one after the other. Messages that come between two turns
// are taken in the same one.
type mailbox struct {
	w       *world
	waiting []func()
	planned bool
	turn    func([]func())
}

func (m *mailbox) post(f func()) {
	m.waiting = append(m.waiting, f)
	m.plan()
}

func (m *mailbox) plan() {
	if m.planned || len(m.waiting) == 0 {
		return
	}
	m.planned = true
	wait := m.w.between(0, time.Millisecond)
	if !m.w.calm && m.w.rnd.IntN(1000) < m.w.conf.Pause {
		wait = m.w.between(0, time.Second) // the process gets no processor
	}
	m.w.after(wait, func() {
		m.planned = false
		n := 1 + m.w.rnd.IntN(len(m.waiting))
		now := m.waiting[:n:n]
		m.waiting = m.waiting[n:]
		m.turn(now)
		m.plan()
	})
}

// begin starts the next life of a replica's leader.
func (r *replica) begin() {
	w := r.w
	l := &life{replica: r, r: r, number: r.lives}
	r.lives++
	r.life = l
	l.mail = mailbox{w: w, turn: l.turn}
	config := &partitionactor.Config{
		Partition: r.group.id, Partitions: w.partitions(), Models: r.node.models, Log: quiet,
		Execute: func(_ context.Context, p protocol.PartitionID, c protocol.Command, done func(protocol.Reply, error)) {
			w.ask(r.node.id, p, c, pullTimeout, l, done)
		},
		Limits: partitionactor.Limits{Proposals: w.conf.Proposals, Tick: w.conf.Tick, EntryBytes: 64 << 10},
	}
	l.driven = partitionactor.Drive(config, l, l)
	w.note("partition %d: life %d of term %d on node %d", r.group.id, l.number, r.term, r.node.id)
	l.turn([]func(){l.driven.Start}) // at once: its number counts within the present term
}

const pullTimeout = 2 * time.Second

func (l *life) post(f func()) {
	if !l.ended {
		l.mail.post(f)
	}
}

// turn lets the leader take messages, and says when there are no more.
func (l *life) turn(list []func()) {
	for _, f := range list {
		if l.ended {
			break
		}
		f()
	}
	if !l.ended && len(l.mail.waiting) == 0 {
		l.driven.Idle()
	}
	l.flush()
}

// flush sends the answers of a turn. Some were made in no order.
func (l *life) flush() {
	list := l.answers
	l.answers = nil
	slices.SortStableFunc(list, func(a, b answer) int { return int(a.request.id) - int(b.request.id) })
	for _, a := range list {
		a.request.answered(l, a.reply, a.err)
	}
	if l.failed {
		l.failed = false
		l.over()
		l.w.after(l.w.between(5*time.Millisecond, 50*time.Millisecond), func() {
			if l.r.wanted && l.r.life == nil && l.r.node.up {
				l.r.begin()
			}
		})
	}
}

func (l *life) hear(a raftadapter.Applied) { l.driven.Handle(a) }

// stop ends a life as its supervisor does: who waits is answered.
func (l *life) stop() {
	if l.ended {
		return
	}
	l.driven.Stop()
	l.failed = false
	l.flush()
	l.over()
}

func (l *life) over() {
	l.ended, l.serving = true, false
	if l.carrier != nil {
		l.carrier.stop()
	}
	if l.r.life == l {
		l.r.life = nil
	}
}

// kill ends a life together with its process: nobody hears anything.
func (l *life) kill() {
	l.gone = true
	l.answers = nil
	l.over()
}

// execute takes a command of anybody.
func (l *life) execute(q *request) {
	l.driven.Execute(q.ctx, q.decoded(), func(reply protocol.Reply, err error) {
		if !l.gone {
			l.answers = append(l.answers, answer{q, reply, err})
		}
	})
	l.w.mutant.answerEarly(l, q)
}

// Post is partitionactor.Host's, as all that follow.
func (l *life) Post(m any) { l.post(func() { l.driven.Handle(m) }) }

// After lets a message come later.
func (l *life) After(d time.Duration, m any) { l.w.after(d, func() { l.Post(m) }) }

// Fail ends this life; the next one begins soon.
func (l *life) Fail(error) { l.failed = true }

// Now is the clock on the wall.
func (l *life) Now() time.Time { return l.w.wall() }

// Random gives the incarnation first. It tells the lives of one term on one node
// apart and no more, so that nothing can rest on it alone.
func (l *life) Random() uint64 {
	l.drawn++
	if l.drawn == 1 {
		return uint64(l.r.node.id+1)<<16 | uint64(l.number+1)<<1
	}
	return l.w.rnd.Uint64()
}

// Propose brings an entry on its way.
func (l *life) Propose(entry []byte, done func(error)) {
	l.r.propose(&proposal{data: entry, from: l, done: done})
}

// Verify asks whether this node leads.
func (l *life) Verify(done func(error)) { l.r.verify(l, done) }

// Serving says that commands are taken.
func (l *life) Serving(uint64) { l.serving = true }

// Ended says that they are not.
func (l *life) Ended() { l.serving = false }

// Execute brings a command of the partition's own in.
func (l *life) Execute(c protocol.Command, done func(protocol.Reply, error)) {
	q := l.w.request(l.r.group.id, c, done)
	q.own = c
	l.post(func() { l.execute(q) })
}

func (l *life) distributor() distributor.Config {
	c := distributor.Config{
		Log: quiet, CompareEvery: 5 * time.Second, Repaired: l.repaired, Timeout: time.Hour,
		Saga: saga.Config{Window: 8, AckTimeout: time.Second, DeleteTimeout: 4 * time.Second},
	}
	if l.w.compares() {
		c.Partitions = l.w.partitions
	}
	return c
}

// compares tells whether partitions compare their definitions: that would make
// good what is lost without a check for gaps.
func (w *world) compares() bool { return w.mutant != noGapCheck }

// repaired is told of what a comparison found lacking: nothing ever is, unless a
// partition was restored to its past.
func (l *life) repaired(from protocol.PartitionID, n int) {
	if l.w.stats.Restores == 0 {
		l.w.fail("partition %d lacked %d definitions that partition %d has, although nothing was restored", l.r.group.id, n, from)
	}
}

// Distribute starts the carrier of the outbox.
func (l *life) Distribute(out actors.Outbox) func(any) {
	c := &carrier{life: l}
	c.mail = mailbox{w: l.w, turn: func(list []func()) {
		for _, f := range list {
			if !c.ended {
				f()
			}
		}
	}}
	l.carrier = c
	c.Carrier = distributor.NewCarrier(l.distributor(), c, &outbox{Outbox: out, life: l})
	c.mail.post(func() { must(c.Start()) })
	return func(m any) {
		if !c.ended {
			c.mail.post(func() { c.Handle(m) })
		}
	}
}

// Export has nothing to do: records are not wanted.
func (l *life) Export(raftadapter.Mark) func() { return func() {} }

// Exported is the zero value then.
func (l *life) Exported() partitionactor.ExportStatus { return partitionactor.ExportStatus{} }

// carrier is a distributor with its mailbox; it is its distributor.Host.
type carrier struct {
	*distributor.Carrier
	life  *life
	mail  mailbox
	ended bool
}

func (c *carrier) stop() {
	c.ended = true
	c.Stop()
}

// Turn lets something happen in a later turn.
func (c *carrier) Turn(f func()) {
	if !c.ended {
		c.mail.post(f)
	}
}

// After does so when time has passed.
func (c *carrier) After(d time.Duration, f func()) func() {
	cancelled := false
	c.life.w.after(d, func() {
		if !cancelled {
			c.Turn(f)
		}
	})
	return func() { cancelled = true }
}

// Now is a clock that does not jump.
func (c *carrier) Now() time.Time { return c.life.w.steady() }

// Random makes attempts of different leaderships differ.
func (c *carrier) Random() uint64 { return c.life.w.rnd.Uint64() }

// outbox is the leader's, with the simulation's network.
type outbox struct {
	actors.Outbox
	life *life
}

// Execute sends a command to another partition.
func (o *outbox) Execute(_ context.Context, p protocol.PartitionID, c protocol.Command, done func(protocol.Reply, error)) {
	o.life.w.ask(o.life.r.node.id, p, c, pushTimeout, o.life, done)
}

const pushTimeout = 3 * time.Second
