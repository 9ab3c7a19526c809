package saga_test

import (
	"fmt"
	"reflect"
	"time"

	"github.com/grevy-io/grevy/distributor/saga"
	"github.com/grevy-io/grevy/protocol"
)

// checker stands between a test and a State. It keeps its own, dumb idea of the
// table and of what was said, and fails on the first action that breaks a rule
// of the package comment. It also records everything for a replay.
type checker struct {
	cfg      saga.Config
	state    *saga.State
	fail     func(format string, args ...any)
	now      time.Time
	wake     time.Time
	running  bool
	channels map[saga.Channel]*checked
	issued   map[uint64]bool // attempts
	events   []saga.Event
	actions  [][]saga.Action
}

// checked is what the checker knows of one channel.
type checked struct {
	table    map[saga.Seq]int // rows in the table and their sizes
	sendable map[saga.Seq]bool
	highest  saga.Seq // of sendable
	gone     saga.Seq // deleted up to here
	settled  saga.Seq // the highest row that anybody entitled to it said is settled
	deleting saga.Seq // 0: no deletion is under way
	since    time.Time
	based    saga.Seq // a base covers the rows up to here
	flight   uint64   // attempt under way
	to       saga.Seq
	base     bool
	heard    time.Time
	news     bool
}

func newChecker(cfg saga.Config, fail func(string, ...any)) *checker {
	k := &checker{cfg: cfg, state: saga.New(cfg), fail: fail}
	k.channels, k.issued = map[saga.Channel]*checked{}, map[uint64]bool{}
	return k
}

func (k *checker) channel(c saga.Channel) *checked {
	if k.channels[c] == nil {
		k.channels[c] = &checked{table: map[saga.Seq]int{}, sendable: map[saga.Seq]bool{}}
	}
	return k.channels[c]
}

// step notes the event, feeds it and checks what comes back.
func (k *checker) step(now time.Time, ev saga.Event) []saga.Action {
	if now.After(k.now) {
		k.now = now
	}
	k.note(ev)
	actions := k.state.Step(ev)
	k.events = append(k.events, ev)
	k.actions = append(k.actions, actions)
	if !k.running && len(actions) > 0 {
		k.fail("%v although it is not running", actions)
	}
	for i, a := range actions {
		switch a := a.(type) {
		case saga.Delete:
			k.checkDelete(i, a)
		case saga.Send:
			k.checkSend(a)
		case saga.SendBase:
			k.checkAttempt(a.Channel, a.Attempt, a.First, a)
			k.took(a.Channel, a.Attempt, true)
		case saga.WakeAt:
			if !a.At.After(k.now) || i != len(actions)-1 {
				k.fail("%s at %s, action %d of %d", a, k.now, i, len(actions))
			}
			k.wake = a.At
		}
	}
	k.checkRest()
	return actions
}

func (k *checker) note(ev saga.Event) {
	switch ev := ev.(type) {
	case saga.Started:
		k.running = true
		k.channels = map[saga.Channel]*checked{}
		k.wake = time.Time{}
		for _, t := range ev.Tables {
			k.added(t, true)
		}
	case saga.Stopped:
		k.running = false
	case saga.RowsAdded:
		k.added(ev.Rows, false)
	case saga.Answer:
		k.answered(ev)
	case saga.Deleted:
		for _, ack := range ev.Acks {
			ch := k.channel(ack.Channel)
			for seq := range ch.table {
				if seq <= ack.UpTo {
					delete(ch.table, seq)
				}
			}
			ch.gone = max(ch.gone, ack.UpTo)
			ch.settle(ack.UpTo)
			if ch.deleting <= ack.UpTo {
				ch.deleting = 0
			}
		}
	case saga.DeleteFailed:
		for _, ack := range ev.Acks {
			if ch := k.channel(ack.Channel); ch.deleting == ack.UpTo {
				ch.deleting = 0
			}
		}
	case saga.News:
		for c, ch := range k.channels {
			ch.news = ch.news || ev.Target == 0 || ev.Target == c.Target
		}
	}
}

func (k *checker) added(t saga.Rows, start bool) {
	ch := k.channel(t.Channel)
	for _, row := range t.Rows {
		if row.Seq <= ch.gone {
			continue
		}
		if _, ok := ch.table[row.Seq]; !ok {
			ch.table[row.Seq] = row.Size
		}
		// Rows come in order: one below those that can have been sent can too.
		if start || row.Seq <= ch.highest {
			ch.maySend(row.Seq)
		}
	}
}

func (ch *checked) maySend(seq saga.Seq) {
	ch.sendable[seq] = true
	ch.highest = max(ch.highest, seq)
}

// settle notes rows that are settled on the word of somebody entitled to say so.
func (ch *checked) settle(upTo saga.Seq) {
	ch.settled = max(ch.settled, upTo)
	ch.highest = max(ch.highest, upTo)
	if !ch.base && ch.to <= upTo {
		ch.flight = 0
	}
}

func (k *checker) answered(ev saga.Answer) {
	ch := k.channel(ev.Channel)
	switch r := ev.Result.(type) {
	case saga.Acked:
		if k.issued[ev.Attempt] && r.UpTo <= ch.highest {
			ch.settle(r.UpTo)
		}
	case saga.Based:
		if ev.Attempt == ch.flight && ch.base {
			ch.based = max(ch.based, r.UpTo)
			ch.settle(r.UpTo)
		}
	case saga.NeedBodies:
		if ev.Attempt == ch.flight {
			ch.heard = k.now
		}
		return
	}
	if ev.Attempt == ch.flight {
		ch.flight = 0
	}
}

func (k *checker) took(c saga.Channel, attempt uint64, base bool) {
	ch := k.channel(c)
	ch.flight, ch.base, ch.heard, ch.news = attempt, base, k.now, false
	k.issued[attempt] = true
}

// checkAttempt: one at a time, with the oldest row that is not settled.
func (k *checker) checkAttempt(c saga.Channel, attempt uint64, from saga.Seq, a saga.Action) {
	ch := k.channel(c)
	silent := k.now.Sub(ch.heard)
	over := silent >= k.cfg.AckTimeout || ch.news && silent >= k.cfg.RetryMin
	if ch.flight != 0 && !over {
		k.fail("%s while attempt %d is under way since %s", a, ch.flight, silent)
	}
	if k.issued[attempt] {
		k.fail("%s has the number of an earlier attempt", a)
	}
	for seq := range ch.table {
		if seq < from && seq > ch.settled {
			k.fail("%s skips row %d, settled is %d", a, seq, ch.settled)
		}
	}
	if _, ok := ch.table[from]; !ok {
		k.fail("%s: row %d is not in the table", a, from)
	}
}

func (k *checker) checkSend(a saga.Send) {
	k.checkAttempt(a.Channel, a.Attempt, a.From, a)
	ch := k.channel(a.Channel)
	bytes := 0
	for seq := a.From; seq <= a.To; seq++ {
		size, ok := ch.table[seq]
		if !ok {
			k.fail("%s: row %d is not in the table", a, seq)
		}
		bytes += size
		ch.maySend(seq)
	}
	switch {
	case a.From > a.To:
		k.fail("%s sends nothing", a)
	case bytes != a.Bytes:
		k.fail("%s: the rows have %d bytes", a, bytes)
	case a.To-a.From >= saga.Seq(k.cfg.Window), bytes > k.cfg.WindowBytes && a.From != a.To:
		k.fail("%s is over the window", a)
	}
	ch.to = a.To
	k.took(a.Channel, a.Attempt, false)
}

func (k *checker) checkDelete(i int, a saga.Delete) {
	if i != 0 {
		k.fail("%s is action %d", a, i)
	}
	for _, ack := range a.Acks {
		ch := k.channel(ack.Channel)
		if ch.deleting != 0 && k.now.Sub(ch.since) < k.cfg.DeleteTimeout {
			k.fail("%s while the one up to %d is under way", a, ch.deleting)
		}
		if ack.UpTo > ch.settled {
			k.fail("%s: only rows up to %d were said to be settled", a, ch.settled)
		}
		rows := 0
		for seq := range ch.table {
			if seq <= ack.UpTo {
				rows++
				if !ch.sendable[seq] && seq > ch.based {
					k.fail("%s: row %d was never sent", a, seq)
				}
			}
		}
		if rows == 0 {
			k.fail("%s deletes nothing of %s", a, ack.Channel)
		}
		for j, r := range ack.Refused {
			if r.Seq > ack.UpTo || j > 0 && r.Seq <= ack.Refused[j-1].Seq {
				k.fail("%s: refusals out of order or range", a)
			}
		}
		ch.deleting, ch.since = ack.UpTo, k.now
	}
}

// checkRest: the State knows the rows of the table, and whatever is left to do
// has a time at which it goes on.
func (k *checker) checkRest() {
	if !k.running {
		return
	}
	seen := map[saga.Channel]bool{}
	for _, st := range k.state.Status() {
		ch := k.channel(st.Channel)
		seen[st.Channel] = true
		if st.Pending+st.Deleting != len(ch.table) {
			k.fail("%s: %d pending and %d being deleted of %d rows in the table", st.Channel, st.Pending, st.Deleting, len(ch.table))
		}
		if st.Pending > 0 && st.Phase == saga.Idle {
			k.fail("%s is idle with %d rows pending", st.Channel, st.Pending)
		}
		if st.Deleting > 0 && ch.deleting == 0 && st.DeleteError == "" {
			k.fail("%s: %d settled rows are not being deleted", st.Channel, st.Deleting)
		}
		if st.Pending > 0 && (!k.wake.After(k.now) || k.wake.Sub(k.now) > max(k.cfg.AckTimeout, k.cfg.RetryMax)) {
			k.fail("%s waits, but the next wake is %s away", st.Channel, k.wake.Sub(k.now))
		}
	}
	for c, ch := range k.channels {
		if len(ch.table) > 0 && !seen[c] {
			k.fail("%s has %d rows and is not known", c, len(ch.table))
		}
	}
}

// replay runs the recorded events through a new State and compares the actions.
func (k *checker) replay() error {
	s := saga.New(k.cfg)
	for i, ev := range k.events {
		if got := s.Step(ev); !reflect.DeepEqual(got, k.actions[i]) {
			return fmt.Errorf("event %d, %T: first %s, then %s", i, ev, k.actions[i], got)
		}
	}
	return nil
}

func outboxChannel(target int, lane saga.Lane) saga.Channel {
	return saga.Channel{Target: protocol.PartitionID(target), Lane: lane}
}
