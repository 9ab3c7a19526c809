package engine

import (
	"github.com/grevy-io/grevy/bpmn"
	"github.com/grevy-io/grevy/internal/jsondoc"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// recordElement records where an element instance stands in its life.
func (r *run) recordElement(el *elem, intent string) {
	if r.rec != nil {
		r.instanceRecord(el, intent)
	}
}

// waits tells whether the step that begins an element instance is still to come,
// so that nothing of it was recorded.
func (r *run) waits(el *elem) bool {
	if el.State != state.Activating || el.begun || el.listening() > 0 {
		return false
	}
	i := r.tx.Incident(el.Incident)
	return i == nil || stepOp(i.Step) == stepActivate // that step itself could not be taken
}

// recordEnding records that an element instance is told to end. Of one that waits
// for its beginning the original knows nothing; if a modification has begun
// something in it, it begins now.
func (r *run) recordEnding(el *elem) {
	switch {
	case r.rec == nil:
		return
	case r.waits(el) && el.HasChildren():
		r.recordElement(el, "ELEMENT_ACTIVATING")
	case r.waits(el):
		el.untold = true
		return
	}
	r.recordElement(el, "ELEMENT_TERMINATING")
}

func (r *run) instanceRecord(el *elem, intent string) {
	kind := el.model.Type.String()
	if el.isBody() {
		kind = "MULTI_INSTANCE_BODY"
	}
	event := el.model.Event
	if el.model.Type == bpmn.ReceiveTask && !el.isBody() {
		event = bpmn.EventMessage
	}
	if el.model.ForCompensation && !el.isInner() {
		event = bpmn.EventCompensation
	}
	o := r.rec.begin().process(el).num("version", int64(el.def.Version)).str("elementId", el.Element).
		str("bpmnElementType", kind).str("bpmnEventType", event.String()).key("flowScopeKey", el.Scope)
	r.parents(o, el)
	r.rec.event("PROCESS_INSTANCE", intent, el.Key)
}

// parents writes which call activity has started the instance.
func (r *run) parents(o *object, el *elem) {
	var instance, activity protocol.Key
	if root := r.elem(el.Instance); root != nil {
		if caller := r.caller(root); caller != nil {
			instance, activity = caller.Instance, caller.Key
		}
	}
	o.key("parentProcessInstanceKey", instance).key("parentElementInstanceKey", activity)
}

// recordFlow records that a token takes a sequence flow.
func (r *run) recordFlow(f *bpmn.Flow, scope *elem) {
	if r.rec == nil {
		return
	}
	o := r.rec.begin().process(scope).num("version", int64(scope.def.Version)).str("elementId", f.ID).
		str("bpmnElementType", bpmn.SequenceFlow.String()).str("bpmnEventType", bpmn.EventUnspecified.String()).key("flowScopeKey", scope.Key)
	r.parents(o, scope)
	r.rec.event("PROCESS_INSTANCE", "SEQUENCE_FLOW_TAKEN", r.key())
}

// eventRecord is an event that has happened and was not yet acted upon.
type eventRecord struct {
	key    protocol.Key
	target string
}

// eventTriggering records that an event has happened at an element instance.
func (r *run) eventTriggering(el *elem, event *bpmn.Element, vars []state.Variable) {
	if r.rec != nil {
		r.processEvent(el, event, members(vars))
	}
}

// gave records that work is done, with the variables it has brought.
func (r *run) gave(el *elem, list []jsondoc.Member) {
	el.given = list
	for i := range list {
		r.held += len(list[i].Value)
	}
	if r.rec != nil {
		r.processEvent(el, el.model, list)
	}
}

func (r *run) processEvent(el *elem, event *bpmn.Element, list []jsondoc.Member) {
	el.event = &eventRecord{r.key(), event.ID}
	eventValue(r.rec.begin(), el, event.ID, list)
	r.rec.event("PROCESS_EVENT", "TRIGGERING", el.event.key)
}

// eventTriggered records that what has happened at el is acted upon.
func (r *run) eventTriggered(el *elem) {
	if r.rec == nil || el.event == nil {
		return
	}
	eventValue(r.rec.begin(), el, el.event.target, nil)
	r.rec.event("PROCESS_EVENT", "TRIGGERED", el.event.key)
	el.event = nil
}

func eventValue(o *object, el *elem, target string, list []jsondoc.Member) {
	o.key("processDefinitionKey", el.Definition).key("processInstanceKey", el.Instance).key("scopeKey", el.Key).
		str("targetElementId", target).members("variables", list)
}

// recordEscalation records who has caught an escalation.
func (r *run) recordEscalation(el *elem, x *thrown) {
	if r.rec == nil {
		return
	}
	intent, by := "NOT_ESCALATED", ""
	if x.by != nil {
		intent, by = "ESCALATED", x.by.ID
	}
	r.rec.begin().key("processInstanceKey", el.Instance).str("escalationCode", x.code).str("throwElementId", el.Element).str("catchElementId", by)
	r.rec.event("ESCALATION", intent, r.key())
}

// recordCreation records that an instance was made.
func (r *run) recordCreation(root *elem, c *protocol.CreateInstance) {
	if r.rec == nil {
		return
	}
	o := r.rec.begin().process(root).num("version", int64(root.def.Version)).members("variables", members(root.Variables))
	startInstructionsOf(o, c)
	r.rec.event("PROCESS_INSTANCE_CREATION", "CREATED", r.key())
}

func startInstructionsOf(o *object, c *protocol.CreateInstance) {
	o.name("startInstructions")
	*o = append(*o, '[')
	for i, id := range c.StartElements {
		if i > 0 {
			*o = append(*o, ',')
		}
		*o = append(jsondoc.AppendName(append(*o, `{"elementId":`...), id), '}')
	}
	*o = append(*o, ']')
}

// recordCompensation records what becomes of an activity that can be compensated,
// in the process of el. throw is nil before an event compensates it.
func (r *run) recordCompensation(el, throw *elem, v *state.Compensating, intent string) {
	if r.rec == nil {
		return
	}
	o := r.rec.begin().key("processInstanceKey", el.Instance).key("processDefinitionKey", el.Definition).
		str("compensableActivityId", v.Activity).str("compensationHandlerId", v.Handler).key("compensationHandlerInstanceKey", v.HandlerInstance).
		key("compensableActivityScopeKey", v.Scope).key("compensableActivityInstanceKey", v.Instance).json("variables", nil)
	if throw == nil {
		o.str("throwEventId", "").key("throwEventInstanceKey", 0)
	} else {
		o.str("throwEventId", throw.Element).key("throwEventInstanceKey", throw.Key)
	}
	r.rec.event("COMPENSATION_SUBSCRIPTION", intent, v.Key)
}
