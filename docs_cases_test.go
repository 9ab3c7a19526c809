package grevy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/e2e/recorded"
)

// What docs/compatibility.md says of the recorded cases is compared with the
// lists that their tests use.

// A caseKind is a test with recorded cases.
type caseKind struct {
	names func(*testing.T) []string
	most  float64 // how many in a hundred may differ
}

var caseKinds = map[string]caseKind{
	"e2e/scenarios": {inYAML("e2e/scenarios"), 1},
	"e2e/answers":   {inYAML("e2e/answers"), 1},
	"e2e/expressions": {func(t *testing.T) (names []string) {
		for _, room := range []string{"feel", "dmn"} {
			for _, c := range recorded.Cases(t, room+"/testdata/*.txt", "parse-failures.txt") {
				names = append(names, c.Name())
			}
		}
		return names
	}, 3},
}

// inYAML gives the names of the cases of a test.
func inYAML(dir string) func(*testing.T) []string {
	return func(t *testing.T) (names []string) {
		t.Helper()
		paths, err := filepath.Glob(dir + "/testdata/given/*.yaml")
		if err != nil || len(paths) == 0 {
			t.Fatalf("no cases of %s: %v", dir, err)
		}
		for _, path := range paths {
			var list []struct{ Name string }
			recorded.YAML(t, path, &list)
			for _, c := range list {
				names = append(names, c.Name)
			}
		}
		return names
	}
}

// listed gives the cases of a list, without the context in which they differ.
func listed(t *testing.T, path string) (names []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(text)) {
		if w := strings.Fields(l); len(w) > 0 && w[0][0] != '#' && !slices.Contains(names, w[0]) {
			names = append(names, w[0])
		}
	}
	return names
}

var quoted = regexp.MustCompile("`([^`]+)`")

func TestCompatibility_RecordedCases(t *testing.T) {
	doc, err := os.ReadFile("docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	_, differences, ok := strings.Cut(string(doc), "\n## Recorded cases\n")
	if !ok {
		t.Fatal("docs/compatibility.md has no section of recorded cases")
	}
	named := map[string]bool{}
	for _, m := range quoted.FindAllStringSubmatch(differences, -1) {
		named[m[1]] = true
	}
	said, is := map[string]string{}, map[string]string{}
	for _, row := range section(t, "## Recorded cases") {
		if len(row) == 5 {
			said[row[1]] = strings.Join(row[2:], ", ")
		}
	}
	for kind, k := range caseKinds {
		all, differ := k.names(t), listed(t, kind+"/testdata/differs.txt")
		share := 100 * float64(len(differ)) / float64(len(all))
		is[kind] = fmt.Sprintf("%d, %d, %.1f %%", len(all), len(differ), share)
		if share > k.most {
			t.Errorf("%s: %.1f %% of the cases differ, more than %.0f", kind, share, k.most)
		}
		for _, c := range all {
			switch meant := slices.Contains(differ, c); {
			case meant && !named[c]:
				t.Errorf("docs/compatibility.md does not name %s, which %s lists", c, kind)
			case !meant && named[c]:
				t.Errorf("docs/compatibility.md names %s, which %s does not list", c, kind)
			}
		}
	}
	same(t, said, is)
}
