package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// The preconditions of a modification with their texts, in the order in which
// the original asks them (seen on Zeebe 8.6.0). All that violate one are named.

func (m *modification) reject(format string, args ...any) *protocol.Rejection {
	return protocol.Reject(protocol.InvalidArgument, m.c.Intent(), format, args...)
}

// contains is a rejection of some of the instructions.
func (m *modification) contains(format string, args ...any) *protocol.Rejection {
	return m.reject("Expected to modify instance of process '%s' but it contains one or more %s", m.root.def.ID, fmt.Sprintf(format, args...))
}

// check asks all that can be told without changing anything.
func (m *modification) check() *protocol.Rejection {
	if n := len(m.c.Activate) + len(m.c.Terminate); n > maxInstructions {
		return m.reject("Expected to modify instance of process '%s' with at most %d instructions, but it contains %d. Split them over several commands.", m.root.def.ID, maxInstructions, n)
	}
	for _, ask := range []func() *protocol.Rejection{
		m.unknownElements, m.behindGateway, m.unsupported, m.unknownScopes, m.unknownInstances, m.foreignScopes,
		m.unknownAncestors, m.foreignAncestors, m.wrongAncestors, m.variables,
	} {
		if rejection := ask(); rejection != nil {
			return rejection
		}
	}
	return nil
}

// names collects, once each and in order, what fn finds wrong with the
// instructions to activate.
func (m *modification) names(fn func(a *protocol.ActivateElement) (name string, wrong bool)) []string {
	var list []string
	seen := map[string]bool{}
	for i := range m.c.Activate {
		if name, wrong := fn(&m.c.Activate[i]); wrong && !seen[name] {
			seen[name] = true
			list = append(list, name)
		}
	}
	return list
}

// quoted lists names as the original's texts do: 'a', 'b'.
func quoted(names []string) string { return "'" + strings.Join(names, "', '") + "'" }

func (m *modification) element(id string) *bpmn.Element { return m.root.def.process.Element(id) }

func (m *modification) unknownElements() *protocol.Rejection {
	unknown := m.names(func(a *protocol.ActivateElement) (string, bool) {
		return a.ElementID, m.element(a.ElementID) == nil && !isFlow(m.root.def.process, a.ElementID)
	})
	if len(unknown) == 0 {
		return nil
	}
	return m.contains("activate instructions with an element that could not be found: %s", quoted(unknown))
}

func (m *modification) behindGateway() *protocol.Rejection {
	behind := m.names(func(a *protocol.ActivateElement) (string, bool) {
		return a.ElementID, behindEventGateway(m.element(a.ElementID))
	})
	if len(behind) == 0 {
		return nil
	}
	return m.contains("activate instructions for elements that are unsupported: %s. The activation of events belonging to an event-based gateway is not supported.", quoted(behind))
}

// behindEventGateway tells whether a gateway waits for this event.
func behindEventGateway(m *bpmn.Element) bool {
	return m != nil && slices.ContainsFunc(m.Incoming, func(f *bpmn.Flow) bool { return f.Source.Type == bpmn.EventBasedGateway })
}

// modifiable are the types of elements at which a modification may begin, in
// the order of the original's text.
const modifiable = "PROCESS, SUB_PROCESS, EVENT_SUB_PROCESS, INTERMEDIATE_CATCH_EVENT, INTERMEDIATE_THROW_EVENT, END_EVENT, SERVICE_TASK, RECEIVE_TASK, USER_TASK, MANUAL_TASK, TASK, EXCLUSIVE_GATEWAY, PARALLEL_GATEWAY, EVENT_BASED_GATEWAY, INCLUSIVE_GATEWAY, MULTI_INSTANCE_BODY, CALL_ACTIVITY, BUSINESS_RULE_TASK, SCRIPT_TASK, SEND_TASK"

func (m *modification) unsupported() *protocol.Rejection {
	var types []string
	ids := m.names(func(a *protocol.ActivateElement) (string, bool) {
		kind := bpmn.SequenceFlow
		if el := m.element(a.ElementID); el != nil {
			kind = el.Type
		}
		if kind != bpmn.SequenceFlow && kind != bpmn.StartEvent && kind != bpmn.BoundaryEvent {
			return "", false
		}
		if !slices.Contains(types, kind.String()) {
			types = append(types, kind.String())
		}
		return a.ElementID, true
	})
	if len(ids) == 0 {
		return nil
	}
	return m.contains("activate instructions for elements that are unsupported: %s. The activation of elements with type %s is not supported. Supported element types are: [%s].", quoted(ids), quoted(types), modifiable)
}

func (m *modification) unknownScopes() *protocol.Rejection {
	var list []string
	for i := range m.c.Activate {
		for _, v := range m.c.Activate[i].Variables {
			if v.ScopeID != "" && m.element(v.ScopeID) == nil && !slices.Contains(list, v.ScopeID) {
				list = append(list, v.ScopeID)
			}
		}
	}
	if len(list) == 0 {
		return nil
	}
	return m.contains("variable instructions with a scope element id that could not be found: %s", quoted(list))
}

func (m *modification) unknownInstances() *protocol.Rejection {
	var list []string
	seen := map[protocol.Key]bool{}
	for _, key := range m.c.Terminate {
		if m.r.elem(key) == nil && !seen[key] {
			seen[key] = true
			list = append(list, fmt.Sprint(key))
		}
	}
	if len(list) == 0 {
		return nil
	}
	return m.contains("terminate instructions with an element instance that could not be found: %s", quoted(list))
}

// foreignScopes: variables may be set at the element and at the scopes around it.
func (m *modification) foreignScopes() *protocol.Rejection {
	for i := range m.c.Activate {
		a := &m.c.Activate[i]
		for _, v := range a.Variables {
			if v.ScopeID != "" && !within(m.element(a.ElementID), m.element(v.ScopeID)) {
				return m.contains("variable instructions with a scope element that doesn't belong to the activating element's flow scope. These variables should be set before or after the modification.")
			}
		}
	}
	return nil
}

// within tells whether a scope is the element or one around it.
func within(m, scope *bpmn.Element) bool {
	for ; m != nil; m = m.Scope {
		if m == scope {
			return true
		}
	}
	return false
}

func (m *modification) unknownAncestors() *protocol.Rejection {
	keys := m.names(func(a *protocol.ActivateElement) (string, bool) {
		if a.Ancestor < 1 {
			return "", false
		}
		el := m.r.elem(a.Ancestor)
		return fmt.Sprint(a.Ancestor), el == nil || el.State != state.Activated
	})
	if len(keys) == 0 {
		return nil
	}
	return m.contains("activate instructions with an ancestor scope key that does not exist, or is not in an active state: %s", quoted(keys))
}

func (m *modification) foreignAncestors() *protocol.Rejection {
	keys := m.names(func(a *protocol.ActivateElement) (string, bool) {
		return fmt.Sprint(a.Ancestor), a.Ancestor > 0 && m.r.elem(a.Ancestor).Instance != m.root.Key
	})
	if len(keys) == 0 {
		return nil
	}
	return m.contains("activate instructions with an ancestor scope key that does not belong to the modified process instance: %s", quoted(keys))
}

func (m *modification) wrongAncestors() *protocol.Rejection {
	lines := m.names(func(a *protocol.ActivateElement) (string, bool) {
		if a.Ancestor < 1 {
			return "", false
		}
		at := m.r.elem(a.Ancestor).model
		text := fmt.Sprintf("\n- instance '%d' of element '%s' is not an ancestor of element '%s'", a.Ancestor, at.ID, a.ElementID)
		return text, !within(m.element(a.ElementID).Scope, at) && at != m.root.model
	})
	if len(lines) == 0 {
		return nil
	}
	return m.contains("activate instructions with an ancestor scope key that is not an ancestor of the element to activate:%s", strings.Join(lines, ""))
}

func (m *modification) variables() *protocol.Rejection {
	for i := range m.c.Activate {
		for _, v := range m.c.Activate[i].Variables {
			if _, err := jsondoc.Parse(v.Variables); err != nil {
				return m.reject("%s", err)
			}
		}
	}
	return nil
}

// misplaced words why an element cannot begin.
func (m *modification) misplaced(bad *misplaced) *protocol.Rejection {
	switch bad.reason {
	case ambiguousScope:
		return m.contains("activate instructions for an element that has a flow scope with more than one active instance: '%s'. Can't decide in which instance of the flow scope the element should be activated. Please specify an ancestor element instance key for this activate instruction.", bad.element)
	case multiInstanceScope:
		return m.contains("activate instructions that would result in the activation of multi-instance element '%s', which is currently unsupported.", bad.element)
	case tooManyInstances:
		return m.contains("activate instructions for an element whose flow scope '%s' was not found among the first %d active element instances. Please specify an ancestor element instance key for this activate instruction.", bad.element, maxLookedAt)
	case noStartEvent:
		return m.contains("activate instructions for the process itself, but it has no none start event.")
	}
	return m.reject("Expected to subscribe to catch event(s) of '%s' but %s", bad.element, bad.text)
}
