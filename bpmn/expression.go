package bpmn

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/grevy-io/grevy/feel"
)

// expression compiles the text of a place that may (or, with dynamic, must)
// hold an expression. It gives nil and adds a finding if the text is wrong.
func (b *builder) expression(at *node, text string, dynamic bool) *feel.Expression {
	e, err := compile(text)
	switch {
	case err != nil:
		b.wrong.add(at, "%s", err)
		return nil
	case dynamic && e.IsStatic():
		b.wrong.add(at, "Expected expression but found static value '%s'. An expression must start with '=' (e.g. '=%s').", text, text)
		return nil
	}
	b.size += 256 + 16*len(text)
	return e
}

// attribute compiles a mandatory attribute of an extension element.
func (b *builder) attribute(n *node, name string, dynamic bool) *feel.Expression {
	text := n.attr(name)
	if text == "" {
		b.wrong.add(n, "Expected expression but not found.")
		return nil
	}
	return b.expression(n, text, dynamic)
}

// compile gives the expression; the error has the original's words, with the
// text as it stands in the model.
func compile(text string) (*feel.Expression, error) {
	text = strings.Clone(text)
	e, err := feel.CompileField(text)
	var parse *feel.ParseError
	if errors.As(err, &parse) {
		written := text[strings.IndexByte(text, '=')+1:]
		return nil, errors.New(strings.Replace(err.Error(), "'"+parse.Source+"'", "'"+written+"'", 1))
	}
	return e, err
}

// expressions compiles what the element and its extensions hold.
func (b *builder) expressions(n *node, e *Element) {
	b.mappings(n, e)
	b.job(n, e)
	b.events(n, e)
	b.called(n, e)
	b.loop(n, e)
	b.listeners(n, e)
}

// listeners compiles the execution listeners of an element or a process.
func (b *builder) listeners(n *node, e *Element) {
	list := n.extension("executionListeners")
	if list == nil {
		return
	}
	for _, k := range list.within("executionListener") {
		retries := k.attr("retries")
		if retries == "" {
			retries = "3"
		}
		var l Listener
		l.Type = b.lenient(k.attr("type"), &l.Wrong)
		l.Retries = b.lenient(retries, &l.Wrong)
		b.size += 64
		if k.attr("eventType") == "start" {
			e.StartListeners = append(e.StartListeners, l)
		} else {
			e.EndListeners = append(e.EndListeners, l)
		}
	}
}

// lenient compiles an expression that is not checked when it is deployed. wrong
// keeps what is wrong first.
func (b *builder) lenient(text string, wrong *string) *feel.Expression {
	x, err := compile(text)
	b.size += 256 + 16*len(text)
	if err != nil {
		if *wrong == "" {
			*wrong = err.Error()
		}
		return nil
	}
	return x
}

// job fills in the job of an element that creates one.
func (b *builder) job(n *node, e *Element) {
	var definition *node
	switch e.Type {
	case ServiceTask, SendTask, ScriptTask, BusinessRuleTask, IntermediateThrowEvent, EndEvent:
		if definition = n.extension("taskDefinition"); definition == nil {
			return
		}
		if throws := e.Type == IntermediateThrowEvent || e.Type == EndEvent; throws && e.Event != EventMessage {
			return
		}
	case UserTask:
	default:
		return
	}
	j := &Job{}
	b.size += 128
	h := b.headers(n)
	if e.Type == UserTask {
		priority := b.userTask(n, e, j, &h)
		if n.extension("userTask") != nil { // no job: the engine keeps the task itself
			e.Native = &NativeTask{Headers: h, Dynamic: j.Dynamic, Priority: priority, Reference: b.externalForm(n)}
			return
		}
	} else {
		j.Type = b.attribute(definition, "type", false)
		retries := definition.attr("retries")
		if retries == "" {
			retries = "3"
		}
		j.Retries = b.expression(definition, retries, false)
	}
	b.finishJob(e, j, h)
}

// headers gives the task headers; one without a key or a value is dropped.
func (b *builder) headers(n *node) (out []Header) {
	t := n.extension("taskHeaders")
	if t == nil {
		return nil
	}
	for _, h := range t.within("header") {
		if k, v := h.attr("key"), h.attr("value"); k != "" && v != "" {
			out = append(out, Header{b.keep(k), b.keep(v)})
		}
	}
	return out
}

func (b *builder) finishJob(e *Element, j *Job, headers []Header) {
	object := make(map[string]string, len(headers))
	for _, h := range headers {
		object[h.Key] = h.Value
	}
	j.Headers, j.HeadersJSON = headers, compactJSON(object)
	b.size += len(j.HeadersJSON)
	e.Job = j
}

// compactJSON writes strings and what is made of them, with sorted keys.
func compactJSON(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // strings always encode
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// mappings fills in the input and output mappings that have an effect.
func (b *builder) mappings(n *node, e *Element) {
	io := n.extension("ioMapping")
	if io == nil {
		return
	}
	inputs, outputs := effectiveMappings(e)
	for _, m := range io.children {
		if m.name != "input" && m.name != "output" {
			continue
		}
		mapping := b.mapping(m)
		switch {
		case m.name == "input" && inputs:
			e.Inputs = append(e.Inputs, mapping)
		case m.name == "output" && outputs:
			e.Outputs = append(e.Outputs, mapping)
		}
	}
}

// effectiveMappings says which mappings the original acts on.
func effectiveMappings(e *Element) (inputs, outputs bool) {
	switch e.Type {
	case ManualTask, Task, ExclusiveGateway, ParallelGateway, InclusiveGateway, EventBasedGateway:
		return false, false
	case IntermediateThrowEvent:
		return e.Event != EventNone && e.Event != EventCompensation, e.Event != EventCompensation
	case EndEvent:
		return e.Event != EventCompensation, e.Event != EventCompensation
	}
	return true, true
}

const pathPattern = `[a-zA-Z_][a-zA-Z0-9_]*(\.[a-zA-Z_][a-zA-Z0-9_]*)*`

func (b *builder) mapping(n *node) Mapping {
	m := Mapping{Source: b.attribute(n, "source", n.name == "output")}
	target := n.attr("target")
	switch {
	case target == "":
		b.wrong.add(n, "Expected path expression but not found.")
	case !isPath(target):
		b.wrong.add(n, "Expected path expression '%s' but doesn't match the pattern '%s'.", target, pathPattern)
	default:
		m.Target = strings.Split(b.keep(target), ".")
	}
	b.size += 64
	return m
}

// isPath matches pathPattern.
func isPath(s string) bool {
	start := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		switch {
		case c == '.' && !start:
			start = true
			continue
		case letter, c >= '0' && c <= '9' && !start:
		default:
			return false
		}
		start = false
	}
	return !start
}
