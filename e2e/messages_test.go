package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc/codes"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// listening is a process whose one task goes on while every message with the
// instance's key makes a job beside it.
func listening(id string) []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="http://bpmn.io/schema/bpmn">
  <message id="m" name="%[1]s"><extensionElements><zeebe:subscription correlationKey="= k"/></extensionElements></message>
  <process id="%[1]s" isExecutable="true">
	<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="t"/>
	<serviceTask id="t"><extensionElements><zeebe:taskDefinition type="%[1]s-hold"/></extensionElements></serviceTask>
	<boundaryEvent id="b" attachedToRef="t" cancelActivity="false"><extensionElements><zeebe:ioMapping><zeebe:output source="= n" target="last"/></zeebe:ioMapping></extensionElements><messageEventDefinition id="md" messageRef="m"/></boundaryEvent>
	<sequenceFlow id="g" sourceRef="b" targetRef="got"/>
	<serviceTask id="got"><extensionElements><zeebe:taskDefinition type="%[1]s-got"/><zeebe:ioMapping><zeebe:input source="= k + &quot;/&quot; + string(last)" target="told"/></zeebe:ioMapping></extensionElements></serviceTask>
  </process>
</definitions>`, id)
}

// tellings counts what was published and what has come of it.
type tellings struct {
	mu    sync.Mutex
	sure  map[string]bool // acknowledged
	maybe map[string]bool // of unknown outcome
	got   map[string]int  // jobs
}

// TestMessagesAcrossPartitions publishes messages for instances on all partitions
// while every node is killed in turn, then all at once. Each message that was
// acknowledged happens exactly once, each of unknown outcome at most once.
func TestMessagesAcrossPartitions(t *testing.T) {
	t.Parallel()
	c := three(t)
	const id = "listening"
	mustDeploy(t, c.Nodes[0].Client(), id, listening(id))
	keys := make([]string, size(30, 300))
	for i := range keys {
		keys[i] = fmt.Sprintf("key-%d", i)
		if _, err := create(t.Context(), c.Nodes[i%3].Client(), id, -1, fmt.Sprintf(`{"k":%q}`, keys[i])); err != nil {
			t.Fatalf("create: %v", err)
		}
	}
	told := &tellings{sure: map[string]bool{}, maybe: map[string]bool{}, got: map[string]int{}}
	ctx, stop := context.WithCancel(t.Context())
	var publishing sync.WaitGroup
	for i, client := range c.Clients() {
		publishing.Go(func() { told.publish(ctx, client, id, keys, i) })
	}
	for _, n := range c.Nodes {
		n.Kill()
		servesOthers(t, c)
		n.Start()
		n.WaitReady(serveTime)
	}
	c.KillAll()
	c.StartAll()
	c.WaitReady(formTime)
	stop()
	publishing.Wait()
	told.collect(t, c.Nodes[0], id+"-got")
}

// servesOthers waits until the cluster takes messages for all partitions again.
func servesOthers(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	client := c.Running()[0].Client()
	cluster.Until(t, serveTime, "messages are taken for every partition", func(ctx context.Context) error {
		for _, key := range []string{"0", "1", "2"} {
			if _, err := client.PublishMessage(ctx, &pb.PublishMessageRequest{Name: "nobody", CorrelationKey: key}); err != nil {
				return err
			}
		}
		return nil
	})
}

// publish sends messages through one gateway, each with a number of its own,
// until ctx ends.
func (l *tellings) publish(ctx context.Context, c pb.GatewayClient, name string, keys []string, gateway int) {
	for n := 0; ctx.Err() == nil; n++ {
		key := keys[n%len(keys)]
		number := n*3 + gateway
		call, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
		_, err := c.PublishMessage(call, &pb.PublishMessageRequest{
			Name: name, CorrelationKey: key, TimeToLive: time.Hour.Milliseconds(), Variables: fmt.Sprintf(`{"n":%d}`, number),
		})
		cancel()
		l.mu.Lock()
		told := fmt.Sprintf("%s/%d", key, number)
		if code(err) == codes.OK {
			l.sure[told] = true
		} else {
			l.maybe[told] = true
		}
		l.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// collect takes the jobs until each sure message has come, and some time more, in
// which nothing may come twice.
func (l *tellings) collect(t *testing.T, n *cluster.Node, jobType string) {
	t.Helper()
	cluster.Until(t, formTime, "every message has come", func(ctx context.Context) error {
		l.take(ctx, t, n.Client(), jobType)
		missing := 0
		for told := range l.sure {
			if l.got[told] == 0 {
				missing++
			}
		}
		if missing > 0 {
			return fmt.Errorf("%d of %d messages have not come", missing, len(l.sure))
		}
		return nil
	})
	drained(t, n, formTime)
	l.take(t.Context(), t, n.Client(), jobType)
	for told, times := range l.got {
		if times > 1 || !l.sure[told] && !l.maybe[told] {
			t.Errorf("message %s came %d times", told, times)
		}
	}
	t.Logf("%d messages acknowledged, %d of unknown outcome, %d came", len(l.sure), len(l.maybe), len(l.got))
}

// take activates all jobs there are; nobody gives them back.
func (l *tellings) take(ctx context.Context, t *testing.T, c pb.GatewayClient, jobType string) {
	t.Helper()
	for {
		stream, err := c.ActivateJobs(ctx, &pb.ActivateJobsRequest{
			Type: jobType, Worker: "collector", Timeout: time.Hour.Milliseconds(), MaxJobsToActivate: 500, RequestTimeout: -1,
		})
		if err != nil {
			t.Fatalf("activate: %v", err)
		}
		came := 0
		for resp, err := stream.Recv(); err == nil; resp, err = stream.Recv() {
			for _, j := range resp.GetJobs() {
				came++
				l.got[toldOf(t, j.GetVariables())]++
			}
		}
		if came == 0 {
			return
		}
	}
}

// toldOf reads which message a job is for.
func toldOf(t *testing.T, variables string) string {
	t.Helper()
	var v struct{ Told string }
	if err := json.Unmarshal([]byte(variables), &v); err != nil {
		t.Fatalf("variables %s: %v", variables, err)
	}
	return v.Told
}
