package recorded

import (
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// List reads names of cases, one a line; what follows # is a remark. Each
// must be a case, and stand there once.
func List(t testing.TB, path string, isCase func(name string) bool) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, " #")
		name := strings.TrimSpace(line)
		switch {
		case name == "" || name[0] == '#':
			continue
		case !isCase(name):
			t.Errorf("%s names %s, which is no case", path, name)
		case slices.Contains(names, name):
			t.Errorf("%s names %s twice", path, name)
		}
		names = append(names, name)
	}
	return names
}

// YAML reads a file.
func YAML(t testing.TB, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
