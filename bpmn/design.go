package bpmn

// checker applies the rules that need no expression to be understood. The
// rules stand in the design_*.go files, one file per topic; their texts are
// the original's.
type checker struct {
	*findings
	doc         *document
	out, in     map[string][]*node // sequence flows by the id of their source and target
	attached    map[string][]*node // boundary events by the id of their activity
	assoc       map[string][]*node // associations by the id of their source
	done        map[doneKey]bool   // what was said of messages and the like, which several events may refer to
	compensated map[string]bool    // activities with a compensation boundary event, by id
	broken      error              // what makes the original give up at once
}

// checkDesign checks the executable processes and what they refer to.
func checkDesign(f *findings, doc *document) error {
	processes := executable(doc)
	if len(processes) == 0 {
		f.add(doc.root, "Must contain at least one executable process")
		return nil
	}
	c := &checker{
		findings: f, doc: doc, done: map[doneKey]bool{},
		out: map[string][]*node{}, in: map[string][]*node{},
		attached: map[string][]*node{}, assoc: map[string][]*node{},
		compensated: map[string]bool{},
	}
	for _, p := range processes {
		c.index(p)
	}
	for _, p := range processes {
		c.visit(p)
	}
	return c.broken
}

// doneKey is a finding that is made once.
type doneKey struct {
	at   *node
	text string
}

// once adds a finding unless it was made before.
func (c *checker) once(at *node, text string) {
	if k := (doneKey{at, text}); !c.done[k] {
		c.done[k] = true
		c.add(at, text)
	}
}

// index notes who refers to whom.
func (c *checker) index(n *node) {
	for _, k := range n.children {
		switch k.name {
		case "sequenceFlow":
			source, target := k.attr("sourceRef"), k.attr("targetRef")
			c.out[source] = append(c.out[source], k)
			c.in[target] = append(c.in[target], k)
		case "association":
			c.assoc[k.ref("sourceRef")] = append(c.assoc[k.ref("sourceRef")], k)
		case "boundaryEvent":
			on := k.ref("attachedToRef")
			c.attached[on] = append(c.attached[on], k)
			if k.event() == EventCompensation {
				c.compensated[on] = true
			}
		case "subProcess":
			c.index(k)
		}
	}
}

// visit checks a process or flow element and what is inside.
func (c *checker) visit(n *node) {
	if name, ok := refused[n.name]; ok {
		c.add(n, "Elements of type '%s' are currently not supported. Please refer to the documentation for a list of supported elements: https://docs.camunda.io/docs/components/modeler/bpmn/bpmn-coverage/", name)
		return
	}
	c.rules(n)
	for _, k := range n.children {
		if k.zeebe {
			continue
		}
		_, flowNode := elementTypes[k.name]
		if _, known := refused[k.name]; known || flowNode {
			c.visit(k)
		}
	}
}

func (c *checker) rules(n *node) {
	switch n.name {
	case "process":
		c.processStarts(n)
		c.scope(n)
	case "subProcess":
		c.subProcess(n)
		c.scope(n)
	case "startEvent":
		c.startEvent(n)
	case "endEvent":
		c.endEvent(n)
	case "intermediateCatchEvent":
		c.catchEvent(n)
	case "intermediateThrowEvent":
		c.throwEvent(n)
	case "boundaryEvent":
		c.boundaryEvent(n)
	case "eventBasedGateway":
		c.eventGateway(n)
	case "exclusiveGateway", "inclusiveGateway":
		c.conditions(n)
	}
	if n.name != "exclusiveGateway" && n.name != "inclusiveGateway" {
		c.noConditions(n)
	}
	if isActivity(n) {
		c.activity(n)
	}
	c.listeners(n)
}

// isActivity says whether the node is a task, call activity or sub-process.
func isActivity(n *node) bool {
	t, ok := typeOf(n)
	if !ok {
		return false
	}
	switch t {
	case ServiceTask, SendTask, ScriptTask, BusinessRuleTask, UserTask, ManualTask, ReceiveTask, Task,
		CallActivity, SubProcess, EventSubProcess:
		return true
	}
	return false
}

// processStarts checks the start events of a process.
func (c *checker) processStarts(n *node) {
	starts, none := 0, 0
	for _, k := range n.children {
		if k.is("startEvent") {
			starts++
			if k.event() == EventNone && len(k.definitions()) == 0 {
				none++
			}
		}
	}
	if starts == 0 {
		c.add(n, "Must have at least one start event")
	}
	if none > 1 {
		c.add(n, "Multiple none start events are not allowed")
	}
	if len(n.extensions("versionTag")) > 1 {
		c.add(n, "Must have at most one 'zeebe:versionTag' extension element")
	}
}

// subProcess checks the start events of a sub-process.
func (c *checker) subProcess(n *node) {
	var starts []*node
	for _, k := range n.children {
		if k.is("startEvent") {
			starts = append(starts, k)
		}
	}
	if len(starts) != 1 {
		c.add(n, "Must have exactly one start event")
		return
	}
	event := starts[0].event()
	if t, _ := typeOf(n); t != EventSubProcess {
		if event != EventNone {
			c.add(n, "Start events in subprocesses must be of type none")
		}
		return
	}
	if event == EventCompensation && n.parent.is("process") {
		c.add(n, "A compensation event subprocess is not allowed on the process level")
	}
	switch event {
	case EventMessage, EventTimer, EventError, EventSignal, EventEscalation:
	default:
		c.add(n, "Start events in event subprocesses must be one of: message, timer, error, signal or escalation")
	}
}

// scope checks what stands side by side in a process or sub-process.
func (c *checker) scope(n *node) {
	c.links(n)
	var g catchGroup
	for _, k := range n.children {
		switch {
		case k.is("subProcess") && k.bool("triggeredByEvent", false):
			for _, s := range k.children {
				if s.is("startEvent") {
					g.add(s)
				}
			}
		case k.is("startEvent") && n.is("process") && k.event() == EventSignal:
			g.add(k)
		}
	}
	c.catchGroup(n, g)
}

// links checks that link throws find their catch.
func (c *checker) links(n *node) {
	catches, reported := map[string]int{}, map[string]bool{}
	for _, k := range n.children {
		if k.is("intermediateCatchEvent") && k.event() == EventLink {
			name := k.child("linkEventDefinition").attr("name")
			if catches[name]++; catches[name] == 2 {
				c.add(n, "Multiple intermediate catch link event definitions with the same name '%s' are not allowed.", name)
			}
		}
	}
	for _, k := range n.children {
		if k.is("intermediateThrowEvent") && k.event() == EventLink {
			name := k.child("linkEventDefinition").attr("name")
			if catches[name] == 0 && !reported[name] {
				reported[name] = true
				c.add(n, "Can't find an catch link event for the throw link event with the name '%s'.", name)
			}
		}
	}
}
