package archtest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// mark is a comment that says which step of a path stands here:
//
//	path: write 4/8 pack: one entry carries many commands
var mark = regexp.MustCompile(`^// path: (\w+) (\d+)/(\d+) (\w[^:]*): (.+)$`)

// steps is how many each path has.
var steps = map[string]int{"write": 8, "deployment": 9}

// TestPathsCanBeFollowed: whoever searches for "path: write" finds the whole way
// of a write in order.
func TestPathsCanBeFollowed(t *testing.T) {
	found := marks(t)
	for name, last := range steps {
		for n := 1; n <= last; n++ {
			if at := found[name][n]; len(at) == 0 || name == "write" && len(at) != 1 {
				t.Errorf("step %d of path %s is marked at %d places: %v", n, name, len(at), at)
			}
			delete(found[name], n)
		}
		for n, at := range found[name] {
			t.Errorf("path %s has %d steps, but step %d is marked at %v", name, last, n, at)
		}
	}
}

// marks finds where each step of each path is marked.
func marks(t *testing.T) map[string]map[int][]string {
	t.Helper()
	found := map[string]map[int][]string{"write": {}, "deployment": {}}
	for _, s := range allSources(t) {
		if s.test {
			continue
		}
		for _, group := range s.file.Comments {
			for _, c := range group.List {
				if !strings.HasPrefix(c.Text, "// path: ") {
					continue
				}
				at := s.fset.Position(c.Pos()).String()
				m := mark.FindStringSubmatch(c.Text)
				if m == nil || steps[m[1]] == 0 || m[3] != strconv.Itoa(steps[m[1]]) {
					t.Errorf("%s: %q is no mark of a known path", at, c.Text)
					continue
				}
				n, err := strconv.Atoi(m[2])
				if err != nil {
					t.Fatal(err)
				}
				found[m[1]][n] = append(found[m[1]][n], at)
			}
		}
	}
	return found
}

// TestArchitectureTellsThePaths: docs/architecture.md tells the same story as
// the marks.
func TestArchitectureTellsThePaths(t *testing.T) {
	story := readFile(t, "docs/architecture.md")
	for name, last := range steps {
		for n := 1; n <= last; n++ {
			if step := fmt.Sprintf("%s %d/%d", name, n, last); !strings.Contains(story, step) {
				t.Errorf("docs/architecture.md does not mention %q", step)
			}
		}
	}
}
