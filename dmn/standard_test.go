package dmn_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/dmn"
	"github.com/grevy-io/grevy/e2e/recorded"
	"github.com/grevy-io/grevy/feel"
)

// TestStandard evaluates what stands in DMN and the original refuses: the cases
// have the form of the recorded ones, but tell the output only, or how a failure
// ends.
func TestStandard(t *testing.T) {
	for _, c := range recorded.Cases(t, filepath.Join("testdata", "standard", "cases.txt")) {
		file, decision, _ := strings.Cut(c.Text, " ")
		content, err := os.ReadFile(filepath.Join("testdata", "standard", file))
		if err != nil {
			t.Fatal(err)
		}
		m, err := dmn.Parse(file, content)
		if err != nil {
			t.Fatalf("%v %s", err, err.(*dmn.Invalid).Detail)
		}
		for _, r := range c.Runs {
			vars := feel.Vars{}
			if r.Variables != "" {
				if err := json.Unmarshal([]byte(r.Variables), &vars); err != nil {
					t.Fatal(err)
				}
			}
			e, err := m.Evaluate(decision, vars, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := outputOf(e), false
			var want, is any
			if err := json.Unmarshal([]byte(r.Want), &want); err != nil {
				t.Fatalf("%s: %v", r.Want, err)
			}
			if err := json.Unmarshal([]byte(got), &is); err != nil {
				t.Fatal(err)
			}
			if text, isText := want.(string); isText && e.Failure != nil {
				ok = strings.HasSuffix(is.(string), text)
			} else {
				ok = reflect.DeepEqual(is, want)
			}
			if !ok {
				t.Errorf("%d: %s %s\n got %s\nwant %s", c.Line, c.Text, r.Variables, got, r.Want)
			}
		}
	}
}

// outputOf gives the output, or the message of the failure, as JSON.
func outputOf(e *dmn.Evaluation) string {
	if e.Failure != nil {
		text, err := json.Marshal(e.Failure.Message)
		if err != nil {
			panic(err)
		}
		return string(text)
	}
	return string(feel.AppendJSON(nil, e.Output))
}
