package bpmn

// catchGroup are the events that wait at one place: the boundary events of an
// activity, the event sub-processes of a scope, the targets of an event-based
// gateway. No two of them may wait for the same.
type catchGroup struct{ definitions []*node }

func (g *catchGroup) add(event *node) {
	if d := event.definitions(); len(d) > 0 {
		g.definitions = append(g.definitions, d[0])
	}
}

// catchKinds say how the catches of a kind are told apart.
var catchKinds = []struct {
	definition, ref, kind, key string
	same, all                  string
}{
	{"messageEventDefinition", "messageRef", "message", "name",
		"Multiple message event definitions with the same name '%s' are not allowed.", ""},
	{"signalEventDefinition", "signalRef", "signal", "name",
		"Multiple signal event definitions with the same name '%s' are not allowed.", ""},
	{"errorEventDefinition", "errorRef", "error", "errorCode",
		"Multiple error catch events with the same error code '%s' are not supported on the same scope.",
		"The same scope can not contain more than one error catch event without error code. An error catch event without error code catches all errors."},
	{"escalationEventDefinition", "escalationRef", "escalation", "escalationCode",
		"Multiple escalation catch events with the same escalation code '%s' are not supported on the same scope.",
		"The same scope can not contain more than one escalation catch event without escalation code. An escalation catch event without escalation code catches all escalations."},
}

// catchGroup checks the group that waits at the node.
func (c *checker) catchGroup(at *node, g catchGroup) {
	if len(g.definitions) < 2 {
		return
	}
	for _, k := range catchKinds {
		seen := map[string]int{}
		for _, d := range g.definitions {
			if d.name != k.definition {
				continue
			}
			key := ""
			if n := c.referenced(d.ref(k.ref), k.kind); n != nil {
				key = n.attr(k.key)
			}
			seen[key]++
			switch {
			case seen[key] != 2:
			case key != "":
				c.add(at, k.same, key)
			case k.all != "":
				c.add(at, k.all)
			}
		}
	}
}
