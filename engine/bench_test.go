package engine_test

import (
	"testing"
	"time"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
)

// perEntry is how many commands the benchmarks pack into one entry, as a busy
// leader does.
const perEntry = 64

type bench struct {
	b     *testing.B
	part  *enginetest.Partition
	n     int
	spent time.Duration // by the engine and the overlay
}

func newBench(b *testing.B, model string, config ...enginetest.Config) *bench {
	b.Helper()
	cluster, err := enginetest.NewCluster(append(config, enginetest.Config{})[0])
	if err != nil {
		b.Fatal(err)
	}
	part, err := cluster.Partition(1)
	if err != nil {
		b.Fatal(err)
	}
	x := &bench{b: b, part: part}
	content, err := enginetest.Model("order", model)
	if err != nil {
		b.Fatal(err)
	}
	x.do(&protocol.Deploy{Resources: []protocol.Resource{{Name: "order.bpmn", Content: content}}})
	b.ReportAllocs()
	return x
}

func (x *bench) do(cmd protocol.Command) protocol.Reply {
	start := time.Now()
	out, err := x.part.Execute(cmd)
	x.spent += time.Since(start)
	if err != nil || out.Err != nil {
		x.b.Fatal(err, out.Err)
	}
	if x.n++; x.n%perEntry == 0 {
		if err := x.part.CommitAll(); err != nil {
			x.b.Fatal(err)
		}
	}
	return out.Reply
}

// report gives the time without packing and applying, which is the log's and
// the store's work.
func (x *bench) report() {
	x.b.ReportMetric(float64(x.spent.Nanoseconds())/float64(x.b.N), "engine-ns/op")
}

var order = &protocol.CreateInstance{ProcessID: "order", Version: -1, Variables: []byte(`{"customer":"c-17","amount":42}`)}

// BenchmarkNoneProcess creates instances that end at once. Target: 5 µs.
func BenchmarkNoneProcess(b *testing.B) {
	x := newBench(b, "start s -> end e")
	for b.Loop() {
		x.do(order)
	}
	x.report()
}

// BenchmarkNoneProcess_Records is the same with a record log.
func BenchmarkNoneProcess_Records(b *testing.B) {
	x := newBench(b, "start s -> end e", enginetest.Config{Records: true})
	for b.Loop() {
		x.do(order)
	}
	x.report()
}

// BenchmarkCreate creates instances that wait at a task.
func BenchmarkCreate(b *testing.B) {
	x := newBench(b, "start s -> service t type=work -> end e")
	for b.Loop() {
		x.do(order)
	}
	x.report()
}

// BenchmarkServiceTaskStep activates and completes one task of a process that
// is a ring of it and a merging gateway. Target: 8 µs.
func BenchmarkServiceTaskStep(b *testing.B) { serviceTask(b, enginetest.Config{}) }

// BenchmarkServiceTaskStep_Records is the same with a record log: what that costs.
func BenchmarkServiceTaskStep_Records(b *testing.B) { serviceTask(b, enginetest.Config{Records: true}) }

func serviceTask(b *testing.B, c enginetest.Config) {
	x := newBench(b, "start s -> xor m -> service t type=work -> m", c)
	x.do(order)
	activate := &protocol.ActivateJobs{Type: "work", Worker: "w", Max: 1, Timeout: 60000}
	for b.Loop() {
		jobs := x.do(activate).(*protocol.Jobs).Jobs
		if len(jobs) != 1 {
			b.Fatalf("%d jobs", len(jobs))
		}
		x.do(&protocol.CompleteJob{JobKey: jobs[0].Key, Variables: []byte(`{"done":true}`)})
	}
	x.report()
}
