package engine

import (
	"slices"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// broadcastSignal lets a signal happen on all partitions. The definitions that it
// starts are started here only.
func (r *run) broadcastSignal(c *protocol.BroadcastSignal) {
	r.known = c.DeploymentSeq
	if r.out.Behind = r.behind(); r.out.Behind {
		return
	}
	members, err := jsondoc.Parse(c.Variables)
	if err != nil {
		r.reject(protocol.Reject(protocol.InvalidArgument, c.Intent(), "%s", err))
		return
	}
	r.out.Reply = &protocol.KeyReply{Key: r.emit(c.Name, jsondoc.Append(nil, members))}
}

// emit broadcasts a signal from here.
func (r *run) emit(name string, variables []byte) protocol.Key {
	key := r.key()
	starts := r.tx.Starts(state.SignalStart, name)
	doc := r.share(variables, r.e.Partitions+len(starts))
	c := &protocol.BroadcastSignal{Name: name, Variables: doc, Key: key}
	if r.e.Partitions > 1 {
		r.broadcast(protocol.LaneSignals, c)
	}
	r.recordSignal(name, doc, key)
	for i := range starts {
		r.startBySignal(&starts[i], doc)
	}
	r.signal(c)
	r.tx.Release(doc)
	return key
}

// throwsSignal tells whether an event throws a signal.
func throwsSignal(m *bpmn.Element) bool {
	return m.Signal != nil && (m.Type == bpmn.EndEvent || m.Type == bpmn.IntermediateThrowEvent)
}

// throwSignal broadcasts the signal of an event, with the variables of the event
// itself (recorded with 8.6.0: signal-throw-reaches-other-instance).
func (r *run) throwSignal(el *elem, name string) {
	r.tx.LoadVariables(el.ElementInstance)
	r.emit(name, jsondoc.Append(nil, members(el.Variables)))
	r.follow(stepComplete, el)
}

// signal lets a signal happen at all who wait for it on this partition, in steps,
// so that many of them do not stall it.
func (r *run) signal(c *protocol.BroadcastSignal) {
	key := r.key()
	if len(r.tx.SignalWaits(c.Name, 0, key, 1)) == 0 {
		return
	}
	doc := r.share(c.Variables, maxCursors)
	r.tx.PutBroadcast(key, &state.Broadcast{Name: c.Name, Variables: doc}, true)
	r.tx.Release(doc)
	if next := (step{op: stepSignal, key: key}); state.IsShared(doc) {
		r.suspend([]step{next}) // this command has written enough
	} else {
		r.queue = append(r.queue, next)
	}
}

// maxCursors is how often a small signal may be written again while it goes
// through those who wait.
const maxCursors = 4

// signalsAtOnce is how many of those who wait one step lets go on.
const signalsAtOnce = 100

// signalNext lets a signal happen at the next ones who wait for it.
func (r *run) signalNext(key protocol.Key) {
	b := r.tx.Broadcast(key)
	if b == nil {
		return
	}
	doc := r.tx.Document(b.Variables)
	list := r.tx.SignalWaits(b.Name, b.After, key, signalsAtOnce)
	all := len(list) < signalsAtOnce
	for i, w := range list {
		if r.spent() || i > 0 && r.large() {
			all = false
			break
		}
		if r.unit(Unit{kind: unitSignal, key: w.Subscription, of: w.Element}) {
			r.signalAt(w, doc)
		}
		b.After = w.Subscription
	}
	if all {
		r.tx.DeleteBroadcast(key, b)
		return
	}
	r.tx.PutBroadcast(key, b, false)
	r.enqueue(stepSignal, key)
}

func (r *run) signalAt(w state.SignalWait, variables []byte) {
	el := r.elem(w.Element)
	if el == nil || el.gone || el.Extra == nil {
		return // ended by what the signal did to another one
	}
	i := slices.IndexFunc(el.Extra.Subscriptions, func(s state.Subscription) bool { return s.Key == w.Subscription })
	if i < 0 {
		return
	}
	event := el.def.process.Element(el.Extra.Subscriptions[i].Event)
	if interruptedBy(el, event.ID) {
		r.closeEvent(el, i)
	}
	r.trigger(el, event, r.eventVariables(variables))
}
