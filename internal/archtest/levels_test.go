package archtest

import (
	"fmt"
	"slices"
	"testing"
)

// room is a folder with its level: a package imports only packages of lower
// levels, and those of its own room. Rooms of one level are strangers.
type room struct {
	dir   string
	level int
}

// rooms is the table of docs/architecture.md. A new folder is entered here.
var rooms = []room{
	{"protocol", 1}, {"feel", 1}, {"admin", 1}, {"internal/jsondoc", 1}, {"internal/certs", 1}, {"internal/diskspace", 1}, {"internal/archtest", 1},
	{"backup", 2}, {"bpmn", 2}, {"cluster", 2}, {"recordlog", 2}, {"internal/linkfault", 2},
	{"state", 3}, {"dmn", 3}, {"internal/door", 3},
	{"engine", 4},
	{"actors", 5}, {"raftadapter", 5},
	{"gateway", 6}, {"partitionactor", 6}, {"distributor", 6}, {"remote", 6},
	{".", 7},
	{"cmd", 8}, {"e2e", 8}, {"examples", 8}, {"sim", 8}, {"internal/raftwal", 8}, // a module of its own
}

// inner packages are for their own room, and for those who are named.
var inner = map[string][]string{
	"distributor/saga":         {"sim"},
	"raftadapter/wal":          nil,
	"raftadapter/wal/waltest":  nil,
	"state/badgerkv":           {"."},
	"state/memkv":              {"engine/enginetest", "sim"},
	"state/statetest":          nil,
	"internal/certs/certstest": nil,
}

// roomOf finds the room of a package's directory: the longest that holds it.
func roomOf(dir string) (best room, ok bool) {
	for _, r := range rooms {
		if (r.dir == dir || r.dir != "." && within(dir, r.dir)) && len(r.dir) >= len(best.dir) {
			best, ok = r, true
		}
	}
	return best, ok
}

// refuse says what is wrong with an import of to by a package in from, both
// directories of this module; "" if nothing is.
func refuse(from, to string) string {
	a, okA := roomOf(from)
	b, okB := roomOf(to)
	switch {
	case !okA:
		return fmt.Sprintf("%s stands in no room: enter it in the table", from)
	case !okB:
		return fmt.Sprintf("%s stands in no room: enter it in the table", to)
	case a.dir == b.dir:
		return ""
	case b.level == a.level:
		return fmt.Sprintf("%s and %s are strangers", a.dir, b.dir)
	case b.level > a.level:
		return fmt.Sprintf("%s (level %d) is below %s (level %d)", a.dir, a.level, b.dir, b.level)
	}
	if named, ok := inner[to]; ok && !slices.ContainsFunc(named, func(d string) bool { return inRoom(from, d) }) {
		return fmt.Sprintf("%s is for %s only", to, b.dir)
	}
	return ""
}

// inRoom is within, but for the root, which is only itself.
func inRoom(dir, room string) bool {
	if room == "." {
		return dir == "."
	}
	return within(dir, room)
}

func TestImportLevels(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range allSources(t) {
		seen[s.dir] = true
		if _, ok := roomOf(s.dir); !ok {
			t.Errorf("%s: %s stands in no room: enter it in the table", s.path, s.dir)
		}
		if s.test {
			continue // tests may look at everything
		}
		for _, i := range s.imports() {
			if to, ok := own(i); ok {
				if why := refuse(s.dir, to); why != "" {
					t.Errorf("%s imports %s: %s", s.path, i, why)
				}
			}
		}
	}
	for dir := range inner {
		if !seen[dir] {
			t.Errorf("the table names %s, which does not exist", dir)
		}
	}
}

// TestRules proves that the rules refuse what they are there for.
func TestRules(t *testing.T) {
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"feel", "protocol", false},
		{"bpmn", "feel", true},
		{"feel", "bpmn", false},
		{"bpmn", "state", false},
		{"engine", "state", true},
		{"engine", "state/memkv", false},
		{"engine/enginetest", "state/memkv", true},
		{"engine", "actors", false},
		{"actors", "raftadapter", false},
		{"gateway", "partitionactor", false},
		{"backup", "admin", true},
		{"backup", "raftadapter", false},
		{".", "state/badgerkv", true},
		{"partitionactor", "state/badgerkv", false},
		{"partitionactor", "raftadapter/wal", false},
		{"state/badgerkv", "state", true},
		{"remote", ".", false},
		{"cmd/grevy", ".", true},
		{".", "cmd/grevy", false},
		{"e2e", "examples/embed", false},
		{"newroom", "protocol", false},
	} {
		if why := refuse(c.from, c.to); (why == "") != c.ok {
			t.Errorf("%s imports %s: %q, want allowed = %v", c.from, c.to, why, c.ok)
		}
	}
}
