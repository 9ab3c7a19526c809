package feel_test

import (
	"strings"
	"testing"

	"github.com/grevy-io/grevy/e2e/recorded"
)

// loadRecorded reads what the original (Zeebe 8.6.0) gave.
func loadRecorded(t testing.TB) []*recorded.Case {
	t.Helper()
	return recorded.Cases(t, "testdata/*.txt")
}

// nameOf is what DIFFERENCES.md calls a case.
func nameOf(c *recorded.Case, r recorded.Run) string {
	name := c.File + ": " + strings.ReplaceAll(c.Text, "\n", " ⏎ ")
	if c.Of != "" {
		name += " of " + c.Of
	}
	if r.Variables != "" {
		name += " with " + r.Variables
	}
	return name
}
