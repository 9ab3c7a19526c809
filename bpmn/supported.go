package bpmn

// runs lists the kinds of elements and features the engine executes. A legal
// model that needs another kind is refused with the kind's name; to support
// one, add it here and give the model what the engine needs of it.
var runs = map[string]bool{
	"process":                                        true,
	"embedded sub-process":                           true,
	"none start event":                               true,
	"none end event":                                 true,
	"intermediate none throw event":                  true,
	"service task":                                   true,
	"send task":                                      true,
	"script task with a job":                         true,
	"script task with an expression":                 true,
	"business rule task with a job":                  true,
	"business rule task with a decision":             true,
	"user task with a job":                           true,
	"native user task":                               true,
	"manual task":                                    true,
	"call activity":                                  true,
	"multi-instance activity":                        true,
	"undefined task":                                 true,
	"receive task":                                   true,
	"timer start event":                              true,
	"message start event":                            true,
	"signal start event":                             true,
	"intermediate message catch event":               true,
	"intermediate signal catch event":                true,
	"intermediate message throw event":               true,
	"intermediate signal throw event":                true,
	"message end event":                              true,
	"signal end event":                               true,
	"message boundary event":                         true,
	"signal boundary event":                          true,
	"message start event of an event sub-process":    true,
	"signal start event of an event sub-process":     true,
	"intermediate timer catch event":                 true,
	"timer boundary event":                           true,
	"error boundary event":                           true,
	"error end event":                                true,
	"terminate end event":                            true,
	"event sub-process":                              true,
	"error start event of an event sub-process":      true,
	"timer start event of an event sub-process":      true,
	"intermediate link throw event":                  true,
	"intermediate link catch event":                  true,
	"inclusive gateway":                              true,
	"event-based gateway":                            true,
	"intermediate escalation throw event":            true,
	"escalation end event":                           true,
	"escalation boundary event":                      true,
	"escalation start event of an event sub-process": true,
	"error start event":                              true, // begins nothing, as in the original
	"escalation start event":                         true,
	"link start event":                               true,
	"exclusive gateway":                              true,
	"compensation handler":                           true,
	"compensation boundary event":                    true,
	"compensation end event":                         true,
	"intermediate compensation throw event":          true,
	"element with execution listeners":               true,
	"parallel gateway":                               true,
}

// eventNames are the kinds of events as people call them.
var eventNames = [...]string{
	EventUnspecified: "unknown", EventConditional: "conditional", EventError: "error",
	EventEscalation: "escalation", EventLink: "link", EventMessage: "message",
	EventNone: "none", EventSignal: "signal", EventTerminate: "terminate",
	EventTimer: "timer", EventCompensation: "compensation",
}

// kind names what an element is for the table above.
func kind(n *node, e *Element) string {
	event := eventNames[e.Event]
	switch e.Type {
	case StartEvent:
		if e.Scope.Type == EventSubProcess {
			return event + " start event of an event sub-process"
		}
		return event + " start event"
	case EndEvent:
		return event + " end event"
	case IntermediateCatchEvent:
		return "intermediate " + event + " catch event"
	case IntermediateThrowEvent:
		return "intermediate " + event + " throw event"
	case BoundaryEvent:
		return event + " boundary event"
	case ScriptTask:
		if n.extension("script") != nil {
			return "script task with an expression"
		}
		return "script task with a job"
	case BusinessRuleTask:
		if n.extension("calledDecision") != nil {
			return "business rule task with a decision"
		}
		return "business rule task with a job"
	case UserTask:
		if n.extension("userTask") != nil {
			return "native user task"
		}
		return "user task with a job"
	}
	return typeNames[e.Type]
}

// typeNames are the kinds of elements that need no further distinction.
var typeNames = map[ElementType]string{
	ProcessElement: "process", SubProcess: "embedded sub-process", EventSubProcess: "event sub-process",
	ServiceTask: "service task", SendTask: "send task", ReceiveTask: "receive task",
	ManualTask: "manual task", Task: "undefined task", CallActivity: "call activity",
	ExclusiveGateway: "exclusive gateway", ParallelGateway: "parallel gateway",
	EventBasedGateway: "event-based gateway", InclusiveGateway: "inclusive gateway",
}

// features names what an element asks for beyond its kind.
func features(n *node) (out []string) {
	if n.child("multiInstanceLoopCharacteristics") != nil {
		out = append(out, "multi-instance activity")
	}
	if n.bool("isForCompensation", false) {
		out = append(out, "compensation handler")
	}
	if n.extension("executionListeners") != nil {
		out = append(out, "element with execution listeners")
	}
	if n.extension("publishMessage") != nil {
		out = append(out, "element that publishes a message")
	}
	return out
}

// checkSupported adds a finding for each kind of the element that the engine
// does not run.
func checkSupported(f *findings, n *node, e *Element) {
	const text = "Elements of this kind are not supported yet: %s"
	if k := kind(n, e); !runs[k] {
		f.add(n, text, k)
	}
	for _, k := range features(n) {
		if !runs[k] {
			f.add(n, text, k)
		}
	}
}
