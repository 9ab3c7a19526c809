package engine

import (
	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// maxSteps bounds the element steps of one command. What is left goes on in a
// follow-up, so that no instance can stall its partition (DESIGN §2).
const maxSteps = 1000

// maxStepBytes bounds the writes of one command in the same way.
const maxStepBytes = 256 << 10

// run is the execution of one command: the steps still to be taken, and the
// element instances it has touched, decoded once and written once at the end.
// What begins and ends within the command is never written at all.
type run struct {
	e     *Engine
	tx    *state.Tx
	now   int64
	elems map[protocol.Key]*elem
	order []protocol.Key // of elems, by first touch
	queue []step
	out   Outcome
	// results are the lists of multi-instance activities that were put together.
	results map[protocol.Key][]byte
	spare   []elem // used again by each command
	used    int
}

// elem is an element instance during a command.
type elem struct {
	*state.ElementInstance
	model *bpmn.Element
	def   *definition
	// stored: it is in the state; dirty: it differs from there; gone: it ended.
	stored, dirty, gone bool
	enough              bool // no other instance of its loop is needed
}

// step is one move of one element instance.
type step struct {
	op  stepOp
	key protocol.Key
}

type stepOp byte

const (
	stepActivate stepOp = iota + 1
	stepComplete
	stepTerminate
	stepCreateJob // again, after an incident
	stepLeave     // take the outgoing flows again, after an incident
	stepRunScript // again, after an incident
	stepEmpty     // end what is inside
	stepTimers    // set the timers again, after an incident
	stepCall      // again, after an incident
	stepSpawn     // make the next instances of a loop
	stepListened  // go on behind a listener
)

// maxKept is how many element instances a run may have had for its map to be
// used again.
const maxKept = 256

func (r *run) init(e *Engine) {
	*r = run{e: e, elems: map[protocol.Key]*elem{}, spare: make([]elem, 16)}
}

func (r *run) begin(tx *state.Tx, now int64) {
	if len(r.elems) > maxKept {
		r.elems = map[protocol.Key]*elem{} // clearing takes as long as it has ever been large
	}
	clear(r.elems)
	*r = run{e: r.e, tx: tx, now: now, elems: r.elems, order: r.order[:0], queue: r.queue[:0], spare: r.spare}
}

func (r *run) reject(err *protocol.Rejection) { r.out.Err = err }

func (r *run) enqueue(op stepOp, key protocol.Key) { r.queue = append(r.queue, step{op, key}) }

// steps takes steps until none is left or the bound is reached.
func (r *run) steps() {
	n := 0
	for ; n < len(r.queue); n++ {
		if n >= maxSteps || r.tx.Size() > maxStepBytes && n > 0 {
			r.suspend(r.queue[n:])
			return
		}
		r.step(r.queue[n])
	}
}

func (r *run) step(s step) {
	el := r.elem(s.key)
	if el == nil || el.gone {
		return // ended meanwhile, for instance by a cancellation
	}
	switch s.op {
	case stepActivate:
		r.activate(el)
	case stepComplete:
		r.complete(el)
	case stepTerminate:
		r.terminate(el)
	case stepCreateJob:
		r.createJob(el)
	case stepLeave:
		r.leave(el)
	case stepSpawn:
		r.spawn(el)
	case stepListened:
		r.afterListener(el)
	case stepCall:
		r.call(el)
	case stepTimers:
		r.scopeTimers(el, stepTimers)
	case stepEmpty:
		r.empty(el)
	case stepRunScript:
		r.runScript(el)
	}
}

// elem returns an element instance, nil if there is none.
func (r *run) elem(key protocol.Key) *elem {
	if el, ok := r.elems[key]; ok {
		return el
	}
	rec := r.tx.Element(key)
	if rec == nil {
		return nil
	}
	def := r.e.definition(r.tx, rec.Definition)
	if def == nil {
		return nil
	}
	el := r.newElem()
	*el = elem{ElementInstance: rec, def: def, model: def.element(rec), stored: true}
	r.remember(el)
	return el
}

// newElem finds room for an element instance until the command ends.
func (r *run) newElem() *elem {
	if r.used == len(r.spare) {
		return new(elem)
	}
	r.used++
	return &r.spare[r.used-1]
}

func (r *run) remember(el *elem) {
	r.elems[el.Key] = el
	r.order = append(r.order, el.Key)
}

// scope returns the element instance around el, nil for a process.
func (r *run) scope(el *elem) *elem {
	if el.Scope == 0 {
		return nil
	}
	return r.elem(el.Scope)
}

// enter makes an instance of a model element inside a scope and queues its
// activation. The scope cannot complete before it has ended.
func (r *run) enter(m *bpmn.Element, scope *elem) *elem {
	el := r.newElem()
	*el = elem{
		ElementInstance: &state.ElementInstance{
			Key: r.key(), Scope: scope.Key, Instance: scope.Instance, Definition: scope.Definition,
			Element: m.ID, State: state.Activating,
		},
		model: m, def: scope.def, dirty: true,
	}
	if m.Loop != nil {
		el.Extra = &state.Extra{Loop: &state.Loop{}}
	}
	r.remember(el)
	r.tx.AddChild(scope.ElementInstance, el.Key)
	scope.dirty = true
	r.enqueue(stepActivate, el.Key)
	return el
}

// exit removes an instance that has ended from its scope.
func (r *run) exit(el *elem) *elem {
	el.gone = true
	if el.isBody() {
		r.dropLoop(el)
	}
	scope := r.scope(el)
	if scope != nil {
		r.tx.RemoveChild(scope.ElementInstance, el.Key)
		scope.dirty = true
	}
	return scope
}

func (r *run) key() protocol.Key { return r.tx.NextKey(r.e.Partition) }

// flush writes what the command has changed, each element instance once.
func (r *run) flush() {
	for _, key := range r.order {
		el := r.elems[key]
		switch {
		case el.gone && el.stored:
			r.tx.DeleteElement(el.ElementInstance)
		case el.gone || !el.dirty:
		case el.stored:
			r.tx.PutElement(el.ElementInstance)
		default:
			r.tx.InsertElement(el.ElementInstance)
		}
	}
}
