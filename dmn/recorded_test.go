package dmn_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/dmn"
	"github.com/grevy-io/grevy/e2e/recorded"
	"github.com/grevy-io/grevy/feel"
)

// resource gives the model of the case and the decision to evaluate.
func resource(t *testing.T, c *recorded.Case) (content []byte, decision string) {
	t.Helper()
	if c.Kind == "table" {
		return document(tableXML(c.Text)), "d"
	}
	file, decision, _ := strings.Cut(c.Text, " ")
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
		for _, c := range recorded.Cases(t, filepath.Join("testdata", file+".txt")) {
			content, decision := resource(t, c)
			for _, r := range c.Runs {
				name := c.RunName(r)
				want := r.Op + " " + r.Want
				if d, ok := different[name]; ok {
					if sameAnswer(answers(t, content, decision, r.Variables), want) {
						t.Errorf("%s: is as recorded, but listed as different", name)
					}
					want = d
					delete(different, name)
				}
				if got := answers(t, content, decision, r.Variables); !sameAnswer(got, want) {
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
		return "!! " + recorded.Cut(strings.TrimPrefix(err.Error(), "'r.dmn': "))
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
		a.Message = recorded.Cut(strings.TrimPrefix(e.Failure.Message, "Expected to evaluate decision '"+e.Decision.ID+"', but "))
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

// sameAnswer compares documents by value, and refusals by their words.
func sameAnswer(got, want string) bool {
	a, isAnswer := strings.CutPrefix(got, "= ")
	b, wanted := strings.CutPrefix(want, "= ")
	if isAnswer && wanted {
		return recorded.SameJSON(a, b)
	}
	return got == want
}

// document makes a resource of decisions.
func document(body string) []byte {
	return []byte(`<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="drg" name="n" namespace="x">` + body + `</definitions>`)
}

// tableXML makes the decision d of a table as the cases write it.
func tableXML(text string) string { return recorded.Table("d", text) }

func escaped(s string) string { return recorded.Escaped(s) }
