package engine_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
)

// A resource with many processes is recorded with each of them only until that is
// much: else the records of a deployment would grow with their number.
func TestRecords_ManyDefinitionsOfALargeResource(t *testing.T) {
	const processes, size = 40, 1 << 20
	cluster, err := enginetest.NewCluster(enginetest.Config{Partitions: 2, Records: true})
	check(t, err)
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="x">`)
	for i := range processes {
		fmt.Fprintf(&b, `<process id="p%d" isExecutable="true"><startEvent id="s%d"/></process>`, i, i)
	}
	fmt.Fprintf(&b, "<!-- %s --></definitions>", strings.Repeat("x", size))
	r := protocol.Resource{Name: "p.bpmn", Content: []byte(b.String())}
	for i := range 2 {
		p, err := cluster.Partition(i + 1)
		check(t, err)
		var cmd protocol.Command = &protocol.Deploy{Resources: []protocol.Resource{r}}
		if i > 0 {
			cmd = distributed(t, cluster, r)
		}
		out, err := p.Execute(cmd)
		check(t, err)
		check(t, out.Err)
		e, err := p.Pack()
		check(t, err)
		checkRecorded(t, &e, processes, size)
		check(t, p.CommitAll())
	}
}

// distributed is what the other partition is sent of a deployment.
func distributed(t *testing.T, c *enginetest.Cluster, r protocol.Resource) protocol.Command {
	t.Helper()
	p, err := c.Partition(1)
	check(t, err)
	seen, err := p.Contents()
	check(t, err)
	cmd := &protocol.Receive{Source: 1, Epoch: epochOf(1), Lane: protocol.LaneDeployments}
	cmd.Items = []protocol.Item{{Seq: 1, Command: seen.Outbox[0].Command}}
	cmd.Bodies = []protocol.Body{{Hash: enginetest.Hashes(cmd.Items[0].Command)[0], Data: r.Content}}
	return cmd
}

func checkRecorded(t *testing.T, e *enginetest.Entry, processes, size int) {
	t.Helper()
	list, err := e.Recorded()
	check(t, err)
	bytes, shown, sums := 0, 0, map[string]int{}
	for i := range list {
		bytes += len(list[i].Value)
		var v struct{ Resource, Checksum string }
		check(t, json.Unmarshal(list[i].Value, &v))
		if list[i].ValueType != "PROCESS" {
			continue
		}
		sums[v.Checksum]++
		if len(v.Resource) > size {
			shown++
		} else if v.Resource != "" {
			t.Errorf("a resource of %d bytes is recorded", len(v.Resource))
		}
	}
	if bytes > 16<<20 || shown < 2 || len(sums) != 1 || sums[""] > 0 {
		t.Errorf("%d bytes of records, %d times with the resource, checksums %v", bytes, shown, sums)
	}
	for _, n := range sums {
		if n != processes {
			t.Errorf("%d definitions are recorded, want %d", n, processes)
		}
	}
}
