package scenarios

import (
	"fmt"
	"strings"
)

// writer writes elements as BPMN.
type writer struct {
	id      string
	roots   []string // messages, signals, errors, escalations
	rootIDs map[string]string
	nextID  int
}

func escaped(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\n", "&#10;").Replace(s)
}

func extended(s string) string {
	if s == "" {
		return ""
	}
	return "<bpmn:extensionElements>" + s + "</bpmn:extensionElements>"
}

// root gives the id of a message, signal, error or escalation, each written once.
func (w *writer) root(kind, attributes, inner string) string {
	all := kind + attributes + inner
	if id, ok := w.rootIDs[all]; ok {
		return id
	}
	w.nextID++
	id := fmt.Sprintf("%s_%d", kind, w.nextID)
	w.rootIDs[all] = id
	w.roots = append(w.roots, fmt.Sprintf(`<bpmn:%s id="%s" %s>%s</bpmn:%s>`, kind, id, attributes, inner, kind))
	return id
}

func (w *writer) message(e *element) string {
	sub := ""
	if k, ok := e.find("key"); ok {
		sub = extended(fmt.Sprintf(`<zeebe:subscription correlationKey="%s"/>`, escaped(k)))
	}
	return w.root("message", fmt.Sprintf(`name="%s"`, escaped(unique(w.id, e.get("message")))), sub)
}

func (w *writer) scope(sc *scope) string {
	var b, associations strings.Builder
	for _, e := range sc.elements {
		w.element(&b, &associations, sc, e)
	}
	for _, f := range sc.flows {
		fmt.Fprintf(&b, `<bpmn:sequenceFlow id="%s" sourceRef="%s" targetRef="%s">`, f.id, f.from, f.to)
		if f.condition != "" {
			fmt.Fprintf(&b, `<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">= %s</bpmn:conditionExpression>`, escaped(f.condition))
		}
		b.WriteString(`</bpmn:sequenceFlow>`)
	}
	return b.String() + associations.String()
}

func (w *writer) element(b, associations *strings.Builder, sc *scope, e *element) {
	fmt.Fprintf(b, `<bpmn:%s id="%s"%s>%s`, tags[e.kind], e.id, w.attributes(sc, e), extended(w.extensions(e)))
	for _, f := range sc.flows {
		if f.to == e.id {
			b.WriteString("<bpmn:incoming>" + f.id + "</bpmn:incoming>")
		}
	}
	for _, f := range sc.flows {
		if f.from == e.id {
			b.WriteString("<bpmn:outgoing>" + f.id + "</bpmn:outgoing>")
		}
	}
	if e.has("each") {
		b.WriteString(loop(e))
	}
	if e.body != nil {
		b.WriteString(w.scope(e.body))
	}
	switch e.kind {
	case "start", "end", "catch", "throw", "boundary":
		for _, a := range e.attributes {
			w.event(b, associations, e, a)
		}
	}
	fmt.Fprintf(b, `</bpmn:%s>`, tags[e.kind])
}

func (w *writer) attributes(sc *scope, e *element) (out string) {
	for _, f := range sc.flows {
		if f.from == e.id && f.isDefault {
			out += ` default="` + f.id + `"`
		}
	}
	if on := e.get("on"); on != "" {
		out += ` attachedToRef="` + on + `"`
	}
	if e.has("noninterrupting") {
		out += map[bool]string{true: ` cancelActivity="false"`, false: ` isInterrupting="false"`}[e.kind == "boundary"]
	}
	if e.kind == "eventsub" {
		out += ` triggeredByEvent="true"`
	}
	if e.has("compensation") {
		out += ` isForCompensation="true"`
	}
	if e.kind == "receive" && e.has("message") {
		out += ` messageRef="` + w.message(e) + `"`
	}
	return out
}

func loop(e *element) string {
	s := fmt.Sprintf(`<bpmn:multiInstanceLoopCharacteristics isSequential="%t"><bpmn:extensionElements><zeebe:loopCharacteristics inputCollection="%s"`, e.has("seq"), escaped(e.get("each")))
	for _, a := range []attribute{{"elem", "inputElement"}, {"outc", "outputCollection"}, {"oute", "outputElement"}} {
		if v := e.get(a.name); v != "" {
			s += fmt.Sprintf(` %s="%s"`, a.value, escaped(v))
		}
	}
	s += `/></bpmn:extensionElements>`
	if u := e.get("until"); u != "" {
		s += fmt.Sprintf(`<bpmn:completionCondition xsi:type="bpmn:tFormalExpression">%s</bpmn:completionCondition>`, escaped(u))
	}
	return s + `</bpmn:multiInstanceLoopCharacteristics>`
}

// event writes the event definition that an attribute stands for.
func (w *writer) event(b, associations *strings.Builder, e *element, a attribute) {
	def := func(kind, attributes, inner string) {
		w.nextID++
		fmt.Fprintf(b, `<bpmn:%sEventDefinition id="%sDef_%d" %s>%s</bpmn:%sEventDefinition>`, kind, kind, w.nextID, attributes, inner, kind)
	}
	timer := func(what string) {
		def("timer", "", fmt.Sprintf(`<bpmn:%s xsi:type="bpmn:tFormalExpression">%s</bpmn:%s>`, what, escaped(a.value), what))
	}
	switch a.name {
	case "message":
		def("message", `messageRef="`+w.message(e)+`"`, "")
	case "timer":
		timer("timeDuration")
	case "cycle":
		timer("timeCycle")
	case "date":
		timer("timeDate")
	case "signal":
		def("signal", fmt.Sprintf(`signalRef="%s"`, w.root("signal", fmt.Sprintf(`name="%s"`, escaped(unique(w.id, a.value))), "")), "")
	case "error", "escalation":
		ref := ""
		if a.value != "" {
			ref = fmt.Sprintf(`%sRef="%s"`, a.name, w.root(a.name, fmt.Sprintf(`name="n" %sCode="%s"`, a.name, escaped(a.value)), ""))
		}
		def(a.name, ref, "")
	case "terminate":
		def("terminate", "", "")
	case "link":
		def("link", fmt.Sprintf(`name="%s"`, escaped(a.value)), "")
	case "compensate":
		w.compensate(def, associations, e, a.value)
	}
}

// compensate writes a compensation event: of a boundary event the value is its
// handler, of a throw event the activity.
func (w *writer) compensate(def func(kind, attributes, inner string), associations *strings.Builder, e *element, value string) {
	switch {
	case e.kind == "boundary":
		def("compensate", "", "")
		w.nextID++
		fmt.Fprintf(associations, `<bpmn:association id="assoc_%d" associationDirection="One" sourceRef="%s" targetRef="%s"/>`, w.nextID, e.id, value)
	case value == "":
		def("compensate", "", "")
	default:
		def("compensate", `activityRef="`+value+`"`, "")
	}
}

func (w *writer) listeners(e *element) string {
	x := ""
	for _, a := range e.attributes {
		if event, ok := strings.CutPrefix(a.name, "on."); ok {
			typ, retries, given := strings.Cut(a.value, ":")
			if given {
				retries = ` retries="` + retries + `"`
			}
			x += fmt.Sprintf(`<zeebe:executionListener eventType="%s" type="%s"%s/>`, event, escaped(unique(w.id, typ)), retries)
		}
	}
	if x != "" {
		x = "<zeebe:executionListeners>" + x + "</zeebe:executionListeners>"
	}
	return x
}

func (w *writer) extensions(e *element) string {
	x := e.get("ext") + w.task(e)
	switch e.kind {
	case "script":
		x += w.extension(e, "script", "expr=expression", "result=resultVariable")
	case "rule":
		x += w.extension(e, "calledDecision", "decision=decisionId", "result=resultVariable", "binding=bindingType", "vtag=versionTag")
	case "call":
		x += w.extension(e, "calledElement", "process=processId", "allchild=propagateAllChildVariables", "allparent=propagateAllParentVariables", "binding=bindingType", "vtag=versionTag")
	case "user":
		x += w.extension(e, "assignmentDefinition", "assignee=assignee", "groups=candidateGroups", "users=candidateUsers") +
			w.extension(e, "taskSchedule", "due=dueDate", "followup=followUpDate") + w.extension(e, "formDefinition", "form=formKey", "formid=formId", "binding=bindingType")
	}
	return x + mappings(e) + w.listeners(e)
}

// task writes the job of an element that has one.
func (w *writer) task(e *element) string {
	isJob := e.kind == "service" || e.kind == "send" || e.has("type") ||
		e.kind == "script" && !e.has("expr") || e.kind == "rule" && !e.has("decision") ||
		(e.kind == "end" || e.kind == "throw") && e.has("message")
	if !isJob || e.get("type") == "none" {
		return ""
	}
	x := fmt.Sprintf(`<zeebe:taskDefinition type="%s"`, escaped(unique(w.id, e.get("type"))))
	if r := e.get("retries"); r != "" {
		x += fmt.Sprintf(` retries="%s"`, escaped(r))
	}
	return x + "/>"
}

// extension writes an element with those attributes that are given, or nothing.
// A pair is the name in the notation and that in XML.
func (w *writer) extension(e *element, name string, pairs ...string) string {
	s := ""
	for _, pair := range pairs {
		from, to, _ := strings.Cut(pair, "=")
		v, ok := e.find(from)
		if !ok {
			continue
		}
		if from == "process" || from == "decision" || from == "formid" {
			v = unique(w.id, v)
		}
		s += fmt.Sprintf(` %s="%s"`, to, escaped(v))
	}
	if s == "" {
		return ""
	}
	return "<zeebe:" + name + s + "/>"
}

func mappings(e *element) string {
	headers, io := "", ""
	for _, a := range e.attributes {
		kind, name, _ := strings.Cut(a.name, ".")
		switch kind {
		case "h":
			headers += fmt.Sprintf(`<zeebe:header key="%s" value="%s"/>`, escaped(name), escaped(a.value))
		case "in", "out":
			io += fmt.Sprintf(`<zeebe:%sput source="%s" target="%s"/>`, kind, escaped(a.value), escaped(name))
		}
	}
	if headers != "" {
		headers = "<zeebe:taskHeaders>" + headers + "</zeebe:taskHeaders>"
	}
	if io != "" {
		io = "<zeebe:ioMapping>" + io + "</zeebe:ioMapping>"
	}
	return headers + io
}
