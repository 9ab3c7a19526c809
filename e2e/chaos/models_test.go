package chaos

import "fmt"

// Processes of the load. Orders of every shape have jobs of the type order.
const (
	taskProcess   = "chaos-task"   // a job
	timerProcess  = "chaos-timer"  // a second, then a job
	signalProcess = "chaos-signal" // a signal, then a job
	inboxProcess  = "chaos-inbox"  // again and again: a message, then a job
	rolledProcess = "chaos-rolled" // ends at once; deployed again and again
	resultProcess = "chaos-result" // ends at once, and tells what it was given
	orderJob      = "chaos-order"
	inboxJob      = "chaos-mail"
	mail          = "chaos-mail" // the message
)

const head = `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d%d" targetNamespace="http://bpmn.io/schema/bpmn">
%s
<process id="%s" isExecutable="true"><startEvent id="s"/>%s</process></definitions>`

func model(note int, before, id, body string) []byte {
	return fmt.Appendf(nil, head, note, before, id, body)
}

func flow(id, from, to string) string {
	return fmt.Sprintf(`<sequenceFlow id="%s" sourceRef="%s" targetRef="%s"/>`, id, from, to)
}

func task(jobType string) string {
	return fmt.Sprintf(`<serviceTask id="t"><extensionElements><zeebe:taskDefinition type="%s"/></extensionElements></serviceTask>`, jobType)
}

const end = `<endEvent id="e"/>`

// straight is a process that ends at once. note makes its content one of its own.
func straight(id string, note int) []byte { return model(note, "", id, flow("f", "s", "e")+end) }

// processes are those that the load needs from its beginning.
func processes() map[string][]byte {
	work := task(orderJob) + flow("g", "t", "e") + end
	return map[string][]byte{
		taskProcess: model(0, "", taskProcess, flow("f", "s", "t")+work),
		timerProcess: model(0, "", timerProcess, flow("f", "s", "c")+flow("h", "c", "t")+work+
			`<intermediateCatchEvent id="c"><timerEventDefinition id="x"><timeDuration>PT1S</timeDuration></timerEventDefinition></intermediateCatchEvent>`),
		signalProcess: model(0, `<signal id="m" name="= signal"/>`, signalProcess, flow("f", "s", "c")+flow("h", "c", "t")+work+
			`<intermediateCatchEvent id="c"><signalEventDefinition id="x" signalRef="m"/></intermediateCatchEvent>`),
		inboxProcess: model(0, `<message id="m" name="`+mail+`"><extensionElements><zeebe:subscription correlationKey="= key"/></extensionElements></message>`, inboxProcess,
			flow("f", "s", "c")+flow("h", "c", "t")+flow("g", "t", "c")+task(inboxJob)+
				`<intermediateCatchEvent id="c"><messageEventDefinition id="x" messageRef="m"/></intermediateCatchEvent>`),
		rolledProcess: straight(rolledProcess, 0),
		resultProcess: straight(resultProcess, 0),
	}
}
