package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// Many deleted definitions are forgotten some at a time, without reading what they
// hold. What comes back in the meantime keeps its content.
func TestDeletion_ForgottenSomeAtATime(t *testing.T) {
	const resources, size = 550, 10 << 10
	cluster, err := enginetest.NewCluster(enginetest.Config{ModelBytes: 1})
	check(t, err)
	p, err := cluster.Partition(1)
	check(t, err)
	execute := func(cmd protocol.Command) protocol.Reply {
		out, err := p.Execute(cmd)
		check(t, err)
		check(t, out.Err)
		check(t, p.CommitAll())
		return out.Reply
	}
	deploy := func(i int) []protocol.Definition {
		content := fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d%d" targetNamespace="x">`+
			`<process id="a%d" isExecutable="true"><startEvent id="s"/></process><process id="b" isExecutable="true"><startEvent id="t"/></process><!-- %s --></definitions>`, i, i, strings.Repeat("x", size))
		r := protocol.Resource{Name: "a.bpmn", Content: []byte(content)}
		return execute(&protocol.Deploy{Resources: []protocol.Resource{r}}).(*protocol.Deployed).Definitions
	}
	for i := range resources {
		for _, d := range deploy(i) {
			if i > 0 || d.ID != "b" { // one of them stays
				execute(&protocol.DeleteResource{ResourceKey: d.Key})
			}
		}
	}
	check(t, p.Crash())
	left := 2*resources - 1
	for ticks := 0; left > 0; ticks++ {
		cluster.Now += 100
		read := allocatedBy(func() {
			_, err := p.Execute(&protocol.Tick{})
			check(t, err)
		})
		if read > resources*size/4 {
			t.Errorf("tick %d allocates %d bytes", ticks, read)
		}
		check(t, p.CommitAll())
		seen, err := p.Contents()
		check(t, err)
		now := len(seen.Rows[state.TableDraining])
		if left-now > 100 || ticks > 20 {
			t.Fatalf("tick %d forgets %d definitions", ticks, left-now)
		}
		left = now
		if wrong, err := p.Check(); err != nil || len(wrong) > 0 {
			t.Fatal(wrong, err)
		}
		if ticks == 1 {
			deploy(resources - 1)
		}
	}
	seen, err := p.Contents()
	check(t, err)
	if n := len(seen.Rows[state.TableContentRef]); n != 2 {
		t.Errorf("%d contents are left, want 2", n)
	}
}
