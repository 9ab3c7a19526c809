package engine_test

import (
	"testing"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// manyCompensable completes an activity with a handler many times,
// then waits for job t.
const manyCompensable = `
start s -> script a expr='= n + 1' result=n -> xor g
g -> ?'n < 20000' a
g -> ?default service t type=t -> throw c compensate -> end e
boundary ab on=a compensate=ah
manual ah compensation
boundary tb on=t error -> end l
`

// However often a loop completes an activity that can be compensated, no entry
// and no record becomes large, neither while it is noted nor when it is
// compensated or forgotten.
func TestCompensation_Many(t *testing.T) {
	for name, cmd := range map[string]func(p *protocol.Job) protocol.Command{
		"compensated": func(j *protocol.Job) protocol.Command { return &protocol.CompleteJob{JobKey: j.Key} },
		"cancelled":   func(j *protocol.Job) protocol.Command { return &protocol.CancelInstance{InstanceKey: j.InstanceKey} },
		"completed":   func(j *protocol.Job) protocol.Command { return &protocol.ThrowError{JobKey: j.Key} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newOne(t, manyCompensable)
			w.execute(&protocol.CreateInstance{ProcessID: "p", Version: -1, Variables: []byte(`{"n":0}`)})
			w.check()
			jobs := w.execute(&protocol.ActivateJobs{Type: "t", Worker: "w", Timeout: 1, Max: 1}).(*protocol.Jobs).Jobs
			if len(jobs) != 1 {
				t.Fatalf("%d jobs", len(jobs))
			}
			w.execute(cmd(&jobs[0]))
			w.check()
			if w.largest > 2<<20 {
				t.Errorf("one entry has %d bytes", w.largest)
			}
			c, err := w.part.Contents()
			check(t, err)
			if n := len(c.Elements) + len(c.Rows[state.TableCompensable]) + len(c.Rows[state.TableCompensating]); n > 0 {
				t.Errorf("%d rows are left", n)
			}
		})
	}
}

// one is a partition with a process p.
type one struct {
	t       *testing.T
	part    *enginetest.Partition
	largest int // entry so far, in bytes
}

func newOne(t *testing.T, form string) *one {
	t.Helper()
	cluster, err := enginetest.NewCluster(enginetest.Config{Partitions: 1})
	check(t, err)
	p, err := cluster.Partition(1)
	check(t, err)
	model, err := enginetest.Model("p", form)
	check(t, err)
	w := &one{t: t, part: p}
	w.execute(&protocol.Deploy{Resources: []protocol.Resource{{Name: "p.bpmn", Content: model}}})
	return w
}

// execute executes a command and all that follows from it.
func (w *one) execute(cmd protocol.Command) protocol.Reply {
	w.t.Helper()
	var reply protocol.Reply
	for {
		out, err := w.part.Execute(cmd)
		check(w.t, err)
		check(w.t, out.Err)
		if reply == nil {
			reply = out.Reply
		}
		e, err := w.part.Pack()
		check(w.t, err)
		w.largest = max(w.largest, len(e.Data))
		check(w.t, w.part.Apply())
		if !out.Effects.Continue {
			return reply
		}
		cmd = &protocol.Continue{}
	}
}

func (w *one) check() {
	w.t.Helper()
	wrong, err := w.part.Check()
	check(w.t, err)
	if len(wrong) > 0 {
		w.t.Fatal(wrong[:min(len(wrong), 10)])
	}
}
