package expressions

import (
	"fmt"
	"strings"

	"github.com/grevy-io/grevy/e2e/recorded"
)

// process is what the kinds of cases fill in: start s, the element t, end e.
type process struct{ start, roots, body, flows string }

func extended(s string) string { return "<bpmn:extensionElements>" + s + "</bpmn:extensionElements>" }

// script is a script task; the rest is given as it stands in the XML.
func script(id, text, result, more, after string) string {
	return fmt.Sprintf(`<bpmn:scriptTask id="%s">%s%s</bpmn:scriptTask>`, id,
		extended(fmt.Sprintf(`<zeebe:script expression="%s" resultVariable="%s"/>%s`, recorded.Escaped("="+text), result, more)), after)
}

func flow(from, to string) string {
	return fmt.Sprintf(`<bpmn:sequenceFlow id="%s_%s" sourceRef="%s" targetRef="%s"/>`, from, to, from, to)
}

func timer(what, text string) string {
	return fmt.Sprintf(`<bpmn:timerEventDefinition><bpmn:%s xsi:type="bpmn:tFormalExpression">%s</bpmn:%s></bpmn:timerEventDefinition>`, what, recorded.Escaped("="+text), what)
}

// mapped is a script task with mappings: triples of in or out, source, target.
func mapped(triples ...string) string {
	io := ""
	for i := 0; i < len(triples); i += 3 {
		io += fmt.Sprintf(`<zeebe:%sput source="%s" target="%s"/>`, triples[i], recorded.Escaped(triples[i+1]), recorded.Escaped(triples[i+2]))
	}
	return script("t", "0", "z", "<zeebe:ioMapping>"+io+"</zeebe:ioMapping>", "")
}

// caught fills in an event that waits for a message.
func (p *process) caught(name, key string) {
	p.roots = fmt.Sprintf(`<bpmn:message id="m" name="%s">%s</bpmn:message>`, recorded.Escaped(name), extended(fmt.Sprintf(`<zeebe:subscription correlationKey="%s"/>`, recorded.Escaped(key))))
	p.body = `<bpmn:intermediateCatchEvent id="t"><bpmn:messageEventDefinition messageRef="m"/></bpmn:intermediateCatchEvent>`
}

// loop fills in a sequential multi-instance over x.
func (p *process) loop(collection, element, until string) {
	p.body = script("t", "[x, loopCounter]", "z", "", fmt.Sprintf(`<bpmn:multiInstanceLoopCharacteristics isSequential="true">%s%s</bpmn:multiInstanceLoopCharacteristics>`,
		extended(fmt.Sprintf(`<zeebe:loopCharacteristics inputCollection="%s" inputElement="x" outputCollection="r" outputElement="%s"/>`, recorded.Escaped("="+collection), recorded.Escaped("="+element))), until))
}

// kinds write the process of a case. ID in a text stands for the process's own.
var kinds = map[string]func(p *process, id, text string){
	"script": func(p *process, _, text string) { p.body = script("t", text, "r", "", "") },
	"input":  func(p *process, _, text string) { p.body = mapped("in", "="+text, "v", "out", "=v", "r") },
	"source": func(p *process, _, text string) { p.body = mapped("in", text, "v", "out", "=v", "r") }, // as it stands, = or not
	"output": func(p *process, _, text string) { p.body = mapped("out", "="+text, "r") },
	"mappings": func(p *process, _, text string) { // lines of "in|out SOURCE -> TARGET"
		var triples []string
		for _, l := range strings.Split(text, "\n") {
			way, rest, _ := strings.Cut(l, " ")
			i := strings.LastIndex(rest, " -> ")
			triples = append(triples, way, rest[:i], rest[i+4:])
		}
		p.body = mapped(triples...)
	},
	"condition": func(p *process, _, text string) {
		p.flows = flow("s", "t") + flow("t", "n") + flow("y", "e") + flow("n", "e")
		p.body = `<bpmn:exclusiveGateway id="t" default="t_n"/>` + script("y", `"yes"`, "r", "", "") + script("n", `"no"`, "r", "", "") +
			`<bpmn:sequenceFlow id="t_y" sourceRef="t" targetRef="y"><bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">` + recorded.Escaped("="+text) + `</bpmn:conditionExpression></bpmn:sequenceFlow>`
	},
	"key":      func(p *process, id, text string) { p.caught(id, "="+text) },
	"message":  func(p *process, id, text string) { p.caught("="+text, `="`+id+`"`) },
	"date":     func(p *process, _, text string) { p.timed("timeDate", text) },
	"duration": func(p *process, _, text string) { p.timed("timeDuration", text) },
	"cycle": func(p *process, id, text string) {
		p.flows += flow("b", "e2")
		p.body = `<bpmn:serviceTask id="t">` + extended(`<zeebe:taskDefinition type="`+id+`"/>`) + `</bpmn:serviceTask><bpmn:boundaryEvent id="b" attachedToRef="t" cancelActivity="false"><bpmn:outgoing>b_e2</bpmn:outgoing>` +
			timer("timeCycle", text) + `</bpmn:boundaryEvent><bpmn:endEvent id="e2"/>`
	},
	"start-date":  func(p *process, _, text string) { p.begins("timeDate", text) },
	"start-cycle": func(p *process, _, text string) { p.begins("timeCycle", text) },
	"each": func(p *process, _, text string) { // COLLECTION => OUTPUT ELEMENT
		collection, element, _ := strings.Cut(text, " => ")
		p.loop(collection, element, "")
	},
	"until": func(p *process, _, text string) {
		p.loop("[10,20,30,40,50]", "x", `<bpmn:completionCondition xsi:type="bpmn:tFormalExpression">`+recorded.Escaped("="+text)+`</bpmn:completionCondition>`)
	},
	"job": func(p *process, id, text string) { // TYPE | RETRIES
		typ, retries, _ := strings.Cut(text, " | ")
		p.body = `<bpmn:serviceTask id="t">` + extended(`<zeebe:taskDefinition`+recorded.Attribute("type", strings.ReplaceAll(typ, "ID", id))+recorded.Attribute("retries", retries)+`/>`) + `</bpmn:serviceTask>`
	},
	"user": func(p *process, _, text string) { // ELEMENT ATTRIBUTE = VALUE
		what, value, _ := strings.Cut(text, " = ")
		element, name, _ := strings.Cut(what, " ")
		p.body = `<bpmn:userTask id="t">` + extended(`<zeebe:`+element+recorded.Attribute(name, value)+`/>`) + `</bpmn:userTask>`
	},
	"call": func(p *process, _, text string) {
		p.body = `<bpmn:callActivity id="t">` + extended(`<zeebe:calledElement processId="`+recorded.Escaped("="+text)+`" propagateAllChildVariables="true"/>`) + `</bpmn:callActivity>`
	},
	"decide": func(p *process, _, text string) {
		p.body = `<bpmn:businessRuleTask id="t">` + extended(`<zeebe:calledDecision decisionId="`+recorded.Escaped("="+text)+`" resultVariable="r"/>`) + `</bpmn:businessRuleTask>`
	},
	"error": func(p *process, _, text string) {
		p.roots = `<bpmn:error id="x" errorCode="` + recorded.Escaped("="+text) + `"/><bpmn:error id="x1" errorCode="E1"/>`
		p.flows += flow("b", "y") + flow("y", "e2")
		p.body = `<bpmn:subProcess id="t"><bpmn:startEvent id="s2"/>` + flow("s2", "x2") + `<bpmn:endEvent id="x2"><bpmn:errorEventDefinition errorRef="x"/></bpmn:endEvent></bpmn:subProcess>` +
			`<bpmn:boundaryEvent id="b" attachedToRef="t"><bpmn:outgoing>b_y</bpmn:outgoing><bpmn:errorEventDefinition errorRef="x1"/></bpmn:boundaryEvent>` + script("y", `"caught"`, "r", "", "") + `<bpmn:endEvent id="e2"/>`
	},
}

func (p *process) timed(what, text string) {
	p.body = `<bpmn:intermediateCatchEvent id="t">` + timer(what, text) + `</bpmn:intermediateCatchEvent>`
}

func (p *process) begins(what, text string) {
	p.start = `<bpmn:startEvent id="s">` + timer(what, text) + `</bpmn:startEvent>`
	p.body = script("t", "0", "z", "", "")
}

// bpmn makes the process of a case.
func bpmn(id, kind, text string) (string, error) {
	write := kinds[kind]
	if write == nil {
		return "", fmt.Errorf("no kind of case: %s", kind)
	}
	p := &process{start: `<bpmn:startEvent id="s"/>`, flows: flow("s", "t") + flow("t", "e")}
	write(p, id, text)
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="d" targetNamespace="http://feel">%s<bpmn:process id="%s" isExecutable="true">%s%s%s<bpmn:endEvent id="e"/></bpmn:process></bpmn:definitions>`,
		p.roots, id, p.start, p.body, p.flows), nil
}
