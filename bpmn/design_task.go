package bpmn

import (
	"fmt"
	"strings"
)

// activity checks a task, call activity or sub-process.
func (c *checker) activity(n *node) {
	c.extensionsOf(n)
	var g catchGroup
	for _, b := range c.attached[n.id()] {
		g.add(b)
	}
	c.catchGroup(n, g)
	if n.bool("isForCompensation", false) {
		c.compensationHandler(n)
	}
	if l := n.child("multiInstanceLoopCharacteristics"); l != nil {
		c.multiInstance(l)
	}
}

func (c *checker) extensionsOf(n *node) {
	jobs := len(n.extensions("taskDefinition"))
	switch n.name {
	case "serviceTask":
		if jobs != 1 {
			c.add(n, "Must have exactly one 'zeebe:taskDefinition' extension element")
		}
	case "sendTask":
		if jobs+len(n.extensions("publishMessage")) != 1 {
			c.add(n, "Must have either one 'zeebe:publishMessage' or one 'zeebe:taskDefinition' extension element")
		}
	case "scriptTask":
		if jobs+len(n.extensions("script")) != 1 {
			c.add(n, "Must have either one 'zeebe:script' or one 'zeebe:taskDefinition' extension element")
		}
		c.mustHave(n.extension("script"), "resultVariable")
	case "businessRuleTask":
		if jobs+len(n.extensions("calledDecision")) != 1 {
			c.add(n, "Must have either one 'zeebe:calledDecision' or one 'zeebe:taskDefinition' extension element")
		}
		c.mustHave(n.extension("calledDecision"), "resultVariable")
		c.binding(n.extension("calledDecision"))
	case "receiveTask":
		c.catchMessage(n, n.ref("messageRef"), true)
	case "callActivity":
		if len(n.extensions("calledElement")) != 1 {
			c.add(n, "Must have exactly one 'zeebe:calledElement' extension element")
		}
		c.binding(n.extension("calledElement"))
	case "userTask":
		c.form(n)
	}
	c.headers(n)
}

// mustHave checks an attribute of an extension element, if there is one.
func (c *checker) mustHave(n *node, name string) {
	if n != nil && n.attr(name) == "" {
		c.add(n, "Attribute '%s' must be present and not empty", name)
	}
}

// binding checks which version of a called resource is meant.
func (c *checker) binding(n *node) {
	if n == nil {
		return
	}
	switch n.attr("bindingType") {
	case "versionTag":
		if n.attr("versionTag") == "" {
			c.add(n, "Attribute 'versionTag' must be present and not empty if 'bindingType' is 'versionTag'")
		}
	case "", "latest", "deployment":
		if n.attr("versionTag") != "" {
			c.add(n, "Attribute 'versionTag' may only be used if 'bindingType' is 'versionTag'")
		}
	default:
		c.add(n, "Attribute 'bindingType' must be one of: deployment, latest, versionTag")
	}
}

// form checks the form of a user task.
func (c *checker) form(n *node) {
	f := n.extension("formDefinition")
	if f == nil {
		return
	}
	second, suffix := "formKey", ""
	if n.extension("userTask") != nil {
		second, suffix = "externalReference", " for native user tasks"
	}
	given := 0
	for _, name := range []string{"formId", second} {
		if strings.TrimSpace(f.attr(name)) != "" {
			given++
		}
	}
	if given != 1 {
		c.add(f, "Exactly one of the attributes 'formId, %s' must be present and not blank%s", second, suffix)
	}
	c.binding(f)
}

// headers refuses a key given twice, once per key.
func (c *checker) headers(n *node) {
	t := n.extension("taskHeaders")
	if t == nil {
		return
	}
	seen := map[string]int{}
	for _, h := range t.within("header") {
		key := h.attr("key")
		if seen[key]++; seen[key] == 2 {
			c.add(t, "Headers contain duplicate entries for key '%s'", key)
		}
	}
}

func (c *checker) multiInstance(l *node) {
	loops := l.extensions("loopCharacteristics")
	if len(loops) != 1 {
		c.add(l, "Must have exactly one 'zeebe:loopCharacteristics' extension element")
		return
	}
	collection, element := loops[0].attr("outputCollection"), loops[0].attr("outputElement")
	if collection != "" && element == "" {
		c.add(loops[0], "Attribute 'outputElement' must be present if the attribute 'outputCollection' is set")
	}
	if element != "" && collection == "" {
		c.add(loops[0], "Attribute 'outputCollection' must be present if the attribute 'outputElement' is set")
	}
}

// listeners checks the execution listeners of an element.
func (c *checker) listeners(n *node) {
	l := n.extension("executionListeners")
	if l == nil {
		return
	}
	type combination struct{ event, job string }
	count := map[combination]int{}
	var order []combination
	events := map[string]bool{}
	for _, k := range l.within("executionListener") {
		c.mustHave(k, "eventType")
		c.mustHave(k, "type")
		switch event := k.attr("eventType"); event {
		case "", "start", "end":
			events[event] = true
		default:
			if c.broken == nil {
				c.broken = fmt.Errorf("No enum constant io.camunda.zeebe.model.bpmn.instance.zeebe.ZeebeExecutionListenerEventType.%s", event)
			}
		}
		if k.attr("eventType") != "" && k.attr("type") != "" {
			key := combination{k.attr("eventType"), k.attr("type")}
			if count[key]++; count[key] == 1 {
				order = append(order, key)
			}
		}
	}
	for _, key := range order {
		if count[key] > 1 {
			c.add(l, "Found '%d' duplicates based on eventType[%s] and type[%s], these combinations should be unique.", count[key], key.event, key.job)
		}
	}
	c.listenersAllowed(n, events)
}

// listenersAllowed refuses listeners where the engine has no place for them.
func (c *checker) listenersAllowed(n *node, events map[string]bool) {
	refuse := func(event, where string) {
		if events[event] {
			c.add(n, "Execution listeners of type '%s' are not supported by %s", event, where)
		}
	}
	switch n.name {
	case "startEvent":
		refuse("start", "start events")
	case "boundaryEvent":
		refuse("start", "boundary events")
		if n.event() == EventCompensation {
			refuse("end", "compensation boundary events")
		}
	case "endEvent":
		if n.event() == EventError {
			refuse("end", "error end events")
		}
	case "exclusiveGateway", "inclusiveGateway", "parallelGateway", "eventBasedGateway":
		refuse("end", "gateway element")
	}
}
