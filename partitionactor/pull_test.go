package partitionactor_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/state/memkv"
)

// pair starts the deployment partition and another one that lacks all of its
// definitions. cut says whether the second can ask the first.
func pair(t *testing.T) (one, two *node, cut *atomic.Bool) {
	t.Helper()
	cut = new(atomic.Bool)
	for p := protocol.PartitionID(1); p <= 2; p++ {
		n := &node{
			t: t, id: 0, dir: t.TempDir(), kv: memkv.New(), addrs: new(sync.Map), faults: linkfault.New(0), limits: partitionactor.Limits{},
			count: new(counter), partition: p, partitions: 2,
		}
		n.other = func(ctx context.Context, c protocol.Command, done func(protocol.Reply, error)) {
			if cut.Load() || p == 1 {
				done(nil, protocol.Refuse(protocol.Unreachable, 3-p, "cut"))
				return
			}
			one.part.Gate().Execute(ctx, c, done)
		}
		t.Cleanup(n.stop)
		n.start([]raftadapter.Server{{ID: n.server(), Voter: true}})
		leader(t, n)
		one, two = two, n
	}
	return one, two, cut
}

func caller(id, called string) protocol.Resource {
	return protocol.Resource{Name: id + ".bpmn", Content: []byte(`<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="x">` +
		`<bpmn:process id="` + id + `" isExecutable="true"><bpmn:startEvent id="s"/><bpmn:callActivity id="c"><bpmn:extensionElements><zeebe:calledElement processId="` + called + `"/></bpmn:extensionElements></bpmn:callActivity>` +
		`<bpmn:sequenceFlow id="f" sourceRef="s" targetRef="c"/></bpmn:process></bpmn:definitions>`)}
}

func awaited(id string, known uint64) *protocol.CreateInstance {
	c := create(id)
	c.AwaitResult, c.DeploymentSeq = true, known
	return c
}

// What a partition lacks is asked for, also what a process refers to on its way,
// and decisions; what does not exist is said to.
func TestPull_OnTheWay(t *testing.T) {
	t.Parallel()
	one, two, _ := pair(t)
	one.must(&protocol.Deploy{Resources: []protocol.Resource{model("child", "", false)}})
	rules := `<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="g" name="n" namespace="x"><decision id="d" name="D"><literalExpression id="l"><text>x + 1</text></literalExpression></decision></definitions>`
	deployed := one.must(&protocol.Deploy{Resources: []protocol.Resource{caller("parent", "child"), {Name: "r.dmn", Content: []byte(rules)}}}).(*protocol.Deployed)

	if _, ok := two.must(awaited("parent", deployed.Seq)).(*protocol.Result); !ok {
		t.Error("the instance has no result")
	}
	ev := two.must(&protocol.EvaluateDecision{DecisionID: "d", DecisionKey: -1, Variables: []byte(`{"x":1}`)}).(*protocol.Evaluated)
	if string(ev.Decision.Output) != "2" {
		t.Errorf("the decision is %s", ev.Decision.Output)
	}
	var rejection *protocol.Rejection
	if a := two.do(create("nowhere")); !errors.As(a.err, &rejection) || rejection.Type != protocol.NotFound {
		t.Errorf("an unknown process: %+v", a)
	}
	one.must(&protocol.DeleteResource{ResourceKey: deployed.Definitions[0].Key})
	if a := two.do(awaited("parent", deployed.Seq+1)); !errors.As(a.err, &rejection) || rejection.Type != protocol.NotFound {
		t.Errorf("a deleted process: %+v", a)
	}
}

// If the deployment partition cannot be asked, a creation goes elsewhere, but
// what is here already goes on.
func TestPull_Cut(t *testing.T) {
	t.Parallel()
	one, two, cut := pair(t)
	one.must(&protocol.Deploy{Resources: []protocol.Resource{caller("parent", "child")}})
	cut.Store(true)
	var refusal *protocol.Refusal
	if a := two.do(create("parent")); !errors.As(a.err, &refusal) || refusal.Code != protocol.DefinitionUnknown {
		t.Fatalf("an unknown process: %+v", a)
	}
	cut.Store(false)
	two.must(create("parent")) // its child does not exist: an incident
	cut.Store(true)
	created := two.must(create("parent")).(*protocol.Created) // nobody can be asked for its child
	byVersion := create("parent")
	byVersion.Version, byVersion.DeploymentSeq = 1, 99
	if again := two.must(byVersion).(*protocol.Created); again.DefinitionKey != created.DefinitionKey {
		t.Errorf("%+v, then %+v", created, again)
	}
	behind := create("parent")
	behind.DeploymentSeq = 99
	if a := two.do(behind); !errors.As(a.err, &refusal) || refusal.Code != protocol.DefinitionUnknown {
		t.Errorf("the latest of what may not be known here: %+v", a)
	}
}

// A partition that has been away asks once for what many commands need, not for each
// of them; and again when their senders know of a later deployment, or it does.
func TestPull_OnceForMany(t *testing.T) {
	one, two, _ := pair(t)
	var pulls atomic.Int32
	hold := make(chan struct{})
	two.other = func(ctx context.Context, c protocol.Command, done func(protocol.Reply, error)) {
		pulls.Add(1)
		go func() {
			<-hold
			one.part.Gate().Execute(ctx, c, done)
		}()
	}
	deployed := one.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "", true)}}).(*protocol.Deployed)
	version := func(known uint64) *protocol.CreateInstance {
		c := create("p")
		c.DeploymentSeq = known
		return c
	}
	var all []<-chan answer
	for range 100 {
		all = append(all, two.send(context.Background(), version(deployed.Seq)))
	}
	close(hold)
	for _, ch := range all {
		if a := wait(t, ch); a.err != nil || a.reply.(*protocol.Created).Version != 1 {
			t.Fatalf("%+v", a)
		}
	}
	for range 100 {
		two.must(version(deployed.Seq))
	}
	if n := pulls.Load(); n == 0 || n > 2 {
		t.Errorf("200 creations led to %d questions", n)
	}
	newer := one.must(&protocol.Deploy{Resources: []protocol.Resource{model("p", "again", true)}}).(*protocol.Deployed)
	if got := two.must(version(newer.Seq)).(*protocol.Created); got.Version != 2 {
		t.Errorf("its sender knows of version 2, and got version %d", got.Version)
	}
	removed := one.must(&protocol.DeleteResource{ResourceKey: newer.Definitions[0].Key}).(*protocol.KeyReply)
	if got := two.must(version(uint64(removed.Key))).(*protocol.Created); got.Version != 1 {
		t.Errorf("its sender knows that version 2 is deleted, and got version %d", got.Version)
	}
}

// Many commands that need what does not exist are told so, and so are those that
// came while it was asked; nobody waits for ever when it cannot be asked.
func TestPull_ManyForNothing(t *testing.T) {
	one, two, cut := pair(t)
	ask := func() (list []answer) {
		var all []<-chan answer
		for range 50 {
			all = append(all, two.send(context.Background(), create("nowhere")))
		}
		for _, ch := range all {
			list = append(list, wait(t, ch))
		}
		return list
	}
	var rejection *protocol.Rejection
	for _, a := range ask() {
		if !errors.As(a.err, &rejection) || rejection.Type != protocol.NotFound {
			t.Fatalf("it does not exist: %+v", a)
		}
	}
	cut.Store(true)
	var refusal *protocol.Refusal
	for _, a := range ask() {
		if !errors.As(a.err, &refusal) || refusal.Code != protocol.DefinitionUnknown {
			t.Fatalf("nobody can be asked: %+v", a)
		}
	}
	cut.Store(false)
	one.must(&protocol.Deploy{Resources: []protocol.Resource{model("nowhere", "", true)}})
	for _, a := range ask() {
		if a.err != nil {
			t.Fatalf("it is there now: %+v", a)
		}
	}
	stop := make(chan struct{})
	two.other = func(_ context.Context, _ protocol.Command, done func(protocol.Reply, error)) {
		go func() { <-stop; done(nil, protocol.ErrOutcomeUnknown) }()
	}
	var waiting []<-chan answer
	for range 3 {
		waiting = append(waiting, two.send(context.Background(), create("never")))
	}
	eventually(t, func() bool { return two.part.Gate().InFlight() == 3 })
	two.stop()
	for _, ch := range waiting {
		if a := wait(t, ch); !errors.As(a.err, &refusal) {
			t.Errorf("its leader has stopped: %+v", a)
		}
	}
	close(stop)
}
