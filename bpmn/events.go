package bpmn

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/grevy-io/grevy/feel"
)

// events compiles what an event waits for or throws. What can be known before
// any instance runs, the start events' expressions included, is worked out
// here, so that a wrong timer is refused and not an incident later.
func (b *builder) events(n *node, e *Element) {
	if e.Type == ReceiveTask {
		e.Message = b.message(b.doc.ids[n.ref("messageRef")], true)
		return
	}
	if e.Event == EventUnspecified {
		return
	}
	root := e.Type == StartEvent && e.Scope.Type == ProcessElement
	for _, d := range n.definitions() {
		switch eventTypes[d.name] {
		case EventTimer:
			if e.Type != EndEvent && e.Type != IntermediateThrowEvent {
				e.Timer = b.timer(n, d, root)
			}
		case EventError:
			b.code(e, b.doc.ids[d.ref("errorRef")], "errorCode")
		case EventEscalation:
			b.code(e, b.doc.ids[d.ref("escalationRef")], "escalationCode")
		case EventMessage:
			if e.Type != EndEvent && e.Type != IntermediateThrowEvent {
				e.Message = b.message(b.doc.ids[d.ref("messageRef")], !root)
				b.startMessage(n, e.Message, root)
			}
		case EventSignal:
			e.Signal = b.signal(b.doc.ids[d.ref("signalRef")])
		}
	}
}

// message compiles a message's name, and its correlation key where one is
// needed: once, however many events refer to it.
func (b *builder) message(m *node, correlated bool) *Message {
	if m == nil {
		return nil
	}
	c := b.messages[m]
	if c == nil {
		c = &Message{Name: b.expression(m, m.attr("name"), false)}
		b.messages[m] = c
		b.size += int(unsafe.Sizeof(*c))
	}
	if s := m.extension("subscription"); s != nil && correlated && !c.keyed {
		c.keyed = true
		c.Key = b.attribute(s, "correlationKey", true)
	}
	return c
}

// signal compiles a signal's name.
func (b *builder) signal(s *node) *feel.Expression {
	if s == nil {
		return nil
	}
	name, ok := b.signals[s]
	if !ok {
		name = b.expression(s, s.attr("name"), false)
		b.signals[s] = name
	}
	return name
}

// startMessage checks that the message at the start of a process has a name
// that needs no variables.
func (b *builder) startMessage(at *node, m *Message, root bool) {
	if m == nil || m.Name == nil || !root || b.checked[m] {
		return
	}
	b.checked[m] = true
	name := m.Name
	value, problem := evaluate(name)
	if _, ok := value.(feel.String); !ok && problem == "" {
		b.wrong.add(at, "Expected constant expression of type String for message name '=%s', but was %s", name.Source(), value.Kind())
	} else if problem != "" {
		b.wrong.add(at, "Expected constant expression of type String for message name '=%s', but %s", name.Source(), problem)
	}
}

// evaluate works an expression out without variables. The problem is empty or
// says why that cannot be done.
func evaluate(e *feel.Expression) (value feel.Value, problem string) {
	r, err := e.Eval(nil)
	if err != nil {
		return feel.Null{}, err.Error()
	}
	if r.Value == nil {
		return feel.Null{}, ""
	}
	return r.Value, ""
}

// called compiles what an element calls: another process, a decision, a script.
func (b *builder) called(n *node, e *Element) {
	switch e.Type {
	case CallActivity:
		if c := n.extension("calledElement"); c != nil {
			e.Called = &Called{
				ProcessID: b.attribute(c, "processId", false),
				Binding:   b.binding(c), AllParent: c.bool("propagateAllParentVariables", true), AllChild: c.bool("propagateAllChildVariables", true),
			}
		}
	case BusinessRuleTask:
		if c := n.extension("calledDecision"); c != nil {
			e.Decision = &CalledDecision{ID: b.attribute(c, "decisionId", false), Binding: b.binding(c), Result: b.keep(c.attr("resultVariable"))}
		}
	case ScriptTask:
		if s := n.extension("script"); s != nil {
			e.Script = &Script{Expression: b.attribute(s, "expression", true), Result: b.keep(s.attr("resultVariable"))}
		}
	}
}

// binding reads which version is meant. The design rules have checked it.
func (b *builder) binding(n *node) Binding {
	switch n.attr("bindingType") {
	case "deployment":
		return Binding{Type: BindDeployment}
	case "versionTag":
		return Binding{Type: BindVersionTag, VersionTag: b.keep(n.attr("versionTag"))}
	}
	return Binding{}
}

// code compiles the code of an error or escalation that is thrown or caught. One that does
// not compile is no reason to refuse the model, as in the original.
func (b *builder) code(e *Element, n *node, name string) {
	if n == nil || n.attr(name) == "" {
		return
	}
	x, err := compile(n.attr(name))
	if err != nil {
		return
	}
	b.size += 256 + 16*len(n.attr(name))
	e.Code = x
}

// loop compiles the expressions of a multi-instance activity.
func (b *builder) loop(n *node, e *Element) {
	l := n.child("multiInstanceLoopCharacteristics")
	if l == nil {
		return
	}
	loop := &Loop{Sequential: l.bool("isSequential", false)}
	b.size += 128
	e.Loop = loop
	if c := l.extension("loopCharacteristics"); c != nil {
		loop.Input = b.attribute(c, "inputCollection", true)
		loop.InputElement, loop.OutputCollection = b.keep(c.attr("inputElement")), b.keep(c.attr("outputCollection"))
		if c.attr("outputElement") != "" {
			loop.OutputElement = b.attribute(c, "outputElement", true)
			loop.OutputVariable = b.keep(firstName(c.attr("outputElement")))
		}
	}
	if c := l.child("completionCondition"); c != nil {
		loop.Completion = b.expression(c, c.text, false)
	}
}

// firstName gives the variable of an expression that is a path, "" of another.
func firstName(expression string) string {
	path := strings.TrimSpace(strings.TrimPrefix(expression, "="))
	if !isPath(path) {
		return ""
	}
	name, _, _ := strings.Cut(path, ".")
	return name
}

// timer compiles a timer definition. That of a process's start event is worked
// out here, of all others only what is no expression.
func (b *builder) timer(at, d *node, root bool) *Timer {
	timer := &Timer{}
	b.size += 32
	for _, k := range []struct {
		child, what, types string
		check              func(text, expression string) string
		place              **feel.Expression
	}{
		{"timeDuration", "duration", "one of '[DURATION, PERIOD, STRING]'", wrongDuration, &timer.Duration},
		{"timeDate", "date", "one of '[DATE_TIME, STRING]'", wrongDate, &timer.Date},
		{"timeCycle", "cycle", "'STRING'", wrongCycle, &timer.Cycle},
	} {
		t := d.child(k.child)
		if t == nil {
			continue
		}
		before := len(b.wrong.list)
		e := b.expression(d, t.text, false)
		*k.place = e
		problem := ""
		switch {
		case e == nil:
			if root {
				problem = b.wrong.list[before].text
			}
		case e.IsStatic():
			problem = k.check(t.text, t.text)
		case root:
			problem = staticProblem(e, k.types, k.check)
		}
		if problem != "" {
			b.wrong.add(at, "Invalid timer %s expression (%s)", k.what, problem)
		}
	}
	return timer
}

// staticProblem says what keeps the value of a start timer from being one.
func staticProblem(e *feel.Expression, types string, check func(text, expression string) string) string {
	r, err := e.Eval(nil)
	if err != nil {
		return err.Error()
	}
	value := r.Value
	if value == nil {
		value = feel.Null{}
	}
	switch value.Kind() {
	case feel.KindString:
		text, _ := value.(feel.String)
		return check(string(text), e.Source())
	case feel.KindDateTime, feel.KindLocalDateTime:
		if strings.Contains(types, "DATE_TIME") {
			return ""
		}
	case feel.KindDaysTimeDuration, feel.KindYearsMonthsDuration:
		if strings.Contains(types, "DURATION") {
			return ""
		}
	}
	text := fmt.Sprintf("Expected result of the expression '%s' to be %s, but was '%s'.", e.Source(), types, value.Kind())
	if len(r.Warnings) > 0 {
		text += " The evaluation reported the following warnings:"
		for _, w := range r.Warnings {
			text += "\n" + w.String()
		}
	}
	return text
}
