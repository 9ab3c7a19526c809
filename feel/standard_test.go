package feel_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/e2e/recorded"
	"github.com/grevy-io/grevy/feel"
)

// TestStandard evaluates what stands in DMN and the original has no answer to.
func TestStandard(t *testing.T) {
	files, err := filepath.Glob("testdata/standard/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		for _, c := range recorded.Cases(t, file) {
			for _, r := range c.Runs {
				vars := feel.Vars{}
				if r.Variables != "" {
					if err := json.Unmarshal([]byte(r.Variables), &vars); err != nil {
						t.Fatal(err)
					}
				}
				if got := evaluateExpression("", c.Text, &feel.Env{Scope: vars}); !got.is(r) {
					t.Errorf("%s:%d: %s\n  got  %s %s\n  want %s %s", file, c.Line, nameOf(c, r), got.op, got.text, r.Op, r.Want)
				}
			}
		}
	}
}

// TestTypes: a type that is no type of the language is one of Env.Types, which
// may have others in them.
func TestTypes(t *testing.T) {
	number, err := feel.ParseType("number")
	if err != nil {
		t.Fatal(err)
	}
	point := feel.ContextType([]string{"x", "y"}, []*feel.Type{number, number})
	named, err := feel.ParseType("`a point`")
	if err != nil {
		t.Fatal(err)
	}
	self, err := feel.ParseType("list<tree>")
	if err != nil {
		t.Fatal(err)
	}
	loop, err := feel.ParseType("loop")
	if err != nil {
		t.Fatal(err)
	}
	env := &feel.Env{Types: map[string]*feel.Type{"a point": point, "line": feel.ListType(named), "tree": self, "loop": loop}}
	for src, want := range map[string]string{
		"{x: 1, y: 2} instance of `a point`":                      "true",
		"{x: 1, y: \"2\"} instance of `a point`":                  "false",
		"[{x: 1, y: 2}, {x: 3, y: 4}] instance of line":           "true",
		"[{x: 1, y: 2}, {x: 3}] instance of line":                 "false",
		"[[], [[]]] instance of tree":                             "true",
		"[[], [[1]]] instance of tree":                            "false",
		"{f: function(l: line) count(l), r: f({x: 1, y: 2})}.r":   "1",
		"{f: function(l: line) l, r: f({x: 1})}.r":                "null",
		"(function(l: line) 1) instance of function<line>->Any":   "true",
		"(function(l: line) 1) instance of function<date>->Any":   "false",
		"(function(l) 1) instance of function<`a point`>->number": "true",
	} {
		e, err := feel.Compile(src)
		if err != nil {
			t.Fatal(err)
		}
		r, err := e.Eval(env)
		if got := string(feel.AppendJSON(nil, r.Value)); err != nil || got != want {
			t.Errorf("%s: got %s, %v", src, got, err)
		}
	}
	e, err := feel.Compile("1 instance of loop")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Eval(env); err == nil || !strings.Contains(err.Error(), "nested too deeply") {
		t.Errorf("a type that is itself: %v", err)
	}
	if _, err := feel.ParseType("list<"); err == nil {
		t.Error("no type was parsed")
	}
}
