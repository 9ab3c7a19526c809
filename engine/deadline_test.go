package engine_test

import (
	"math"
	"testing"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
)

// A lock or a back-off longer than time itself is for ever, not over at once.
// (The original fails: "deadline must be greater than 0", seen on Zeebe 8.6.0.)
func TestDeadlines_BeyondTime(t *testing.T) {
	cluster, err := enginetest.NewCluster(enginetest.Config{Partitions: 1})
	check(t, err)
	p, err := cluster.Partition(1)
	check(t, err)
	model, err := enginetest.Model("p", "start s -> service t type=work -> end e")
	check(t, err)
	execute := func(cmd protocol.Command) protocol.Reply {
		out, err := p.Execute(cmd)
		check(t, err)
		check(t, out.Err)
		check(t, p.CommitAll())
		return out.Reply
	}
	activate := func(timeout int64) []protocol.Job {
		return execute(&protocol.ActivateJobs{Type: "work", Worker: "w", Timeout: timeout, Max: 1}).(*protocol.Jobs).Jobs
	}
	execute(&protocol.Deploy{Resources: []protocol.Resource{{Name: "p.bpmn", Content: model}}})
	execute(&protocol.CreateInstance{ProcessID: "p", Version: -1})
	jobs := activate(math.MaxInt64)
	if len(jobs) != 1 || jobs[0].Deadline <= cluster.Now {
		t.Fatalf("locked: %+v", jobs)
	}
	steps := []func(){
		func() {},
		func() { execute(&protocol.UpdateJobTimeout{JobKey: jobs[0].Key, Timeout: math.MaxInt64}) },
		func() { execute(&protocol.FailJob{JobKey: jobs[0].Key, Retries: 1, BackOff: math.MaxInt64}) },
	}
	for i, step := range steps {
		step()
		cluster.Now += 1e12
		execute(&protocol.Tick{})
		if again := activate(1000); len(again) != 0 {
			t.Errorf("step %d: given out again: %+v", i, again)
		}
	}
}
