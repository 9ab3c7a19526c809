package engine

import (
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"slices"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// This file keeps work that fails from holding up other work. A client's command
// that writes too much, or that hits a mistake of ours, fails as a whole, and its
// sender is told. What a leader does by itself has no sender: it would be tried
// for ever, and all timers or all suspended work would wait behind one. So it is
// done again in ever smaller parts, until one unit of work stands alone; that
// becomes an incident, or, if it is a row of another partition, a refusal.

// Unit is the smallest part of such a command.
type Unit struct {
	kind unitKind
	op   stepOp
	key  protocol.Key // of the element instance, job, timer, message or waiting, or the seq of a row
	of   protocol.Key // the element instance or definition of a timer, the signal of a waiting
}

type unitKind byte

const (
	unitStep unitKind = iota + 1
	unitTimer
	unitJob
	unitSignal // a signal that happens at one who waits for it
	unitRow
	unitExpiry
	unitDrain
)

var unitNames = map[unitKind]string{
	unitStep: "step of element instance", unitTimer: "timer", unitJob: "deadline of job", unitSignal: "signal at subscription",
	unitRow: "row", unitExpiry: "expiry of message", unitDrain: "walk for deleted definitions",
}

// String names the unit for a log.
func (u Unit) String() string { return fmt.Sprintf("%s %d", unitNames[u.kind], u.key) }

// care bounds one try of a command.
type care struct {
	most  int    // units; 0: no bound
	blame *unfit // is not done
}

// unfit is a unit that cannot be done, and what becomes its incident.
type unfit struct {
	Unit
	kind, text string
}

// Panic is a mistake of ours that a command has hit.
type Panic struct {
	Value any
	Stack string
}

// Error tells what was said by whoever panicked.
func (p *Panic) Error() string {
	return fmt.Sprintf("%v: the command was not executed: %v", protocol.ErrInternal, p.Value)
}

// Unwrap makes it an internal error.
func (p *Panic) Unwrap() error { return protocol.ErrInternal }

// recordsPerWrite is how many times as large as its writes the records of a command
// may be: they repeat with each change what stands in the state once.
const recordsPerWrite = 4

// TooLarge tells that a command would write more than limit bytes, or records of more
// than four times that; nil if it would not.
func TooLarge(tx *state.Tx, limit int) error {
	if n := tx.Size(); n > limit {
		return &errTooLarge{n, limit}
	}
	if n := tx.RecordBytes(); n > recordsPerWrite*limit {
		return &errTooLarge{n, recordsPerWrite * limit}
	}
	return nil
}

// errTooLarge says what a command would write.
type errTooLarge struct{ size, limit int }

func (e *errTooLarge) Error() string {
	return fmt.Sprintf("Expected to write at most %d bytes at once, but %d bytes would be written. Reduce the size of the variables", e.limit, e.size)
}

// Try is Execute, and a panic of it is an error that wraps [protocol.ErrInternal].
// The writes belong to nobody then.
func (e *Engine) Try(tx *state.Tx, cmd protocol.Command, now int64) (out Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			e.Discard()
			err = &Panic{Value: p, Stack: string(debug.Stack())}
		}
	}()
	return e.Execute(tx, cmd, now)
}

// Insist executes a command that must not fail as a whole: one of the leader's own,
// or rows of another partition. No try may be [TooLarge]. failed is told why a try
// was thrown away, and which unit of work, if it was one alone.
func (e *Engine) Insist(tx *state.Tx, cmd protocol.Command, now int64, limit int, failed func(err error, alone *Unit)) (Outcome, error) {
	defer func() { e.care = care{} }()
	for {
		tx.Reset()
		out, err := e.Try(tx, cmd, now)
		if err == nil && out.Err == nil && out.Miss == nil {
			err = TooLarge(tx, limit)
		}
		if err == nil {
			return out, nil
		}
		if !isolates(err) {
			return Outcome{}, err
		}
		e.Discard() // what it remembers of this try is not so
		more, alone := e.narrow(err)
		failed(err, alone)
		if !more {
			return Outcome{}, err
		}
	}
}

// isolates tells whether a failure may lie in one unit of work.
func isolates(err error) bool {
	var large *errTooLarge
	return errors.As(err, &large) || errors.Is(err, protocol.ErrInternal) || errors.Is(err, protocol.ErrCorrupt)
}

// narrow makes the next try smaller. alone is the unit that cannot be done; more is
// false if nothing helps.
func (e *Engine) narrow(err error) (more bool, alone *Unit) {
	var large *errTooLarge
	tooLarge, last := errors.As(err, &large), e.last
	switch {
	case e.care.blame != nil && last.kind == unitRow, e.done == 0:
		return false, nil
	case e.care.blame != nil:
		// Not even an incident can be made: it waits for another leadership.
		if e.aside == nil {
			e.aside = map[Unit]bool{}
		}
		e.aside[e.care.blame.Unit] = true
		e.care = care{}
	case e.done == 1:
		kind := "UNKNOWN"
		if tooLarge {
			kind = "MESSAGE_SIZE_EXCEEDED"
		}
		e.care = care{most: 1, blame: &unfit{last, kind, err.Error()}}
		return true, &last
	case tooLarge: // the writes of elements come last: nobody knows whose it was
		e.care.most = e.done / 2
	default:
		e.care.most = e.done - 1
	}
	return true, nil
}

// unit begins a unit of work, and tells whether it is to be done.
func (r *run) unit(u Unit) bool {
	e := r.e
	if e.aside[u] {
		return false
	}
	e.done, e.last = e.done+1, u
	if b := e.care.blame; b != nil && b.Unit == u {
		r.blame(b)
		return false
	}
	if e.Before != nil {
		e.Before(u)
	}
	return true
}

// spent tells whether this try may begin nothing more.
func (r *run) spent() bool { return r.e.care.most > 0 && r.e.done >= r.e.care.most }

// blame does what takes the place of a unit that cannot be done.
func (r *run) blame(b *unfit) {
	switch b.Unit.kind {
	case unitStep:
		if b.op == stepLater {
			r.blameLater(b)
		} else if b.op == stepPassedOver {
			r.blamePassOver(b.key)
		} else if el := r.elem(b.key); el != nil && !el.gone {
			r.dropIncident(el)
			r.incident(el, b.kind, b.text, b.op)
		}
	case unitTimer:
		r.holdTimer(b)
	case unitJob:
		r.stopJob(b)
	case unitSignal:
		if el := r.elem(b.of); el != nil && !el.gone && el.Incident == 0 {
			r.incident(el, b.kind, "A signal did not happen here. "+b.text, 0)
		}
	case unitExpiry:
		r.blameExpiry(b.key)
	case unitRow: // its receiver refuses it
	default:
		panic(fmt.Sprintf("%s has no element for an incident", b.Unit))
	}
}

// never is when a timer fires that is held by an incident.
const never = math.MaxInt64

// holdTimer keeps a timer from firing until the incident of its element is resolved.
func (r *run) holdTimer(b *unfit) {
	el := r.elem(b.of)
	if el == nil {
		panic(fmt.Sprintf("%s has no element for an incident", b.Unit))
	}
	t := r.tx.DeleteTimer(el.ElementInstance, b.key)
	if t == nil {
		return
	}
	t.Due = never
	r.tx.AddTimer(el.ElementInstance, *t)
	if el.dirty = true; el.Incident == 0 {
		r.incident(el, b.kind, b.text, 0)
	}
}

// releaseTimers lets held timers fire.
func (r *run) releaseTimers(el *elem) {
	if el.Extra == nil {
		return
	}
	for _, t := range slices.Clone(el.Extra.Timers) {
		if t.Due == never {
			r.tx.DeleteTimer(el.ElementInstance, t.Key)
			t.Due, el.dirty = r.now, true
			r.tx.AddTimer(el.ElementInstance, t)
		}
	}
}

// stopJob keeps a job from workers until its incident is resolved.
func (r *run) stopJob(b *unfit) {
	old := r.tx.Job(b.key)
	if old == nil {
		return
	}
	j := *old
	j.State, j.Deadline, j.Worker = state.JobFailed, 0, ""
	j.Incident = r.jobIncident(r.elem(j.Element), &j, b.kind, b.text)
	r.tx.PutJob(old, &j)
}
