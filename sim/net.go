package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/protocol"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// request is a command on its way through the network, with whoever waits for
// its answer. It travels as bytes.
type request struct {
	w       *world
	id      uint64
	from    int // node
	p       protocol.PartitionID
	bytes   []byte
	own     protocol.Command // instead, if it is the partition's own
	settled bool
	ctx     context.Context
	cancel  func()
	by      *life // who listens for the answer, nil: a client
	byLife  int   // of by's partition
	done    func(protocol.Reply, error)
	life    int // of the partition that is asked, see group.life
	asked   time.Duration
}

func (w *world) request(p protocol.PartitionID, c protocol.Command, done func(protocol.Reply, error)) *request {
	w.requests++
	q := &request{w: w, id: w.requests, from: -1, p: p, bytes: protocol.EncodeCommand(nil, c), done: done, life: w.group(p).life, asked: w.now}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	return q
}

func (q *request) decoded() protocol.Command {
	if q.own != nil {
		return q.own
	}
	c, err := protocol.DecodeCommand(q.bytes)
	must(err)
	return c
}

// settle tells who has asked, once.
func (q *request) settle(reply protocol.Reply, err error) {
	if q.settled {
		return
	}
	q.settled = true
	q.cancel()
	if q.by == nil || !q.by.ended {
		q.done(reply, err)
	}
}

// ask sends a command from a node to the leader of a partition, as that node
// believes. Without an answer in time its outcome is unknown.
func (w *world) ask(from int, p protocol.PartitionID, c protocol.Command, timeout time.Duration, by *life, done func(protocol.Reply, error)) {
	q := w.request(p, c, done)
	if q.from, q.by = from, by; by != nil {
		q.byLife = by.r.group.life
	}
	to, known := w.route(from, p)
	if !known {
		w.after(w.between(0, 5*time.Millisecond), func() { q.settle(nil, protocol.Refuse(protocol.Unreachable, p, "no leader is known")) })
		return
	}
	w.after(timeout, func() {
		q.settle(nil, fmt.Errorf("%w: no answer in time", protocol.ErrOutcomeUnknown))
	})
	if !w.reaches(from, to) && w.chance(50) {
		w.after(w.between(0, 20*time.Millisecond), func() { q.settle(nil, protocol.Refuse(protocol.Unreachable, p, "the link is down")) })
		return
	}
	w.send(from, to, func() { q.arrive(to) })
	if again(c) && w.chance(w.conf.Double) && !w.calm {
		w.stats.Doubled++
		w.send(from, to, func() { q.arrive(to) })
	}
}

// again tells which commands the network may double: those that partitions send
// each other until they are answered.
func again(c protocol.Command) bool {
	switch c.Kind() {
	case protocol.KindReceive, protocol.KindTakeBase, protocol.KindPullDefinition:
		return true
	}
	return false
}

// route is who leads a partition: what the own replica says, or the last that was
// heard.
func (w *world) route(from int, p protocol.PartitionID) (int, bool) {
	n, g := w.nodes[from], w.group(p)
	if r := n.replicas[p]; r != nil && r.leads {
		return from, true
	}
	if g.leader >= 0 && w.linked(from, g.leader) && (w.calm || !w.chance(w.conf.Stale)) {
		n.believes[p] = g.leader
	}
	to, known := n.believes[p]
	return to, known
}

// send carries something between two nodes, if it arrives at all.
func (w *world) send(from, to int, arrive func()) {
	if !w.calm && from != to && w.chance(w.conf.Lose) {
		w.stats.Lost++
		return
	}
	d := w.between(0, 3*time.Millisecond)
	if !w.calm && w.chance(w.conf.Late) {
		d = w.between(0, 2*time.Second)
	}
	w.after(d, func() {
		if w.reaches(from, to) && w.nodes[to].up {
			arrive()
		}
	})
}

// arrive hands a command to the leader of a node, if it has one.
func (q *request) arrive(to int) {
	w := q.w
	r := w.nodes[to].replicas[q.p]
	if w.group(q.p).life != q.life || q.by != nil && q.by.r.group.life != q.byLife {
		return // it comes from before a restore, which takes longer than any message
	}
	if r == nil || r.life == nil || !r.life.serving {
		q.back(to, nil, protocol.Refuse(protocol.NotLeader, q.p, ""))
		return
	}
	l := r.life
	l.post(func() {
		if !l.serving {
			q.answered(l, nil, protocol.Refuse(protocol.NotLeader, q.p, ""))
			return
		}
		w.mutant.before(l, q)
		l.execute(q)
	})
}

// answered takes a leader's answer.
func (q *request) answered(l *life, reply protocol.Reply, err error) {
	w := q.w
	w.note("partition %d answers %d: %s", q.p, q.id, answerText(reply, err))
	if errors.Is(err, protocol.ErrInternal) {
		w.fail("partition %d: a command has failed on a mistake of ours: %v", q.p, err)
	}
	w.books.answered(q, reply)
	if q.from < 0 {
		q.settle(reply, err) // of the partition's own
		return
	}
	q.back(l.r.node.id, reply, err)
}

// back carries an answer to who has asked.
func (q *request) back(node int, reply protocol.Reply, err error) {
	bytes := protocol.EncodeAnswer(nil, reply, err)
	q.w.send(node, q.from, func() { q.settle(protocol.DecodeAnswer(bytes)) })
}

func answerText(reply protocol.Reply, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%x", protocol.EncodeAnswer(nil, reply, nil))
}

// news tells everybody that a node is back, newsOf that a partition has a leader.
func (w *world) news(int) {
	for p := range w.groups {
		w.newsOf(protocol.PartitionID(p + 1))
	}
}

func (w *world) newsOf(p protocol.PartitionID) {
	for _, g := range w.groups {
		for _, r := range g.members {
			if l := r.life; l != nil && l.serving && (w.calm || !w.chance(30)) {
				l.post(func() { l.driven.Handle(actors.LinkNews{Partition: p}) })
			}
		}
	}
}
