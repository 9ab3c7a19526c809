package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
)

// A hundred thousand instances are made, and ended, in commands of bounded
// work; the list of results is written once.
func TestLoop_HundredThousand(t *testing.T) {
	const instances = 100_000
	cluster, err := enginetest.NewCluster(enginetest.Config{Partitions: 1})
	check(t, err)
	p, err := cluster.Partition(1)
	check(t, err)
	model, err := enginetest.Model("p", "start s -> manual m each='= items' elem=i outc=out oute='= i' -> service t type=t -> end e")
	check(t, err)
	var largest int
	execute := func(cmd protocol.Command) protocol.Reply {
		for {
			out, err := p.Execute(cmd)
			check(t, err)
			check(t, out.Err)
			e, err := p.Pack()
			check(t, err)
			largest = max(largest, len(e.Data))
			check(t, p.Apply())
			if !out.Effects.Continue {
				return out.Reply
			}
			cmd = &protocol.Continue{}
		}
	}
	execute(&protocol.Deploy{Resources: []protocol.Resource{{Name: "p.bpmn", Content: model}}})
	items := "[0" + strings.Repeat(",7", instances-1) + "]"
	execute(&protocol.CreateInstance{ProcessID: "p", Version: -1, Variables: fmt.Appendf(nil, `{"items":%s}`, items)})
	wrong, err := p.Check()
	check(t, err)
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	jobs := execute(&protocol.ActivateJobs{Type: "t", Worker: "w", Timeout: 1, Max: 1, FetchVariables: []string{"out"}}).(*protocol.Jobs).Jobs
	if len(jobs) != 1 || string(jobs[0].Variables) != `{"out":`+items+`}` {
		t.Fatalf("%d jobs, with other results than the items", len(jobs))
	}
	if largest > 2<<20 {
		t.Errorf("one entry has %d bytes", largest)
	}
}
