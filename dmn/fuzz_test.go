package dmn_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/dmn"
	"github.com/grevy-io/grevy/feel"
)

// FuzzModel: whatever the document, it is refused with *Invalid or gives a
// model of which each decision can be evaluated, to an output in JSON or a
// failure of one of its decisions.
func FuzzModel(f *testing.F) {
	files, err := filepath.Glob("testdata/models/*.dmn")
	if err != nil || len(files) == 0 {
		f.Fatalf("no models: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, table := range []string{"P\nin x\nout r = 1, 2 | s\n1 | 2 | 3\n- | 1 | 2", "C#\nin x\nout r\n- | x", "A\nout r\n1\n2"} {
		f.Add(document(tableXML(table)))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		m, err := dmn.Parse("r.dmn", src)
		var invalid *dmn.Invalid
		if err != nil {
			if !errors.As(err, &invalid) || !strings.HasPrefix(err.Error(), "'r.dmn': ") {
				t.Fatalf("%v", err)
			}
			return
		}
		for _, d := range m.Decisions {
			checkEvaluation(t, m, d)
		}
	})
}

func checkEvaluation(t *testing.T, m *dmn.Model, d *dmn.Decision) {
	t.Helper()
	vars := feel.Vars{"x": []byte(`1`), "n": []byte(`2`), "items": []byte(`[{"price": 1, "count": 2}]`)}
	e, err := m.Evaluate(d.ID, vars, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e.Failure != nil {
		if m.Decision(e.Failure.DecisionID) == nil || e.Output != nil || !strings.HasPrefix(e.Failure.Message, "Expected to evaluate decision '"+d.ID+"', but ") {
			t.Fatalf("%+v", e.Failure)
		}
		return
	}
	last := e.Evaluated[len(e.Evaluated)-1]
	if last.ID != d.ID || last.Type != d.Type || !json.Valid(asJSON(e.Output)) || string(asJSON(last.Output)) != string(asJSON(e.Output)) {
		t.Fatalf("%+v", last)
	}
}
