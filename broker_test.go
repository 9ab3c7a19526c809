package grevy_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/grevy-io/grevy"
	"github.com/grevy-io/grevy/actors"
	"github.com/grevy-io/grevy/actors/actorstest"
	e2e "github.com/grevy-io/grevy/e2e/cluster"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
)

// freeOffset is a port offset that is this test's until it ends.
func freeOffset(t *testing.T) int {
	t.Helper()
	return e2e.Offsets(t, 1)[0]
}

// exampleOffset is a port offset of which all ports are free; 0 if none was found.
func exampleOffset() int {
	for range 200 {
		offset := 10 * (1 + rand.IntN(600))
		if free(offset) {
			return offset
		}
	}
	return 0
}

func free(offset int) bool {
	for _, port := range []int{grevy.GatewayPort, grevy.RemotePort, grevy.RaftPort, grevy.GossipPort, grevy.HTTPPort} {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+offset))
		if err != nil {
			return false
		}
		if l.Close() != nil {
			return false
		}
	}
	return true
}

var quick = raftadapter.Tuning{Heartbeat: 500 * time.Millisecond, CommitTimeout: 50 * time.Millisecond, NoSync: true}

func config(t *testing.T) grevy.Config {
	return grevy.Config{DataDir: t.TempDir(), PortOffset: freeOffset(t), Log: slog.New(slog.DiscardHandler), StartTimeout: 30 * time.Second, Tuning: quick}
}

func open(t *testing.T, c grevy.Config) *grevy.Broker {
	t.Helper()
	b, err := grevy.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// trio opens a cluster of three nodes in this process.
func trio(t *testing.T) ([]*grevy.Broker, []grevy.Config) {
	t.Helper()
	configs := trioConfigs(t)
	return openAll(t, configs), configs
}

func trioConfigs(t *testing.T) []grevy.Config {
	t.Helper()
	configs := make([]grevy.Config, 3)
	var join []string
	for i := range configs {
		configs[i] = config(t)
		configs[i].NodeID, configs[i].ClusterSize, configs[i].Host = i, 3, "127.0.0.1"
		join = append(join, fmt.Sprintf("127.0.0.1:%d", grevy.GossipPort+configs[i].PortOffset))
	}
	for i := range configs {
		configs[i].Join = join
	}
	return configs
}

// openAll opens nodes side by side, which may wait for each other.
func openAll(t *testing.T, configs []grevy.Config) []*grevy.Broker {
	t.Helper()
	brokers := make([]*grevy.Broker, len(configs))
	errs := make([]error, len(configs))
	var wg sync.WaitGroup
	for i := range configs {
		wg.Go(func() { brokers[i], errs[i] = grevy.Open(configs[i]) })
	}
	wg.Wait()
	for _, b := range brokers {
		if b != nil {
			t.Cleanup(func() {
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return brokers
}

func process(id, note string) protocol.Resource {
	return protocol.Resource{Name: id + ".bpmn", Content: []byte(`<?xml version="1.0" encoding="UTF-8"?>` +
		`<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="x"><!-- ` + note + ` -->` +
		`<bpmn:process id="` + id + `" isExecutable="true"><bpmn:startEvent id="s"/><bpmn:sequenceFlow id="f" sourceRef="s" targetRef="e"/><bpmn:endEvent id="e"/></bpmn:process></bpmn:definitions>`)}
}

func execute(t *testing.T, b *grevy.Broker, p protocol.PartitionID, c protocol.Command) protocol.Reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, err := b.Execute(ctx, p, c)
	if err != nil {
		t.Fatalf("%s on partition %d: %v", c.Intent(), p, err)
	}
	return r
}

func latest(id string) *protocol.CreateInstance {
	return &protocol.CreateInstance{ProcessID: id, Version: -1, DefinitionKey: -1}
}

func TestOpen_OneNodeAndAgain(t *testing.T) {
	t.Parallel()
	c := config(t)
	for round := range int32(3) {
		b := open(t, c)
		execute(t, b, 1, &protocol.Deploy{Resources: []protocol.Resource{process("p", fmt.Sprint(round))}})
		for p := protocol.PartitionID(1); p <= 3; p++ {
			created := execute(t, b, p, latest("p")).(*protocol.Created)
			if created.InstanceKey.Partition() != p {
				t.Errorf("instance %d is not of partition %d", created.InstanceKey, p)
			}
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpen_SaysWhatIsWrongInOneLine(t *testing.T) {
	t.Parallel()
	c := config(t)
	b := open(t, c)
	taken := config(t)
	taken.PortOffset = c.PortOffset
	inUse := c
	inUse.PortOffset = freeOffset(t)
	file := config(t)
	file.DataDir = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file.DataDir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]struct {
		c    grevy.Config
		want string
	}{
		"port":      {taken, "--port-offset"},
		"directory": {inUse, "in use by another process"},
		"file":      {file, "data-dir"},
		"empty":     {grevy.Config{}, "data-dir"},
		"node id":   {grevy.Config{DataDir: "x", NodeID: 5}, "node-id"},
		"alone":     {grevy.Config{DataDir: "x", ClusterSize: 3}, "join"},
		"factor":    {grevy.Config{DataDir: "x", ReplicationFactor: 2}, "replication-factor"},
	} {
		_, err := grevy.Open(bad.c)
		if err == nil || !strings.Contains(err.Error(), bad.want) || strings.Contains(strings.TrimSpace(err.Error()), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	other := c
	other.Partitions = 5
	if _, err := grevy.Open(other); err == nil || !strings.Contains(err.Error(), "partitions: the cluster in") {
		t.Errorf("another number of partitions: %v", err)
	}
}

// After an acknowledged deployment nobody sees NOT_FOUND or an older version,
// on any partition, through any node (architecture §3 "Watermark and lease").
func TestCluster_LatestMeansLatest(t *testing.T) {
	t.Parallel()
	brokers, _ := trio(t)
	var version int32
	for round := range 60 {
		via := brokers[round%3]
		d := execute(t, via, 1, &protocol.Deploy{Resources: []protocol.Resource{process("p", fmt.Sprint(round))}}).(*protocol.Deployed)
		if got := d.Definitions[0].Version; got != version+1 {
			t.Fatalf("version %d after %d", got, version)
		}
		version++
		for _, b := range brokers {
			for p := protocol.PartitionID(1); p <= 3; p++ {
				c := latest("p")
				c.DeploymentSeq = d.Seq
				if got := execute(t, b, p, c).(*protocol.Created).Version; got != version {
					t.Fatalf("round %d, partition %d: version %d instead of %d", round, p, got, version)
				}
			}
		}
	}
}

// taskModel is a process with one job of type "work".
func taskModel() protocol.Resource {
	return protocol.Resource{Name: "w.bpmn", Content: []byte(strings.ReplaceAll(string(process("w", "").Content), `<bpmn:sequenceFlow id="f" sourceRef="s" targetRef="e"/>`,
		`<bpmn:serviceTask id="t"><bpmn:extensionElements><z:taskDefinition xmlns:z="http://camunda.org/schema/zeebe/1.0" type="work"/></bpmn:extensionElements></bpmn:serviceTask><bpmn:sequenceFlow id="f" sourceRef="s" targetRef="t"/><bpmn:sequenceFlow id="g" sourceRef="t" targetRef="e"/>`))}
}

// embedded opens a broker in a system of the program's own, with taskModel.
func embedded(t *testing.T) (*grevy.Broker, *actor.RootContext) {
	c := config(t)
	c.WithoutGateway, c.WithoutHTTP = true, true
	c.System = actorstest.System(t)
	b := open(t, c)
	if _, err := actors.Result(c.System.Root.RequestFuture(b.PID(), actors.Deploy(taskModel()), 20*time.Second)); err != nil {
		t.Fatal(err)
	}
	return b, c.System.Root
}

// The actor behind PID takes commands and feeds workers that are actors of the
// program, with its own context.
func TestPID_CommandsAndWorkers(t *testing.T) {
	t.Parallel()
	b, root := embedded(t)
	const n = 60
	worked := make(chan protocol.Key, n)
	worker := root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actors.JobOffer:
			ctx.Request(m.Broker, m.Complete([]byte(`{"done":true}`)))
		case *actors.Answer:
			if m.Err == nil {
				worked <- m.To.Command.(*protocol.CompleteJob).JobKey
			}
		}
	}))
	defer actors.Stop(b.System, worker)
	// Fewer jobs at a time than there are partitions: none may hold the only place while it has no job.
	root.Send(b.PID(), &actors.Work{Worker: worker, Type: "work", MaxActive: 1})
	run := func(n int) {
		seen := map[protocol.Key]bool{}
		var running []*actor.Future
		for range n {
			running = append(running, root.RequestFuture(b.PID(), actors.CreateWithResult("w", nil), 20*time.Second))
		}
		for _, f := range running {
			if _, err := actors.Result(f); err != nil {
				t.Fatal(err)
			}
			k := <-worked
			if seen[k] {
				t.Errorf("job %d worked on twice", k)
			}
			seen[k] = true
		}
	}
	run(n)
	for range 6 { // one at a time, on every partition
		run(1)
	}
}

// A job that nobody reads goes to the next worker, without a wait for its lock,
// and a worker that fails on a job takes others.
func TestPID_JobsOfWorkersThatFail(t *testing.T) {
	t.Parallel()
	b, root := embedded(t)
	offered := make(chan *actors.JobOffer, 10)
	silent := actors.Spawn(b.System, "silent", actors.FuncProps(func(ctx actor.Context) {
		if j, ok := ctx.Message().(*actors.JobOffer); ok {
			offered <- j
			panic("this worker fails on its job")
		}
	}))
	root.Send(b.PID(), &actors.Work{Worker: silent, Type: "work", MaxActive: 1, Timeout: 100})
	result := root.RequestFuture(b.PID(), actors.CreateWithResult("w", nil), 20*time.Second)
	first := actorstest.Within(t, "first offer", offered)
	if again := actorstest.Within(t, "offer when the lock is over", offered); again.Key != first.Key {
		t.Errorf("offered %d after %d", again.Key, first.Key)
	}
	actors.Stop(b.System, silent)
	worker := actors.Spawn(b.System, "worker", actors.FuncProps(func(ctx actor.Context) {
		if j, ok := ctx.Message().(*actors.JobOffer); ok {
			ctx.Respond(j.Complete(nil))
		}
	}))
	defer actors.Stop(b.System, worker)
	root.Send(b.PID(), &actors.Work{Worker: worker, Type: "work"})
	if _, err := actors.Result(result); err != nil {
		t.Error(err)
	}
}

// A job that does not fit into its worker's mailbox is free for others at once.
func TestPID_JobsThatAWorkerCannotTake(t *testing.T) {
	t.Parallel()
	b, root := embedded(t)
	full, release, taken := make(chan struct{}, 3), make(chan struct{}), make(chan protocol.Key, 3)
	worker := func(wait <-chan struct{}, heard func(protocol.Key)) *actor.Props {
		return actors.FuncProps(func(ctx actor.Context) {
			if j, ok := ctx.Message().(*actors.JobOffer); ok {
				heard(j.Key)
				<-wait
				ctx.Respond(j.Complete(nil))
			}
		}, actors.Bounded(1))
	}
	slow := actors.Spawn(b.System, "slow", worker(release, func(protocol.Key) { full <- struct{}{} }))
	defer actors.Stop(b.System, slow)
	root.Send(b.PID(), &actors.Work{Worker: slow, Type: "work", MaxActive: 3})
	var running []*actor.Future
	for range 3 { // one at work, one in the mailbox, one too many
		running = append(running, root.RequestFuture(b.PID(), actors.CreateWithResult("w", nil), 20*time.Second))
	}
	actorstest.Within(t, "first job", full)
	free := make(chan struct{})
	close(free)
	quick := actors.Spawn(b.System, "quick", worker(free, func(k protocol.Key) { taken <- k }))
	defer actors.Stop(b.System, quick)
	root.Send(b.PID(), &actors.Work{Worker: quick, Type: "work", MaxActive: 1})
	actorstest.Within(t, "job for the other worker", taken)
	close(release)
	for _, f := range running {
		if _, err := actors.Result(f); err != nil {
			t.Error(err)
		}
	}
}

// What names no partition goes to the one that its key gives, a message to that of
// its correlation key, and what any can do to all of them in turn.
func TestPID_ChoosesThePartition(t *testing.T) {
	t.Parallel()
	b, root := embedded(t)
	ask := func(c protocol.Command) (protocol.Reply, error) {
		return actors.Result(root.RequestFuture(b.PID(), &actors.Execute{Command: c}, 20*time.Second))
	}
	must := func(c protocol.Command) protocol.Reply {
		t.Helper()
		r, err := ask(c)
		if err != nil {
			t.Fatalf("%s: %v", c.Intent(), err)
		}
		return r
	}
	must(&protocol.Deploy{Resources: []protocol.Resource{process("p", ""), {Name: "d.dmn", Content: []byte(decision)}}})
	where := func(answers func() protocol.Key) map[protocol.PartitionID]int {
		seen := map[protocol.PartitionID]int{}
		for range 12 {
			seen[answers().Partition()]++
		}
		return seen
	}
	create := latest("w")
	for what, f := range map[string]func() protocol.Key{
		"creations": func() protocol.Key { return must(create).(*protocol.Created).InstanceKey },
		"signals":   func() protocol.Key { return must(&protocol.BroadcastSignal{Name: "nobody"}).(*protocol.KeyReply).Key },
	} {
		if seen := where(f); seen[1] != 4 || seen[2] != 4 || seen[3] != 4 {
			t.Errorf("%s by partition: %v", what, seen)
		}
	}
	if create.DeploymentSeq != 0 {
		t.Error("the sender's command was changed")
	}
	must(&protocol.EvaluateDecision{DecisionID: "d", Variables: []byte("{}")})
	for _, key := range []string{"a", "b", "c", "d", "e"} {
		want := protocol.MessagePartition(key, 3)
		if got := must(&protocol.PublishMessage{Name: "m", CorrelationKey: key, TimeToLive: 60_000}).(*protocol.KeyReply).Key.Partition(); got != want {
			t.Errorf("the message with key %q is on partition %d, not %d", key, got, want)
		}
	}
	for p := protocol.PartitionID(1); p <= 3; p++ {
		key := execute(t, b, p, latest("w")).(*protocol.Created).InstanceKey
		tree := must(&protocol.InspectInstance{Key: key}).(*protocol.InstanceTree)
		must(&protocol.ModifyInstance{InstanceKey: key, Activate: []protocol.ActivateElement{{ElementID: "t"}}})
		must(&protocol.MigrateInstance{InstanceKey: key, TargetKey: tree.Instance.Definition, Mappings: []protocol.ElementMapping{{SourceID: "t", TargetID: "t"}}})
		must(&protocol.CancelInstance{InstanceKey: key})
	}
	var refusal *protocol.Refusal
	if _, err := ask(&protocol.PartitionInfo{}); !errors.As(err, &refusal) || refusal.Code != protocol.NoPartition {
		t.Errorf("a question about no partition: %v", err)
	}
}

// decision is one that always gives 1.
const decision = `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="r" name="r" namespace="x">
<decision id="d" name="d"><variable id="v" name="v"/><literalExpression id="l"><text>1</text></literalExpression></decision></definitions>`

// What is sent to a broker that has stopped is refused, not lost.
func TestPID_TellsThatTheBrokerHasStopped(t *testing.T) {
	t.Parallel()
	b, root := embedded(t)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	var refusal *protocol.Refusal
	if _, err := actors.Result(root.RequestFuture(b.PID(), actors.Create("w", nil), 20*time.Second)); !errors.As(err, &refusal) {
		t.Errorf("a request was answered with %v", err)
	}
	answers := make(chan error, 1)
	m := actors.Create("w", nil)
	m.Done = func(_ protocol.Reply, err error) { answers <- err }
	root.Send(b.PID(), m)
	if err := actorstest.Within(t, "answer", answers); !errors.As(err, &refusal) {
		t.Errorf("a message was answered with %v", err)
	}
}

func TestStatus_TellsOfANodeThatIsAway(t *testing.T) {
	t.Parallel()
	brokers, _ := trio(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	healthy := func(want bool) grevy.Status {
		for {
			s := brokers[0].Status(ctx)
			if s.Healthy == want || ctx.Err() != nil {
				return s
			}
			select {
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}
	if s := healthy(true); !s.Healthy {
		t.Fatalf("%v", s.Problems)
	}
	if err := brokers[2].Close(); err != nil {
		t.Fatal(err)
	}
	if s := healthy(false); s.Healthy || len(s.Problems) == 0 {
		t.Error("a node is away and nobody is told")
	}
}
