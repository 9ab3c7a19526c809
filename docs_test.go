package grevy_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"github.com/grevy-io/grevy/bpmn"
)

// What docs/compatibility.md says of RPCs and elements is compared with the
// code: the RPCs with the gateway's table, the elements by parsing a model of
// each kind.

const (
	works  = "works"
	notYet = "not yet"
	never  = "–"
)

var tableRow = regexp.MustCompile(`(?m)^\|(.*)\|$`)

// section gives the rows of the table below a heading, cell by cell, without
// its head.
func section(t *testing.T, heading string) (rows [][]string) {
	t.Helper()
	b, err := os.ReadFile("docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), "\n"+heading+"\n")
	if !ok {
		t.Fatalf("docs/compatibility.md has no section %q", heading)
	}
	text, _, _ := strings.Cut(rest, "\n#")
	for _, m := range tableRow.FindAllStringSubmatch(text, -1) {
		cells := strings.Split(m[1], "|")
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
		}
		rows = append(rows, cells)
	}
	if len(rows) < 3 {
		t.Fatalf("section %q has no table", heading)
	}
	return rows[2:]
}

// keysOf reads the texts that are keys of a map in a file.
func keysOf(t *testing.T, file, name string) map[string]bool {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || v.Names[0].Name != name {
			return true
		}
		for _, e := range v.Values[0].(*ast.CompositeLit).Elts {
			key, err := strconv.Unquote(e.(*ast.KeyValueExpr).Key.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			keys[key] = true
		}
		return false
	})
	if len(keys) == 0 {
		t.Fatalf("%s has no map %s", file, name)
	}
	return keys
}

func TestCompatibility_RPCs(t *testing.T) {
	want, got := map[string]string{}, map[string]string{}
	methods := pb.File_gateway_proto.Services().ByName("Gateway").Methods()
	for i := range methods.Len() {
		want[string(methods.Get(i).Name())] = notYet
	}
	for _, table := range []string{"unaryCalls", "streamCalls"} {
		for name := range keysOf(t, "gateway/rpcs.go", table) {
			want[name] = works
		}
	}
	for _, row := range section(t, "## RPCs") {
		got[row[0]] = row[1]
	}
	same(t, got, want)
}

// same compares what the document says with what the code does.
func same(t *testing.T, said, is map[string]string) {
	t.Helper()
	all := maps.Clone(said)
	maps.Copy(all, is)
	for name := range all {
		if said[name] != is[name] {
			t.Errorf("docs/compatibility.md says of %s: %q; the code: %q", name, said[name], is[name])
		}
	}
}

// verdict tells what becomes of a model: it runs, it is legal and does not run
// yet, or it is refused as the original refuses it.
func verdict(t *testing.T, roots, process string) string {
	t.Helper()
	text := `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="defs" targetNamespace="t">` +
		strings.NewReplacer("[[", "<extensionElements>", "]]", "</extensionElements>").Replace(roots+`<process id="p" isExecutable="true">`+process+`</process>`) + `</definitions>`
	_, err := bpmn.Parse("r.bpmn", []byte(text))
	var invalid *bpmn.Invalid
	switch {
	case err == nil:
		return works
	case !errors.As(err, &invalid):
		t.Fatalf("%v\n%s", err, text)
	}
	for _, line := range strings.Split(err.Error(), "\n") {
		if _, finding, ok := strings.Cut(line, "- ERROR: "); ok && !strings.HasPrefix(finding, "Elements of this kind are not supported yet: ") {
			t.Logf("refused: %s", finding)
			return never
		}
	}
	if !strings.Contains(err.Error(), "not supported yet") {
		t.Fatalf("%v\n%s", err, text)
	}
	return notYet
}

const (
	start = `<startEvent id="s"/>`
	end   = `<endEvent id="e"/><sequenceFlow id="f1" sourceRef="s" targetRef="x"/><sequenceFlow id="f2" sourceRef="x" targetRef="e"/>`
	job   = `[[<zeebe:taskDefinition type="w"/>]]`
)

// between puts an element with id x between a start and an end.
func between(x string) string { return start + x + end }

// elements has a model for each kind of element that is no event.
var elements = map[string]string{
	"process":                            start,
	"embedded sub-process":               between(`<subProcess id="x"><startEvent id="i"/></subProcess>`),
	"event sub-process":                  start + `<subProcess id="x" triggeredByEvent="true"><startEvent id="i"><timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition></startEvent></subProcess>`,
	"service task":                       between(`<serviceTask id="x">` + job + `</serviceTask>`),
	"send task":                          between(`<sendTask id="x">` + job + `</sendTask>`),
	"receive task":                       between(`<receiveTask id="x" messageRef="m"/>`),
	"script task with a job":             between(`<scriptTask id="x">` + job + `</scriptTask>`),
	"script task with an expression":     between(`<scriptTask id="x">[[<zeebe:script expression="=1" resultVariable="r"/>]]</scriptTask>`),
	"business rule task with a job":      between(`<businessRuleTask id="x">` + job + `</businessRuleTask>`),
	"business rule task with a decision": between(`<businessRuleTask id="x">[[<zeebe:calledDecision decisionId="d" resultVariable="r"/>]]</businessRuleTask>`),
	"user task with a job":               between(`<userTask id="x"/>`),
	"user task with a linked form":       between(`<userTask id="x">[[<zeebe:formDefinition formId="f"/>]]</userTask>`),
	"native user task":                   between(`<userTask id="x">[[<zeebe:userTask/>]]</userTask>`),
	"manual task":                        between(`<manualTask id="x"/>`),
	"undefined task":                     between(`<task id="x"/>`),
	"call activity":                      between(`<callActivity id="x">[[<zeebe:calledElement processId="q"/>]]</callActivity>`),
	"exclusive gateway":                  between(`<exclusiveGateway id="x"/>`),
	"parallel gateway":                   between(`<parallelGateway id="x"/>`),
	"inclusive gateway":                  between(`<inclusiveGateway id="x"/>`),
	"event-based gateway": start + `<eventBasedGateway id="x"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/>` +
		`<intermediateCatchEvent id="a"><timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition></intermediateCatchEvent><sequenceFlow id="fa" sourceRef="x" targetRef="a"/>` +
		`<intermediateCatchEvent id="b"><timerEventDefinition><timeDuration>PT2S</timeDuration></timerEventDefinition></intermediateCatchEvent><sequenceFlow id="fb" sourceRef="x" targetRef="b"/>`,
	"multi-instance activity": between(`<serviceTask id="x">` + job + `<multiInstanceLoopCharacteristics>[[<zeebe:loopCharacteristics inputCollection="=xs"/>]]</multiInstanceLoopCharacteristics></serviceTask>`),
	"compensation handler": between(`<serviceTask id="x">`+job+`</serviceTask>`) + `<boundaryEvent id="b" attachedToRef="x"><compensateEventDefinition/></boundaryEvent>` +
		`<serviceTask id="h" isForCompensation="true">` + job + `</serviceTask><association id="a" sourceRef="b" targetRef="h"/>`,
	"element with execution listeners": between(`<manualTask id="x">[[<zeebe:executionListeners><zeebe:executionListener eventType="start" type="l"/></zeebe:executionListeners>]]</manualTask>`),
}

const (
	message   = `<message id="m" name="m">[[<zeebe:subscription correlationKey="=k"/>]]</message>`
	eventRefs = message + `<error id="er" errorCode="c"/><signal id="sg" name="s"/><escalation id="es" escalationCode="c"/>`
)

func TestCompatibility_Elements(t *testing.T) {
	said, is := map[string]string{}, map[string]string{}
	for _, row := range section(t, "### Elements that are no events") {
		said[row[0]] = row[1]
	}
	for kind, model := range elements {
		is[kind] = verdict(t, message, model)
	}
	same(t, said, is)
}

// definitions of events, with what they need.
var definitions = map[string]string{
	"none":         ``,
	"message":      `<messageEventDefinition messageRef="m"/>`,
	"timer":        `<timerEventDefinition><timeDate>2030-01-01T00:00:00Z</timeDate></timerEventDefinition>`,
	"error":        `<errorEventDefinition errorRef="er"/>`,
	"escalation":   `<escalationEventDefinition escalationRef="es"/>`,
	"signal":       `<signalEventDefinition signalRef="sg"/>`,
	"terminate":    `<terminateEventDefinition/>`,
	"compensation": `<compensateEventDefinition/>`,
	"link":         `<linkEventDefinition name="l"/>`,
	"conditional":  `<conditionalEventDefinition><condition>x</condition></conditionalEventDefinition>`,
}

// eventModel puts an event at a place, and what the two of them need beside.
func eventModel(place, event string) string {
	d := definitions[event]
	sender := d // throws of messages are jobs
	if event == "message" {
		sender = job + d
	}
	switch place {
	case "start":
		return `<startEvent id="x">` + d + `</startEvent>`
	case "event sub-process start":
		sub := `<subProcess id="sub" triggeredByEvent="true"><startEvent id="x">` + d + `</startEvent></subProcess>`
		if event == "compensation" { // not allowed at the top
			return between(`<subProcess id="x"><startEvent id="i"/>` + strings.ReplaceAll(sub, `"x"`, `"y"`) + `</subProcess>`)
		}
		return start + sub
	case "catch":
		if event == "link" {
			return start + `<intermediateThrowEvent id="t">` + d + `</intermediateThrowEvent><sequenceFlow id="f" sourceRef="s" targetRef="t"/><intermediateCatchEvent id="x">` + d + `</intermediateCatchEvent>`
		}
		return between(`<intermediateCatchEvent id="x">` + d + `</intermediateCatchEvent>`)
	case "throw":
		if event == "link" {
			return eventModel("catch", event)
		}
		return between(`<intermediateThrowEvent id="x">` + sender + `</intermediateThrowEvent>`)
	case "boundary":
		if event == "compensation" {
			return elements["compensation handler"]
		}
		return between(`<subProcess id="x"><startEvent id="i"/></subProcess>`) +
			`<boundaryEvent id="b" attachedToRef="x">` + d + `</boundaryEvent><endEvent id="e2"/><sequenceFlow id="f3" sourceRef="b" targetRef="e2"/>`
	}
	return start + `<endEvent id="x">` + sender + `</endEvent><sequenceFlow id="f" sourceRef="s" targetRef="x"/>`
}

var places = []string{"start", "event sub-process start", "catch", "throw", "boundary", "end"}

func TestCompatibility_Events(t *testing.T) {
	said, is := map[string]string{}, map[string]string{}
	for _, row := range section(t, "### Events") {
		for i, place := range places {
			said[row[0]+" "+place] = row[i+1]
		}
	}
	for event := range definitions {
		for _, place := range places {
			is[event+" "+place] = verdict(t, eventRefs, eventModel(place, event))
		}
	}
	same(t, said, is)
}

// TestCompatibility_IsComplete: whatever the engine runs stands in the document.
func TestCompatibility_IsComplete(t *testing.T) {
	said := map[string]bool{}
	for _, row := range section(t, "### Elements that are no events") {
		said[row[0]] = row[1] == works
	}
	for _, row := range section(t, "### Events") {
		for i, format := range []string{"@ start event", "@ start event of an event sub-process", "intermediate @ catch event", "intermediate @ throw event", "@ boundary event", "@ end event"} {
			said[strings.Replace(format, "@", row[0], 1)] = row[i+1] == works
		}
	}
	for kind := range keysOf(t, "bpmn/supported.go", "runs") {
		if !said[kind] {
			t.Errorf("the engine runs %q, docs/compatibility.md does not say so", kind)
		}
	}
}
