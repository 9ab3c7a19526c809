package answers

import (
	"fmt"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/grevy-io/grevy/e2e/recorded"
)

// A step is one call. In a setup list, a plain text names a fixture: a list of
// steps.
type step struct {
	Use     string
	Call    string            // name of an RPC
	Request map[string]any    // its request as protojson; ${…} in texts is expanded
	Deploy  any               // in place of Call and Request: one or more resources (see resources)
	Save    map[string]string // variable: path in the response
	Code    string            // of a setup step: the status wanted (default OK)
	Wait    string            // how long to wait before the call
	Timeout string            // deadline of the caller (default 30s)
	Take    int               // of streams: cancel after so many messages
	During  []step            // made while the call is under way
	Gzip    bool
	Unknown string // hex, appended to the encoded request
	// Partition of a setup step: repeat it until the saved keys are of this one.
	Partition int64
	// Scan: try ${k} = ${after}+1, +2 … until the answer is not that to an unknown key.
	Scan int
}

type expectation struct {
	Code     string
	Message  string
	Response string // JSON with sorted keys
}

type testCase struct {
	Name   string
	Setup  []step
	step   `yaml:",inline"`
	Mask   string // regular expression of what differs in a message from run to run
	Alone  bool   // after all others, nothing beside it
	Expect expectation
	number int // numbers its names
}

func (s *step) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		s.Use = n.Value
		return nil
	}
	type plain step
	return n.Decode((*plain)(s))
}

// UnmarshalYAML keeps step's own from being used for the whole case.
func (c *testCase) UnmarshalYAML(n *yaml.Node) error {
	var head struct {
		Name   string
		Setup  []step
		Mask   string
		Alone  bool
		Expect expectation
	}
	if err := n.Decode(&head); err != nil {
		return err
	}
	c.Name, c.Setup, c.Mask, c.Alone, c.Expect = head.Name, head.Setup, head.Mask, head.Alone, head.Expect
	return n.Decode(&c.step)
}

// readCases reads all cases; each has a name of its own.
func readCases(t testing.TB) []*testCase {
	t.Helper()
	paths, err := filepath.Glob("testdata/given/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal("no cases", err)
	}
	var all []*testCase
	seen := map[string]bool{}
	for _, p := range paths {
		var cases []*testCase
		recorded.YAML(t, p, &cases)
		for _, c := range cases {
			if c.Name == "" || seen[c.Name] {
				t.Fatal(fmt.Sprintf("%s: missing or double name %q", p, c.Name))
			}
			seen[c.Name] = true
			c.number = len(all)
			all = append(all, c)
		}
	}
	return all
}
