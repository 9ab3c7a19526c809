package scenarios

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/grevy-io/grevy/e2e/recorded"
)

// A scenario is a story: models, what is done with them, and how the instances
// end.
type scenario struct {
	Name, Doc  string
	Bpmn       string            // the resource "main"
	Resources  map[string]string // others by name; .dmn and .form by ending
	Steps      []map[string]any  // each has one verb
	Ends       any               // finished (default), active, or a map by instance
	Order      string            // element: branches are independent, only the order in each element counts
	Partitions int               // only on a broker with so many
	Large      bool              // names and values of variables stay out of the trace
	Alone      bool              // nothing beside it: it activates jobs of a type that all share
	file       string
	golden     golden
}

// readScenarios reads all scenarios with what the original did.
func readScenarios(t testing.TB) []*scenario {
	t.Helper()
	paths, err := filepath.Glob("testdata/given/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal("no scenarios", err)
	}
	var all []*scenario
	seen := map[string]bool{}
	for _, path := range paths {
		var list []*scenario
		recorded.YAML(t, path, &list)
		for _, c := range list {
			if seen[c.Name] {
				t.Fatalf("%s: two scenarios are called %s", path, c.Name)
			}
			seen[c.Name] = true
			c.file = filepath.Base(path)
			if err := c.prepare(); err != nil {
				t.Fatalf("%s: %s: %v", path, c.Name, err)
			}
			recorded.YAML(t, filepath.Join("testdata", "golden", c.Name+".yaml"), &c.golden)
		}
		all = append(all, list...)
	}
	return all
}

// prepare checks the steps, and deploys everything first if no step does.
func (c *scenario) prepare() error {
	for _, step := range c.Steps {
		for verb := range step {
			if verbs[verb] == nil || len(step) != 1 {
				return fmt.Errorf("no step: %v", step)
			}
		}
	}
	if c.uses("deploy") || c.Bpmn == "" {
		return nil
	}
	names := []any{"main"}
	for _, n := range slices.Sorted(maps.Keys(c.Resources)) {
		names = append(names, n)
	}
	c.Steps = slices.Insert(c.Steps, 0, map[string]any{"deploy": names})
	return nil
}

func (c *scenario) uses(verbs ...string) bool {
	return slices.ContainsFunc(c.Steps, func(step map[string]any) bool {
		return slices.ContainsFunc(verbs, func(v string) bool { _, ok := step[v]; return ok })
	})
}

// slow tells whether the scenario waits for times to pass, or for many things.
func (c *scenario) slow() bool {
	return c.Large || c.uses("sleep", "nojob") || slices.Contains([]string{"large.yaml", "timers.yaml", "jobs.yaml"}, c.file)
}

// end is how an instance is to end.
func (c *scenario) end(instance string) string {
	switch e := c.Ends.(type) {
	case string:
		return e
	case map[string]any:
		if v, ok := e[instance]; ok {
			return fmt.Sprint(v)
		}
	}
	return "finished"
}
