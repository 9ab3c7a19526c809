package partitionactor_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/state"
)

// faultyKV is a store of which some reads panic, as a mistake of ours would, or
// whose writes fail.
type faultyKV struct {
	state.KV
	panics atomic.Pointer[func(key []byte) bool]
	fails  atomic.Pointer[error]
}

func (f *faultyKV) Snapshot() state.Snapshot { return &faultySnapshot{f.KV.Snapshot(), f} }

func (f *faultyKV) Update(ops []state.Op) error {
	if err := f.fails.Load(); err != nil {
		return *err
	}
	return f.KV.Update(ops)
}

type faultySnapshot struct {
	state.Snapshot
	kv *faultyKV
}

func (s *faultySnapshot) Get(key []byte) ([]byte, error) {
	if bad := s.kv.panics.Load(); bad != nil && (*bad)(key) {
		panic("broken by the test")
	}
	return s.Snapshot.Get(key)
}

// scripted is a process that waits for its time and then makes a list of n texts,
// for which a job waits.
func scripted(id string) protocol.Resource {
	return protocol.Resource{Name: id + ".bpmn", Content: []byte(`<?xml version="1.0" encoding="UTF-8"?>` +
		`<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="x">` +
		`<bpmn:process id="` + id + `" isExecutable="true"><bpmn:startEvent id="s"/><bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="c"/>` +
		`<bpmn:intermediateCatchEvent id="c"><bpmn:timerEventDefinition><bpmn:timeDuration>PT0.3S</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>` +
		`<bpmn:sequenceFlow id="f2" sourceRef="c" targetRef="t"/><bpmn:scriptTask id="t"><bpmn:extensionElements>` +
		`<zeebe:script expression="= for i in 1..n return &quot;xxxxxxxxxx&quot;" resultVariable="r"/></bpmn:extensionElements></bpmn:scriptTask>` +
		`<bpmn:sequenceFlow id="f3" sourceRef="t" targetRef="w"/><bpmn:serviceTask id="w"><bpmn:extensionElements><zeebe:taskDefinition type="work"/></bpmn:extensionElements></bpmn:serviceTask>` +
		`<bpmn:sequenceFlow id="f4" sourceRef="w" targetRef="e"/><bpmn:endEvent id="e"/></bpmn:process></bpmn:definitions>`)}
}

func list(id string, n int, more string) *protocol.CreateInstance {
	c := create(id)
	c.Variables = fmt.Appendf(nil, `{"n":%d,"more":%q}`, n, more)
	return c
}

// jobsOf waits until so many jobs could be activated.
func jobsOf(n *node, want int) (jobs []protocol.Job) {
	n.t.Helper()
	eventually(n.t, func() bool {
		jobs = append(jobs, n.must(&protocol.ActivateJobs{Type: "work", Worker: "w", Timeout: 600_000, Max: 100}).(*protocol.Jobs).Jobs...)
		return len(jobs) >= want
	})
	if len(jobs) != want {
		n.t.Fatalf("%d jobs, expected %d", len(jobs), want)
	}
	return jobs
}

func (n *node) incidents() int64 { return n.must(&protocol.PartitionInfo{}).(*protocol.Info).Incidents }

// One timer that leads to more than one command may write would be tried with each
// tick, and hold up all others for ever.
func TestCare_OneTimerTooLargeHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	nodes, _ := cluster(t, 1, partitionactor.Limits{CommandBytes: 50 << 10, Tick: 5 * time.Millisecond})
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{scripted("p")}})
	bad := n.must(list("p", 10_000, "")).(*protocol.Created).InstanceKey
	for range 30 {
		n.must(list("p", 100, ""))
	}
	for _, j := range jobsOf(n, 30) {
		n.must(&protocol.CompleteJob{JobKey: j.Key})
	}
	eventually(t, func() bool { return n.incidents() == 1 })
	n.must(&protocol.CancelInstance{InstanceKey: bad})
	eventually(t, func() bool { return n.incidents() == 0 })
}

// The same for a step that hits a mistake of ours.
func TestCare_OneStepThatPanicsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	kv := new(faultyKV)
	nodes, _ := cluster(t, 1, partitionactor.Limits{Tick: 5 * time.Millisecond}, func(n *node) { kv.KV, n.store = n.kv, kv })
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{scripted("p")}})
	bad := n.must(list("p", 1, strings.Repeat("x", 100<<10))).(*protocol.Created).InstanceKey
	variables := state.TableVariables.OfKey(bad)
	broken := func(key []byte) bool { return bytes.HasSuffix(key, variables) }
	kv.panics.Store(&broken)
	for range 30 {
		n.must(list("p", 1, ""))
	}
	jobsOf(n, 30)
	eventually(t, func() bool { return n.incidents() == 1 })
	kv.panics.Store(nil)
	n.must(&protocol.ResolveIncident{IncidentKey: n.incident()})
	jobsOf(n, 1)
}

// incident finds the only one there is.
func (n *node) incident() (key protocol.Key) {
	n.t.Helper()
	view, _, _ := n.part.Group().View()
	defer view.Close()
	it := view.Iterate([]byte{byte(state.TableIncident)}, nil)
	defer it.Close()
	for ; it.Valid(); it.Next() {
		for _, b := range it.Key()[1:] {
			key = key<<8 | protocol.Key(b)
		}
	}
	return key
}
