package engine_test

import (
	"testing"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// One command fires a bounded number of timers and asks to be continued.
func TestTimers_ManyAtOnce(t *testing.T) {
	const instances = 1200
	cluster, err := enginetest.NewCluster(enginetest.Config{Partitions: 1})
	check(t, err)
	p, err := cluster.Partition(1)
	check(t, err)
	model, err := enginetest.Model("p", "start s -> catch c timer=PT1S -> end e")
	check(t, err)
	execute := func(cmd protocol.Command) (more bool) {
		out, err := p.Execute(cmd)
		check(t, err)
		check(t, out.Err)
		check(t, p.CommitAll())
		return out.Effects.Continue
	}
	execute(&protocol.Deploy{Resources: []protocol.Resource{{Name: "p.bpmn", Content: model}}})
	for range instances {
		execute(&protocol.CreateInstance{ProcessID: "p", Version: -1})
	}
	left := func() int {
		c, err := p.Contents()
		check(t, err)
		wrong, err := p.Check()
		check(t, err)
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
		return len(c.Order[state.TableElement]) / 2
	}
	cluster.Now += 1000
	var seen []int
	more := execute(&protocol.Tick{})
	for seen = append(seen, left()); more; seen = append(seen, left()) {
		more = execute(&protocol.Continue{})
	}
	if len(seen) < 3 || seen[len(seen)-1] != 0 {
		t.Errorf("instances left after each command: %v", seen)
	}
	for i := range seen[1:] {
		if done := seen[i] - seen[i+1]; done > 500 {
			t.Errorf("%d timers in one command", done)
		}
	}
}
