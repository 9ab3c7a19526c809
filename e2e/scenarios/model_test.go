package scenarios

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
)

// The notation of models. BPMN: one chain of elements a line, '…' quotes, # is a
// remark, { … } nests (process, sub, eventsub); ?'condition' or ?default before
// an element is of the flow to it; id*N makes N in a row. A text without process
// blocks is the process main.

var tags = map[string]string{
	"start": "startEvent", "end": "endEvent", "catch": "intermediateCatchEvent", "throw": "intermediateThrowEvent", "boundary": "boundaryEvent",
	"task": "task", "service": "serviceTask", "send": "sendTask", "script": "scriptTask", "rule": "businessRuleTask", "user": "userTask",
	"manual": "manualTask", "receive": "receiveTask", "call": "callActivity",
	"xor": "exclusiveGateway", "and": "parallelGateway", "or": "inclusiveGateway", "evgw": "eventBasedGateway", "complex": "complexGateway",
	"sub": "subProcess", "eventsub": "subProcess",
}

type attribute struct{ name, value string }

type element struct {
	kind, id   string
	attributes []attribute
	body       *scope // of a process or sub-process
}

type flow struct {
	id, from, to, condition string
	isDefault               bool
}

type scope struct {
	elements []*element
	flows    []*flow
}

func (e *element) has(name string) bool { _, ok := e.find(name); return ok }

func (e *element) get(name string) string {
	v, _ := e.find(name) // absent: empty
	return v
}

func (e *element) find(name string) (string, bool) {
	for _, a := range e.attributes {
		if a.name == name {
			return a.value, true
		}
	}
	return "", false
}

// unique makes a process id, job type, message name … of the run's own;
// expressions stay.
func unique(id, v string) string {
	switch {
	case v == "main" || v == "":
		return id
	case strings.HasPrefix(v, "=") || strings.HasPrefix(v, "io.camunda") || strings.Contains(v, id):
		return v
	}
	return id + "-" + v
}

// resource makes a resource of the scenario; a text that begins with < or { is
// taken as it is.
func (r *run) resource(name string) (*pb.Resource, error) {
	text, ok := r.scenario.Resources[name]
	if name == "main" {
		text, ok, name = r.scenario.Bpmn, r.scenario.Bpmn != "", "main.bpmn"
	}
	if !ok {
		return nil, fmt.Errorf("no resource %q", name)
	}
	if !strings.Contains(name, ".") {
		name += ".bpmn"
	}
	content := strings.ReplaceAll(text, "${id}", r.id)
	var err error
	switch begin := strings.TrimSpace(text); {
	case strings.HasPrefix(begin, "<"), strings.HasPrefix(begin, "{"):
	case strings.HasSuffix(name, ".bpmn"):
		content, err = bpmn(r.id, content)
	case strings.HasSuffix(name, ".dmn"):
		content = dmn(r.id, content)
	}
	return &pb.Resource{Name: name, Content: []byte(content)}, err
}

// words splits at blanks outside of single quotes, which go.
func words(s string) (out []string) {
	var word strings.Builder
	quoted, begun := false, false
	for _, c := range s + " " {
		switch {
		case c == '\'':
			quoted, begun = !quoted, true
		case !quoted && (c == ' ' || c == '\t'):
			if begun {
				out = append(out, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(c)
			begun = true
		}
	}
	return out
}

// links splits a line at the arrows outside of quotes.
func links(s string) (out []string) {
	quoted, from := false, 0
	for i := range len(s) {
		if s[i] == '\'' {
			quoted = !quoted
		}
		if !quoted && strings.HasPrefix(s[i:], "->") {
			out = append(out, s[from:i])
			from = i + 2
		}
	}
	return append(out, s[from:])
}

func attributes(words []string) (out []attribute) {
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		out = append(out, attribute{name, value})
	}
	return out
}

// parser reads the notation.
type parser struct {
	id       string // of the run
	flowSeen map[string]int
}

// parse reads lines up to the end of a block.
func (p *parser) parse(lines []string) (sc *scope, rest []string, err error) {
	sc = &scope{}
	for len(lines) > 0 {
		l := strings.TrimSpace(lines[0])
		lines = lines[1:]
		if l == "}" {
			return sc, lines, nil
		}
		var body *scope
		head, block := strings.CutSuffix(l, "{")
		if block {
			if body, lines, err = p.parse(lines); err != nil {
				return nil, nil, err
			}
		}
		w := words(head)
		switch {
		case l == "" || l[0] == '#':
		case block && w[0] == "process":
			sc.elements = append(sc.elements, &element{"process", unique(p.id, w[1]), attributes(w[2:]), body})
		default:
			if err = p.chain(sc, head, body); err != nil {
				return nil, nil, err
			}
		}
	}
	return sc, nil, nil
}

// chain reads a line of elements with flows between them.
func (p *parser) chain(sc *scope, text string, body *scope) error {
	prev := ""
	segments := links(text)
	for n, s := range segments {
		w := words(s)
		if len(w) == 0 {
			return fmt.Errorf("nothing between two arrows in %q", text)
		}
		condition, isDefault := "", false
		if c, ok := strings.CutPrefix(w[0], "?"); ok {
			condition, isDefault, w = c, c == "default", w[1:]
		}
		if isDefault {
			condition = ""
		}
		ids, made, err := p.elements(w)
		if err != nil {
			return fmt.Errorf("%w in %q", err, text)
		}
		if n == len(segments)-1 {
			for _, e := range made {
				e.body = body
			}
		}
		sc.elements = append(sc.elements, made...)
		for _, id := range ids {
			if prev != "" {
				sc.flows = append(sc.flows, &flow{p.flowID(prev, id), prev, id, condition, isDefault})
			}
			prev, condition, isDefault = id, "", false
		}
	}
	return nil
}

func (p *parser) flowID(from, to string) string {
	id := from + "_" + to
	if p.flowSeen[id]++; p.flowSeen[id] > 1 {
		return fmt.Sprint(id, "_", p.flowSeen[id])
	}
	return id
}

var repeated = regexp.MustCompile(`^(.+)\*(\d+)$`)

// elements reads "kind id attributes", or the id of an element that is there.
func (p *parser) elements(w []string) (ids []string, made []*element, err error) {
	if _, isKind := tags[w[0]]; !isKind || len(w) == 1 {
		if len(w) > 1 {
			err = fmt.Errorf("no kind of element: %q", w[0])
		}
		return w[:1], nil, err
	}
	ids = []string{w[1]}
	if m := repeated.FindStringSubmatch(w[1]); m != nil {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			return nil, nil, err
		}
		ids = nil
		for i := 1; i <= n; i++ {
			ids = append(ids, fmt.Sprint(m[1], i))
		}
	}
	for _, id := range ids {
		made = append(made, &element{kind: w[0], id: id, attributes: attributes(w[2:])})
	}
	return ids, made, nil
}

// bpmn makes a resource of the notation.
func bpmn(id, text string) (string, error) {
	p := &parser{id: id, flowSeen: map[string]int{}}
	sc, _, err := p.parse(strings.Split(text, "\n"))
	if err != nil {
		return "", err
	}
	if len(sc.elements) == 0 || sc.elements[0].kind != "process" {
		sc = &scope{elements: []*element{{"process", id, nil, sc}}}
	}
	w := &writer{id: id, rootIDs: map[string]string{}}
	var b strings.Builder
	for _, e := range sc.elements {
		ext := ""
		if t := e.get("tag"); t != "" {
			ext = fmt.Sprintf(`<zeebe:versionTag value="%s"/>`, escaped(t))
		}
		fmt.Fprintf(&b, `<bpmn:process id="%s" isExecutable="%s">%s%s</bpmn:process>`, e.id, cmp.Or(e.get("executable"), "true"), extended(ext+w.listeners(e)), w.scope(e.body))
	}
	return `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="definitions" targetNamespace="http://example.org/scenarios">` +
		strings.Join(w.roots, "") + b.String() + `</bpmn:definitions>`, nil
}
