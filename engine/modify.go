package engine

import (
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// maxInstructions bounds the instructions of one modification: they are carried
// out in one command, so that all of them take effect or none.
const maxInstructions = 10_000

// modification is a ModifyInstance being executed.
type modification struct {
	r    *run
	c    *protocol.ModifyInstance
	root *elem
	// within are, for records only, the scopes in which each element begins.
	within [][]protocol.Key
}

// modify begins at some elements of an instance, then ends others. A scope that
// this leaves empty ends too, and so does the instance (seen on Zeebe 8.6.0).
func (r *run) modify(c *protocol.ModifyInstance) {
	root := r.instanceOf(c.InstanceKey)
	if root == nil {
		r.reject(protocol.Reject(protocol.NotFound, c.Intent(), "Expected to modify process instance but no process instance found with key '%d'", c.InstanceKey))
		return
	}
	m := &modification{r: r, c: c, root: root}
	if rejection := m.check(); rejection != nil {
		r.reject(rejection)
		return
	}
	if rejection := m.activate(); rejection != nil {
		r.undo(rejection)
		return
	}
	m.terminate()
	r.recordModification(m)
	r.out.Reply = &protocol.Done{}
}

// instanceOf finds the instance that a key names, its own or that of one of its
// elements (seen on Zeebe 8.6.0); nil if it is not there or ends already.
func (r *run) instanceOf(key protocol.Key) *elem {
	el := r.elem(key)
	if el != nil && el.Scope != 0 {
		el = r.elem(el.Instance)
	}
	if el == nil || el.State == state.Terminating {
		return nil
	}
	return el
}

// activate carries out the instructions to begin somewhere, and sees whether
// those to end something may follow.
func (m *modification) activate() *protocol.Rejection {
	p := m.r.place(m.root)
	for i := range m.c.Activate {
		a := &m.c.Activate[i]
		var ancestor *elem
		if a.Ancestor > 0 {
			ancestor = m.r.elem(a.Ancestor)
		}
		if bad := p.begin(m.root.def.process.Element(a.ElementID), ancestor, a.Variables); bad != nil {
			return m.misplaced(bad)
		}
		m.noteScopes(p.within)
	}
	if m.strands() {
		return m.reject("Expected to modify instance of process '%s' but the given instructions would terminate the instance. The instance was created by a call activity in the parent process. To terminate this instance please modify the parent process instead.", m.root.def.ID)
	}
	return nil
}

// terminate carries out the instructions to end something: the first ones at
// once, more as steps, since their jobs, timers and children end with them.
func (m *modification) terminate() {
	for i, key := range m.c.Terminate {
		el := m.r.elem(key)
		if el == nil || el.gone || el.State == state.Terminating {
			continue // with its scope, by an instruction before
		}
		el.More().Vacates, el.dirty = true, true
		if i < terminateAtOnce {
			m.r.terminate(el)
		} else {
			m.r.enqueue(stepTerminate, key)
		}
	}
}

// strands tells whether the command would end an instance that a call activity
// waits for. It counts what every scope loses, so that no scope has to be read
// through.
func (m *modification) strands() bool {
	ended := map[protocol.Key]bool{}
	lost := map[protocol.Key]int64{}
	for _, key := range m.c.Terminate {
		for el := m.r.elem(key); el != nil && !ended[el.Key]; {
			ended[el.Key] = true
			scope := m.r.scope(el)
			if scope == nil {
				if m.r.caller(el) != nil {
					return true
				}
				break
			}
			lost[scope.Key]++
			if scope.children() > lost[scope.Key] || len(scope.Joins) > 0 {
				break
			}
			el = scope
		}
	}
	return false
}

// children counts what is directly inside an element instance.
func (el *elem) children() int64 { return int64(len(el.Children)) + el.Spilled }

// vacated goes on in a scope out of which a modification has taken something:
// if nothing is left in it, it ends too. An instance that a call activity waits
// for completes instead: nobody else would tell its caller.
func (r *run) vacated(scope *elem) {
	switch {
	case scope.HasChildren() || len(scope.Joins) > 0 || scope.State != state.Activated || scope.pending() != nil:
		r.scopeDone(scope)
	case scope.Scope == 0 && r.caller(scope) != nil:
		r.enqueue(stepComplete, scope.Key)
	default:
		scope.More().Vacates = true
		r.terminate(scope)
	}
}
