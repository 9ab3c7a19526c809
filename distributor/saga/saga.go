package saga

import (
	"fmt"
	"slices"
	"time"
)

// State is the saga of one leadership. It is not safe for concurrent use.
type State struct {
	cfg     Config
	now     time.Time
	running bool

	attemptsFrom uint64 // attempts of this State are those above it …
	attempt      uint64 // … up to this one, the last made

	byName   map[Channel]*channel // for look-up only: never ranged over
	channels []*channel           // ordered by target and lane
	touched  []*channel           // those the current Step must look at
	timers   timers
	wake     time.Time // the Tick that was asked for; zero if none
}

// New makes a State that waits for Started.
func New(cfg Config) *State {
	from := cfg.Seed << 32
	return &State{
		cfg:          cfg.withDefaults(),
		attemptsFrom: from,
		attempt:      from,
		byName:       map[Channel]*channel{},
	}
}

// Step takes one event and returns what must be done. It changes the State in
// place. The same events in the same order give the same actions.
//
// Its work depends on the rows and channels that the event names and on the
// size of one batch, not on how many rows are pending.
func (s *State) Step(ev Event) []Action {
	if t := ev.now(); t.After(s.now) {
		s.now = t
	}
	if ev, ok := ev.(Started); ok {
		s.start(ev)
	}
	if !s.running {
		return nil
	}
	switch ev := ev.(type) {
	case Started, Tick:
	case RowsAdded:
		s.add(ev.Rows)
	case Answer:
		s.answer(ev)
	case Deleted:
		s.deleted(ev)
	case DeleteFailed:
		s.deleteFailed(ev)
	case News:
		s.news(ev)
	case Stopped:
		s.forget()
		return nil
	default:
		panic(fmt.Sprintf("saga: no event: %T", ev))
	}
	s.expire()
	return s.act()
}

func (s *State) start(ev Started) {
	s.forget()
	s.running = true
	for _, t := range ev.Tables {
		s.add(t)
		// Rows of the table can have been sent by a former leader.
		c := s.channel(t.Channel)
		c.sendable = c.rows.last()
	}
}

func (s *State) forget() {
	s.running = false
	s.byName = map[Channel]*channel{}
	s.channels, s.touched = nil, nil
	s.timers = timers{}
	s.wake = time.Time{}
}

func (s *State) add(t Rows) {
	c := s.channel(t.Channel)
	for _, row := range t.Rows {
		if row.Seq > c.gone {
			c.rows.add(row)
		}
	}
	s.touch(c)
}

// channel finds a channel or makes it. Channels stay: there are few.
func (s *State) channel(name Channel) *channel {
	if c := s.byName[name]; c != nil {
		return c
	}
	c := &channel{name: name, slot: noSlot}
	i, _ := slices.BinarySearchFunc(s.channels, name, func(c *channel, name Channel) int { return c.name.compare(name) })
	s.channels = slices.Insert(s.channels, i, c)
	s.byName[name] = c
	return c
}

func (s *State) touch(c *channel) {
	if !c.touched {
		c.touched = true
		s.touched = append(s.touched, c)
	}
}

// news ends the waits of a target's channels, see [News].
func (s *State) news(ev News) {
	for _, c := range s.channels {
		if ev.Target != 0 && ev.Target != c.name.Target {
			continue
		}
		c.fails = 0
		c.retryAt = time.Time{}
		c.hurry(s.now, s.cfg.RetryMin)
		s.touch(c)
	}
}

// expire ends the waits whose time is over. It comes after the event itself, so
// that an answer counts even if it comes together with its deadline.
func (s *State) expire() {
	if !s.wake.After(s.now) {
		s.wake = time.Time{}
	}
	for {
		c := s.timers.popDue(s.now)
		if c == nil {
			return
		}
		c.expireFlight(s.now, s.cfg.AckTimeout)
		c.expireDeletion(s.now, s.cfg.DeleteTimeout)
		if !c.retryAt.After(s.now) {
			c.retryAt = time.Time{}
		}
		s.touch(c)
	}
}

// act makes the actions of the channels that were touched.
func (s *State) act() []Action {
	slices.SortFunc(s.touched, func(a, b *channel) int { return a.name.compare(b.name) })
	var out []Action
	if acks := s.dueDeletions(); len(acks) > 0 {
		out = append(out, Delete{Acks: acks})
	}
	for _, c := range s.touched {
		if a := s.try(c); a != nil {
			out = append(out, a)
		}
		s.timers.set(c, c.nextDue())
		c.touched = false
	}
	s.touched = s.touched[:0]
	if t, ok := s.timers.next(); ok && (s.wake.IsZero() || t.Before(s.wake)) {
		s.wake = t
		out = append(out, WakeAt{At: t})
	}
	return out
}

// try starts the next attempt of a channel, if it is free and has rows.
func (s *State) try(c *channel) Action {
	if c.flight.attempt != 0 || !c.retryAt.IsZero() {
		return nil
	}
	from, ok := c.rows.after(c.acked)
	if !ok {
		c.needBase = false
		return nil
	}
	s.attempt++
	c.tries++
	c.flight = flight{attempt: s.attempt, from: from, base: c.needBase, heardAt: s.now, deadline: s.now.Add(s.cfg.AckTimeout)}
	if c.needBase {
		return SendBase{Channel: c.name, Attempt: s.attempt, First: from}
	}
	to, bytes := c.rows.batch(from, s.cfg.Window, s.cfg.WindowBytes)
	c.flight.to = to
	c.sendable = max(c.sendable, to)
	return Send{Channel: c.name, Attempt: s.attempt, From: from, To: to, Bytes: bytes}
}
