package grevy_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grevy-io/grevy"
	"github.com/grevy-io/grevy/cluster"
	"github.com/grevy-io/grevy/protocol"
)

// joiner opens a node beside a cluster that runs.
func joiner(t *testing.T, of []grevy.Config, node int) *grevy.Broker {
	t.Helper()
	return joinAs(t, config(t), of[0], node)
}

func joinAs(t *testing.T, c, to grevy.Config, node int) *grevy.Broker {
	t.Helper()
	c.NodeID, c.Host, c.Join = node, "127.0.0.1", []string{fmt.Sprintf("127.0.0.1:%d", grevy.GossipPort+to.PortOffset)}
	return open(t, c)
}

// change begins an operation through a node and waits for its end.
func change(t *testing.T, b *grevy.Broker, r cluster.Request) *cluster.Plan {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	o, err := b.Change(ctx, r, false)
	if err != nil {
		t.Fatalf("%s: %v", r, err)
	}
	return ended(ctx, t, b, o)
}

func ended(ctx context.Context, t *testing.T, b *grevy.Broker, o *cluster.Operation) *cluster.Plan {
	t.Helper()
	var last grevy.ClusterState
	for {
		asking, stop := context.WithTimeout(ctx, 5*time.Second)
		s, err := b.ClusterState(asking)
		stop()
		if err == nil {
			last = s
			if s.Plan.Last != nil && s.Plan.Last.ID == o.ID {
				return s.Plan
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s does not end: %v, waiting for %q: %+v", o.Request, err, last.Waiting, last.Plan.Operation)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// members waits until a cluster has so many nodes.
func members(t *testing.T, b *grevy.Broker, n int) {
	t.Helper()
	statusUntil(t, b, fmt.Sprintf("%d nodes, nothing wrong", n), func(s grevy.Status) bool { return s.Healthy && len(s.Nodes) == n })
}

// A node joins, gets its share, a partition is moved to it, another node leaves:
// everything that was acknowledged is there, and everything goes on.
func TestCluster_GrowsAndShrinks(t *testing.T) {
	t.Parallel()
	brokers, configs := trio(t)
	execute(t, brokers[0], 1, &protocol.Deploy{Resources: []protocol.Resource{process("p", "")}})
	execute(t, brokers[0], 1, &protocol.Deploy{Resources: []protocol.Resource{waiting("w")}})
	var keys []protocol.Key
	for p := protocol.PartitionID(1); p <= 3; p++ {
		keys = append(keys, execute(t, brokers[0], p, latest("w")).(*protocol.Created).InstanceKey)
	}
	fourth := joiner(t, configs, 3)
	members(t, fourth, 4)
	plan := change(t, fourth, cluster.Request{What: cluster.Add, Node: 3})
	if held := plan.Held(3); len(held) != 2 {
		t.Errorf("node 3 keeps %v", held)
	}
	for _, p := range []protocol.PartitionID{1, 2, 3} {
		if on := plan.Of(p).Replicas; !slices.Contains(on, 3) {
			plan = change(t, brokers[1], cluster.Request{What: cluster.Move, Partition: p, Node: on[0], By: 3})
		}
	}
	plan = change(t, brokers[2], cluster.Request{What: cluster.Remove, Node: 0})
	if held := plan.Held(0); len(held) != 0 || !plan.Left(serverOf(t, configs[0])) {
		t.Errorf("node 0 keeps %v: %+v", held, plan)
	}
	select {
	case err := <-brokers[0].Failed():
		if !errors.Is(err, grevy.ErrRemoved) {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the node that was removed does not notice")
	}
	if err := brokers[0].Close(); err != nil {
		t.Error(err)
	}
	if _, err := grevy.Open(configs[0]); !errors.Is(err, grevy.ErrRemoved) {
		t.Errorf("the node that was removed comes back: %v", err)
	}
	members(t, fourth, 3)
	for i, b := range []*grevy.Broker{brokers[1], brokers[2], fourth} {
		execute(t, b, protocol.PartitionID(i+1), latest("p"))
		execute(t, b, keys[i].Partition(), &protocol.CancelInstance{InstanceKey: keys[i]})
	}
	logs, err := filepath.Glob(filepath.Join(configs[0].DataDir, "raft", "*"))
	if err != nil || len(logs) > 0 {
		t.Errorf("node 0 has still %v, %v", logs, err)
	}
}

// serverOf reads a directory's server id.
func serverOf(t *testing.T, c grevy.Config) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(c.DataDir, "node.json"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(b), `"serverId": "`)
	id, _, _ := strings.Cut(after, `"`)
	return id
}

// waiting is a process that waits at a job nobody does.
func waiting(id string) protocol.Resource {
	return protocol.Resource{Name: id + ".bpmn", Content: []byte(`<?xml version="1.0" encoding="UTF-8"?>` +
		`<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="x">` +
		`<bpmn:process id="` + id + `" isExecutable="true"><bpmn:startEvent id="s"/><bpmn:sequenceFlow id="f" sourceRef="s" targetRef="t"/>` +
		`<bpmn:serviceTask id="t"><bpmn:extensionElements><zeebe:taskDefinition type="nobody"/></bpmn:extensionElements></bpmn:serviceTask>` +
		`</bpmn:process></bpmn:definitions>`)}
}

// A cluster that began with one node and one copy of everything grows to five
// nodes, three copies and five partitions. A node dies and is replaced by a sixth.
// Who waited for a message before gets it after, and deployments are everywhere.
func TestCluster_FromOneToFive(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.Partitions = 2
	nodes := []*grevy.Broker{open(t, c)}
	execute(t, nodes[0], 1, &protocol.Deploy{Resources: []protocol.Resource{process("p", "1"), receiving("m")}})
	early := waitingFor(t, nodes[0], 1, "m", "early")
	for n := 1; n < 5; n++ {
		nodes = append(nodes, joiner(t, []grevy.Config{c}, n))
	}
	members(t, nodes[0], 5)
	plan := change(t, nodes[3], cluster.Request{What: cluster.SetFactor, Count: 3})
	for p := protocol.PartitionID(1); p <= 2; p++ {
		if on := plan.Of(p).Replicas; len(on) != 3 {
			t.Errorf("partition %d is on %v", p, on)
		}
	}
	plan = change(t, nodes[2], cluster.Request{What: cluster.AddPartitions, Count: 5})
	deployed := execute(t, nodes[1], 1, &protocol.Deploy{Resources: []protocol.Resource{process("p", "2")}}).(*protocol.Deployed)
	for p := protocol.PartitionID(1); p <= 5; p++ {
		c := latest("p")
		c.DeploymentSeq = deployed.Seq
		if created := execute(t, nodes[p-1], p, c).(*protocol.Created); created.InstanceKey.Partition() != p || created.Version != 2 {
			t.Errorf("partition %d gives %+v", p, created)
		}
	}
	late := waitingFor(t, nodes[4], 5, "m", "late")
	plan = change(t, nodes[4], cluster.Request{What: cluster.Move, Partition: 2, Node: plan.Of(2).Replicas[0], By: absent(t, plan, 2)})
	dead := plan.Of(5).Replicas[0]
	if dead == 0 {
		dead = plan.Of(5).Replicas[1]
	}
	if err := nodes[dead].Close(); err != nil {
		t.Error(err)
	}
	sixth := joiner(t, []grevy.Config{c}, 5)
	statusUntil(t, sixth, "the sixth node is a member", func(s grevy.Status) bool { return len(s.Nodes) == 6 })
	plan = change(t, sixth, cluster.Request{What: cluster.Replace, Node: dead, By: 5})
	if _, member := plan.Member(dead); member || len(plan.Held(dead)) > 0 {
		t.Errorf("the dead node is still there: %+v", plan)
	}
	statusUntil(t, sixth, "all is well without the dead node", func(s grevy.Status) bool { return s.Healthy })
	for _, i := range []struct {
		key protocol.Key
		as  string
	}{{early, "early"}, {late, "late"}} {
		execute(t, sixth, protocol.MessagePartition(i.as, 2), &protocol.PublishMessage{Name: "come", CorrelationKey: i.as, Variables: []byte("{}")})
		gone(t, sixth, i.key)
	}
	for p := protocol.PartitionID(1); p <= 5; p++ {
		execute(t, sixth, p, latest("p"))
	}
}

// absent is a node that does not keep a partition.
func absent(t *testing.T, p *cluster.Plan, id protocol.PartitionID) int {
	t.Helper()
	for _, m := range p.Members {
		if !slices.Contains(p.Of(id).Replicas, m.Node) {
			return m.Node
		}
	}
	t.Fatal("every node keeps it")
	return -1
}

// waitingFor starts an instance on a partition that waits for a message.
func waitingFor(t *testing.T, b *grevy.Broker, p protocol.PartitionID, process, as string) protocol.Key {
	t.Helper()
	c := latest(process)
	c.Variables = []byte(`{"as":"` + as + `"}`)
	return execute(t, b, p, c).(*protocol.Created).InstanceKey
}

// gone waits until an instance has ended.
func gone(t *testing.T, b *grevy.Broker, key protocol.Key) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		var rejection *protocol.Rejection
		_, err := b.Execute(ctx, key.Partition(), &protocol.SetVariables{ElementKey: key, Variables: []byte("{}")})
		if errors.As(err, &rejection) && rejection.Type == protocol.NotFound {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("instance %d is still there: %v", key, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// receiving is a process that waits for the message come, by its variable as.
func receiving(id string) protocol.Resource {
	return protocol.Resource{Name: id + ".bpmn", Content: []byte(`<?xml version="1.0" encoding="UTF-8"?>` +
		`<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="x">` +
		`<bpmn:message id="msg" name="come"><bpmn:extensionElements><zeebe:subscription correlationKey="=as"/></bpmn:extensionElements></bpmn:message>` +
		`<bpmn:process id="` + id + `" isExecutable="true"><bpmn:startEvent id="s"/><bpmn:sequenceFlow id="f" sourceRef="s" targetRef="c"/>` +
		`<bpmn:intermediateCatchEvent id="c"><bpmn:messageEventDefinition id="e" messageRef="msg"/></bpmn:intermediateCatchEvent>` +
		`<bpmn:sequenceFlow id="g" sourceRef="c" targetRef="end"/><bpmn:endEvent id="end"/></bpmn:process></bpmn:definitions>`)}
}

// Two of three nodes are lost for good. The third says what may be gone, goes on
// alone once that is accepted, and gets a fellow again.
func TestCluster_ForceRemove(t *testing.T) {
	t.Parallel()
	brokers, configs := trio(t)
	execute(t, brokers[0], 1, &protocol.Deploy{Resources: []protocol.Resource{waiting("w")}})
	var keys []protocol.Key
	for p := protocol.PartitionID(1); p <= 3; p++ {
		c := latest("w")
		c.DeploymentSeq = 1
		keys = append(keys, execute(t, brokers[0], p, c).(*protocol.Created).InstanceKey)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	if _, err := brokers[0].ForceRemove(ctx, []int{1}, true); !errors.Is(err, grevy.ErrNotForced) || !strings.Contains(err.Error(), "node 1 is there") {
		t.Error(err)
	}
	for _, b := range brokers[1:] {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	statusUntil(t, brokers[0], "it sees that it is alone", func(s grevy.Status) bool { return !s.Nodes[1].Alive && !s.Nodes[2].Alive })
	if _, err := brokers[0].ForceRemove(ctx, []int{1}, false); !errors.Is(err, grevy.ErrNotForced) || !strings.Contains(err.Error(), "node 2 is away too") {
		t.Error(err)
	}
	notes, err := brokers[0].ForceRemove(ctx, []int{1, 2}, false)
	if err != nil || len(notes) != 3 || !strings.Contains(notes[0], "1 of 3 replicas are left; it goes on from node 0") {
		t.Fatalf("%v, %q", err, notes)
	}
	statusUntil(t, brokers[0], "no partition has a leader", func(s grevy.Status) bool { // the old ones go when their lease is over
		return !slices.ContainsFunc(s.Partitions, func(p grevy.PartitionStatus) bool { return p.Leader >= 0 })
	})
	if _, err := brokers[0].ForceRemove(ctx, []int{1, 2}, true); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys[:2] {
		execute(t, brokers[0], key.Partition(), &protocol.CancelInstance{InstanceKey: key})
	}
	statusUntil(t, brokers[0], "only copies are missing", func(s grevy.Status) bool {
		return len(s.Nodes) == 1 && len(s.Problems) == 3 && strings.Contains(s.Problems[0].Text, "is kept on 1 nodes, not on 3")
	})
	fourth := joiner(t, configs, 3)
	statusUntil(t, fourth, "another node is a member", func(s grevy.Status) bool { return len(s.Nodes) == 2 })
	plan := change(t, fourth, cluster.Request{What: cluster.SetFactor, Count: 2})
	if held := plan.Held(3); len(held) != 3 {
		t.Errorf("node 3 keeps %v", held)
	}
	execute(t, fourth, keys[2].Partition(), &protocol.CancelInstance{InstanceKey: keys[2]})
	back, err := grevy.Open(configs[1])
	if err == nil {
		select {
		case err = <-back.Failed():
		case <-ctx.Done():
		}
		if closing := back.Close(); closing != nil {
			t.Error(closing)
		}
	}
	if !errors.Is(err, grevy.ErrRemoved) {
		t.Errorf("a node that was given up comes back: %v", err)
	}
}

// A partition that is kept once is moved: its only copy is not given up before the
// group does without it.
func TestCluster_MovesTheOnlyCopy(t *testing.T) {
	c := config(t)
	c.Partitions = 1
	first := open(t, c)
	execute(t, first, 1, &protocol.Deploy{Resources: []protocol.Resource{waiting("w")}})
	key := execute(t, first, 1, latest("w")).(*protocol.Created).InstanceKey
	second := joiner(t, []grevy.Config{c}, 1)
	members(t, first, 2)
	plan := change(t, second, cluster.Request{What: cluster.Move, Partition: 1, Node: 0, By: 1})
	if on := plan.Of(1).Replicas; !slices.Equal(on, []int{1}) {
		t.Errorf("partition 1 is on %v", on)
	}
	execute(t, first, 1, &protocol.CancelInstance{InstanceKey: key})
	plan = change(t, second, cluster.Request{What: cluster.Remove, Node: 0})
	if held := plan.Held(0); len(held) > 0 {
		t.Errorf("node 0 keeps %v", held)
	}
	execute(t, second, 1, latest("w"))
}
