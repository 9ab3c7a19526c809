package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
)

// A document of very many names costs time as it is long, not as its square:
// one that took minutes would stop its partition.
func TestDocuments_ManyNames(t *testing.T) {
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
	var b strings.Builder
	b.WriteString(`{"v0":0`)
	const names = 100_000
	for i := 1; i < names; i++ {
		fmt.Fprintf(&b, `,"v%d":%d`, i, i)
	}
	b.WriteString("}")
	doc := []byte(b.String())
	begun := time.Now()
	execute(&protocol.Deploy{Resources: []protocol.Resource{{Name: "p.bpmn", Content: model}}})
	created := execute(&protocol.CreateInstance{ProcessID: "p", Version: -1, Variables: doc}).(*protocol.Created)
	activate := func(fetch ...string) protocol.Job {
		jobs := execute(&protocol.ActivateJobs{Type: "work", Worker: "w", Timeout: 1000, Max: 1, FetchVariables: fetch}).(*protocol.Jobs).Jobs
		if len(jobs) != 1 {
			t.Fatal("no job")
		}
		return jobs[0]
	}
	job := activate()
	if string(job.Variables) != string(doc) {
		t.Errorf("%d bytes of variables, want %d", len(job.Variables), len(doc))
	}
	// They stand at the task too, in front of those of the process.
	execute(&protocol.FailJob{JobKey: job.Key, Retries: 1, Variables: doc})
	execute(&protocol.SetVariables{ElementKey: created.InstanceKey, Variables: doc, Local: true})
	if job = activate("v7", "v99999"); string(job.Variables) != `{"v7":7,"v99999":99999}` {
		t.Errorf("fetched %.100s", job.Variables)
	}
	execute(&protocol.CompleteJob{JobKey: job.Key, Variables: doc})
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}
