package enginetest

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// Model turns a text in short form into a BPMN resource. id names the process
// if the text opens none of its own.
func Model(id, text string) ([]byte, error) {
	list, err := parseForm(id, text)
	if err != nil {
		return nil, fmt.Errorf("short form: %w", err)
	}
	w := &formWriter{roots: map[string]string{}}
	for _, n := range list {
		if err := w.node(n); err != nil {
			return nil, err
		}
	}
	var b strings.Builder
	b.WriteString(`<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"` +
		` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="defs" targetNamespace="http://grevy.io/test">` + "\n")
	b.WriteString(w.declared.String() + w.body.String() + "</definitions>\n")
	return []byte(b.String()), nil
}

var tags = map[string]string{
	"process": "process", "sub": "subProcess", "start": "startEvent", "end": "endEvent", "throw": "intermediateThrowEvent",
	"service": "serviceTask", "send": "sendTask", "script": "scriptTask", "rule": "businessRuleTask", "user": "userTask",
	"manual": "manualTask", "task": "task", "xor": "exclusiveGateway", "and": "parallelGateway",
	"catch": "intermediateCatchEvent", "boundary": "boundaryEvent", "eventsub": "subProcess", "call": "callActivity",
	"or": "inclusiveGateway", "evgw": "eventBasedGateway", "receive": "receiveTask",
}

// formWriter writes nodes, and declares what they refer to.
type formWriter struct {
	body, declared strings.Builder
	roots          map[string]string // ids of what is declared
	count          int
}

func escaped(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(err) // a Builder takes everything
	}
	return b.String()
}

func (w *formWriter) node(n *node) error {
	tag, b := tags[n.kind], &w.body
	if tag == "" {
		return fmt.Errorf("short form: unknown kind of node %q", n.kind)
	}
	fmt.Fprintf(b, `<%s id="%s"`, tag, escaped(n.id))
	switch n.kind {
	case "process":
		b.WriteString(` isExecutable="true"`)
	case "eventsub":
		b.WriteString(` triggeredByEvent="true"`)
	}
	if n.dflt != "" {
		fmt.Fprintf(b, ` default="%s"`, escaped(n.dflt))
	}
	w.eventAttributes(n, b)
	b.WriteString(">")
	if err := n.extensions(b); err != nil {
		return err
	}
	w.definition(n)
	n.multiInstance(b)
	if n.body != nil {
		if err := w.scope(n.body); err != nil {
			return err
		}
	}
	fmt.Fprintf(b, "</%s>\n", tag)
	return nil
}

func (w *formWriter) scope(c *body) error {
	w.body.WriteString("\n")
	for _, n := range c.nodes {
		if err := w.node(n); err != nil {
			return err
		}
	}
	for _, f := range c.flows {
		fmt.Fprintf(&w.body, `<sequenceFlow id="%s_%s" sourceRef="%s" targetRef="%s">`, f.from, f.to, f.from, f.to)
		if f.condition != "" {
			fmt.Fprintf(&w.body, `<conditionExpression xsi:type="tFormalExpression">= %s</conditionExpression>`, escaped(f.condition))
		}
		w.body.WriteString("</sequenceFlow>\n")
	}
	for _, n := range c.nodes {
		if handler, ok := n.attribute("compensate"); ok && n.kind == "boundary" {
			fmt.Fprintf(&w.body, `<association id="%s_%s" sourceRef="%s" targetRef="%s"/>`+"\n", n.id, handler, n.id, handler)
		}
	}
	return nil
}

// extensions writes what the attributes of a node stand for.
func (n *node) extensions(b *strings.Builder) error {
	parts := map[string]*strings.Builder{}
	put := func(part, format string, args ...any) {
		if parts[part] == nil {
			parts[part] = &strings.Builder{}
		}
		fmt.Fprintf(parts[part], format, args...)
	}
	for _, a := range n.attrs {
		v := escaped(a.value)
		kind, rest, _ := strings.Cut(a.name, ".")
		if isEvent[kind] && rest == "" {
			continue
		}
		switch kind {
		case "on":
			jobType, retries, _ := strings.Cut(v, ":")
			put("executionListeners", `<zeebe:executionListener eventType="%s" type="%s" retries="%s"/>`, escaped(rest), jobType, retries)
		case "type", "retries":
			put("taskDefinition", ` %s="%s"`, kind, v)
		case "h":
			put("taskHeaders", `<zeebe:header key="%s" value="%s"/>`, escaped(rest), v)
		case "in":
			put("ioMapping", `<zeebe:input source="%s" target="%s"/>`, v, escaped(rest))
		case "out":
			put("ioMapping", `<zeebe:output source="%s" target="%s"/>`, v, escaped(rest))
		case "expr":
			put("script", ` expression="%s"`, v)
		case "result":
			put(n.resulting(), ` resultVariable="%s"`, v)
		case "calls":
			put("calledElement", ` processId="%s"`, v)
		case "decision":
			put("calledDecision", ` decisionId="%s"`, v)
		case "formid":
			put("formDefinition", ` formId="%s"`, v)
		case "formkey":
			put("formDefinition", ` formKey="%s"`, v)
		case "native":
			put("userTask", "")
		case "priority":
			put("priorityDefinition", ` priority="%s"`, v)
		case "binding":
			put(n.bindable(), ` bindingType="%s"`, v)
		case "vtag":
			put(n.bindable(), ` versionTag="%s"`, v)
		case "tag":
			put("versionTag", ` value="%s"`, v)
		case "allchild":
			put("calledElement", ` propagateAllChildVariables="%s"`, v)
		case "allparent":
			put("calledElement", ` propagateAllParentVariables="%s"`, v)
		case "assignee":
			put("assignmentDefinition", ` assignee="%s"`, v)
		case "groups":
			put("assignmentDefinition", ` candidateGroups="%s"`, v)
		case "users":
			put("assignmentDefinition", ` candidateUsers="%s"`, v)
		case "due":
			put("taskSchedule", ` dueDate="%s"`, v)
		case "followup":
			put("taskSchedule", ` followUpDate="%s"`, v)
		default:
			return fmt.Errorf("short form: unknown attribute %q of %s", a.name, n.id)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	b.WriteString("<extensionElements>")
	for _, part := range []string{"versionTag", "taskDefinition", "script", "calledElement", "calledDecision", "userTask", "formDefinition", "priorityDefinition", "executionListeners", "ioMapping", "taskHeaders", "assignmentDefinition", "taskSchedule"} {
		switch content := parts[part]; {
		case content == nil:
		case strings.HasPrefix(content.String(), "<"):
			fmt.Fprintf(b, "<zeebe:%s>%s</zeebe:%s>", part, content, part)
		default:
			fmt.Fprintf(b, "<zeebe:%s%s/>", part, content)
		}
	}
	b.WriteString("</extensionElements>")
	return nil
}

// bindable is the extension that says what a node refers to.
func (n *node) bindable() string {
	switch n.kind {
	case "rule":
		return "calledDecision"
	case "user":
		return "formDefinition"
	}
	return "calledElement"
}

// resulting is the extension that names a node's result.
func (n *node) resulting() string {
	if n.kind == "rule" {
		return "calledDecision"
	}
	return "script"
}
