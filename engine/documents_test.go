package engine_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
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

// A message or signal as large as one may be reaches all who get it, on five
// partitions, and no entry is larger than one may be.
func TestDocuments_OneForMany(t *testing.T) {
	cluster, err := enginetest.NewCluster(enginetest.Config{Partitions: 5})
	check(t, err)
	p, err := cluster.Partition(1)
	check(t, err)
	var continues func(more bool)
	execute := func(cmd protocol.Command) protocol.Reply {
		out, err := p.Execute(cmd)
		check(t, err)
		check(t, out.Err)
		_, err = p.Pack()
		check(t, err)
		for i := range p.Flying {
			if n := len(p.Flying[i].Data); n > 8<<20 {
				t.Errorf("%T: an entry has %d bytes", cmd, n)
			}
		}
		check(t, p.CommitAll())
		continues(out.Effects.Continue)
		return out.Reply
	}
	continues = func(more bool) {
		if more {
			execute(&protocol.Continue{})
		}
	}
	key := "k"
	for protocol.MessagePartition(key, 5) != 1 {
		key += "k"
	}
	deploy := &protocol.Deploy{}
	for i := range 3 {
		for name, model := range map[string]string{
			"sm": "start s message=m -> service t type=work -> end e",
			"cm": "start s -> catch c message=m key='= k' -> service t type=work -> end e",
			"ss": "start s signal=g -> service t type=work -> end e",
			"cs": "start s -> catch c signal=g -> service t type=work -> end e",
		} {
			id := fmt.Sprintf("%s%d", name, i)
			content, err := enginetest.Model(id, model)
			check(t, err)
			deploy.Resources = append(deploy.Resources, protocol.Resource{Name: id + ".bpmn", Content: content})
		}
	}
	execute(deploy)
	for i := range 3 {
		for _, id := range []string{"cm", "cs"} {
			execute(&protocol.CreateInstance{ProcessID: fmt.Sprintf("%s%d", id, i), Version: -1, Variables: []byte(`{"k":"` + key + `"}`)})
		}
	}
	doc := []byte(`{"d":"` + strings.Repeat("x", 4<<20-200) + `"}`)
	jobs := func(of string) {
		seen := 0
		for i := 0; i < 6; i++ {
			list := execute(&protocol.ActivateJobs{Type: "work", Worker: "w", Timeout: 1000, Max: 1, FetchVariables: []string{"d"}}).(*protocol.Jobs).Jobs
			for j := range list {
				if seen++; !bytes.Equal(list[j].Variables, doc) {
					t.Errorf("%s: a job has %.50s", of, list[j].Variables)
				}
				execute(&protocol.CompleteJob{JobKey: list[j].Key})
			}
		}
		if seen != 6 {
			t.Errorf("%s: %d jobs instead of 6", of, seen)
		}
	}
	execute(&protocol.PublishMessage{Name: "m", CorrelationKey: key, Variables: doc, TimeToLive: 1000})
	jobs("message")
	execute(&protocol.BroadcastSignal{Name: "g", Variables: doc})
	jobs("signal")
	seen, err := p.Contents()
	check(t, err)
	signals := 0
	for _, row := range seen.Outbox {
		if c, ok := seen.Whole(row.Command).(*protocol.BroadcastSignal); ok {
			if signals++; !bytes.Equal(c.Variables, doc) {
				t.Errorf("partition %d is told %.50s", row.Target, c.Variables)
			}
		}
		execute(&protocol.Acknowledge{Acks: []protocol.Ack{{Target: row.Target, Lane: row.Lane, UpTo: row.Seq}}})
	}
	if signals != 4 {
		t.Errorf("%d partitions are told of the signal, want 4", signals)
	}
	cluster.Now += 2000
	execute(&protocol.Tick{})
	if seen, err = p.Contents(); err != nil || len(seen.Rows[state.TableShared])+len(seen.Rows[state.TableHolders]) > 0 {
		t.Errorf("%d documents are left, %v", len(seen.Rows[state.TableShared]), err)
	}
}
