package scenarios

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// entity is a thing that events tell of.
type entity struct {
	label, tail string
	events      []string
}

// history is what one instance did.
type history struct {
	process  string
	flow     []string
	last     int64 // the element instance of the last event
	elements map[int64]*entity
	entities map[string]*entity
}

// tracer sorts a scenario's events by instances, elements and entities.
type tracer struct {
	instances map[int64]*history
	elementOf map[int64]string
	norm      func(string) string
	large     bool
}

// trace is what the events of a scenario tell.
func (s *store) trace(who string, byElement, large bool, norm func(string) string) (out []instanceTrace) {
	events, _ := s.of(who)
	t := &tracer{instances: map[int64]*history{}, elementOf: map[int64]string{}, norm: norm, large: large}
	for _, r := range events {
		if r.ValueType == "PROCESS_INSTANCE" {
			t.elementOf[r.Key] = r.Value.ElementID
		}
	}
	for _, r := range events {
		t.event(r)
	}
	for _, in := range t.instances {
		i := instanceTrace{Process: in.process, Flow: in.flow, Entities: lines(in.entities)}
		if byElement {
			i.Flow = lines(in.elements)
		}
		if len(i.Flow)+len(i.Entities) > 0 {
			out = append(out, i)
		}
	}
	return out
}

// lines tells each entity once, with how many there are of the same.
func lines[K cmp.Ordered](all map[K]*entity) (out []string) {
	n := map[string]int{}
	for _, e := range all {
		n[e.label+": "+fold(e.events)+e.tail]++
	}
	for l, c := range n {
		if c > 1 {
			l = fmt.Sprintf("%d × %s", c, l)
		}
		out = append(out, l)
	}
	slices.Sort(out)
	return out
}

// fold joins events, and writes one that is repeated once.
func fold(events []string) string {
	var out []string
	for i := 0; i < len(events); {
		j := i
		for j < len(events) && events[j] == events[i] {
			j++
		}
		if out = append(out, events[i]); j-i > 1 {
			out[len(out)-1] += fmt.Sprintf("×%d", j-i)
		}
		i = j
	}
	return strings.Join(out, " ")
}

func (t *tracer) of(instance int64) *history {
	if instance <= 0 {
		instance = -1
	}
	if t.instances[instance] == nil {
		t.instances[instance] = &history{process: "definitions", elements: map[int64]*entity{}, entities: map[string]*entity{}}
	}
	return t.instances[instance]
}

// add notes an event of an entity that is known by id.
func (h *history) add(r *record, id, label, event string) *entity {
	id = r.ValueType + id
	if h.entities[id] == nil {
		h.entities[id] = &entity{}
	}
	e := h.entities[id]
	e.label, e.events = label, append(e.events, event)
	return e
}

// start notes what happens to a start event: it waits on every partition, and
// again when a newer definition is deleted. Each intent counts once.
func (t *tracer) start(r *record, label string) {
	h, id := t.of(-1), fmt.Sprint(r.Value.ProcessDefinitionKey, label)
	if e := h.entities[r.ValueType+id]; e == nil || !slices.Contains(e.events, r.Intent) {
		h.add(r, id, label, r.Intent)
	}
}

func (t *tracer) event(r *record) {
	v := &r.Value
	h, key := t.of(v.ProcessInstanceKey), fmt.Sprint(r.Key)
	switch r.ValueType {
	case "PROCESS_INSTANCE":
		t.element(h, r)
	case "VARIABLE":
		name, value := v.Name, " "+t.norm(variable(v.Value))
		if t.large {
			name, value = "*", ""
		}
		h.add(r, key, fmt.Sprintf("variable %s @%s", name, t.norm(t.elementOf[v.ScopeKey])), r.Intent+value)
	case "INCIDENT":
		e := h.add(r, key, fmt.Sprintf("incident %s %s", t.norm(v.ElementID), v.ErrorType), r.Intent)
		e.tail = textMark + t.norm(bigKey.ReplaceAllString(short(v.ErrorMessage), "key"))
	case "JOB":
		kind := ""
		if v.JobKind != "" && v.JobKind != "BPMN_ELEMENT" {
			kind = " " + v.JobKind + "/" + v.JobListenerEventType
		}
		h.add(r, key, "job "+t.norm(v.ElementID)+kind, r.Intent)
	default:
		t.waiting(h, r)
	}
}

// element notes an event of an element. Events of one element instance that
// follow each other share a line.
func (t *tracer) element(h *history, r *record) {
	v := &r.Value
	if r.Key == v.ProcessInstanceKey {
		h.process = fmt.Sprintf("%s v%d", t.norm(v.BpmnProcessID), v.Version)
	}
	label := t.norm(v.ElementID) + " " + v.BpmnElementType
	if v.BpmnEventType != "" && v.BpmnEventType != "UNSPECIFIED" {
		label += "/" + v.BpmnEventType
	}
	intent := strings.TrimPrefix(strings.TrimPrefix(r.Intent, "ELEMENT_"), "SEQUENCE_FLOW_")
	if h.elements[r.Key] == nil {
		h.elements[r.Key] = &entity{}
	}
	e := h.elements[r.Key]
	e.label, e.events = label, append(e.events, intent)
	if n := len(h.flow); n > 0 && h.last == r.Key {
		h.flow[n-1] += " " + intent
	} else {
		h.flow = append(h.flow, label+": "+intent)
	}
	h.last = r.Key
}

// waiting notes an event of a timer or a subscription.
func (t *tracer) waiting(h *history, r *record) {
	v := &r.Value
	switch r.ValueType {
	case "TIMER":
		if label := "timer " + t.norm(v.TargetElementID); v.ElementInstanceKey <= 0 {
			t.start(r, label)
		} else {
			h.add(r, fmt.Sprint(r.Key), label, r.Intent)
		}
	case "MESSAGE_SUBSCRIPTION":
		t.subscription(h, r, "message-subscription")
	case "PROCESS_MESSAGE_SUBSCRIPTION":
		if r.Intent != "CREATED" && r.Intent != "DELETED" { // the other side has heard of it, at any time
			t.subscription(h, r, "process-message-subscription")
		}
	case "MESSAGE_START_EVENT_SUBSCRIPTION":
		t.start(r, "message-start-event-subscription "+t.norm(v.MessageName))
	case "SIGNAL_SUBSCRIPTION":
		if label := "signal-subscription " + t.norm(v.CatchEventID); v.CatchEventInstanceKey <= 0 {
			t.start(r, label)
		} else {
			h.add(r, fmt.Sprint(r.Key, v.CatchEventID, v.CatchEventInstanceKey), label, r.Intent)
		}
	}
}

func (t *tracer) subscription(h *history, r *record, what string) {
	v := &r.Value
	label := fmt.Sprintf("%s %s %s key=%s", what, t.norm(t.elementOf[v.ElementInstanceKey]), t.norm(v.MessageName), v.CorrelationKey)
	h.add(r, fmt.Sprint(v.ElementInstanceKey, v.MessageName), label, r.Intent)
}

// variable is the value of a variable, which its record has as a text.
func variable(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		s = string(raw)
	}
	return canonical(s)
}
