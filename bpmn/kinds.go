package bpmn

// elementTypes are the BPMN elements that become flow nodes of the model.
var elementTypes = map[string]ElementType{
	"startEvent": StartEvent, "endEvent": EndEvent, "boundaryEvent": BoundaryEvent,
	"intermediateCatchEvent": IntermediateCatchEvent, "intermediateThrowEvent": IntermediateThrowEvent,
	"serviceTask": ServiceTask, "sendTask": SendTask, "scriptTask": ScriptTask,
	"businessRuleTask": BusinessRuleTask, "userTask": UserTask, "manualTask": ManualTask,
	"receiveTask": ReceiveTask, "task": Task, "callActivity": CallActivity, "subProcess": SubProcess,
	"exclusiveGateway": ExclusiveGateway, "parallelGateway": ParallelGateway,
	"inclusiveGateway": InclusiveGateway, "eventBasedGateway": EventBasedGateway,
}

// refused are the flow elements the original knows and does not support,
// with the names it gives them.
var refused = map[string]string{
	"adHocSubProcess": "AdHocSubProcess", "complexGateway": "ComplexGateway", "transaction": "Transaction",
	"callChoreography": "CallChoreography", "choreographyTask": "ChoreographyTask",
	"subChoreography": "SubChoreography", "implicitThrowEvent": "ImplicitThrowEvent",
}

// eventTypes are the event definitions.
var eventTypes = map[string]EventType{
	"cancelEventDefinition": EventUnspecified, "conditionalEventDefinition": EventConditional,
	"compensateEventDefinition": EventCompensation, "errorEventDefinition": EventError,
	"escalationEventDefinition": EventEscalation, "linkEventDefinition": EventLink,
	"messageEventDefinition": EventMessage, "signalEventDefinition": EventSignal,
	"terminateEventDefinition": EventTerminate, "timerEventDefinition": EventTimer,
}

// typeOf says what flow node a BPMN element is.
func typeOf(n *node) (ElementType, bool) {
	if n.zeebe {
		return Unspecified, false
	}
	t, ok := elementTypes[n.name]
	if t == SubProcess && n.bool("triggeredByEvent", false) {
		t = EventSubProcess
	}
	return t, ok
}

// definitions gives the event definitions of an event.
func (n *node) definitions() (out []*node) {
	for _, c := range n.children {
		if _, ok := eventTypes[c.name]; ok && !c.zeebe {
			out = append(out, c)
		}
	}
	return out
}

// event gives what kind of event a start, end, catch, throw or boundary event is.
func (n *node) event() EventType {
	if d := n.definitions(); len(d) > 0 {
		return eventTypes[d[0].name]
	}
	return EventNone
}

// eventOf says what event an element is. Some definitions have no effect where
// they stand, as if there was none (seen on Zeebe 8.6.0).
func eventOf(n *node, t ElementType) EventType {
	switch t {
	case EndEvent, BoundaryEvent, IntermediateCatchEvent:
		return n.event()
	case IntermediateThrowEvent:
		switch e := n.event(); e {
		case EventTimer, EventError, EventTerminate:
			return EventNone
		default:
			return e
		}
	case StartEvent:
		switch e := n.event(); e {
		case EventCompensation, EventTerminate:
			return EventNone
		default:
			return e
		}
	}
	return EventUnspecified
}
