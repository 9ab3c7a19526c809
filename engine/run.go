package engine

import (
	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// maxSteps bounds the element steps of one command; to begin and to end are two.
// What is left goes on in a follow-up, so that no instance can stall its
// partition (architecture §2).
const maxSteps = 2000

// maxStepBytes bounds the writes of one command in the same way.
const maxStepBytes = 256 << 10

// maxHeldBytes bounds what its element instances hold, which is written at its end.
const maxHeldBytes = 2 << 20

// maxRecordBytes bounds the records of one command.
const maxRecordBytes = 1 << 20

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
	last  []step // taken when the queue is empty, one after the other
	taken int    // steps of the queue
	held  int    // bytes that were brought to element instances
	full  bool   // the bound was reached
	more  bool   // suspended steps are left that were not taken up
	out   Outcome
	rec   *recorder // nil: no records are wanted
	known uint64    // the deployment lane's watermark that the sender knows
	// results are the lists of multi-instance activities that were put together.
	results map[protocol.Key][]byte
	spare   []elem // used again by each command, like their records
	records []state.ElementInstance
	used    int
}

// elem is an element instance during a command.
type elem struct {
	*state.ElementInstance
	model  *bpmn.Element
	def    *definition
	around *elem // its scope, once it was asked for
	// stored: it is in the state; dirty: it differs from there; gone: it ended.
	stored, dirty, gone bool
	begun               bool             // it was activated, or tried to be, by this command
	ending              bool             // it was completing when it was told to end; for records only
	untold              bool             // it ends before it has begun, of which nothing is recorded
	enough              bool             // no other instance of its loop is needed
	flows               []*bpmn.Flow     // that a gateway has chosen
	given               []jsondoc.Member // what a worker or a script has brought, until it completes
	event               *eventRecord     // that has happened at it; for records only
}

// step is one move of one element instance.
type step struct {
	op  stepOp
	key protocol.Key
	el  *elem // if it was touched by this command
}

type stepOp byte

const (
	stepActivate stepOp = iota + 1
	stepComplete
	stepTerminate
	stepAgain      // activate again, after an incident
	stepEmpty      // end what is inside
	stepSpawn      // make the next instances of a loop
	stepListened   // go on behind a listener
	stepConclude   // forget more, and end
	stepCompensate // start more handlers
	stepSignal     // let a signal happen at the next who wait for it; its key is the signal's
	stepMessages   // hand over the next messages
	stepLater      // do what a large message or signal does here; its key is that of the row
	stepPassedOver // give a message that was refused to the next who waits; its key is that of the row
)

// maxKept is how many element instances a run may have had for its map to be
// used again.
const maxKept = 256

func (r *run) init(e *Engine) {
	rec := r.rec
	if e.Records && rec == nil {
		rec = &recorder{}
	}
	*r = run{e: e, rec: rec, elems: map[protocol.Key]*elem{}, spare: make([]elem, 16), records: make([]state.ElementInstance, 16)}
}

func (r *run) begin(tx *state.Tx, now int64) {
	if len(r.elems) > maxKept {
		r.elems = map[protocol.Key]*elem{} // clearing takes as long as it has ever been large
	}
	clear(r.elems)
	if r.rec != nil {
		r.rec.reset()
	}
	*r = run{e: r.e, rec: r.rec, tx: tx, now: now, elems: r.elems, order: r.order[:0], queue: r.queue[:0], spare: r.spare, records: r.records}
}

func (r *run) reject(err *protocol.Rejection) { r.out.Err = err }

func (r *run) enqueue(op stepOp, key protocol.Key) {
	r.queue = append(r.queue, step{op: op, key: key})
}

// follow queues a step of an element instance that is at hand.
func (r *run) follow(op stepOp, el *elem) {
	r.queue = append(r.queue, step{op: op, key: el.Key, el: el})
}

// steps takes steps until none is left or the bound is reached.
func (r *run) steps() {
	for r.stepsLeft() && r.out.Miss == nil {
		if r.taken >= maxSteps || r.taken > 0 && r.large() || r.spent() {
			r.suspend(append(r.queue[r.taken:], r.last...))
			r.taken, r.full, r.last = len(r.queue), true, nil
			return
		}
		r.taken++
		if s := r.queue[r.taken-1]; s.op == stepSignal {
			r.signalNext(s.key)
		} else if r.unit(Unit{kind: unitStep, op: s.op, key: s.key}) {
			r.step(s)
		}
	}
}

// stepsLeft tells whether steps are left. The last ones wait for what is suspended.
func (r *run) stepsLeft() bool {
	if r.taken == len(r.queue) && r.more && len(r.last) > 0 {
		r.suspend(r.last)
		r.last = nil
	}
	if r.taken == len(r.queue) && len(r.last) > 0 {
		r.queue, r.last = append(r.queue, r.last[0]), r.last[1:]
	}
	return r.taken < len(r.queue)
}

// large tells whether the command has written as much as one may.
func (r *run) large() bool {
	return r.tx.Size() > maxStepBytes || r.held > maxHeldBytes || r.rec != nil && len(r.rec.buf) > maxRecordBytes
}

func (r *run) step(s step) {
	switch s.op {
	case stepLater:
		r.doLater(s.key)
		return
	case stepPassedOver:
		r.doPassOver(s.key)
		return
	}
	el := s.el
	if el == nil {
		el = r.elem(s.key)
	}
	if el == nil || el.gone {
		return // ended meanwhile, for instance by a cancellation
	}
	switch s.op {
	case stepActivate:
		r.activate(el, true)
	case stepAgain:
		r.activate(el, false)
	case stepComplete:
		r.complete(el)
	case stepTerminate:
		r.terminate(el)
	case stepSpawn:
		r.spawn(el)
	case stepConclude:
		r.conclude(el)
	case stepCompensate:
		r.startHandlers(el)
	case stepListened:
		r.afterListener(el)
	case stepMessages:
		r.nextMessages(el)
	case stepEmpty:
		r.empty(el)
	}
}

// elem returns an element instance, nil if there is none.
func (r *run) elem(key protocol.Key) *elem {
	if el, ok := r.elems[key]; ok {
		return el
	}
	used := r.used
	el := r.newElem()
	if r.tx.ReadElement(key, el.ElementInstance) {
		el.def = r.e.definition(r.tx, el.Definition)
	}
	if el.def == nil {
		r.used = used
		return nil
	}
	el.model, el.stored = el.def.element(el.ElementInstance), true
	r.remember(el)
	return el
}

// newElem finds room for an element instance and its record until the command
// ends.
func (r *run) newElem() *elem {
	if r.used == len(r.spare) {
		return &elem{ElementInstance: new(state.ElementInstance)}
	}
	el := &r.spare[r.used]
	*el = elem{ElementInstance: &r.records[r.used]}
	r.used++
	return el
}

func (r *run) remember(el *elem) {
	r.elems[el.Key] = el
	r.order = append(r.order, el.Key)
}

// scope returns the element instance around el, nil for a process.
func (r *run) scope(el *elem) *elem {
	if el.Scope != 0 && el.around == nil {
		el.around = r.elem(el.Scope)
	}
	return el.around
}

// enter makes an instance of a model element inside a scope and queues its
// activation.
func (r *run) enter(m *bpmn.Element, scope *elem) *elem {
	el := r.instance(m, scope)
	r.follow(stepActivate, el)
	return el
}

// instance makes an instance of a model element inside a scope, which cannot
// complete before it has ended.
func (r *run) instance(m *bpmn.Element, scope *elem) *elem {
	el := r.newElem()
	*el.ElementInstance = state.ElementInstance{
		Key: r.key(), Scope: scope.Key, Instance: scope.Instance, Definition: scope.Definition,
		Element: m.ID, State: state.Activating,
	}
	el.model, el.def, el.around, el.dirty = m, scope.def, scope, true
	if m.Loop != nil {
		el.Extra = &state.Extra{Loop: &state.Loop{}}
	}
	r.remember(el)
	r.tx.AddChild(scope.ElementInstance, el.Key)
	scope.dirty = true
	return el
}

// exit removes an instance that has ended from its scope.
func (r *run) exit(el *elem) *elem {
	el.gone = true
	if el.isBody() {
		r.dropLoop(el)
	}
	if c := el.compensation(); c != nil && c.Throw != 0 {
		r.handled(el)
	}
	scope := r.scope(el)
	if scope != nil {
		r.tx.RemoveChild(scope.ElementInstance, el.Key)
		scope.dirty = true
	}
	return scope
}

func (r *run) key() protocol.Key { return r.tx.NextKey(r.e.Partition) }

// flush writes what the command has changed, each element instance once, and
// what is recorded of it.
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
	if r.rec != nil && !r.tx.Empty() {
		r.tx.AddRecords(r.now, r.rec.buf)
	}
}
