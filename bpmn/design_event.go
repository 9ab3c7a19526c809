package bpmn

import "fmt"

func (c *checker) startEvent(n *node) {
	if len(n.definitions()) > 1 {
		c.add(n, "Must have at most one event definition")
	}
	inEventSubProcess := n.parent.is("subProcess") && n.parent.bool("triggeredByEvent", false)
	for _, d := range n.definitions() {
		c.definition(d)
		switch eventTypes[d.name] {
		case EventMessage:
			c.catchMessage(d, d.ref("messageRef"), inEventSubProcess)
		case EventSignal:
			c.signal(d)
		}
	}
	if inEventSubProcess {
		c.interruption(n, n.bool("isInterrupting", true))
	}
}

func (c *checker) endEvent(n *node) {
	if len(c.out[n.id()]) > 0 {
		c.add(n, "End events must not have outgoing sequence flows to other elements.")
	}
	if len(n.definitions()) > 1 {
		c.add(n, "Must have at most one event definition")
	}
	switch n.event() {
	case EventTimer, EventLink, EventConditional, EventUnspecified:
		c.add(n, "End events must be one of: none, error, message, terminate, signal, escalation or compensation")
	}
	for _, d := range n.definitions() {
		c.definition(d)
		c.thrown(n, d)
		if eventTypes[d.name] == EventError {
			c.thrownError(d)
		}
	}
}

func (c *checker) throwEvent(n *node) {
	if len(n.definitions()) > 1 {
		c.add(n, "Must have at most one event definition")
	}
	for _, d := range n.definitions() {
		c.definition(d)
		c.thrown(n, d)
	}
}

// thrown checks what an end or intermediate throw event throws.
func (c *checker) thrown(n, d *node) {
	switch eventTypes[d.name] {
	case EventMessage:
		if len(n.extensions("taskDefinition"))+len(n.extensions("publishMessage")) != 1 {
			c.add(n, "Must have either one 'zeebe:publishMessage' or one 'zeebe:taskDefinition' extension element")
		}
	case EventSignal:
		c.signal(d)
	case EventEscalation:
		c.thrownEscalation(d)
	case EventCompensation:
		c.compensationThrow(n, d)
	}
}

func (c *checker) catchEvent(n *node) {
	if len(n.definitions()) != 1 {
		c.add(n, "Must have exactly one event definition")
	}
	for _, d := range n.definitions() {
		c.definition(d)
		switch eventTypes[d.name] {
		case EventMessage:
			c.catchMessage(d, d.ref("messageRef"), true)
		case EventTimer:
			if d.child("timeDuration") == nil && d.child("timeDate") == nil {
				c.add(n, "Intermediate timer catch event must have either a time duration or a time date.")
			}
		case EventSignal:
			c.signal(d)
		case EventLink:
		default:
			c.add(n, "Event definition must be one of: message, timer, signal, or link")
		}
	}
}

func (c *checker) boundaryEvent(n *node) {
	if len(n.definitions()) != 1 {
		c.add(n, "Must have exactly one event definition")
	}
	if len(c.in[n.id()]) > 0 {
		c.add(n, "Must not have incoming sequence flows")
	}
	if len(c.out[n.id()]) == 0 && len(c.assoc[n.id()]) == 0 {
		c.add(n, "Must have at least one outgoing sequence flow or association")
	}
	for _, d := range n.definitions() {
		c.definition(d)
		switch eventTypes[d.name] {
		case EventMessage:
			c.catchMessage(d, d.ref("messageRef"), true)
		case EventSignal:
			c.signal(d)
		case EventEscalation:
			if on := c.doc.ids[n.ref("attachedToRef")]; on != nil && !on.is("subProcess") && !on.is("callActivity") {
				c.add(n, "An escalation boundary event should only be attached to a subprocess, or a call activity.")
			}
		case EventTimer, EventError, EventCompensation:
		default:
			c.add(n, "Boundary events must be one of: timer, message, error, signal, escalation")
		}
	}
	c.interruption(n, n.bool("cancelActivity", true))
}

// interruption checks that the event may (not) interrupt what it stands at.
func (c *checker) interruption(n *node, interrupting bool) {
	if n.event() == EventError && !interrupting {
		c.add(n, "Non-Interrupting event of this type is not allowed")
	}
	if t := n.child("timerEventDefinition"); t != nil && interrupting && t.child("timeCycle") != nil {
		c.add(n, "Interrupting timer event with time cycle is not allowed.")
	}
}

// definition checks an event definition by itself.
func (c *checker) definition(d *node) {
	switch eventTypes[d.name] {
	case EventUnspecified, EventConditional:
		c.add(d, "Event definition of this type is not supported")
	case EventTimer:
		kinds := 0
		for _, k := range []string{"timeDuration", "timeDate", "timeCycle"} {
			if d.child(k) != nil {
				kinds++
			}
		}
		if kinds != 1 {
			c.add(d, "Must be exactly one type of timer: timeDuration, timeDate or timeCycle")
		}
	case EventLink:
		if d.attr("name") == "" {
			c.add(d, "Link name must be present and not empty")
		}
	}
}

// referenced finds what a definition refers to, nil if there is nothing. What
// is there but of another kind ends the checks.
func (c *checker) referenced(id, kind string) *node {
	n := c.doc.ids[id]
	if n != nil && !n.is(kind) {
		if c.broken == nil {
			c.broken = fmt.Errorf("Expected element with id '%s' to be a %s, but it is a %s", id, kind, n.name)
		}
		return nil
	}
	return n
}

// catchMessage checks a message that is waited for; at the start of a process
// it needs no correlation key.
func (c *checker) catchMessage(at *node, id string, correlated bool) {
	m := c.referenced(id, "message")
	if m == nil {
		c.add(at, "Must reference a message")
		return
	}
	if m.attr("name") == "" {
		c.once(m, "Name must be present and not empty")
	}
	if correlated && len(m.extensions("subscription")) != 1 {
		c.once(m, "Must have exactly one zeebe:subscription extension element")
	}
}

func (c *checker) signal(d *node) {
	s := c.referenced(d.ref("signalRef"), "signal")
	switch {
	case s == nil:
		c.add(d, "Must reference a signal")
	case s.attr("name") == "":
		c.once(s, "Name must be present and not empty")
	}
}

func (c *checker) thrownError(d *node) {
	e := c.referenced(d.ref("errorRef"), "error")
	switch {
	case e == nil:
		c.add(d, "Must reference an error")
	case e.attr("errorCode") == "":
		c.add(d, "ErrorCode must be present and not empty")
	}
}

func (c *checker) thrownEscalation(d *node) {
	e := c.referenced(d.ref("escalationRef"), "escalation")
	switch {
	case e == nil:
		c.add(d, "Must reference an escalation")
	case e.attr("escalationCode") == "":
		c.once(e, "EscalationCode must be present and not empty")
	}
}
