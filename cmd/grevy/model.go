package main

import "fmt"

// The processes that demo and bench deploy are as small as they can be.

const modelHead = `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="definitions" targetNamespace="http://grevy.io/examples">
`

// emptyProcess is a start and an end. name tells versions apart.
func emptyProcess(id, name string) []byte {
	return fmt.Appendf([]byte(modelHead), `  <bpmn:process id=%q name=%q isExecutable="true">
    <bpmn:startEvent id="start"><bpmn:outgoing>a</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="end"/>
    <bpmn:endEvent id="end"><bpmn:incoming>a</bpmn:incoming></bpmn:endEvent>
  </bpmn:process>
</bpmn:definitions>
`, id, name)
}

// taskProcess has one service task, with jobs of the type of its id.
func taskProcess(id, name string) []byte {
	return fmt.Appendf([]byte(modelHead), `  <bpmn:process id=%[1]q name=%[2]q isExecutable="true">
    <bpmn:startEvent id="start"><bpmn:outgoing>a</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="task"/>
    <bpmn:serviceTask id="task">
      <bpmn:extensionElements><zeebe:taskDefinition type=%[1]q/></bpmn:extensionElements>
      <bpmn:incoming>a</bpmn:incoming><bpmn:outgoing>b</bpmn:outgoing>
    </bpmn:serviceTask>
    <bpmn:sequenceFlow id="b" sourceRef="task" targetRef="end"/>
    <bpmn:endEvent id="end"><bpmn:incoming>b</bpmn:incoming></bpmn:endEvent>
  </bpmn:process>
</bpmn:definitions>
`, id, name)
}
