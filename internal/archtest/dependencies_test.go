package archtest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dependency is a row of docs/adr/0007-dependencies.md: who alone may import a
// module, so that it can be exchanged. Whoever is not named does not know that
// it exists.
type dependency struct {
	module string
	code   []string // packages, with all below them but for the root
	tests  []string // packages whose tests use it besides
}

var (
	required  = regexp.MustCompile(`(?m)^\t(\S+) v\S+( // indirect)?$`)
	moduleRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]*) \\|")
	inTicks   = regexp.MustCompile("`([^`]+)`")
)

// dependencies reads the table of the decision.
func dependencies(t *testing.T) (list []dependency) {
	t.Helper()
	names := func(text string) (list []string) {
		for _, m := range inTicks.FindAllStringSubmatch(text, -1) {
			list = append(list, m[1])
		}
		return list
	}
	for _, m := range moduleRow.FindAllStringSubmatch(readFile(t, "docs/adr/0007-dependencies.md"), -1) {
		code, tests, _ := strings.Cut(m[2], "tests of")
		list = append(list, dependency{m[1], names(code), names(tests)})
	}
	return list
}

// mayUse tells whether a file in dir may import the module.
func (d dependency) mayUse(dir string, test bool) bool {
	in := func(room string) bool { return inRoom(dir, room) }
	return slices.ContainsFunc(d.code, in) || test && slices.ContainsFunc(d.tests, in)
}

// refuseModule says what is wrong with an import of another module; "" if
// nothing is.
func refuseModule(list []dependency, dir, path string, test bool) string {
	for _, d := range list {
		if within(path, d.module) && !d.mayUse(dir, test) {
			return fmt.Sprintf("%s is for %s only, and for tests of %s (docs/adr/0007-dependencies.md)", d.module, strings.Join(d.code, ", "), strings.Join(d.tests, ", "))
		}
	}
	return ""
}

// TestDependenciesAreExplained: what go.mod requires by itself, and what a file
// imports, is told of in the decision on dependencies, and nothing else.
func TestDependenciesAreExplained(t *testing.T) {
	all, used := []string{}, map[string]bool{}
	for _, m := range required.FindAllStringSubmatch(readFile(t, "go.mod"), -1) {
		all = append(all, m[1])
		if m[2] == "" {
			used[m[1]] = true
		}
	}
	for _, s := range allSources(t) {
		for _, i := range s.imports() {
			if n := slices.IndexFunc(all, func(mod string) bool { return within(i, mod) }); n >= 0 {
				used[all[n]] = true
			}
		}
	}
	told := map[string]bool{}
	for _, d := range dependencies(t) {
		told[d.module] = true
	}
	if !maps.Equal(told, used) {
		t.Errorf("docs/adr/0007-dependencies.md tells of %v, used are %v", sorted(told), sorted(used))
	}
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

// TestDependenciesHaveKeepers: a module is imported by those who stand in its
// row, and by each of them. internal/raftwal has a go.mod of its own.
func TestDependenciesHaveKeepers(t *testing.T) {
	list := dependencies(t)
	type use struct {
		module, room string
		test         bool
	}
	seen := map[use]bool{}
	for _, s := range allSources(t) {
		if inRoom(s.dir, "internal/raftwal") {
			continue
		}
		for _, i := range s.imports() {
			if why := refuseModule(list, s.dir, i, s.test); why != "" {
				t.Errorf("%s imports %s: %s", s.path, i, why)
			}
			for _, d := range list {
				for _, room := range append(slices.Clone(d.code), d.tests...) {
					if within(i, d.module) && inRoom(s.dir, room) {
						seen[use{d.module, room, s.test}] = true
					}
				}
			}
		}
	}
	for _, d := range list {
		for _, room := range d.code {
			if !seen[use{d.module, room, false}] {
				t.Errorf("docs/adr/0007-dependencies.md: %s does not use %s", room, d.module)
			}
		}
		for _, room := range d.tests {
			if !seen[use{d.module, room, true}] {
				t.Errorf("docs/adr/0007-dependencies.md: no test of %s uses %s", room, d.module)
			}
		}
	}
}

// TestDependencyRules proves that the table refuses what it is there for.
func TestDependencyRules(t *testing.T) {
	list := dependencies(t)
	for _, c := range []struct {
		from, path string
		ok         bool
	}{
		{"raftadapter/wal", "github.com/hashicorp/raft", true},
		{"partitionactor", "github.com/hashicorp/raft", false},
		{"gateway", "github.com/camunda/zeebe/clients/go/v8/pkg/pb", true},
		{"cmd/grevy", "github.com/camunda/zeebe/clients/go/v8/pkg/pb", true},
		{"remote", "github.com/camunda/zeebe/clients/go/v8/pkg/pb", false},
		{".", "github.com/camunda/zeebe/clients/go/v8/pkg/pb", false},
		{"partitionactor", "github.com/hashicorp/raft-wal", true}, // another module, not in go.mod
		{"engine", "github.com/dgraph-io/badger/v4", false},
		{"remote", "github.com/hashicorp/memberlist", true},
		{"gateway", "github.com/prometheus/client_golang/prometheus", false},
		{".", "github.com/spf13/cobra", false},
		{"cmd/grevy", "github.com/spf13/viper", true},
		{"partitionactor", "github.com/asynkron/protoactor-go/actor", true},
		{"gateway", "github.com/asynkron/protoactor-go/actor", false},
		{"raftadapter", "github.com/asynkron/protoactor-go/actor", false},
		{"engine", "encoding/json", true},
	} {
		if why := refuseModule(list, c.from, c.path, false); (why == "") != c.ok {
			t.Errorf("%s imports %s: %q, want allowed = %v", c.from, c.path, why, c.ok)
		}
	}
	yaml := "go.yaml.in/yaml/v3"
	if refuseModule(list, "bpmn", yaml, true) != "" || refuseModule(list, "bpmn", yaml, false) == "" {
		t.Error("yaml is for tests of bpmn, and for nothing else there")
	}
}
