package bpmn_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReport checks the order of what is found and the length of the text.
func TestReport(t *testing.T) {
	equal(t, "order", refusal(t, wrap(`<serviceTask id='z'/><subProcess id='sub'><receiveTask id='m'/></subProcess><callActivity id='a'/>`)),
		`'r.bpmn': - Element: z
    - ERROR: Must have exactly one 'zeebe:taskDefinition' extension element
- Element: sub
    - ERROR: Must have exactly one start event
- Element: m
    - ERROR: Must reference a message
- Element: a
    - ERROR: Must have exactly one 'zeebe:calledElement' extension element
`)
	var tasks strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&tasks, "<serviceTask id='task%04d'/>", i)
	}
	text := refusal(t, wrap(tasks.String()))
	if len(text) < 11_000 || len(text) > 12*1024+100 {
		t.Errorf("the text has %d bytes", len(text))
	}
	var left int
	if _, err := fmt.Sscanf(text[strings.LastIndex(text, "\nand ")+1:], "and %d more errors", &left); err != nil {
		t.Fatalf("read the end of the text: %v", err)
	}
	equal(t, "errors named and left out", strings.Count(text, "- ERROR")+left, 5000)
}

func TestUnsupportedKinds(t *testing.T) {
	body := `<startEvent id='s'/><boundaryEvent id='b' attachedToRef='x'><signalEventDefinition id='d' signalRef='sig'/></boundaryEvent>
<serviceTask id='x'>[[<zeebe:taskDefinition type='w'/><zeebe:executionListeners><zeebe:executionListener eventType='start' type='l'/></zeebe:executionListeners>]]</serviceTask>
<sendTask id='t'>[[<zeebe:publishMessage/>]]</sendTask>`
	text := refusal(t, verdict{Roots: "<signal id='sig' name='n'/>", Process: body, Flows: []string{"s x", "b t"}}.xml())
	found := regexp.MustCompile(`not supported yet: (.*)`).FindAllStringSubmatch(text, -1)
	for _, want := range []string{"element that publishes a message"} {
		if !slices.ContainsFunc(found, func(m []string) bool { return m[1] == want }) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if !strings.Contains(text, "- Element: t\n    - ERROR: Elements of this kind are not supported yet: element that publishes a message") {
		t.Errorf("the layout is not the same:\n%s", text)
	}
	// what is wrong comes first: nobody should learn in two steps that the model is broken anyway
	if text = refusal(t, verdict{Roots: "<signal id='sig' name='n'/>", Process: body + "<serviceTask id='broken'/>"}.xml()); strings.Contains(text, "not supported yet") {
		t.Errorf("got %s", text)
	}
}

func TestLoopsWithoutAWait(t *testing.T) {
	const text = "Processes are not allowed to contain any straight-through processing loops: "
	for _, c := range []struct {
		body  string
		flows []string
		want  string
	}{
		{"<startEvent id='s'/><manualTask id='a'/><task id='b'/>", []string{"s a b a"}, "a > b > a"},
		{"<startEvent id='s'/><task id='a'/>", []string{"s a a"}, "a > a"},
		{"<startEvent id='s'/><exclusiveGateway id='g' default='f_g_e'/><manualTask id='a'/><endEvent id='e'/>", []string{"s g a | =x", "a g", "g e"}, "a > g > a"},
		{"<startEvent id='s'/><parallelGateway id='g'/><parallelGateway id='h'/>", []string{"s g h g"}, ""},
		{"<startEvent id='s'/><manualTask id='a'/><userTask id='b'/>", []string{"s a b a"}, ""},
		{"<startEvent id='s'/><manualTask id='a'/><manualTask id='b'/><endEvent id='e'/>", []string{"s a b e"}, ""},
		{"<startEvent id='s'/><subProcess id='p'><startEvent id='i'/><task id='a'/><sequenceFlow id='f' sourceRef='i' targetRef='a'/><sequenceFlow id='g' sourceRef='a' targetRef='a'/></subProcess>", nil, "a > a"},
	} {
		got := refusal(t, verdict{Process: c.body, Flows: c.flows}.xml())
		want := ""
		if c.want != "" {
			want = "'r.bpmn': - Element: case\n    - ERROR: " + text + c.want + "\n"
		}
		equal(t, fmt.Sprint(c.flows), got, want)
	}
}
