package archtest

import (
	"go/ast"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// documents lists the texts that are written for people.
func documents(t *testing.T) (list []string) {
	t.Helper()
	for _, f := range allFiles(t) {
		if path.Ext(f) == ".md" {
			list = append(list, f)
		}
	}
	if len(list) < 5 {
		t.Fatalf("only %d documents found", len(list))
	}
	return list
}

var (
	link = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)\s]*)?\)`)
	// place is how documents point at code: `dir/file.go` or `dir/file.go:Name`.
	place = regexp.MustCompile("`([\\w./-]+\\.go)(?::(\\w+))?`")
)

// TestDocumentsPointAtWhatIsThere: links lead to files, and what is named in a
// Go file is declared there.
func TestDocumentsPointAtWhatIsThere(t *testing.T) {
	files := map[string]bool{}
	for _, f := range allFiles(t) {
		for ; f != "."; f = path.Dir(f) {
			files[f] = true
		}
	}
	declared := map[string]map[string]bool{} // by path, and by name alone
	for _, s := range allSources(t) {
		declared[s.path] = names(s.file)
		if base := path.Base(s.path); declared[base] == nil {
			declared[base] = declared[s.path]
		}
	}
	for _, doc := range documents(t) {
		text := readFile(t, doc)
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if to := path.Join(path.Dir(doc), m[1]); !strings.Contains(m[1], "://") && !files[to] {
				t.Errorf("%s links to %s, which is not there", doc, to)
			}
		}
		for _, m := range place.FindAllStringSubmatch(text, -1) {
			switch {
			case declared[m[1]] == nil:
				t.Errorf("%s names %s, which is not there", doc, m[1])
			case m[2] != "" && !declared[m[1]][m[2]]:
				t.Errorf("%s names %s in %s, which does not declare it", doc, m[2], m[1])
			}
		}
	}
}

// names lists what a file declares: functions, methods, types, variables.
func names(f *ast.File) map[string]bool {
	all := map[string]bool{}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			all[d.Name.Name] = true
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					all[s.Name.Name] = true
				case *ast.ValueSpec:
					for _, n := range s.Names {
						all[n.Name] = true
					}
				}
			}
		}
	}
	return all
}

var roomRow = regexp.MustCompile("(?m)^\\| (\\d) \\| `([^`]+)` \\|")

// TestArchitectureHasTheRooms: the table of rooms is the one that is enforced.
func TestArchitectureHasTheRooms(t *testing.T) {
	want := map[string]int{}
	for _, s := range allSources(t) {
		if r, ok := roomOf(s.dir); ok {
			want[r.dir] = r.level
		}
	}
	got := map[string]int{}
	for _, m := range roomRow.FindAllStringSubmatch(readFile(t, "docs/architecture.md"), -1) {
		level, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		got[m[2]] = level
	}
	for dir, level := range want {
		if got[dir] != level {
			t.Errorf("docs/architecture.md has room %s at level %d, the code at %d", dir, got[dir], level)
		}
	}
	for dir, level := range got {
		if r, ok := roomOf(dir); !ok || r.dir != dir || r.level != level {
			t.Errorf("docs/architecture.md has room %s at level %d, which is not in the table of levels", dir, level)
		}
	}
}

// TestDecisionsAreWhole: every decision has its parts and stands in the index.
func TestDecisionsAreWhole(t *testing.T) {
	index := readFile(t, "docs/adr/README.md")
	name := regexp.MustCompile(`^docs/adr/(\d{4}-[a-z0-9-]+\.md)$`)
	seen := map[string]bool{}
	for _, f := range allFiles(t) {
		if path.Dir(f) != "docs/adr" || path.Base(f) == "README.md" {
			continue
		}
		m := name.FindStringSubmatch(f)
		if m == nil || seen[m[1][:4]] {
			t.Errorf("%s is not called NNNN-title.md, with a number of its own", f)
			continue
		}
		seen[m[1][:4]] = true
		text := readFile(t, f)
		for _, part := range []string{"# " + m[1][:4] + " ", "\n## Context\n", "\n## Decision\n", "\n## Consequences\n", "\n## When to revisit\n"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s has no %q", f, strings.TrimSpace(part))
			}
		}
		if !strings.Contains(index, "]("+m[1]+")") {
			t.Errorf("docs/adr/README.md does not list %s", m[1])
		}
	}
}

// section is how comments point at docs/architecture.md: architecture §3, or with
// the heading or the words in bold that are meant, architecture §3 "Base".
var section = regexp.MustCompile(`architecture §(\d)(?: "([^"]+)")?`)

// TestCommentsCiteTheArchitecture: what comments cite of it is there.
func TestCommentsCiteTheArchitecture(t *testing.T) {
	parts := regexp.MustCompile(`(?m)^## (\d) `).Split(readFile(t, "docs/architecture.md"), -1)
	cited := 0
	for _, s := range allSources(t) {
		for _, group := range s.file.Comments {
			text := strings.Join(strings.Fields(group.Text()), " ")
			for _, m := range section.FindAllStringSubmatch(text, -1) {
				cited++
				n, err := strconv.Atoi(m[1])
				if err != nil || n < 1 || n >= len(parts) {
					t.Errorf("%s cites section %s of docs/architecture.md, which has %d", s.path, m[1], len(parts)-1)
					continue
				}
				if name := m[2]; name != "" && !strings.Contains(parts[n], "\n### "+name+"\n") && !strings.Contains(parts[n], "**"+name) {
					t.Errorf("%s cites %q of section %d of docs/architecture.md, which has no such part", s.path, name, n)
				}
			}
		}
	}
	if cited < 10 {
		t.Errorf("only %d citations found", cited)
	}
}
