package engine_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
)

// Zeebe issue #11253 (and #15533, #53139): with thousands of versions each
// deployment read all of the former ones. Here the three thousandth costs what
// the tenth did, and so does the first command of the next leader.
func TestKnown11253_ThousandsOfVersions(t *testing.T) {
	c, err := enginetest.NewCluster(enginetest.Config{ModelBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Partition(1)
	if err != nil {
		t.Fatal(err)
	}
	deploy := func(i int) (bytes uint64) {
		content := fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d%d" targetNamespace="x">`+
			`<process id="a" isExecutable="true"><startEvent id="s"/></process></definitions>`, i)
		bytes = allocatedBy(func() {
			var out any
			if out, err = p.Execute(&protocol.Deploy{Resources: []protocol.Resource{{Name: "a.bpmn", Content: []byte(content)}}}); err != nil {
				t.Fatal(err, out)
			}
		})
		if err := p.CommitAll(); err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	var early, late uint64
	for i := range 3000 {
		switch n := deploy(i); {
		case i >= 10 && i < 60:
			early += n
		case i >= 2950:
			late += n
		}
	}
	if late > 2*early {
		t.Errorf("50 deployments allocate %d bytes at first and %d after 3,000 versions", early, late)
	}
	if err := p.Crash(); err != nil {
		t.Fatal(err)
	}
	first := allocatedBy(func() {
		if _, err := p.Execute(&protocol.CreateInstance{ProcessID: "a", Version: -1}); err != nil {
			t.Fatal(err)
		}
	})
	if first > 2*early {
		t.Errorf("the first creation of a new leader allocates %d bytes", first)
	}
}

func allocatedBy(f func()) uint64 {
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	f()
	runtime.ReadMemStats(&b)
	return b.TotalAlloc - a.TotalAlloc
}
