package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	adminpb "github.com/grevy-io/grevy/admin/v1"
	"github.com/grevy-io/grevy/e2e/cluster"
)

// TestChange_RebalanceAndPartitionsUnderLoad moves a partition, spreads the leaders
// again and adds two partitions while clients create, complete, deploy and publish.
// Nothing that was acknowledged is lost, and messages reach whom they are for exactly
// once: those who have waited since before the new partitions, and those who begin to
// wait on them, also if the message came first.
func TestChange_RebalanceAndPartitionsUnderLoad(t *testing.T) {
	c := cluster.Start(t, cluster.Options{Binary: binary, ReplicationFactor: 2})
	l, o := startLoad(t, c), operator{t, c}
	m := listen(t, c, 12)
	m.wait(0, 6)
	l.flows(100)

	// Node 2 is now the first of partitions 1 and 3, node 0 of none.
	o.begin(&adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_MoveReplica{MoveReplica: &adminpb.MoveReplica{Partition: 1, From: 0, To: 2}}})
	o.await()
	l.flows(100)
	o.begin(&adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_RebalanceLeaders{RebalanceLeaders: &adminpb.RebalanceLeaders{}}})
	s := o.await()
	if err := spread(s); err != nil {
		t.Error(err)
	}
	for _, step := range s.Last.Steps {
		if step.Note != "" {
			t.Errorf("%s: %s", step.Text, step.Note)
		}
	}
	l.flows(100)

	o.begin(partitionsRequest(5))
	o.await()
	c.Partitions = 5
	for _, n := range c.Nodes {
		cluster.Until(t, serveTime, fmt.Sprintf("gateway %d knows all partitions", n.ID), func(ctx context.Context) error {
			top, err := n.Client().Topology(ctx, &pb.TopologyRequest{})
			if err == nil && top.GetPartitionsCount() != 5 {
				err = fmt.Errorf("%d partitions", top.GetPartitionsCount())
			}
			return err
		})
	}
	on := m.wait(6, 12)
	for i := 0; !on[4] || !on[5]; i++ { // clients of the load take turns too
		if i == 200 {
			t.Fatalf("instances that began after the partitions were added are on partitions %v only", on)
		}
		m.tell(len(m.keys))
		maps.Copy(on, m.wait(len(m.keys)-1, len(m.keys)))
		m.tell(len(m.keys) - 1)
	}
	l.flows(300)
	m.end()
	l.settle(formTime)
}

// listeners are instances that wait for messages, and those who publish them.
type listeners struct {
	*tellings
	t         *testing.T
	c         *cluster.Cluster
	keys      []string
	more      int // messages that were told one by one
	instances []int64
	stop      context.CancelFunc
	publish   sync.WaitGroup
}

const listeningProcess = "listening"

// listen begins to publish messages for so many keys. Nobody waits for them yet.
func listen(t *testing.T, c *cluster.Cluster, keys int) *listeners {
	t.Helper()
	mustDeploy(t, c.Nodes[0].Client(), listeningProcess, listening(listeningProcess))
	m := &listeners{tellings: &tellings{sure: map[string]bool{}, maybe: map[string]bool{}, got: map[string]int{}}, t: t, c: c}
	for i := range keys {
		m.keys = append(m.keys, fmt.Sprintf("key-%d", i))
	}
	ctx, stop := context.WithCancel(t.Context())
	m.stop = stop
	m.publish.Go(func() { m.tellings.publish(ctx, c.Nodes[1].Client(), listeningProcess, slices.Clone(m.keys), 0) })
	t.Cleanup(func() { stop(); m.publish.Wait() })
	return m
}

// tell publishes a message more, for a key that may be a new one.
func (m *listeners) tell(key int) {
	m.t.Helper()
	if key == len(m.keys) {
		m.keys = append(m.keys, fmt.Sprintf("key-%d", key))
	}
	number := 1_000_000 + m.more
	m.more++
	ctx, cancel := context.WithTimeout(m.t.Context(), callTime)
	defer cancel()
	if _, err := m.c.Nodes[key%len(m.c.Nodes)].Client().PublishMessage(ctx, &pb.PublishMessageRequest{
		Name: listeningProcess, CorrelationKey: m.keys[key], TimeToLive: time.Hour.Milliseconds(), Variables: fmt.Sprintf(`{"n":%d}`, number),
	}); err != nil {
		m.t.Fatalf("publish: %v", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sure[fmt.Sprintf("%s/%d", m.keys[key], number)] = true
}

// wait begins an instance for each of some keys, and tells on which partitions they are.
func (m *listeners) wait(from, to int) map[int]bool {
	m.t.Helper()
	on := map[int]bool{}
	for i := from; i < to; i++ {
		resp, err := create(m.t.Context(), m.c.Nodes[i%len(m.c.Nodes)].Client(), listeningProcess, -1, fmt.Sprintf(`{"k":%q}`, m.keys[i]))
		if err != nil {
			m.t.Fatalf("create: %v", err)
		}
		m.instances = append(m.instances, resp.GetProcessInstanceKey())
		on[partitionOf(resp.GetProcessInstanceKey())] = true
	}
	return on
}

// end stops publishing, waits until each message has come, and ends the instances.
func (m *listeners) end() {
	m.t.Helper()
	m.stop()
	m.publish.Wait()
	m.collect(m.t, m.c.Nodes[0], listeningProcess+"-got")
	for _, key := range m.instances {
		if _, err := m.c.Nodes[0].Client().CancelProcessInstance(m.t.Context(), &pb.CancelProcessInstanceRequest{ProcessInstanceKey: key}); err != nil {
			m.t.Errorf("cancel %d: %v", key, err)
		}
	}
}
