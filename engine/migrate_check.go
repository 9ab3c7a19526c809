package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// The preconditions of a migration with their texts, in the order in which the
// original asks them (seen on Zeebe 8.6.0).

func (m *migration) argument(format string, args ...any) *protocol.Rejection {
	return m.reject(protocol.InvalidArgument, format, args...)
}

func (m *migration) state(format string, args ...any) *protocol.Rejection {
	return m.reject(protocol.InvalidState, format, args...)
}

func (m *migration) reject(kind protocol.RejectionType, format string, args ...any) *protocol.Rejection {
	return protocol.Reject(kind, m.c.Intent(), "Expected to migrate process instance '%d' but %s", m.c.InstanceKey, fmt.Sprintf(format, args...))
}

func (m *migration) check() *protocol.Rejection {
	if rejection := m.plan(); rejection != nil {
		return rejection
	}
	if !m.collect() {
		return m.argument("it has more than %d active element instances, which is the most that can be migrated.", maxMigrated)
	}
	for _, el := range m.active {
		if rejection := m.element(el); rejection != nil {
			return rejection
		}
	}
	return nil
}

// plan reads the mapping instructions.
func (m *migration) plan() *protocol.Rejection {
	var twice []string
	for _, i := range m.c.Mappings {
		if _, known := m.to[i.SourceID]; known && !slices.Contains(twice, i.SourceID) {
			twice = append(twice, i.SourceID)
		}
		m.to[i.SourceID] = i.TargetID
	}
	if len(twice) > 0 {
		return m.argument("the mapping instructions contain duplicate source element ids '[%s]'.", strings.Join(twice, ", "))
	}
	for _, i := range m.c.Mappings {
		if !exists(m.root.def.process, i.SourceID) {
			return m.argument("mapping instructions contain a non-existing source element id '%s'. Elements provided in mapping instructions must exist in the source process definition.", i.SourceID)
		}
		if !exists(m.target.process, i.TargetID) {
			return m.argument("mapping instructions contain a non-existing target element id '%s'. Elements provided in mapping instructions must exist in the target process definition.", i.TargetID)
		}
	}
	return nil
}

func exists(p *bpmn.Process, id string) bool { return p.Element(id) != nil || isFlow(p, id) }

// migratable are the types of active elements that can go on in another
// definition.
var migratable = []bpmn.ElementType{
	bpmn.SubProcess, bpmn.EventSubProcess, bpmn.IntermediateCatchEvent, bpmn.ServiceTask, bpmn.ReceiveTask, bpmn.UserTask,
	bpmn.ExclusiveGateway, bpmn.EventBasedGateway, bpmn.CallActivity, bpmn.BusinessRuleTask, bpmn.ScriptTask, bpmn.SendTask,
}

// element asks of one element instance whether it can go on where it is meant
// to.
func (m *migration) element(el *elem) *protocol.Rejection {
	target := m.targetOf(el)
	if el != m.root {
		if rejection := m.mapping(el, target); rejection != nil {
			return rejection
		}
	}
	if rejection := m.eventKinds(el, target); rejection != nil {
		return rejection
	}
	if rejection := m.events(el, target); rejection != nil {
		return rejection
	}
	if _, begins := m.beginning(el, target); len(el.Joins) > 0 || el.State == state.Terminating || !begins {
		return m.state("a concurrent command was executed on the process instance. Please retry the migration.")
	}
	return nil
}

// beginning is the event with which a scope will begin that has not begun yet,
// as it will be; ok is false if something else is about to happen in it.
func (m *migration) beginning(el *elem, target *bpmn.Element) (event string, ok bool) {
	p := el.pending()
	if p == nil {
		return "", true
	}
	if !el.unbegun() {
		return "", false
	}
	source := el.def.process.Element(p.Event)
	for _, e := range target.Children {
		if e.Type == bpmn.StartEvent && (e.ID == m.to[p.Event] || e.Event == source.Event) {
			return e.ID, true
		}
	}
	return "", false
}

// mapping compares an element with the one that takes over.
func (m *migration) mapping(el *elem, target *bpmn.Element) *protocol.Rejection {
	source := el.model
	if !slices.Contains(migratable, source.Type) {
		return m.state("active element with id '%s' has an unsupported type. The migration of a %s is not supported.", source.ID, source.Type)
	}
	id, mapped := m.to[source.ID]
	if !mapped {
		return m.state("no mapping instruction defined for active element with id '%s'. Elements cannot be migrated without a mapping.", source.ID)
	}
	if was, will := typeOf(source, el.isInner()), typeOf(target, el.isInner()); was != will {
		return m.state("active element with id '%s' and type '%s' is mapped to an element with id '%s' and different type '%s'. Elements must be mapped to elements of the same type.", source.ID, was, id, will)
	}
	if source.Type == bpmn.UserTask && (source.Job == nil) != (target.Job == nil) {
		return m.state("active user task with id '%s' and implementation '%s' is mapped to an user task with id '%s' and different implementation '%s'. Elements must be mapped to elements of the same implementation.", source.ID, implementation(source), target.ID, implementation(target))
	}
	if rejection := m.flowScope(el, target); rejection != nil {
		return rejection
	}
	if el.isBody() && source.Loop.Sequential != target.Loop.Sequential {
		return m.state("active element with id '%s' has a different loop characteristics than the target element with id '%s'. Both elements must have either sequential or parallel loop characteristics.", source.ID, target.ID)
	}
	return nil
}

// typeOf is the type of an element as the original names it: that of a
// multi-instance activity is its body's, unless an instance in it is meant.
func typeOf(m *bpmn.Element, inner bool) bpmn.ElementType {
	switch {
	case m == nil:
		return bpmn.SequenceFlow // nothing else has an id and is no element
	case m.Loop != nil && !inner:
		return bpmn.MultiInstanceBody
	}
	return m.Type
}

func implementation(m *bpmn.Element) string {
	if m.Job != nil {
		return "job worker"
	}
	return "zeebe user task"
}

// flowScope: what an element stands in must go where the element goes.
func (m *migration) flowScope(el *elem, target *bpmn.Element) *protocol.Rejection {
	if el.isInner() {
		return nil // its body stands in the scope
	}
	expected := m.target.ID
	if scope := m.r.scope(el); scope != m.root {
		expected = m.to[scope.model.ID]
	}
	if target.Scope.ID == expected {
		return nil
	}
	return m.state("the flow scope of active element with id '%s' is changed. The flow scope of the active element is expected to be '%s' but was '%s'. The flow scope of an element cannot be changed during migration yet.", el.model.ID, expected, target.Scope.ID)
}

// eventKinds: some events cannot be there at all.
func (m *migration) eventKinds(el *elem, target *bpmn.Element) *protocol.Rejection {
	goal := asTarget(el, target)
	for _, at := range []struct {
		el    *elem
		whose string
	}{{el, "active"}, {&goal, "target"}} {
		if kinds := notMigratable(at.el.eventStarts()); kinds != "" {
			return m.state("%s process with id '%s' has one or more event subprocesses with start events of types %s. Migrating event subprocesses with start events of these types is not possible yet.", at.whose, at.el.model.ID, kinds)
		}
		if kinds := notMigratable(allBoundary(at.el)); kinds != "" {
			return m.state("%s element with id '%s' has one or more boundary events of types %s. Migrating %[1]s elements with boundary events of these types is not possible yet.", at.whose, at.el.model.ID, kinds)
		}
	}
	return nil
}

// asTarget is the element instance as it will be.
func asTarget(el *elem, target *bpmn.Element) elem {
	return elem{ElementInstance: el.ElementInstance, model: target}
}

// allBoundary are the boundary events of an element, the one for its compensation
// included.
func allBoundary(el *elem) []*bpmn.Element {
	if c := el.model.Compensation; c != nil && !el.isInner() {
		return append([]*bpmn.Element{c}, el.boundary()...)
	}
	return el.boundary()
}

// notMigratable lists the kinds of events that a migration cannot take along.
func notMigratable(events []*bpmn.Element) string {
	var kinds []string
	for _, e := range events {
		if (e.Event == bpmn.EventEscalation || e.Event == bpmn.EventCompensation) && !slices.Contains(kinds, e.Event.String()) {
			kinds = append(kinds, e.Event.String())
		}
	}
	if len(kinds) == 0 {
		return ""
	}
	return quoted(kinds)
}

// events compares the events that an element waits for with those that they are
// mapped to.
func (m *migration) events(el *elem, target *bpmn.Element) *protocol.Rejection {
	goal := asTarget(el, target)
	after := catchEvents(&goal)
	sources := map[string][]string{}
	for _, e := range catchEvents(el) {
		id, mapped := m.to[e.ID]
		if !mapped {
			continue
		}
		i := slices.IndexFunc(after, func(t *bpmn.Element) bool { return t.ID == id })
		if i < 0 {
			return m.state("active element with id '%s' is mapped to an element with id '%s' and has a catch event with id '%s' that is mapped to a catch event with id '%s'. These mappings detach the catch event from the element in the target process. Catch events must stay attached to the same element instance.", el.model.ID, target.ID, e.ID, id)
		}
		if e.Event != after[i].Event {
			return m.state("active element with id '%s' has a catch event with id '%s' that is mapped to a catch event with id '%s'. These catch events have different event types: '%s' and '%s'. The event type of a catch event cannot be changed by process instance migration. Please ensure the event type of the catch event remains the same or remove the mapping instruction for these catch events.", el.model.ID, e.ID, id, e.Event, after[i].Event)
		}
		sources[id] = append(sources[id], e.ID)
	}
	for _, e := range after {
		if from := sources[e.ID]; len(from) > 1 {
			return m.state("active element with id '%s' has a catch event attached that is mapped to a catch event with id '%s'. There are multiple mapping instructions that target this catch event: %s. Catch events cannot be merged by process instance migration. Please ensure the mapping instructions target a catch event only once.", el.model.ID, e.ID, quoted(from))
		}
	}
	return nil
}
