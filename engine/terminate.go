package engine

import (
	"slices"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// cancel ends a process instance.
func (r *run) cancel(c *protocol.CancelInstance) {
	el := r.elem(c.InstanceKey)
	if el == nil || el.Scope != 0 || el.State == state.Terminating {
		r.reject(protocol.Reject(protocol.NotFound, c.Intent(), "Expected to cancel a process instance with key '%d', but no such process was found", c.InstanceKey))
		return
	}
	if top := r.topmost(el); top != el {
		r.reject(protocol.Reject(protocol.InvalidState, c.Intent(), "Expected to cancel a process instance with key '%d', but it is created by a parent process instance. Cancel the root process instance '%d' instead.", el.Key, top.Key))
		return
	}
	r.follow(stepTerminate, el)
	r.out.Reply = &protocol.Done{}
}

// terminateAtOnce is how many children one step tells to end.
const terminateAtOnce = 500

// terminate ends an element instance from the inside out. A scope tells what
// is inside it in a step of its own, as in the original.
func (r *run) terminate(el *elem) {
	if el.State != state.Terminating {
		el.ending = el.State == state.Completing
		r.recordEnding(el)
		el.State, el.dirty = state.Terminating, true
		r.dropJob(el)
		r.closeUserTask(el)
		r.dropIncident(el)
		if el.Extra != nil {
			el.Extra.Listener = 0
		}
		r.closeEvents(el)
	}
	if el.HasChildren() {
		r.follow(stepEmpty, el)
		return
	}
	r.empty(el)
}

// empty ends all that is inside an element instance, and goes on with the
// element itself when nothing is.
func (r *run) empty(el *elem) {
	children := r.tx.Children(el.ElementInstance, terminateAtOnce+1)
	if called := el.called(); called != 0 {
		r.enqueue(stepTerminate, called)
		return
	}
	if len(children) == 0 {
		if el.State == state.Terminating {
			r.terminated(el)
		} else {
			r.scopeDone(el)
		}
		return
	}
	for _, key := range children[:min(len(children), terminateAtOnce)] {
		r.enqueue(stepTerminate, key)
	}
	if len(children) > terminateAtOnce {
		r.follow(stepEmpty, el)
	}
}

func (r *run) dropJob(el *elem) {
	if el.Job == 0 {
		return
	}
	if j := r.tx.Job(el.Job); j != nil {
		r.tx.DeleteJob(j)
		r.recordJob(j, "CANCELED")
		r.closeIncident(j.Incident, el)
	}
	el.Job = 0
}

// terminated takes an element instance out of its scope, which ends too if it
// only waited for that.
func (r *run) terminated(el *elem) {
	if !r.forget(el) {
		r.follow(stepEmpty, el)
		return
	}
	if !el.untold {
		r.recordElement(el, "ELEMENT_TERMINATED")
	}
	scope := r.exit(el)
	if scope != nil {
		if scope.isBody() {
			scope.Extra.Loop.Terminated++
		}
		r.takeOver(el, scope)
		if el.Extra != nil && el.Extra.Vacates {
			r.vacated(scope)
		} else {
			r.scopeDone(scope)
		}
		return
	}
	r.unlock(el)
	if el.AwaitResult {
		r.out.Effects.Completed = append(r.out.Effects.Completed, Completed{Instance: el.Key})
	}
	r.notReturned(el)
}

// suspend keeps steps for a follow-up command, in the state, so that they are
// taken whatever happens to this leader.
func (r *run) suspend(rest []step) {
	for _, s := range rest {
		if el := r.elems[s.key]; el != nil && el.given != nil {
			el.keepGiven()
		}
	}
	r.keepSteps(rest)
	r.out.Effects.Continue = true
}

// stepsInRow bounds what is written again when only a part of a row is taken.
const stepsInRow = 100

func (r *run) keepSteps(all []step) {
	for list := range slices.Chunk(all, stepsInRow) {
		b := protocol.AppendUint(nil, uint64(len(list)))
		for _, s := range list {
			b = protocol.AppendInt(append(b, byte(s.op)), int64(s.key))
		}
		r.tx.Insert(state.TableContinue.OfKey(r.key()), b)
	}
}

// suspended reads kept steps; aside are those that this leadership does not take.
func (r *run) suspended(b []byte) (list, aside []step) {
	rd := protocol.NewReader(b)
	for range rd.Count(2) {
		s := step{op: stepOp(rd.Byte()), key: rd.Key()}
		if r.e.aside[Unit{kind: unitStep, op: s.op, key: s.key}] {
			aside = append(aside, s)
		} else {
			list = append(list, s)
		}
	}
	if err := rd.Done(); err != nil {
		r.tx.Fail(err)
	}
	return list, aside
}

// keepGiven writes what was brought to an element into its record, until it
// completes.
func (el *elem) keepGiven() {
	p := &state.Pending{Event: el.Element}
	for _, m := range el.given {
		p.Variables = append(p.Variables, state.Variable{Name: m.Name, Value: m.Value})
	}
	el.More().Pending, el.given, el.dirty = p, nil, true
}

// resume takes up the oldest suspended steps; when there are none, the timers
// that one tick could not fire.
func (r *run) resume() {
	r.out.Reply = &protocol.Done{}
	if !r.resumeSuspended() {
		r.fireTimers()
		r.expire()
	}
}

// resumeSuspended tells whether there was anything to take up.
func (r *run) resumeSuspended() bool {
	enough := maxSteps
	if most := r.e.care.most; most > 0 {
		enough = min(enough, most)
	}
	r.tx.Scan([]byte{byte(state.TableContinue)}, nil, func(key, value []byte) bool {
		steps, aside := r.suspended(value)
		if len(steps) == 0 {
			return true // nothing that this leadership does
		}
		if r.more = len(r.queue) >= enough; r.more {
			return false
		}
		for _, s := range steps {
			if s.op == stepMessages {
				r.last = append(r.last, s)
			} else {
				r.queue = append(r.queue, s)
			}
		}
		r.tx.Delete(append([]byte(nil), key...))
		if len(aside) > 0 {
			r.keepSteps(aside)
		}
		return true
	})
	any := len(r.queue)+len(r.last) > 0
	r.out.Effects.Continue = r.more || any && (len(r.tx.DueTimers(r.now, 1)) > 0 || len(r.tx.Due(state.TableExpiry, r.now, 1)) > 0)
	return any
}
