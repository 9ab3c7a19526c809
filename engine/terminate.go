package engine

import (
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
	r.enqueue(stepTerminate, el.Key)
	r.out.Reply = &protocol.Done{}
}

// terminateAtOnce is how many children one step tells to end.
const terminateAtOnce = 500

// terminate ends an element instance from the inside out.
func (r *run) terminate(el *elem) {
	if el.State != state.Terminating {
		el.State, el.dirty = state.Terminating, true
		r.dropJob(el)
		r.dropIncident(el.Incident)
		el.Incident = 0
		if el.Extra != nil {
			el.Extra.Listener = 0
		}
		r.tx.DeleteTimers(el.ElementInstance)
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
		r.enqueue(stepEmpty, el.Key)
	}
}

func (r *run) dropJob(el *elem) {
	if el.Job == 0 {
		return
	}
	if j := r.tx.Job(el.Job); j != nil {
		r.tx.DeleteJob(j)
		r.dropIncident(j.Incident)
	}
	el.Job = 0
}

// terminated takes an element instance out of its scope, which ends too if it
// only waited for that.
func (r *run) terminated(el *elem) {
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
	if el.AwaitResult {
		r.out.Effects.Completed = append(r.out.Effects.Completed, Completed{Instance: el.Key})
	}
	r.notReturned(el)
}

// suspend keeps steps for a follow-up command, in the state, so that they are
// taken whatever happens to this leader.
func (r *run) suspend(rest []step) {
	b := protocol.AppendUint(nil, uint64(len(rest)))
	for _, s := range rest {
		b = protocol.AppendInt(append(b, byte(s.op)), int64(s.key))
	}
	r.tx.Insert(state.TableContinue.OfKey(r.key()), b)
	r.out.Effects.Continue = true
}

// resume takes up the oldest suspended steps; when there are none, the timers
// that one tick could not fire.
func (r *run) resume() {
	r.out.Reply = &protocol.Done{}
	if !r.resumeSuspended() {
		r.fireTimers()
	}
}

// resumeSuspended tells whether there was anything to take up.
func (r *run) resumeSuspended() bool {
	left := 0
	r.tx.Scan([]byte{byte(state.TableContinue)}, nil, func(key, value []byte) bool {
		if left++; left > 1 {
			return false
		}
		rd := protocol.NewReader(value)
		for range rd.Count(2) {
			op := stepOp(rd.Byte())
			r.enqueue(op, rd.Key())
		}
		if err := rd.Done(); err != nil {
			r.tx.Fail(err)
		}
		r.tx.Delete(append([]byte(nil), key...))
		return true
	})
	r.out.Effects.Continue = left > 1 || left == 1 && len(r.tx.DueTimers(r.now, 1)) > 0
	return left > 0
}
