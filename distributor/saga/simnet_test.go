package saga_test

import (
	"time"

	"github.com/grevy-io/grevy/distributor/saga"
)

// This file is the network and the receivers of the simulation.

// deliver lets a message arrive: once, twice or never, now or later.
func (w *world) deliver(c saga.Channel, arrive func()) {
	copies := 1
	if !w.calm {
		switch n := w.rng.IntN(100); {
		case n < 10:
			copies = 0
		case n < 20:
			copies = 2
		}
	}
	for range copies {
		w.after(w.delay(), func() {
			if !w.cut[c.Target] {
				arrive()
			}
		})
	}
}

func (w *world) send(a saga.Send) {
	w.stats.Sends++
	if w.cut[a.Channel.Target] && w.chance(70) {
		w.after(time.Millisecond, func() { w.answerTo(a.Channel, a.Attempt, saga.Unreachable{Reason: "cut"}) })
		return
	}
	w.deliver(a.Channel, func() { w.receive(a) })
}

// receive is a receiver's leader: inbox first, then apply, then answer from what
// is applied. It may take a part only, be busy, or not be the leader.
func (w *world) receive(a saga.Send) {
	r := w.receivers[a.Channel]
	back := func(res saga.Result) {
		w.deliver(a.Channel, func() { w.answerTo(a.Channel, a.Attempt, res) })
	}
	if !w.calm {
		switch n := w.rng.IntN(100); {
		case n < 5:
			back(saga.NotLeader{})
			return
		case n < 10:
			back(saga.Busy{After: w.delay()})
			return
		case n < 13:
			back(saga.Failed{Reason: "stream reset"})
			if w.chance(50) {
				return // the other half is applied nevertheless
			}
		case n < 20:
			back(saga.NeedBodies{})
		}
	}
	if a.From > r.inbox+1 {
		w.stats.Gaps++
		back(saga.Gap{Next: r.inbox + 1})
		return
	}
	to := a.To
	if !w.calm && w.chance(10) {
		to = a.From + saga.Seq(w.rng.Uint64N(uint64(a.To-a.From)+1))
	}
	if a.From <= r.inbox {
		w.stats.Resent += int(min(a.To, r.inbox)-a.From) + 1
	}
	for seq := r.inbox + 1; seq <= to; seq++ {
		r.got = append(r.got, seq)
		r.inbox = seq
	}
	back(saga.Acked{UpTo: r.inbox, Refused: refusedUpTo(r.inbox)})
}

// refusedUpTo is what a receiver tells of its refusals: every 17th row.
func refusedUpTo(seq saga.Seq) []saga.Refusal {
	var out []saga.Refusal
	for s := saga.Seq(17); s <= seq; s += 17 {
		out = append(out, saga.Refusal{Seq: s, Reason: "every 17th"})
	}
	return out
}

// sendBase offers the base as of what the sender has committed.
func (w *world) sendBase(a saga.SendBase) {
	w.stats.Bases++
	at := w.last[a.Channel]
	w.deliver(a.Channel, func() {
		r := w.receivers[a.Channel]
		for seq := r.inbox + 1; seq <= at; seq++ {
			r.got = append(r.got, seq)
			r.inbox = seq
		}
		w.deliver(a.Channel, func() { w.answerTo(a.Channel, a.Attempt, saga.Based{UpTo: r.inbox}) })
	})
}

// answerTo brings an answer to whoever leads now: answers to a former leader's
// attempts do come to its successor.
func (w *world) answerTo(c saga.Channel, attempt uint64, res saga.Result) {
	if _, ok := res.(saga.Acked); ok && w.k.issued[attempt] && w.k.channel(c).flight != attempt {
		w.stats.LateAcks++
	}
	w.step(saga.Answer{Now: w.now, Channel: c, Attempt: attempt, Result: res})
}
