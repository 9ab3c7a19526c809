package bpmn_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/bpmn"
)

// order is a model with everything the engine runs, and what it passes over:
// other prefixes, a pool with lanes, annotations, data, a diagram, another
// vendor's extensions, a process that is not executable.
const order = `<?xml version="1.0" encoding="UTF-8"?>
<b:definitions xmlns:b="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:z="http://camunda.org/schema/zeebe/1.0"
  xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"
  xmlns:x="http://www.w3.org/2001/XMLSchema-instance" xmlns:o="http://example.org/other" id="d" targetNamespace="t" o:tool="1">
  <b:collaboration id="c"><b:participant id="pool" processRef="order"/><b:participant id="pool2" processRef="drawing"/></b:collaboration>
  <b:process id="drawing"><b:startEvent id="ds"/></b:process>
  <b:process id="order" name="Order" isExecutable="true">
    <b:extensionElements><z:versionTag value="v7"/><o:note><z:versionTag value="no"/></o:note></b:extensionElements>
    <b:laneSet id="lanes"><b:lane id="lane"><b:flowNodeRef>pay</b:flowNodeRef></b:lane></b:laneSet>
    <b:startEvent id="s"><b:outgoing>f1</b:outgoing></b:startEvent>
    <b:sequenceFlow id="f1" sourceRef="s" targetRef="pay"/>
    <b:serviceTask id="pay" name="Pay &amp; go">
      <b:extensionElements>
        <z:taskDefinition type="pay" retries="5"/>
        <z:taskHeaders><z:header key="b" value="&lt;2&gt;"/><z:header key="a" value="1"/><z:header key="empty"/><z:header value="nokey"/></z:taskHeaders>
        <z:ioMapping><z:input source="= x" target="p.q"/><z:input source="constant" target="r"/><z:output source="=y" target="z"/></z:ioMapping>
      </b:extensionElements>
    </b:serviceTask>
    <b:sequenceFlow id="f2" sourceRef="pay" targetRef="g"/>
    <b:exclusiveGateway id="g" default="f4"/>
    <b:sequenceFlow id="f4" sourceRef="g" targetRef="e"/>
    <b:sequenceFlow id="f3" sourceRef="g" targetRef="sub"><b:conditionExpression x:type="b:tFormalExpression">
        = x &gt; 1 </b:conditionExpression></b:sequenceFlow>
    <b:subProcess id="sub"><b:startEvent id="is"/><b:manualTask id="m"/><b:sequenceFlow id="f5" sourceRef="is" targetRef="m"/></b:subProcess>
    <b:endEvent id="e"/>
    <b:dataObject id="data"/><b:textAnnotation id="note"><b:text>note</b:text></b:textAnnotation>
  </b:process>
  <di:BPMNDiagram id="diagram"><di:BPMNPlane id="plane" bpmnElement="c"><di:BPMNShape id="shape" bpmnElement="s"><dc:Bounds x="1" y="1" width="1" height="1"/></di:BPMNShape></di:BPMNPlane></di:BPMNDiagram>
</b:definitions>`

func parse(t testing.TB, xml string) *bpmn.Model {
	t.Helper()
	m, err := bpmn.Parse("r.bpmn", []byte(xml))
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return m
}

func process(t testing.TB, body string, flows ...string) *bpmn.Process {
	t.Helper()
	m := parse(t, verdict{Process: body, Flows: flows}.xml())
	checkModel(t, m)
	return m.Processes[0]
}

func ids(list []*bpmn.Element) (out []string) {
	for _, e := range list {
		out = append(out, e.ID)
	}
	return out
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestModelOfAProcess(t *testing.T) {
	m := parse(t, order)
	equal(t, "processes", len(m.Processes), 1)
	p := m.Processes[0]
	equal(t, "process", []string{p.ID, p.Name, p.VersionTag}, []string{"order", "Order", "v7"})
	equal(t, "elements", ids(p.Elements), []string{"order", "s", "pay", "g", "sub", "is", "m", "e"})
	equal(t, "children", ids(p.Root.Children), []string{"s", "pay", "g", "sub", "e"})
	sub := p.Element("sub")
	equal(t, "children of sub", ids(sub.Children), []string{"is", "m"})
	equal(t, "scopes", []*bpmn.Element{p.Element("pay").Scope, sub.Children[1].Scope}, []*bpmn.Element{p.Root, sub})
	equal(t, "none starts", []*bpmn.Element{p.Root.NoneStart, sub.NoneStart}, []*bpmn.Element{p.Element("s"), p.Element("is")})
	var types []string
	for _, e := range p.Elements {
		types = append(types, e.Type.String()+"/"+e.Event.String())
	}
	equal(t, "types", types, []string{"PROCESS/UNSPECIFIED", "START_EVENT/NONE", "SERVICE_TASK/UNSPECIFIED", "EXCLUSIVE_GATEWAY/UNSPECIFIED",
		"SUB_PROCESS/UNSPECIFIED", "START_EVENT/NONE", "MANUAL_TASK/UNSPECIFIED", "END_EVENT/NONE"})
	if p.Element("nope") != nil || p.Element("f1") != nil || p.Element("drawing") != nil {
		t.Error("an element that is none was found")
	}
}

func TestFlows(t *testing.T) {
	p := parse(t, order).Processes[0]
	var flows []string
	for _, f := range p.Flows {
		flows = append(flows, f.ID+":"+f.Source.ID+"-"+f.Target.ID)
	}
	equal(t, "flows", flows, []string{"f1:s-pay", "f2:pay-g", "f4:g-e", "f3:g-sub", "f5:is-m"})
	g := p.Element("g")
	equal(t, "outgoing", []*bpmn.Flow{g.Outgoing[0], g.Outgoing[1]}, []*bpmn.Flow{p.Flows[2], p.Flows[3]})
	equal(t, "incoming", g.Incoming, []*bpmn.Flow{p.Flows[1]})
	equal(t, "default", g.Default, p.Flows[2])
	if c := g.Outgoing[1].Condition; c == nil || strings.TrimSpace(c.Source()) != "x > 1" || c.IsStatic() {
		t.Errorf("condition: %+v", c)
	}
	if g.Outgoing[0].Condition != nil {
		t.Error("a flow without a condition has one")
	}
}

func TestJobAndMappings(t *testing.T) {
	e := parse(t, order).Processes[0].Element("pay")
	equal(t, "name", e.Name, "Pay & go")
	equal(t, "type", []string{e.Job.Type.Static(), e.Job.Retries.Static()}, []string{"pay", "5"})
	equal(t, "headers", e.Job.Headers, []bpmn.Header{{Key: "b", Value: "<2>"}, {Key: "a", Value: "1"}})
	equal(t, "JSON", string(e.Job.HeadersJSON), `{"a":"1","b":"<2>"}`)
	equal(t, "targets", [][]string{e.Inputs[0].Target, e.Inputs[1].Target, e.Outputs[0].Target}, [][]string{{"p", "q"}, {"r"}, {"z"}})
	equal(t, "static sources", []bool{e.Inputs[0].Source.IsStatic(), e.Inputs[1].Source.IsStatic()}, []bool{false, true})
}

func TestJobsOfOtherElements(t *testing.T) {
	p := process(t, `<startEvent id='s'/>
<sendTask id='a'>[[<zeebe:taskDefinition type='=t'/>]]</sendTask>
<scriptTask id='b'>[[<zeebe:taskDefinition type='t' retries=''/>]]</scriptTask>
<businessRuleTask id='c'>[[<zeebe:taskDefinition type='t'/>]]</businessRuleTask>
<manualTask id='d'>[[<zeebe:taskDefinition type='t'/><zeebe:ioMapping><zeebe:input source='=1' target='x'/></zeebe:ioMapping>]]</manualTask>
<task id='n'/><intermediateThrowEvent id='w'>[[<zeebe:ioMapping><zeebe:input source='=1' target='x'/><zeebe:output source='=1' target='x'/></zeebe:ioMapping>]]</intermediateThrowEvent>`)
	for _, id := range []string{"a", "b", "c"} {
		j := p.Element(id).Job
		equal(t, id, []string{j.Type.Source(), j.Retries.Static(), string(j.HeadersJSON)}, []string{"t", "3", "{}"})
	}
	for _, id := range []string{"d", "n", "w", "s"} {
		if p.Element(id).Job != nil {
			t.Errorf("%s has a job", id)
		}
	}
	equal(t, "mappings of a manual task", p.Element("d").Inputs, []bpmn.Mapping(nil))
	equal(t, "mappings of a throw event", []int{len(p.Element("w").Inputs), len(p.Element("w").Outputs)}, []int{0, 1})
}

func TestUserTask(t *testing.T) {
	p := process(t, `<startEvent id='s'/><userTask id='u'>[[
<zeebe:assignmentDefinition assignee='=who' candidateGroups='a, b' candidateUsers='=["u"]'/>
<zeebe:taskSchedule dueDate='2030-01-02T03:04:05Z' followUpDate='=d'/><zeebe:formDefinition formKey='k'/>
<zeebe:taskHeaders><zeebe:header key='h' value='v'/></zeebe:taskHeaders>]]</userTask><userTask id='plain'/>`)
	j := p.Element("u").Job
	equal(t, "type and retries", []string{j.Type.Static(), j.Retries.Static()}, []string{"io.camunda.zeebe:userTask", "1"})
	equal(t, "headers", string(j.HeadersJSON),
		`{"h":"v","io.camunda.zeebe:candidateGroups":"[\"a\",\"b\"]","io.camunda.zeebe:formKey":"k"}`)
	var dynamic []string
	for _, d := range j.Dynamic {
		dynamic = append(dynamic, d.Key+" "+string(rune('0'+d.Type))+" "+d.Source.Source())
	}
	equal(t, "dynamic", dynamic, []string{"io.camunda.zeebe:assignee 0 who", `io.camunda.zeebe:candidateUsers 1 ["u"]`,
		"io.camunda.zeebe:dueDate 2 2030-01-02T03:04:05Z", "io.camunda.zeebe:followUpDate 2 d"})
	plain := p.Element("plain").Job
	equal(t, "plain", []any{plain.Type.Static(), string(plain.HeadersJSON), len(plain.Dynamic)}, []any{"io.camunda.zeebe:userTask", "{}", 0})
}

func TestSizeGrowsWithTheModel(t *testing.T) {
	small := parse(t, verdict{Process: `<startEvent id='s'/>`}.xml())
	large := parse(t, verdict{Process: `<startEvent id='s'/>` + strings.Repeat("<!-- "+strings.Repeat("x", 500)+" -->", 100)}.xml())
	equal(t, "size of comments", large.Size, small.Size)
	if big := parse(t, order); big.Size < small.Size+5*200 {
		t.Errorf("size %d of eight elements, %d of two", big.Size, small.Size)
	}
}
