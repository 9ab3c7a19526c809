package engine

import (
	"math"
	"slices"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Compensation undoes what was completed: a scope notes each activity that was
// completed in it and has a handler, or has something inside that has one. An
// event that compensates starts the handlers of all that its scope has noted, in
// its own scope and all at once, and waits for them. What was completed in an
// event sub-process can be compensated only there; an event in it reaches the
// scope around it too (all seen on Zeebe 8.6.0).

// compensation is nil for what has nothing to do with it, as a scope or handler
// or as an event that still searches.
func (el *elem) compensation() *state.Compensation {
	if el.Extra == nil {
		return nil
	}
	return el.Extra.Compensation
}

// compensates tells whether m is an event that starts handlers.
func compensates(m *bpmn.Element) bool {
	return m.Event == bpmn.EventCompensation && (m.Type == bpmn.IntermediateThrowEvent || m.Type == bpmn.EndEvent)
}

// settle notes a completed element in its scope if it can be compensated. Of
// what cannot it forgets what is inside; all is false if some of that is left.
func (r *run) settle(el *elem) (all bool) {
	scope := r.scope(el)
	if scope == nil || scope.State == state.Terminating || el.model.Type == bpmn.EventSubProcess {
		return r.forget(el)
	}
	if el.model.Compensation == nil && el.compensation() == nil {
		return true
	}
	c := state.Compensable{Instance: el.Key, Activity: el.model.ID, Inside: r.hasCompensables(el)}
	if b := el.model.Compensation; b != nil && b.Handler != nil && !el.isInner() {
		c.Handler = b.Handler.ID
	}
	if c.Handler == "" && !c.Inside {
		return true
	}
	if c.Inside {
		r.tx.MoveCompensables(el.ElementInstance)
	}
	c.Key = r.key()
	r.tx.AddCompensable(scope.ElementInstance, c)
	scope.dirty = true
	r.recordCompensation(scope, nil, &state.Compensating{Compensable: c, Scope: scope.Key}, "CREATED")
	return true
}

// hasCompensables tells whether something was completed inside an element that
// can be compensated still.
func (r *run) hasCompensables(el *elem) bool {
	c := el.compensation()
	if c == nil {
		return false
	}
	if len(c.Completed) > 0 || c.Rows == 0 {
		return len(c.Completed) > 0
	}
	_, _, ok := r.tx.Compensables(el.Key, 0)
	return ok
}

// compensate starts the handlers of what was completed. With nothing to be done
// the event goes on.
func (r *run) compensate(el *elem) {
	scope := r.scope(el)
	search := r.search(nil, scope)
	if scope.model.Type == bpmn.EventSubProcess {
		search = r.search(search, r.scope(scope))
	}
	if len(search) == 0 {
		r.follow(stepComplete, el)
		return
	}
	el.More().Compensate().Search, el.dirty = search, true
	r.startHandlers(el)
}

// search adds what a scope has noted up to now.
func (r *run) search(list []state.CompensationSearch, scope *elem) []state.CompensationSearch {
	if !r.hasCompensables(scope) {
		return list
	}
	r.tx.MoveCompensables(scope.ElementInstance)
	scope.dirty = true
	return append(list, state.CompensationSearch{Scope: scope.Key, End: scope.Extra.Compensation.Rows})
}

// startHandlers goes on with the search: what is inside an activity comes right
// behind the activity itself.
func (r *run) startHandlers(throw *elem) {
	x := throw.Extra.Compensation
	throw.dirty = true
	for n := 0; len(x.Search) > 0; n++ {
		if n == spawnAtOnce {
			r.follow(stepCompensate, throw)
			return
		}
		s := &x.Search[len(x.Search)-1]
		if c := r.takeCompensable(throw, s); c != nil {
			r.startHandler(throw, *s, c)
			continue
		}
		parent := s.Parent
		x.Search = x.Search[:len(x.Search)-1]
		r.settled(throw, parent)
	}
	r.compensated(throw)
}

// takeCompensable takes the next activity out of a scope's rows, nil if there is
// none.
func (r *run) takeCompensable(throw *elem, s *state.CompensationSearch) *state.Compensable {
	for {
		n, list, ok := r.tx.Compensables(s.Scope, s.Next)
		if !ok || n >= s.End {
			return nil
		}
		s.Next = n
		i := 0
		if only := throw.model.Compensates; only != "" && s.Parent == 0 {
			i = slices.IndexFunc(list, func(c state.Compensable) bool { return c.Activity == only })
		}
		if i < 0 {
			s.Next++
			continue
		}
		c := list[i]
		r.tx.PutCompensables(s.Scope, n, slices.Delete(list, i, i+1))
		return &c
	}
}

// startHandler compensates one activity, and has what is inside it looked for.
// Its boundary event begins and ends at once.
func (r *run) startHandler(throw *elem, s state.CompensationSearch, c *state.Compensable) {
	v := &state.Compensating{Compensable: *c, Scope: s.Scope, Parent: s.Parent}
	if m := throw.def.process.Element(c.Handler); m != nil && m.ForCompensation {
		r.passBoundary(throw, c.Activity)
		h := r.enter(m, r.scope(throw))
		work := h.More().Compensate()
		work.Throw, work.Subscription = throw.Key, c.Key
		v.HandlerInstance = h.Key
	}
	if c.Inside {
		x := throw.Extra.Compensation
		x.Search = append(x.Search, state.CompensationSearch{Scope: c.Instance, Parent: c.Key, End: math.MaxInt64})
		v.Open = 1
	}
	if v.HandlerInstance == 0 && v.Open == 0 {
		return // a migration has left nothing of it
	}
	r.tx.PutCompensating(throw.Key, v, true)
	r.recordCompensation(throw, throw, v, "TRIGGERED")
	if p := r.tx.Compensating(throw.Key, s.Parent); p != nil && p.HandlerInstance == 0 {
		p.Open++
		r.tx.PutCompensating(throw.Key, p, false)
	}
}

// passBoundary lets the boundary event of an activity happen, which is over at
// once.
func (r *run) passBoundary(throw *elem, activity string) {
	key := r.key()
	m := throw.def.process.Element(activity)
	if r.rec == nil || m == nil || m.Compensation == nil {
		return
	}
	event := &elem{
		ElementInstance: &state.ElementInstance{
			Key: key, Scope: throw.Scope, Instance: throw.Instance, Definition: throw.Definition, Element: m.Compensation.ID,
		},
		model: m.Compensation, def: throw.def,
	}
	for _, intent := range []string{"ELEMENT_ACTIVATING", "ELEMENT_ACTIVATED", "ELEMENT_COMPLETING", "ELEMENT_COMPLETED"} {
		r.recordElement(event, intent)
	}
}

// settled counts what is done inside an activity, which ends with the last of it
// if it has no handler of its own.
func (r *run) settled(throw *elem, subscription protocol.Key) {
	for subscription != 0 {
		v := r.tx.Compensating(throw.Key, subscription)
		if v == nil || v.HandlerInstance != 0 {
			return
		}
		if v.Open--; v.Open > 0 {
			r.tx.PutCompensating(throw.Key, v, false)
			return
		}
		r.tx.DeleteCompensating(throw.Key, subscription)
		r.recordCompensation(throw, throw, v, "COMPLETED")
		subscription = v.Parent
	}
}

// handled goes on with the event that a handler has worked for.
func (r *run) handled(h *elem) {
	work := h.Extra.Compensation
	throw, v := r.elem(work.Throw), r.tx.Compensating(work.Throw, work.Subscription)
	if throw == nil || v == nil {
		return // the event has ended before
	}
	r.tx.DeleteCompensating(throw.Key, v.Key)
	intent := "COMPLETED"
	if h.State == state.Terminating {
		intent = "DELETED"
	}
	r.recordCompensation(throw, throw, v, intent)
	r.settled(throw, v.Parent)
	r.compensated(throw)
}

// compensated goes on with an event when all its handlers are done.
func (r *run) compensated(throw *elem) {
	if c := throw.compensation(); throw.State != state.Activated || c != nil && len(c.Search) > 0 {
		return
	}
	if len(r.tx.AllCompensating(throw.Key, 1)) == 0 {
		r.follow(stepComplete, throw)
	}
}

// forgetAtOnce is how many rows one step forgets.
const forgetAtOnce = 64

// forget drops what an element that ends has to do with compensation, as a scope
// and as an event. all is false if the step was not enough.
func (r *run) forget(el *elem) (all bool) {
	if compensates(el.model) && !r.forgetCompensating(el) {
		return false
	}
	x, left := el.compensation(), forgetAtOnce
	if x == nil {
		return true
	}
	el.dirty = true
	if x.Rows > 0 && !r.forgetRows(el, el.Key, &left) {
		return false
	}
	x.Rows = 0
	for ; len(x.Completed) > 0; x.Completed = x.Completed[1:] {
		c := &x.Completed[0]
		if c.Inside && !r.forgetRows(el, c.Instance, &left) {
			return false
		}
		r.recordCompensation(el, nil, &state.Compensating{Compensable: *c, Scope: el.Key}, "DELETED")
	}
	for ; len(x.Search) > 0; x.Search = x.Search[:len(x.Search)-1] {
		if s := &x.Search[len(x.Search)-1]; s.Parent != 0 && !r.forgetRows(el, s.Scope, &left) {
			return false
		}
	}
	return true
}

// forgetRows drops the rows of a scope, and those of what is inside the
// activities that stand in them.
func (r *run) forgetRows(el *elem, scope protocol.Key, left *int) (all bool) {
	for {
		n, list, ok := r.tx.Compensables(scope, 0)
		if !ok {
			return true
		}
		for i := range list {
			if list[i].Inside && !r.forgetRows(el, list[i].Instance, left) {
				return false
			}
		}
		if *left--; *left < 0 {
			return false
		}
		r.tx.PutCompensables(scope, n, nil)
		for i := range list {
			r.recordCompensation(el, nil, &state.Compensating{Compensable: list[i], Scope: scope}, "DELETED")
		}
	}
}

// forgetCompensating drops what an event waits for. Handlers go on by themselves.
func (r *run) forgetCompensating(throw *elem) (all bool) {
	list := r.tx.AllCompensating(throw.Key, forgetAtOnce+1)
	for _, v := range list[:min(len(list), forgetAtOnce)] {
		r.tx.DeleteCompensating(throw.Key, v.Key)
		r.recordCompensation(throw, throw, v, "DELETED")
	}
	return len(list) <= forgetAtOnce
}
