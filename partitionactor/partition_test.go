package partitionactor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/engine"
	"github.com/grevy-io/grevy/internal/diskspace"
	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/raftadapter/wal"
	"github.com/grevy-io/grevy/recordlog"
	"github.com/grevy-io/grevy/state"
	"github.com/grevy-io/grevy/state/memkv"
)

// node is one process's worth of one partition.
type node struct {
	t       *testing.T
	id      protocol.NodeID
	dir     string
	kv      *memkv.KV
	store   state.KV // around kv, if it is to fail
	logFS   wal.FS
	space   *diskspace.Watch
	room    func() bool
	addrs   *sync.Map
	faults  *linkfault.Switch
	limits  partitionactor.Limits
	system  *actor.ActorSystem
	changed func()
	raft    *raftadapter.Node
	part    *partitionactor.Partition
	count   *counter
	// records, if any are wanted.
	records *sink

	// What the node keeps, by default the only partition there is.
	partition  protocol.PartitionID
	partitions int
	// other executes commands for other partitions.
	other func(context.Context, protocol.Command, func(protocol.Reply, error))
}

// counter counts entries (partitionactor.Observer).
type counter struct {
	mu                sync.Mutex
	entries, commands int
	largest           int
}

func (c *counter) Entry(_ protocol.PartitionID, commands, bytes int, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries++
	c.commands += commands
	c.largest = max(c.largest, bytes)
}

func (c *counter) Rejected(protocol.PartitionID, protocol.RejectionType) {}

func (c *counter) read() (entries, commands, largest int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries, c.commands, c.largest
}

func (n *node) server() string { return fmt.Sprintf("%d-x", n.id) }

func (n *node) start(servers []raftadapter.Server) {
	n.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		n.t.Fatal(err)
	}
	n.addrs.Store(n.server(), l.Addr().String())
	tuning := raftadapter.Tuning{NoSync: true, CommitTimeout: 20 * time.Millisecond}
	if len(servers) > 1 { // alone it has nobody to wait for
		tuning.Heartbeat = 600 * time.Millisecond
	}
	log := slog.New(slog.DiscardHandler)
	store := n.store
	if store == nil {
		store = n.kv
	}
	n.raft, err = raftadapter.Open(raftadapter.Config{
		NodeID: n.id, ServerID: n.server(), Dir: n.dir, KV: store, Listener: l, BootID: "boot", Log: log, Faults: n.faults,
		Resolve: func(id string) string {
			a, ok := n.addrs.Load(id)
			if !ok {
				return ""
			}
			return a.(string)
		},
		NodeOf: func(id string) protocol.NodeID { return protocol.NodeID(id[0] - '0') },
		LogFS:  n.logFS, Room: n.room,
		Tuning: tuning,
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.system = actors.NewSystem(log)
	var records recordlog.Sink
	if n.records != nil {
		records = n.records
	}
	n.part, err = partitionactor.Start(partitionactor.Config{
		Records: records, Version: "8.6.0",
		Partition: max(1, n.partition), Partitions: max(1, n.partitions), System: n.system, Node: n.raft, Bootstrap: servers, Models: engine.NewModels(1 << 20),
		Log: log, Observer: n.count, Limits: n.limits, Space: n.space, Changed: n.changed,
		Execute: func(ctx context.Context, p protocol.PartitionID, c protocol.Command, done func(protocol.Reply, error)) {
			if p != max(1, n.partition) {
				n.other(ctx, c, done)
				return
			}
			n.part.Gate().Execute(ctx, c, done)
		},
	})
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) stop() {
	n.t.Helper()
	if n.part == nil {
		return
	}
	if err := errors.Join(n.part.Stop(), n.raft.Close()); err != nil {
		n.t.Error(err)
	}
	n.system.Shutdown()
	n.part = nil
}

func cluster(t *testing.T, size int, limits partitionactor.Limits, with ...func(*node)) ([]*node, []raftadapter.Server) {
	t.Helper()
	addrs := new(sync.Map)
	var nodes []*node
	var servers []raftadapter.Server
	for i := range size {
		n := &node{t: t, id: protocol.NodeID(i), dir: t.TempDir(), kv: memkv.New(), addrs: addrs, faults: linkfault.New(protocol.NodeID(i)), limits: limits, count: new(counter)}
		for _, f := range with {
			f(n)
		}
		nodes = append(nodes, n)
		servers = append(servers, raftadapter.Server{ID: n.server(), Voter: true})
		t.Cleanup(n.stop)
	}
	for _, n := range nodes {
		n.start(servers)
	}
	return nodes, servers
}

// leader waits until one of the nodes serves.
func leader(t *testing.T, nodes ...*node) *node {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		for _, n := range nodes {
			if n.part != nil && n.part.Gate().Serving() {
				return n
			}
		}
		<-time.After(2 * time.Millisecond)
	}
	t.Fatal("no leader")
	return nil
}

type answer struct {
	reply protocol.Reply
	err   error
}

// send puts a command in and returns where its answer will be.
func (n *node) send(ctx context.Context, c protocol.Command) <-chan answer {
	ch := make(chan answer, 2)
	n.part.Gate().Execute(ctx, c, func(r protocol.Reply, err error) { ch <- answer{r, err} })
	return ch
}

func wait(t *testing.T, ch <-chan answer) answer {
	t.Helper()
	select {
	case a := <-ch:
		return a
	case <-time.After(20 * time.Second):
		t.Fatal("no answer")
		return answer{}
	}
}

func (n *node) do(c protocol.Command) answer {
	n.t.Helper()
	return wait(n.t, n.send(context.Background(), c))
}

func (n *node) must(c protocol.Command) protocol.Reply {
	n.t.Helper()
	a := n.do(c)
	if a.err != nil {
		n.t.Fatalf("%s: %v", c.Intent(), a.err)
	}
	return a.reply
}

func model(id, note string, task bool) protocol.Resource {
	flow := `<bpmn:sequenceFlow id="f" sourceRef="s" targetRef="e"/>`
	if task {
		flow = `<bpmn:serviceTask id="t"><bpmn:extensionElements><zeebe:taskDefinition type="work"/></bpmn:extensionElements></bpmn:serviceTask>` +
			`<bpmn:sequenceFlow id="f" sourceRef="s" targetRef="t"/><bpmn:sequenceFlow id="g" sourceRef="t" targetRef="e"/>`
	}
	return protocol.Resource{Name: id + ".bpmn", Content: []byte(`<?xml version="1.0" encoding="UTF-8"?>` +
		`<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="x">` +
		`<!-- ` + note + ` --><bpmn:process id="` + id + `" isExecutable="true"><bpmn:startEvent id="s"/>` + flow + `<bpmn:endEvent id="e"/></bpmn:process></bpmn:definitions>`)}
}

func create(id string) *protocol.CreateInstance {
	return &protocol.CreateInstance{ProcessID: id, Version: -1, DefinitionKey: -1}
}

// The actor around the leader may fail too: it begins anew, and so does the leader.
func TestPartition_SeatsALeaderAfterAFailureOfItsOwn(t *testing.T) {
	t.Parallel()
	nodes, servers := cluster(t, 1, partitionactor.Limits{})
	n := nodes[0]
	leader(t, n)
	n.stop()
	var times atomic.Int32
	n.changed = func() {
		if times.Add(1) == 1 {
			panic("once, with the leader just seated")
		}
	}
	n.start(servers)
	deadline := time.Now().Add(20 * time.Second)
	for served := false; !served; {
		late := time.Now().After(deadline)
		again := times.Load() >= 3 // the first leader is gone
		a := n.do(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", false)}})
		if served = again && a.err == nil; !served && late {
			t.Fatalf("told %d times, then %v", times.Load(), a.err)
		}
	}
}

func TestPartition_StateAndKeysSurviveARestart(t *testing.T) {
	t.Parallel()
	nodes, servers := cluster(t, 1, partitionactor.Limits{})
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
	seen := map[protocol.Key]bool{}
	for range 3 {
		for range 20 {
			k := n.must(create("p")).(*protocol.Created).InstanceKey
			if seen[k] {
				t.Fatalf("key %d minted twice", k)
			}
			seen[k] = true
		}
		n.stop()
		n.start(servers)
		leader(t, n)
	}
	jobs := n.must(&protocol.ActivateJobs{Type: "work", Worker: "w", Timeout: 60_000, Max: 100}).(*protocol.Jobs)
	if len(jobs.Jobs) != len(seen) {
		t.Errorf("%d jobs for %d acknowledged instances", len(jobs.Jobs), len(seen))
	}
}

func TestPartition_OneEntryCarriesManyCommands(t *testing.T) {
	t.Parallel()
	nodes, _ := cluster(t, 1, partitionactor.Limits{})
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
	var answers []<-chan answer
	for range 500 {
		answers = append(answers, n.send(context.Background(), create("p")))
	}
	for _, ch := range answers {
		if a := wait(t, ch); a.err != nil {
			t.Fatal(a.err)
		}
	}
	entries, commands, _ := n.count.read()
	if commands < 500 || entries > 250 {
		t.Errorf("%d commands took %d entries", commands, entries)
	}
}

func TestGate_RefusesWhenTooMuchIsUnderWay(t *testing.T) {
	t.Parallel()
	nodes, _ := cluster(t, 1, partitionactor.Limits{InFlight: 5})
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
	var answers []<-chan answer
	for range 300 {
		answers = append(answers, n.send(context.Background(), create("p")))
	}
	full, done := 0, 0
	for _, ch := range answers {
		a := wait(t, ch)
		var refusal *protocol.Refusal
		switch {
		case a.err == nil:
			done++
		case errors.As(a.err, &refusal) && refusal.Code == protocol.Full:
			full++
		default:
			t.Fatal(a.err)
		}
	}
	if full == 0 || done == 0 {
		t.Errorf("%d done, %d refused", done, full)
	}
	jobs := n.must(&protocol.ActivateJobs{Type: "work", Worker: "w", Timeout: 60_000, Max: 1000}).(*protocol.Jobs)
	if len(jobs.Jobs) != done {
		t.Errorf("%d jobs, %d creations were acknowledged: a refusal must prove that nothing was done", len(jobs.Jobs), done)
	}
	if a := n.do(create("p")); a.err != nil {
		t.Errorf("the gate stays shut: %v", a.err)
	}
}

// A mistake of ours hits one command before it is in the log; the partition
// goes on (architecture §2).
func TestPartition_APanicHitsOneCommand(t *testing.T) {
	t.Parallel()
	nodes, _ := cluster(t, 1, partitionactor.Limits{})
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
	before := n.send(context.Background(), create("p"))
	bad := n.send(context.Background(), (*protocol.CompleteJob)(nil))
	after := n.send(context.Background(), create("p"))
	if a := wait(t, bad); !errors.Is(a.err, protocol.ErrInternal) {
		t.Errorf("the bad command: %+v", a)
	}
	for _, ch := range []<-chan answer{before, after} {
		if a := wait(t, ch); a.err != nil {
			t.Errorf("a good command: %v", a.err)
		}
	}
	if _, term, problem := n.part.Role(); term == 0 || problem != "" {
		t.Errorf("role: term %d, %q", term, problem)
	}
}

func TestPartition_RejectionsAreAnsweredWithoutAnEntry(t *testing.T) {
	t.Parallel()
	nodes, _ := cluster(t, 1, partitionactor.Limits{})
	n := leader(t, nodes...)
	entries, _, _ := n.count.read()
	var rejection *protocol.Rejection
	if a := n.do(create("nothing")); !errors.As(a.err, &rejection) || rejection.Type != protocol.NotFound {
		t.Errorf("%+v", a)
	}
	if now, _, _ := n.count.read(); now != entries {
		t.Errorf("%d entries for a rejection", now-entries)
	}
}

func TestPartition_LargeResourcesGoInChunks(t *testing.T) {
	t.Parallel()
	nodes, servers := cluster(t, 1, partitionactor.Limits{})
	n := leader(t, nodes...)
	big := model("big", strings.Repeat("x", 3<<20), false)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{big}})
	if _, _, largest := n.count.read(); largest > 600<<10 {
		t.Errorf("an entry of %d bytes", largest)
	}
	n.stop()
	n.start(servers) // the model cache is empty now
	leader(t, n)
	n.must(create("big"))
	view, _, _ := n.part.Group().View()
	defer view.Close()
	if body, err := view.Body(engine.HashOf(big.Content)); err != nil || !bytes.Equal(body, big.Content) {
		t.Errorf("body of %d bytes, %v", len(body), err)
	}
}

func TestPartition_ACommandThatWritesTooMuchIsRejected(t *testing.T) {
	t.Parallel()
	nodes, _ := cluster(t, 1, partitionactor.Limits{CommandBytes: 100 << 10})
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
	c := create("p")
	c.Variables = []byte(`{"a":"` + strings.Repeat("x", 200<<10) + `"}`)
	var rejection *protocol.Rejection
	if a := n.do(c); !errors.As(a.err, &rejection) || rejection.Type != protocol.ExceededBatchRecordSize {
		t.Errorf("%+v", a)
	}
	n.must(create("p"))
}

// What is recorded of a command counts too, if it is recorded.
func TestPartition_ACommandWithTooManyRecordsIsRejected(t *testing.T) {
	c := create("p")
	c.Variables = []byte(`{"v":0`)
	for i := range 400 {
		c.Variables = fmt.Appendf(c.Variables, `,"v%d":0`, i)
	}
	c.Variables = append(c.Variables, '}')
	for _, records := range []*sink{nil, {}} {
		nodes, _ := cluster(t, 1, partitionactor.Limits{CommandBytes: 10 << 10}, func(n *node) { n.records = records })
		n := leader(t, nodes...)
		n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
		var rejection *protocol.Rejection
		rejected := errors.As(n.do(c).err, &rejection) && rejection.Type == protocol.ExceededBatchRecordSize
		if rejected != (records != nil) {
			t.Errorf("rejected: %v", rejected)
		}
	}
}

func TestPartition_ALargeDocumentIsKeptInParts(t *testing.T) {
	t.Parallel()
	nodes, servers := cluster(t, 1, partitionactor.Limits{})
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
	c := create("p")
	c.Variables = []byte(`{"a":"` + strings.Repeat("x", 1<<20) + `"}`)
	n.must(c)
	n.stop()
	n.start(servers)
	leader(t, n)
	jobs := n.must(&protocol.ActivateJobs{Type: "work", Worker: "w", Timeout: 60_000, Max: 10}).(*protocol.Jobs)
	if len(jobs.Jobs) != 1 || !bytes.Equal(jobs.Jobs[0].Variables, c.Variables) {
		t.Fatalf("%d jobs", len(jobs.Jobs))
	}
	n.must(&protocol.CompleteJob{JobKey: jobs.Jobs[0].Key})
}

func TestPartition_AParkedRequestGetsTheJobOfTheSameEntry(t *testing.T) {
	t.Parallel()
	nodes, _ := cluster(t, 1, partitionactor.Limits{})
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
	first := n.send(context.Background(), &protocol.ActivateJobs{Type: "work", Worker: "a", Timeout: 60_000, Max: 1, Park: true})
	gone, cancel := context.WithCancel(context.Background())
	second := n.send(gone, &protocol.ActivateJobs{Type: "work", Worker: "b", Timeout: 60_000, Max: 1, Park: true})
	await := n.send(context.Background(), &protocol.AwaitJobs{Type: "work"})
	third := n.send(context.Background(), &protocol.ActivateJobs{Type: "work", Worker: "c", Timeout: 60_000, Max: 1, Park: true})
	cancel()
	entries, _, _ := n.count.read()
	n.must(create("p"))
	a := wait(t, first)
	if a.err != nil || len(a.reply.(*protocol.Jobs).Jobs) != 1 {
		t.Fatalf("first: %+v", a)
	}
	if now, _, _ := n.count.read(); now != entries+1 {
		t.Errorf("%d entries for creation, lock and push", now-entries)
	}
	var refusal *protocol.Refusal
	if a := wait(t, second); !errors.Is(a.err, context.Canceled) && !errors.As(a.err, &refusal) {
		t.Errorf("the one that went away: %+v", a)
	}
	n.must(create("p"))
	if a := wait(t, await); a.err != nil {
		t.Errorf("await: %+v", a)
	}
	if a := wait(t, third); a.err != nil || a.reply.(*protocol.Jobs).Jobs[0].Worker != "c" {
		t.Errorf("third: %+v", a)
	}
}

func TestPartition_AwaitedResults(t *testing.T) {
	t.Parallel()
	nodes, _ := cluster(t, 1, partitionactor.Limits{})
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true), model("q", "", false)}})
	c := create("q")
	c.AwaitResult, c.Variables = true, []byte(`{"x":1}`)
	if r := n.must(c).(*protocol.Result); string(r.Variables) != `{"x":1}` {
		t.Errorf("at once: %s", r.Variables)
	}
	later := create("p")
	later.AwaitResult = true
	done, cancelled := n.send(context.Background(), later), n.send(context.Background(), later)
	jobs := n.must(&protocol.ActivateJobs{Type: "work", Worker: "w", Timeout: 60_000, Max: 5}).(*protocol.Jobs).Jobs
	if len(jobs) != 2 {
		t.Fatalf("%d jobs", len(jobs))
	}
	n.must(&protocol.CompleteJob{JobKey: jobs[0].Key, Variables: []byte(`{"y":2}`)})
	if a := wait(t, done); a.err != nil || string(a.reply.(*protocol.Result).Variables) != `{"y":2}` {
		t.Errorf("after its job: %+v", a)
	}
	n.must(&protocol.CancelInstance{InstanceKey: jobs[1].InstanceKey})
	var rejection *protocol.Rejection
	if a := wait(t, cancelled); !errors.As(a.err, &rejection) || rejection.Type != protocol.InvalidState {
		t.Errorf("cancelled: %+v", a)
	}
}

// Work beyond the step limit goes on in turns of its own, so that others get
// theirs in between.
func TestPartition_LongWorkLetsOthersIn(t *testing.T) {
	t.Parallel()
	nodes, _ := cluster(t, 1, partitionactor.Limits{})
	n := leader(t, nodes...)
	const branches = 3000
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="x">` +
		`<bpmn:process id="wide" isExecutable="true"><bpmn:startEvent id="s"/><bpmn:sequenceFlow id="f" sourceRef="s" targetRef="g"/><bpmn:parallelGateway id="g"/>`)
	for i := range branches {
		fmt.Fprintf(&b, `<bpmn:serviceTask id="t%d"><bpmn:extensionElements><zeebe:taskDefinition type="work"/></bpmn:extensionElements></bpmn:serviceTask><bpmn:sequenceFlow id="f%d" sourceRef="g" targetRef="t%d"/>`, i, i, i)
	}
	b.WriteString(`</bpmn:process></bpmn:definitions>`)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{{Name: "wide.bpmn", Content: []byte(b.String())}, model("p", "", false)}})
	k := n.must(create("wide")).(*protocol.Created).InstanceKey
	cancel := n.send(context.Background(), &protocol.CancelInstance{InstanceKey: k})
	other := n.send(context.Background(), create("p"))
	for _, ch := range []<-chan answer{cancel, other} {
		if a := wait(t, ch); a.err != nil {
			t.Fatal(a.err)
		}
	}
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		if n.must(&protocol.PartitionInfo{}).(*protocol.Info).Instances == 0 {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
	t.Error("the cancelled instance is still there")
}

// Work is suspended and taken up faster than it is committed: a command that comes
// in between must not wait behind all of it.
func TestPartition_LongWorkDoesNotRunAhead(t *testing.T) {
	t.Parallel()
	nodes, _ := cluster(t, 3, partitionactor.Limits{})
	n := leader(t, nodes...)
	const items = 60_000
	each := fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="x">
<process id="each" isExecutable="true"><startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="t"/><serviceTask id="t"><extensionElements><zeebe:taskDefinition type="work"/></extensionElements>
<multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics inputCollection="= for i in 1..%d return i"/></extensionElements></multiInstanceLoopCharacteristics></serviceTask></process></definitions>`, items)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{{Name: "each.bpmn", Content: []byte(each)}, model("p", "", false)}})
	for _, slow := range nodes {
		if err := slow.faults.SetRules("delay 0 1 100ms\ndelay 0 2 100ms\ndelay 1 0 100ms\ndelay 1 2 100ms\ndelay 2 0 100ms\ndelay 2 1 100ms\n"); err != nil {
			t.Fatal(err)
		}
	}
	waiting := func() int64 { return n.must(&protocol.PartitionInfo{}).(*protocol.Info).JobsWaiting }
	n.must(create("each"))
	for waiting() < 3000 { // by now all of it might have been executed
		<-time.After(10 * time.Millisecond)
	}
	n.must(create("p"))
	if jobs := waiting(); jobs > items/2 {
		t.Errorf("%d of %d jobs were made before the next command was answered", jobs, items)
	}
}

// Cut off from its quorum, a leader must say of what it has proposed that the
// outcome is unknown, must not answer reads, and must not be believed later.
func TestPartition_CutOffLeader(t *testing.T) {
	t.Parallel()
	nodes, _ := cluster(t, 3, partitionactor.Limits{})
	old := leader(t, nodes...)
	old.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
	old.must(create("p"))
	var rules string
	var rest []*node
	for _, n := range nodes {
		if n != old {
			rest = append(rest, n)
			rules += fmt.Sprintf("drop %d %d\ndrop %d %d\n", old.id, n.id, n.id, old.id)
		}
	}
	for _, n := range nodes {
		if err := n.faults.SetRules(rules); err != nil {
			t.Fatal(err)
		}
	}
	write := old.send(context.Background(), create("p"))
	read := old.send(context.Background(), create("unknown"))
	if a := wait(t, write); !errors.Is(a.err, protocol.ErrOutcomeUnknown) {
		t.Errorf("a write without quorum: %+v", a)
	}
	var refusal *protocol.Refusal
	if a := wait(t, read); !errors.As(a.err, &refusal) {
		t.Errorf("a rejection by a leader that may be deposed: %+v", a)
	}
	next := leader(t, rest...)
	k := next.must(create("p")).(*protocol.Created).InstanceKey
	for _, n := range nodes {
		if err := n.faults.SetRules(""); err != nil {
			t.Fatal(err)
		}
	}
	jobs := next.must(&protocol.ActivateJobs{Type: "work", Worker: "w", Timeout: 60_000, Max: 10}).(*protocol.Jobs).Jobs
	found := false
	for _, j := range jobs {
		found = found || j.InstanceKey == k
	}
	if !found || len(jobs) < 2 || len(jobs) > 3 {
		t.Errorf("%d jobs, the new leader's among them: %v", len(jobs), found)
	}
	if a := old.do(create("p")); !errors.As(a.err, &refusal) {
		t.Errorf("the deposed leader: %+v", a)
	}
}

// Who awaits a result of an instance that was never proposed is told so, as who
// only creates one: the router then asks the next leader.
func TestPartition_AwaitedButNeverProposedIsRefused(t *testing.T) {
	t.Parallel()
	nodes, _ := cluster(t, 3, partitionactor.Limits{Proposals: 1})
	old := leader(t, nodes...)
	old.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
	if err := old.faults.SetRules(fmt.Sprintf("drop %[1]d %[2]d\ndrop %[1]d %[3]d", old.id, (old.id+1)%3, (old.id+2)%3)); err != nil {
		t.Fatal(err)
	}
	awaited := create("p")
	awaited.AwaitResult = true
	last := old.part.Group().Status().Last
	flying := old.send(context.Background(), awaited)
	for old.part.Group().Status().Last == last {
		<-time.After(time.Millisecond)
	}
	again := *awaited
	packed := old.send(context.Background(), &again)
	if a := wait(t, flying); !errors.Is(a.err, protocol.ErrOutcomeUnknown) {
		t.Errorf("proposed: %+v", a)
	}
	var refusal *protocol.Refusal
	if a := wait(t, packed); !errors.As(a.err, &refusal) {
		t.Errorf("never proposed: %+v", a)
	}
}

// Leadership that moves on purpose loses nothing: what was not executed is
// refused, what was is there.
func TestPartition_TransferUnderLoad(t *testing.T) {
	t.Parallel()
	nodes, _ := cluster(t, 3, partitionactor.Limits{})
	n := leader(t, nodes...)
	n.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}})
	acked, unknown := map[protocol.Key]bool{}, 0
	for round := range 3 {
		var answers []<-chan answer
		for i := range 200 {
			answers = append(answers, n.send(context.Background(), create("p")))
			if i == 100 {
				n.part.Handover(false)
			}
		}
		for _, ch := range answers {
			a := wait(t, ch)
			var refusal *protocol.Refusal
			switch {
			case a.err == nil:
				acked[a.reply.(*protocol.Created).InstanceKey] = true
			case errors.Is(a.err, protocol.ErrOutcomeUnknown):
				unknown++
			case !errors.As(a.err, &refusal):
				t.Fatalf("round %d: %v", round, a.err)
			}
		}
		n = leader(t, nodes...)
	}
	var jobs []protocol.Job
	for {
		more := n.must(&protocol.ActivateJobs{Type: "work", Worker: "w", Timeout: 600_000, Max: 1000}).(*protocol.Jobs).Jobs
		if len(more) == 0 {
			break
		}
		jobs = append(jobs, more...)
	}
	for _, j := range jobs {
		delete(acked, j.InstanceKey)
	}
	if len(acked) > 0 {
		t.Errorf("%d acknowledged instances are lost", len(acked))
	}
	t.Logf("%d jobs, %d unknown outcomes", len(jobs), unknown)
}
