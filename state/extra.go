package state

import (
	"encoding/binary"

	"github.com/grevy-io/grevy/protocol"
)

// Extra is what only some element instances have. It stands at the end of their
// records; those without it have none of its bytes.
type Extra struct {
	// Timers are those that the element waits for: its own, those of its boundary
	// events, or those of the event sub-processes inside it.
	Timers []Timer
	// Pending is what happens once all inside has ended.
	Pending *Pending
	// Called is the instance that a call activity has started; Caller is the call
	// activity that has started an instance, which is Depth calls deep.
	Called, Caller protocol.Key
	Depth          int64
	// Loop is that of the body around the instances of a multi-instance activity;
	// Index is the number of one of them, from 1.
	Loop  *Loop
	Index int64
	// Subscriptions are the messages and signals that the element waits for, like
	// its timers.
	Subscriptions []Subscription
	// StartKey is the correlation key of the message that has started an instance:
	// no other of the process begins by it until this one ends.
	StartKey string
	// Happened says of an event behind an event-based gateway that it is not
	// waited for any more.
	Happened bool
	// Vacates says of an element that a modification ends: if this leaves its
	// scope empty, the scope ends too.
	Vacates bool
	// Listener is the number of the execution listener whose job is the element's,
	// from 1.
	Listener int64
	// UserTask is the key of a user task that has no job.
	UserTask protocol.Key
	// Compensation is nil for what has nothing to do with it.
	Compensation *Compensation
}

// Loop is how far a multi-instance activity is. Terminated counts the instances
// that have ended without being done.
type Loop struct{ Total, Created, Done, Terminated int64 }

// Subscription is a message or signal that an element instance waits for.
type Subscription struct {
	Key protocol.Key
	// Event is the id of the event, as with Timer.
	Event string
	Name  string
	// CorrelationKey is that of the message; signals have none.
	CorrelationKey string
	Signal         bool
}

// Timer is a point in time at which an event happens. It is found by time in
// TableTimer.
type Timer struct {
	Key protocol.Key
	Due int64 // ms since 1970, never negative
	// Event is the id of the event: the element itself, a boundary event of it,
	// the start event of an event sub-process.
	Event string
	// Repeats is how often it still fires, this time included; -1: for ever.
	Repeats int64
	// Cycle is the text from which the next time follows, empty if there is none.
	Cycle string
}

// Pending is what follows when an element has been interrupted.
type Pending struct {
	// Event is the event that takes over; empty: the scope completes.
	Event string
	// Variables are those that came with the event.
	Variables []Variable
}

// The parts of an Extra, as bits of its first number.
const (
	extraTimers = 1 << iota
	extraPending
	extraCalled
	extraCaller
	extraLoop
	extraIndex
	extraHappened
	extraSubscriptions
	extraListener
	extraCompensation
	extraStartKey
	extraVacates
	extraUserTask
	extraKnown = 1<<iota - 1
)

func (x *Extra) parts() (bits uint64) {
	if x == nil {
		return 0
	}
	if len(x.Timers) > 0 {
		bits |= extraTimers
	}
	if x.Pending != nil {
		bits |= extraPending
	}
	if x.Called != 0 {
		bits |= extraCalled
	}
	if x.Caller != 0 {
		bits |= extraCaller
	}
	if x.Loop != nil {
		bits |= extraLoop
	}
	if x.Index != 0 {
		bits |= extraIndex
	}
	if x.Happened {
		bits |= extraHappened
	}
	if x.Vacates {
		bits |= extraVacates
	}
	if x.Listener != 0 {
		bits |= extraListener
	}
	if len(x.Subscriptions) > 0 {
		bits |= extraSubscriptions
	}
	if !x.Compensation.empty() {
		bits |= extraCompensation
	}
	if x.StartKey != "" {
		bits |= extraStartKey
	}
	if x.UserTask != 0 {
		bits |= extraUserTask
	}
	return bits
}

// appendExtra encodes what is there of x; nothing if that is nothing.
func appendExtra(b []byte, x *Extra) []byte {
	bits := x.parts()
	if bits == 0 {
		return b
	}
	b = protocol.AppendUint(b, bits)
	if bits&extraTimers != 0 {
		b = appendTimers(b, x.Timers)
	}
	if bits&extraPending != 0 {
		b = appendVariables(protocol.AppendString(b, x.Pending.Event), x.Pending.Variables)
	}
	if bits&extraCalled != 0 {
		b = protocol.AppendInt(b, int64(x.Called))
	}
	if bits&extraCaller != 0 {
		b = protocol.AppendInt(protocol.AppendInt(b, int64(x.Caller)), x.Depth)
	}
	if bits&extraLoop != 0 {
		for _, n := range [...]int64{x.Loop.Total, x.Loop.Created, x.Loop.Done, x.Loop.Terminated} {
			b = protocol.AppendInt(b, n)
		}
	}
	if bits&extraIndex != 0 {
		b = protocol.AppendInt(b, x.Index)
	}
	if bits&extraSubscriptions != 0 {
		b = appendSubscriptions(b, x.Subscriptions)
	}
	if bits&extraListener != 0 {
		b = protocol.AppendInt(b, x.Listener)
	}
	if bits&extraCompensation != 0 {
		b = appendCompensation(b, x.Compensation)
	}
	if bits&extraStartKey != 0 {
		b = protocol.AppendString(b, x.StartKey)
	}
	if bits&extraUserTask != 0 {
		b = protocol.AppendInt(b, int64(x.UserTask))
	}
	return b
}

// readExtra decodes what stands at the end of a record, nil if nothing does.
func readExtra(r *protocol.Reader) (*Extra, error) {
	if r.Len() == 0 {
		return nil, r.Err()
	}
	bits := r.Uint()
	if bits == 0 || bits&^extraKnown != 0 {
		return nil, protocol.ErrCorrupt
	}
	x := &Extra{}
	if bits&extraTimers != 0 {
		x.Timers = readTimers(r)
	}
	if bits&extraPending != 0 {
		x.Pending = &Pending{Event: text(r), Variables: readVariables(r)}
	}
	if bits&extraCalled != 0 {
		x.Called = r.Key()
	}
	if bits&extraCaller != 0 {
		x.Caller, x.Depth = r.Key(), r.Int()
	}
	if bits&extraLoop != 0 {
		x.Loop = &Loop{Total: r.Int(), Created: r.Int(), Done: r.Int(), Terminated: r.Int()}
	}
	if bits&extraIndex != 0 {
		x.Index = r.Int()
	}
	x.Happened = bits&extraHappened != 0
	x.Vacates = bits&extraVacates != 0
	if bits&extraSubscriptions != 0 {
		x.Subscriptions = readSubscriptions(r)
	}
	if bits&extraListener != 0 {
		x.Listener = r.Int()
	}
	if bits&extraCompensation != 0 {
		x.Compensation = readCompensation(r)
	}
	if bits&extraStartKey != 0 {
		x.StartKey = r.String()
	}
	if bits&extraUserTask != 0 {
		x.UserTask = r.Key()
	}
	return x, r.Err()
}

// More returns e's Extra, and makes one if there is none.
func (e *ElementInstance) More() *Extra {
	if e.Extra == nil {
		e.Extra = &Extra{}
	}
	return e.Extra
}

func appendTimers(b []byte, list []Timer) []byte {
	b = protocol.AppendUint(b, uint64(len(list)))
	for i := range list {
		t := &list[i]
		b = protocol.AppendInt(protocol.AppendInt(b, int64(t.Key)), t.Due)
		b = protocol.AppendInt(protocol.AppendString(b, t.Event), t.Repeats)
		b = protocol.AppendString(b, t.Cycle)
	}
	return b
}

func readTimers(r *protocol.Reader) []Timer {
	list := make([]Timer, r.Count(5))
	for i := range list {
		list[i] = Timer{Key: r.Key(), Due: r.Int(), Event: text(r), Repeats: r.Int(), Cycle: text(r)}
	}
	return list
}

func appendSubscriptions(b []byte, list []Subscription) []byte {
	b = protocol.AppendUint(b, uint64(len(list)))
	for i := range list {
		s := &list[i]
		b = protocol.AppendString(protocol.AppendString(protocol.AppendInt(b, int64(s.Key)), s.Event), s.Name)
		b = protocol.AppendBool(protocol.AppendString(b, s.CorrelationKey), s.Signal)
	}
	return b
}

func readSubscriptions(r *protocol.Reader) []Subscription {
	list := make([]Subscription, r.Count(5))
	for i := range list {
		list[i] = Subscription{Key: r.Key(), Event: text(r), Name: text(r), CorrelationKey: text(r), Signal: r.Bool()}
	}
	return list
}

// AddTimer makes the element wait for a timer. The caller writes its record.
func (t *Tx) AddTimer(e *ElementInstance, timer Timer) {
	e.More().Timers = append(e.Extra.Timers, timer)
	t.Insert(TableTimer.Of(uint64(timer.Due), uint64(timer.Key)), protocol.AppendInt(nil, int64(e.Key)))
}

// DeleteTimers forgets all timers of the element. The caller writes its record.
func (t *Tx) DeleteTimers(e *ElementInstance) {
	if e.Extra == nil {
		return
	}
	for i := range e.Extra.Timers {
		t.deleteTimerRow(&e.Extra.Timers[i])
	}
	e.Extra.Timers = nil
}

// DeleteTimer forgets one timer of the element and returns it, nil if the
// element does not wait for it.
func (t *Tx) DeleteTimer(e *ElementInstance, key protocol.Key) *Timer {
	if e.Extra == nil {
		return nil
	}
	for i, timer := range e.Extra.Timers {
		if timer.Key == key {
			t.deleteTimerRow(&timer)
			e.Extra.Timers = append(e.Extra.Timers[:i:i], e.Extra.Timers[i+1:]...)
			return &timer
		}
	}
	return nil
}

func (t *Tx) deleteTimerRow(timer *Timer) {
	t.Delete(TableTimer.Of(uint64(timer.Due), uint64(timer.Key)))
}

// DueTimer is a row of TableTimer. One without an element starts instances of a
// definition.
type DueTimer struct{ Timer, Element, Definition protocol.Key }

// DueTimers lists up to limit timers whose time is not after now, earliest
// first.
func (t *Tx) DueTimers(now int64, limit int) (list []DueTimer) {
	t.Scan([]byte{byte(TableTimer)}, nil, func(key, value []byte) bool {
		if len(list) == limit || len(key) != 17 || binary.BigEndian.Uint64(key[1:]) > uint64(now) {
			return false
		}
		r := protocol.NewReader(value)
		d := DueTimer{Timer: protocol.Key(number(key, 0)), Element: r.Key()}
		if d.Element == 0 {
			d.Definition = r.Key()
		}
		list = append(list, d)
		if err := r.Done(); err != nil {
			t.Fail(err)
		}
		return true
	})
	return list
}
