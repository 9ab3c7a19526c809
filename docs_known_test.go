package grevy_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Each test that docs/testing.md names for a known defect is there.
func TestDocs_KnownDefects(t *testing.T) {
	b, err := os.ReadFile("docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(b), "\n## Known defects")
	if !ok {
		t.Fatal("docs/testing.md has no table of known defects")
	}
	rows := regexp.MustCompile(`(?m)^\| \d+[\d, ]* \|.*\|$`).FindAllString(table, -1)
	if len(rows) < 20 {
		t.Errorf("only %d known defects", len(rows))
	}
	for _, row := range rows {
		cells := strings.Split(row, "|")
		named := regexp.MustCompile("`([^`:]+)(?::(\\w+))?`").FindAllStringSubmatch(cells[3], -1)
		if len(named) == 0 {
			t.Errorf("no test for %s", cells[1])
		}
		for _, n := range named {
			text, err := os.ReadFile(n[1])
			if err != nil || n[2] != "" && !strings.Contains(string(text), "func "+n[2]+"(") {
				t.Errorf("%s: no %s in %s (%v)", cells[1], n[2], n[1], err)
			}
		}
	}
}
