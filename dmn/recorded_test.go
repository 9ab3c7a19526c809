package dmn_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/dmn"
	"github.com/grevy-io/grevy/feel"
)

// The .txt files of testdata hold what the original (Zeebe 8.6.0) gave. A case
// is a line and those after it that begin with |: a model and its decision, or
// a table: hit policy, "in EXPR :: TYPE | …", "out NAME :: TYPE = VALUES | …",
// then a line of cells per rule. Tab-indented lines say what is expected:
//
//	{"x": 2}   variables, each followed by what they give
//	= {…}      the whole answer, inputs and outputs as [id, name, value]
//	!! text    how the refusal begins after the name of the resource
type recordedCase struct {
	line       int
	kind, text string
	runs       []recordedRun
}

type recordedRun struct{ variables, op, want string }

func loadRecorded(t *testing.T, path string) (cases []*recordedCase) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	kind := ""
	var c *recordedCase
	for line := 1; sc.Scan(); line++ {
		l := sc.Text()
		switch {
		case strings.HasPrefix(l, "\t"):
			c.expect(t, strings.TrimSpace(l))
		case strings.HasPrefix(l, "|"):
			c.text += "\n" + l[1:]
		case l == "" || l[0] == '#':
		case strings.HasPrefix(l, "% "):
			kind = l[2:]
		default:
			c = &recordedCase{line: line, kind: kind, text: l}
			cases = append(cases, c)
		}
	}
	if err := sc.Err(); err != nil || len(cases) == 0 {
		t.Fatalf("no cases in %s: %v", path, err)
	}
	return cases
}

func (c *recordedCase) expect(t *testing.T, l string) {
	t.Helper()
	op, rest, _ := strings.Cut(l, " ")
	switch {
	case strings.HasPrefix(l, "{"):
		c.runs = append(c.runs, recordedRun{variables: l})
	case op == "=" || op == "!!":
		if n := len(c.runs); n == 0 || c.runs[n-1].op != "" {
			c.runs = append(c.runs, recordedRun{})
		}
		r := &c.runs[len(c.runs)-1]
		r.op, r.want = op, rest
	default:
		t.Fatalf("not understood: %s", l)
	}
}

// resource gives the model of the case and the decision to evaluate.
func (c *recordedCase) resource(t *testing.T) (content []byte, decision string) {
	t.Helper()
	if c.kind == "table" {
		return document(tableXML(c.text)), "d"
	}
	file, decision, _ := strings.Cut(c.text, " ")
	content, err := os.ReadFile(filepath.Join("testdata", "models", file))
	if err != nil {
		t.Fatal(err)
	}
	return content, decision
}

// TestRecorded evaluates all recorded cases. The table of DIFFERENCES.md says
// where this package is meant to answer otherwise.
func TestRecorded(t *testing.T) {
	different := differences(t)
	passed := 0
	for _, file := range []string{"tables", "models"} {
		for _, c := range loadRecorded(t, filepath.Join("testdata", file+".txt")) {
			content, decision := c.resource(t)
			for _, r := range c.runs {
				name := strings.TrimSpace(fmt.Sprintf("%s:%d %s", file, c.line, r.variables))
				want := r.op + " " + r.want
				if d, ok := different[name]; ok {
					if answers(t, content, decision, r.variables) == want {
						t.Errorf("%s: is as recorded, but listed as different", name)
					}
					want = d
					delete(different, name)
				}
				if got := answers(t, content, decision, r.variables); !sameAnswer(got, want) {
					t.Errorf("%s\n got %s\nwant %s", name, got, want)
					continue
				}
				passed++
			}
		}
	}
	for name := range different {
		t.Errorf("no such case: %s", name)
	}
	t.Logf("%d evaluations as recorded or as listed", passed)
}

// differences reads the cases of DIFFERENCES.md: what is given here instead.
func differences(t *testing.T) map[string]string {
	t.Helper()
	doc, err := os.ReadFile("DIFFERENCES.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(doc)) {
		if cells := strings.Split(line, " | "); len(cells) == 4 && strings.HasPrefix(line, "| `") {
			out[strings.Trim(cells[0], "| `")] = strings.Trim(cells[2], "` ")
		}
	}
	return out
}

// answers gives the answer in the form of the cases.
func answers(t *testing.T, content []byte, decision, variables string) string {
	t.Helper()
	m, err := dmn.Parse("r.dmn", content)
	if err != nil {
		return "!! " + cut(strings.TrimPrefix(err.Error(), "'r.dmn': "))
	}
	vars := feel.Vars{}
	if variables != "" {
		if err := json.Unmarshal([]byte(variables), &vars); err != nil {
			t.Fatal(err)
		}
	}
	e, err := m.Evaluate(decision, vars, nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(answerOf(e))
	if err != nil {
		t.Fatal(err)
	}
	return "= " + string(out)
}

// cut leaves out what another parser says otherwise.
func cut(msg string) string {
	for _, end := range []string{"': Expected ", "': found ", ". found: '", ": org.camunda.", "': expected "} {
		if i := strings.Index(msg, end); i >= 0 {
			msg = msg[:i+1]
		}
	}
	return msg
}

type (
	answer struct {
		Output    json.RawMessage `json:"output"`
		Failed    string          `json:"failed,omitempty"`
		Message   string          `json:"message,omitempty"`
		Decisions []entry         `json:"decisions"`
	}
	entry struct {
		ID     string          `json:"id"`
		Name   string          `json:"name"`
		Type   string          `json:"type"`
		Output json.RawMessage `json:"output"`
		Inputs [][3]any        `json:"inputs,omitempty"`
		Rules  [][3]any        `json:"rules,omitempty"`
	}
)

func answerOf(e *dmn.Evaluation) answer {
	a := answer{Output: asJSON(e.Output)}
	if e.Failure != nil {
		a.Failed = e.Failure.DecisionID
		a.Message = cut(strings.TrimPrefix(e.Failure.Message, "Expected to evaluate decision '"+e.Decision.ID+"', but "))
	}
	for _, d := range e.Evaluated {
		x := entry{ID: d.ID, Name: d.Name, Type: string(d.Type), Output: asJSON(d.Output)}
		for _, in := range d.Inputs {
			x.Inputs = append(x.Inputs, [3]any{in.ID, in.Name, asJSON(in.Value)})
		}
		for _, r := range d.Rules {
			outs := [][3]any{}
			for _, o := range r.Outputs {
				outs = append(outs, [3]any{o.ID, o.Name, asJSON(o.Value)})
			}
			x.Rules = append(x.Rules, [3]any{r.ID, r.Index, outs})
		}
		a.Decisions = append(a.Decisions, x)
	}
	return a
}

func asJSON(v feel.Value) json.RawMessage { return feel.AppendJSON(nil, v) }

// sameAnswer compares documents by value and refusals by their beginning.
func sameAnswer(got, want string) bool {
	if strings.HasPrefix(want, "!!") {
		return strings.HasPrefix(got, want)
	}
	var a, b any
	if json.Unmarshal([]byte(strings.TrimPrefix(got, "= ")), &a) != nil || json.Unmarshal([]byte(strings.TrimPrefix(want, "= ")), &b) != nil {
		return false
	}
	return reflect.DeepEqual(a, b)
}

// document makes a resource of decisions.
func document(body string) []byte {
	return []byte(`<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="drg" name="n" namespace="x">` + body + `</definitions>`)
}

var (
	policies     = map[string]string{"U": "UNIQUE", "A": "ANY", "P": "PRIORITY", "F": "FIRST", "R": "RULE ORDER", "O": "OUTPUT ORDER", "C": "COLLECT"}
	aggregations = map[string]string{"+": "SUM", "<": "MIN", ">": "MAX", "#": "COUNT"}
)

// tableXML makes the decision d of a table as the cases write it.
func tableXML(text string) string {
	lines := strings.Split(text, "\n")
	var b strings.Builder
	b.WriteString(`<decision id="d" name="d"><decisionTable id="d_t"`)
	if p := strings.TrimSpace(lines[0]); p != "-" {
		b.WriteString(attribute("hitPolicy", policies[p[:1]]) + attribute("aggregation", aggregations[p[1:]]))
	}
	b.WriteString(">")
	ins, outs, rules := 0, 0, 0
	for _, l := range lines[1:] {
		head, rest, _ := strings.Cut(strings.TrimSpace(l), " ")
		switch head {
		case "in":
			for _, c := range cellsOf(rest) {
				ins++
				expr, typ, _ := strings.Cut(c, " :: ")
				fmt.Fprintf(&b, `<input id="i%d"><inputExpression id="e%d"%s><text>%s</text></inputExpression></input>`, ins, ins, attribute("typeRef", typ), escaped(expr))
			}
		case "out":
			for _, c := range cellsOf(rest) {
				outs++
				b.WriteString(outputXML(outs, c))
			}
		default:
			rules++
			b.WriteString(ruleXML(rules, ins, cellsOf(l)))
		}
	}
	b.WriteString(`</decisionTable></decision>`)
	return b.String()
}

func outputXML(n int, c string) string {
	c, values, _ := strings.Cut(c, " = ")
	name, typ, _ := strings.Cut(c, " :: ")
	s := fmt.Sprintf(`<output id="o%d"%s%s>`, n, attribute("name", name), attribute("typeRef", typ))
	if values != "" {
		s += fmt.Sprintf(`<outputValues id="v%d"><text>%s</text></outputValues>`, n, escaped(values))
	}
	return s + `</output>`
}

func ruleXML(n, ins int, cells []string) string {
	s := fmt.Sprintf(`<rule id="r%d">`, n)
	for i, c := range cells {
		kind := "outputEntry"
		if i < ins {
			kind = "inputEntry"
		}
		s += fmt.Sprintf(`<%s id="c%d_%d"><text>%s</text></%s>`, kind, n, i+1, escaped(c), kind)
	}
	return s + `</rule>`
}

func cellsOf(s string) []string {
	out := strings.Split(s, " | ")
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

func attribute(name, value string) string {
	if value == "" {
		return ""
	}
	return fmt.Sprintf(` %s="%s"`, name, escaped(value))
}

func escaped(s string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(err)
	}
	return b.String()
}
