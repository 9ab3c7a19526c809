package bpmn_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/bpmn"
)

// modeled gives a model as an editor writes it: n service tasks in a row, with
// a diagram.
func modeled(n int) string {
	var body, shapes strings.Builder
	body.WriteString("    <bpmn:startEvent id=\"start\">\n      <bpmn:outgoing>flow_0</bpmn:outgoing>\n    </bpmn:startEvent>\n")
	from := "start"
	for i := range n {
		id := fmt.Sprintf("Activity_%d", i)
		fmt.Fprintf(&body, `    <bpmn:sequenceFlow id="flow_%d" sourceRef="%s" targetRef="%s" />
    <bpmn:serviceTask id="%s" name="Do the %d. step">
      <bpmn:extensionElements>
        <zeebe:taskDefinition type="step-%d" retries="3" />
        <zeebe:ioMapping><zeebe:input source="=order.id" target="id" /></zeebe:ioMapping>
      </bpmn:extensionElements>
      <bpmn:incoming>flow_%d</bpmn:incoming>
      <bpmn:outgoing>flow_%d</bpmn:outgoing>
    </bpmn:serviceTask>
`, i, from, id, id, i, i, i, i+1)
		fmt.Fprintf(&shapes, `      <bpmndi:BPMNShape id="%s_di" bpmnElement="%s"><dc:Bounds x="%d" y="80" width="100" height="80" /></bpmndi:BPMNShape>
`, id, id, 160*i)
		from = id
	}
	fmt.Fprintf(&body, "    <bpmn:sequenceFlow id=\"flow_%d\" sourceRef=\"%s\" targetRef=\"end\" />\n    <bpmn:endEvent id=\"end\"><bpmn:incoming>flow_%d</bpmn:incoming></bpmn:endEvent>\n", n, from, n)
	return `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="Definitions" targetNamespace="http://bpmn.io/schema/bpmn">
  <bpmn:process id="Process" isExecutable="true">
` + body.String() + "  </bpmn:process>\n  <bpmndi:BPMNDiagram id=\"Diagram\">\n    <bpmndi:BPMNPlane id=\"Plane\" bpmnElement=\"Process\">\n" +
		shapes.String() + "    </bpmndi:BPMNPlane>\n  </bpmndi:BPMNDiagram>\n</bpmn:definitions>\n"
}

func BenchmarkParse(b *testing.B) {
	for _, n := range []int{1, 6, 60} {
		xml := []byte(modeled(n))
		b.Run(fmt.Sprintf("%dtasks-%dbytes", n, len(xml)), func(b *testing.B) {
			b.SetBytes(int64(len(xml)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bpmn.Parse("r.bpmn", xml); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
