package engine

import (
	"bytes"
	"maps"
	"slices"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// maxMigrated bounds the element instances of an instance that migrates: it
// changes to the other definition in one command, as a whole.
const maxMigrated = 10_000

// migration is a MigrateInstance being executed.
type migration struct {
	r      *run
	c      *protocol.MigrateInstance
	root   *elem
	target *definition
	to     map[string]string // element ids, from the source's to the target's
	// active are all element instances, each scope before what is in it.
	active []*elem
	// interrupted are scopes whose events nothing waits for any more.
	interrupted map[protocol.Key]bool
}

// migrate lets an instance go on in another definition. What is active keeps
// its keys, jobs their type and retries; what it waits for follows the plan: an
// event that is mapped is still waited for, one that is not is given up, one
// that only the target has is waited for from now on (seen on Zeebe 8.6.0).
func (r *run) migrate(c *protocol.MigrateInstance) {
	m := &migration{r: r, c: c, root: r.instanceOf(c.InstanceKey), to: map[string]string{}, interrupted: map[protocol.Key]bool{}}
	if m.root == nil {
		r.reject(protocol.Reject(protocol.NotFound, c.Intent(), "Expected to migrate process instance but no process instance found with key '%d'", c.InstanceKey))
		return
	}
	if m.target = r.migrationTarget(c); m.target == nil {
		return
	}
	if rejection := m.check(); rejection != nil {
		r.reject(rejection)
		return
	}
	for _, el := range m.active {
		if rejection := m.move(el); rejection != nil {
			r.undo(rejection)
			return
		}
	}
	r.recordMigration(c, m.root)
	r.out.Reply = &protocol.Done{}
}

// migrationTarget finds the definition that a migration names, or rejects it, or
// finds that this partition has to ask.
func (r *run) migrationTarget(c *protocol.MigrateInstance) *definition {
	rec := r.named(protocol.PullDefinition{DefinitionKey: c.TargetKey, Want: protocol.ProcessDefinition})
	if rec != nil {
		return r.e.definition(r.tx, rec.Key)
	}
	if r.out.Miss == nil {
		r.reject(protocol.Reject(protocol.NotFound, c.Intent(), "Expected to migrate process instance to process definition but no process definition found with key '%d'", c.TargetKey))
	}
	return nil
}

// collect finds all that is active; false if it is too much.
func (m *migration) collect() bool {
	m.active = []*elem{m.root}
	for i := 0; i < len(m.active); i++ {
		scope := m.active[i]
		left := maxMigrated - len(m.active)
		keys := m.r.tx.Children(scope.ElementInstance, left+1)
		if len(keys) > left {
			return false
		}
		for _, key := range keys {
			el := m.r.elem(key)
			if el == nil {
				continue
			}
			m.active = append(m.active, el)
			if el.model.Type == bpmn.EventSubProcess && interrupts(el.model) {
				m.interrupted[scope.Key] = true
			}
		}
	}
	return true
}

// targetOf is the element of the target that takes over, nil if the plan names
// none.
func (m *migration) targetOf(el *elem) *bpmn.Element {
	if el == m.root {
		return m.target.process.Root
	}
	id, mapped := m.to[el.model.ID]
	if !mapped {
		return nil
	}
	return m.target.process.Element(id)
}

// move lets one element instance go on in the target. What it does not wait for
// any more is given up as the source's, which knows the events.
func (m *migration) move(el *elem) *protocol.Rejection {
	source, from := el.model, el.def
	before := catchEvents(el)
	target := m.targetOf(el)
	if event, _ := m.beginning(el, target); event != "" {
		el.Extra.Pending.Event = event
	}
	if el == m.root {
		m.moveRoot()
	}
	el.model, el.def, el.dirty = target, m.target, true
	el.Element, el.Definition = target.ID, m.target.Key
	if el.isBody() && source.Loop.OutputCollection != "" && target.Loop.OutputCollection == "" {
		m.r.tx.DeleteLoop(el.Key, state.LoopResults, el.Extra.Loop.Total)
	}
	if !m.r.waits(el) {
		m.r.recordElement(el, "ELEMENT_MIGRATED")
	}
	m.moveJob(el, source)
	m.r.recordMigrated(el)
	kept := m.kept(el, before)
	el.model, el.def = source, from
	m.closeOthers(el, kept)
	el.model, el.def = target, m.target
	m.keep(el, kept)
	if fail := m.openNew(el, kept); fail != nil {
		return m.state("active element with id '%s' is mapped to element with id '%s' that must be subscribed to a catch event. %s", source.ID, target.ID, fail.text)
	}
	return nil
}

// moveRoot lets the instance be one of the target's process, also where a message
// has started it: the lock on its correlation key goes along, unless another
// instance has it there.
func (m *migration) moveRoot() {
	root := m.root
	root.ProcessID, root.Version = m.target.ID, m.target.Version
	if root.def.ID == m.target.ID || root.Extra == nil || root.Extra.StartKey == "" {
		return
	}
	key := root.Extra.StartKey
	m.r.unlock(root)
	if m.r.tx.KeyLock(m.target.ID, key) == 0 {
		m.r.tx.SetKeyLock(m.target.ID, key, root.Key)
	} else {
		root.Extra.StartKey = ""
	}
}

// moveJob shows the job's worker where it belongs now. It keeps its headers,
// which stand in the model unless they are its own.
func (m *migration) moveJob(el *elem, source *bpmn.Element) {
	if el.Job == 0 {
		return
	}
	old := m.r.tx.Job(el.Job)
	if old == nil {
		return
	}
	j := *old
	j.Definition, j.ElementID, j.ProcessID, j.Version = m.target.Key, el.Element, m.target.ID, m.target.Version
	if goal := el.model.Job; j.Headers == nil && source.Job != nil && (goal == nil || !bytes.Equal(goal.HeadersJSON, source.Job.HeadersJSON)) {
		j.Headers = source.Job.HeadersJSON
	}
	m.r.tx.PutJob(old, &j)
	m.r.recordJob(&j, "MIGRATED")
}

// kept are the events that are still waited for, with their ids in the target.
func (m *migration) kept(el *elem, before []*bpmn.Element) map[string]string {
	after, kept := catchEvents(el), map[string]string{}
	for _, event := range before {
		if id, mapped := m.to[event.ID]; mapped && slices.ContainsFunc(after, func(e *bpmn.Element) bool { return e.ID == id }) {
			kept[event.ID] = id
		}
	}
	return kept
}

// closeOthers ends the wait for the events that are not kept.
func (m *migration) closeOthers(el *elem, kept map[string]string) {
	if el.Extra == nil {
		return
	}
	for _, t := range slices.Clone(el.Extra.Timers) {
		if _, stays := kept[t.Event]; !stays {
			m.r.tx.DeleteTimer(el.ElementInstance, t.Key)
			m.r.recordTimer(el, &t, "CANCELED")
		}
	}
	for i := len(el.Extra.Subscriptions) - 1; i >= 0; i-- {
		if _, stays := kept[el.Extra.Subscriptions[i].Event]; !stays {
			m.r.closeEvent(el, i)
		}
	}
}

// keep says of the events that are kept what they are called in the target.
func (m *migration) keep(el *elem, kept map[string]string) {
	if el.Extra == nil {
		return
	}
	for i := range el.Extra.Timers {
		m.keepTimer(el, &el.Extra.Timers[i], kept)
	}
	for i := range el.Extra.Subscriptions {
		m.keepSubscription(el, &el.Extra.Subscriptions[i], kept)
	}
}

// openNew begins to wait for the events that only the target has.
func (m *migration) openNew(el *elem, kept map[string]string) *failure {
	if el.State != state.Activated {
		return nil // it will wait once it is active, or waits no more
	}
	known := slices.Collect(maps.Values(kept))
	return m.r.openEvents(el, slices.DeleteFunc(catchEvents(el), func(event *bpmn.Element) bool {
		return slices.Contains(known, event.ID) || event.Type == bpmn.StartEvent && m.interrupted[el.Key]
	}))
}

// keepTimer renames a timer. If it fires again it does so as the target says from
// then on.
func (m *migration) keepTimer(el *elem, t *state.Timer, kept map[string]string) {
	t.Event = kept[t.Event]
	event := m.target.process.Element(t.Event)
	if t.Cycle != "" && event.Timer != nil && event.Timer.Cycle != nil {
		if next, fail := m.r.cycleTimer(event.Timer.Cycle, el); fail == nil {
			t.Cycle = next.Cycle
		}
	}
	m.r.recordTimer(el, t, "MIGRATED")
}

// keepSubscription renames one, and tells the message's partition. The message or
// signal that is waited for remains the source's.
func (m *migration) keepSubscription(el *elem, s *state.Subscription, kept map[string]string) {
	s.Event = kept[s.Event]
	if s.Signal {
		m.r.recordWait(el, s, "MIGRATED")
		return
	}
	sub := subscriptionOf(el, s)
	m.r.recordSubscription(&sub, 0, nil, "MIGRATED")
	m.r.tell(m.r.e.messagePartition(s.CorrelationKey), &protocol.OpenSubscription{Subscription: sub})
}

// catchEvents are all events that an element instance waits for once it is
// active and what is in it has begun.
func catchEvents(el *elem) []*bpmn.Element {
	return slices.Concat(waitsFor(el), el.eventStarts())
}
