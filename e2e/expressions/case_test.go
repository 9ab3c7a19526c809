package expressions

import (
	"testing"

	"github.com/grevy-io/grevy/e2e/recorded"
)

// A testCase is a recorded case, and what it gives here.
type testCase struct {
	*recorded.Case
	runs []*run
}

type run struct {
	recorded.Run
	got outcome
}

// readCases reads the cases of both rooms. What feel has of the texts of parse
// failures is of another form and for itself.
func readCases(t testing.TB) (all []*testCase) {
	t.Helper()
	for _, room := range []string{"feel", "dmn"} {
		for _, c := range recorded.Cases(t, "../../"+room+"/testdata/*.txt", "parse-failures.txt") {
			own := &testCase{Case: c}
			for _, r := range c.Runs {
				own.runs = append(own.runs, &run{Run: r})
			}
			all = append(all, own)
		}
	}
	return all
}

// variables are those of a request.
func (r *run) variables() string {
	if r.Variables == "" {
		return "{}"
	}
	return r.Variables
}
