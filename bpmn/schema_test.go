package bpmn_test

import (
	"strings"
	"testing"
)

// TestSchema: breaches of the schema that the recorded verdicts do not have.
func TestSchema(t *testing.T) {
	for _, c := range []struct{ name, inside, want string }{
		{"all in order", `<task id='t'><documentation>d</documentation><extensionElements/><incoming>a</incoming><outgoing>b:c</outgoing></task>`, ""},
		{"extensions before documentation", `<task id='t'><extensionElements/><documentation/></task>`, `2.4.a: Invalid content was found starting with element '{"http://www.omg.org/spec/BPMN/20100524/MODEL":documentation}'. One of '{"http://www.omg.org/spec/BPMN/20100524/MODEL":auditing,`},
		{"extensions twice", `<task id='t'><extensionElements/><extensionElements/></task>`, "2.4.a"},
		{"behind the last", `<exclusiveGateway id='t'><outgoing>a</outgoing><incoming>a</incoming></exclusiveGateway>`, `One of '{"http://www.omg.org/spec/BPMN/20100524/MODEL":outgoing}' is expected.`},
		{"nothing more", `<task id='t'><documentation><b xmlns='urn:x'><c/></b></documentation></task>`, ""},
		{"two timers", `<boundaryEvent id='t' attachedToRef='x'><timerEventDefinition><timeDate/><timeCycle/></timerEventDefinition></boundaryEvent>`, "2.4.d: Invalid content was found starting with element"},
		{"text among elements", `<task id='t'>text</task>`, "2.3: Element 'task' cannot have character [children]"},
		{"no condition", `<startEvent id='t'><conditionalEventDefinition/></startEvent>`, `2.4.b: The content of element 'conditionalEventDefinition' is not complete. One of '{"http://www.omg.org/spec/BPMN/20100524/MODEL":documentation, `},
		{"child of a name", `<task id='t'><incoming><b/></incoming></task>`, "is a simple type"},
		{"no name", `<task id='t'><incoming> a b </incoming></task>`, "'a b' is not a valid value for 'QName'."},
		{"foreign element", `<task id='t'><b xmlns='urn:x'/></task>`, `starting with element '{"urn:x":b}'`},
		{"own element in extensions", `<task id='t'><extensionElements><task id='u'/></extensionElements></task>`, `WC[##other:`},
		{"foreign attribute", `<task id='t' o:a='1' xmlns:o='urn:x'/>`, ""},
		{"enumeration", `<exclusiveGateway id='t' gatewayDirection='Sideways'/>`, "cvc-enumeration-valid: Value 'Sideways'"},
		{"integer", `<task id='t' startQuantity='+01'/>`, ""},
		{"no integer", `<task id='t' startQuantity='1.5'/>`, "'1.5' is not a valid value for 'integer'."},
		{"blanks around values", `<task id=' t ' isForCompensation=' false '/><sequenceFlow id='f' sourceRef=' s' targetRef='t '/>`, ""},
		{"derived type", `<exclusiveGateway id='g'/><sequenceFlow id='f' sourceRef='g' targetRef='s'><conditionExpression xsi:type='tFormalExpression' language='x'>=a</conditionExpression></sequenceFlow>`, ""},
		{"declared type", `<exclusiveGateway id='g'/><sequenceFlow id='f' sourceRef='g' targetRef='s'><conditionExpression language='x'>=a</conditionExpression></sequenceFlow>`, "3.2.2: Attribute 'language'"},
		{"unknown type", `<sequenceFlow id='f' sourceRef='s' targetRef='s'><conditionExpression xsi:type='b:x'/></sequenceFlow>`, "cvc-elt.4.2"},
		{"unrelated type", `<sequenceFlow id='f' sourceRef='s' targetRef='s'><conditionExpression xsi:type='tTask'/></sequenceFlow>`, "cvc-elt.4."},
		{"id of a flow used again", `<sequenceFlow id='f' sourceRef='s' targetRef='s'/><task id='f'/>`, "cvc-id.2"},
		{"flow to a data object", `<dataObject id='d'/><sequenceFlow id='f' sourceRef='s' targetRef='d'/>`, "Expected the targetRef 'd' of sequence flow 'f' to be a flow node of process 'p'"},
		{"flow to the process", `<sequenceFlow id='f' sourceRef='s' targetRef='p'/>`, "to be a flow node"},
	} {
		xml := strings.Replace(wrap(c.inside), "<process", "<process xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'", 1)
		got := refusal(t, xml)
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestDiagrams: diagrams are dropped, but checked.
func TestDiagrams(t *testing.T) {
	for _, c := range []struct{ name, inside, want string }{
		{"all", `<d:BPMNShape id='a' bpmnElement='x:s' isExpanded='true' o:colour='red' xmlns:o='urn:o'><i:extension><o:a/></i:extension><c:Bounds x='1' y='-2.5' width='1e3' height='0'/><d:BPMNLabel><c:Bounds x='1' y='1' width='1' height='1'/></d:BPMNLabel></d:BPMNShape>
<d:BPMNEdge id='b'><i:waypoint x='1' y='1'/><i:waypoint x='2' y='1'/></d:BPMNEdge>`, ""},
		{"id of an element", `<d:BPMNShape id='s'><c:Bounds x='1' y='1' width='1' height='1'/></d:BPMNShape>`, "cvc-id.2: There are multiple occurrences of ID value 's'."},
		{"no bounds", `<d:BPMNShape id='a'/>`, `2.4.b: The content of element 'd:BPMNShape' is not complete. One of '{"http://www.omg.org/spec/DD/20100524/DI":extension, "http://www.omg.org/spec/DD/20100524/DC":Bounds}' is expected.`},
		{"no height", `<d:BPMNShape id='a'><c:Bounds x='1' y='1' width='1'/></d:BPMNShape>`, "Attribute 'height' must appear on element 'c:Bounds'."},
		{"no number", `<d:BPMNShape id='a'><c:Bounds x='0x1p4' y='1' width='1' height='1'/></d:BPMNShape>`, "'0x1p4' is not a valid value for 'double'."},
		{"one waypoint", `<d:BPMNEdge id='b'><i:waypoint x='1' y='1'/></d:BPMNEdge>`, "The content of element 'd:BPMNEdge' is not complete."},
		{"element of the model", `<task id='t' xmlns='http://www.omg.org/spec/BPMN/20100524/MODEL'/>`, "2.4.a"},
	} {
		diagram := `<d:BPMNDiagram xmlns:d='http://www.omg.org/spec/BPMN/20100524/DI' xmlns:i='http://www.omg.org/spec/DD/20100524/DI' xmlns:c='http://www.omg.org/spec/DD/20100524/DC'><d:BPMNPlane>` +
			c.inside + `</d:BPMNPlane></d:BPMNDiagram></definitions>`
		got := refusal(t, strings.Replace(wrap(""), "</definitions>", diagram, 1))
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
