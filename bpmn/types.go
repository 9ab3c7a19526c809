package bpmn

// ElementType is the kind of an element, named as in the original's records.
type ElementType uint8

// The kinds of elements.
const (
	Unspecified ElementType = iota
	ProcessElement
	SubProcess
	EventSubProcess
	StartEvent
	IntermediateCatchEvent
	IntermediateThrowEvent
	BoundaryEvent
	EndEvent
	ServiceTask
	ReceiveTask
	UserTask
	ManualTask
	Task
	ExclusiveGateway
	ParallelGateway
	EventBasedGateway
	InclusiveGateway
	SequenceFlow
	MultiInstanceBody
	CallActivity
	BusinessRuleTask
	ScriptTask
	SendTask
)

var elementTypeNames = [...]string{
	Unspecified: "UNSPECIFIED", ProcessElement: "PROCESS",
	SubProcess: "SUB_PROCESS", EventSubProcess: "EVENT_SUB_PROCESS",
	StartEvent: "START_EVENT", IntermediateCatchEvent: "INTERMEDIATE_CATCH_EVENT",
	IntermediateThrowEvent: "INTERMEDIATE_THROW_EVENT", BoundaryEvent: "BOUNDARY_EVENT",
	EndEvent: "END_EVENT", ServiceTask: "SERVICE_TASK", ReceiveTask: "RECEIVE_TASK",
	UserTask: "USER_TASK", ManualTask: "MANUAL_TASK", Task: "TASK",
	ExclusiveGateway: "EXCLUSIVE_GATEWAY", ParallelGateway: "PARALLEL_GATEWAY",
	EventBasedGateway: "EVENT_BASED_GATEWAY", InclusiveGateway: "INCLUSIVE_GATEWAY",
	SequenceFlow: "SEQUENCE_FLOW", MultiInstanceBody: "MULTI_INSTANCE_BODY",
	CallActivity: "CALL_ACTIVITY", BusinessRuleTask: "BUSINESS_RULE_TASK",
	ScriptTask: "SCRIPT_TASK", SendTask: "SEND_TASK",
}

// String gives the name the records carry, such as SERVICE_TASK.
func (t ElementType) String() string {
	if int(t) < len(elementTypeNames) {
		return elementTypeNames[t]
	}
	return elementTypeNames[Unspecified]
}

// EventType is what an event waits for or throws, named as in the original's records.
type EventType uint8

// The kinds of events; EventUnspecified is that of elements which are no events.
const (
	EventUnspecified EventType = iota
	EventConditional
	EventError
	EventEscalation
	EventLink
	EventMessage
	EventNone
	EventSignal
	EventTerminate
	EventTimer
	EventCompensation
)

var eventTypeNames = [...]string{
	EventUnspecified: "UNSPECIFIED", EventConditional: "CONDITIONAL", EventError: "ERROR",
	EventEscalation: "ESCALATION", EventLink: "LINK", EventMessage: "MESSAGE",
	EventNone: "NONE", EventSignal: "SIGNAL", EventTerminate: "TERMINATE",
	EventTimer: "TIMER", EventCompensation: "COMPENSATION",
}

// String gives the name the records carry, such as TIMER.
func (t EventType) String() string {
	if int(t) < len(eventTypeNames) {
		return eventTypeNames[t]
	}
	return eventTypeNames[EventUnspecified]
}
