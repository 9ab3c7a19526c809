package e2e_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grevy-io/grevy/e2e/cluster"
)

// callTime bounds one call of a client.
const callTime = 10 * time.Second

// straight is a process from start to end. note makes its content unlike that
// of every other version.
func straight(id string, note int) []byte {
	return model(id, note, `<sequenceFlow id="f" sourceRef="s" targetRef="e"/>`)
}

// oneTask is a process with one job of the type that is named like it.
func oneTask(id string) []byte {
	return model(id, 0, `<sequenceFlow id="f" sourceRef="s" targetRef="t"/>
	<serviceTask id="t"><extensionElements><zeebe:taskDefinition type="`+id+`"/></extensionElements></serviceTask>
	<sequenceFlow id="g" sourceRef="t" targetRef="e"/>`)
}

func model(id string, note int, middle string) []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d%d" targetNamespace="http://bpmn.io/schema/bpmn">
  <process id="%s" isExecutable="true">
	<startEvent id="s"/>
	%s
	<endEvent id="e"/>
  </process>
</definitions>`, note, id, middle)
}

// deploy deploys one process.
func deploy(ctx context.Context, c pb.GatewayClient, id string, content []byte) (*pb.ProcessMetadata, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	resp, err := c.DeployResource(ctx, &pb.DeployResourceRequest{Resources: []*pb.Resource{{Name: id + ".bpmn", Content: content}}})
	if err != nil {
		return nil, err
	}
	return resp.GetDeployments()[0].GetProcess(), nil
}

// mustDeploy deploys a process that the test needs.
func mustDeploy(t *testing.T, c pb.GatewayClient, id string, content []byte) *pb.ProcessMetadata {
	t.Helper()
	p, err := deploy(t.Context(), c, id, content)
	if err != nil {
		t.Fatalf("deploy %s: %v", id, err)
	}
	return p
}

// create starts an instance of a version; -1 is the latest.
func create(ctx context.Context, c pb.GatewayClient, id string, version int32, variables string) (*pb.CreateProcessInstanceResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return c.CreateProcessInstance(ctx, &pb.CreateProcessInstanceRequest{BpmnProcessId: id, Version: version, Variables: variables})
}

// partitionOf reads the partition out of a key.
func partitionOf(key int64) int { return int(key >> 51) }

// onEveryPartition creates instances of a version through one gateway until
// every partition has made one. Nothing may be refused on the way.
func onEveryPartition(t *testing.T, n *cluster.Node, partitions int, id string, version int32) {
	t.Helper()
	left := map[int]bool{}
	for p := 1; p <= partitions; p++ {
		left[p] = true
	}
	for tries := 0; len(left) > 0; tries++ {
		if tries > 20*partitions {
			t.Fatalf("node %d: no instance of %s on partitions %v after %d tries", n.ID, id, left, tries)
		}
		resp, err := create(t.Context(), n.Client(), id, version, "")
		if err != nil {
			t.Fatalf("node %d: create %s version %d, partitions %v left: %v", n.ID, id, version, left, err)
		}
		if version > 0 && resp.GetVersion() != version {
			t.Fatalf("node %d: created version %d of %s, want %d", n.ID, resp.GetVersion(), id, version)
		}
		delete(left, partitionOf(resp.GetProcessInstanceKey()))
	}
}

// arrived waits until the deployments that are there now are on every partition.
// Others may follow meanwhile.
func arrived(t *testing.T, n *cluster.Node, d time.Duration) {
	t.Helper()
	var newest int64
	cluster.Until(t, d, "every deployment is everywhere", func(ctx context.Context) error {
		list, err := n.Deployments(ctx)
		if err != nil {
			return err
		}
		if len(list) > 0 && newest == 0 {
			newest = number(t, list[0].Key)
		}
		for _, dep := range list {
			if number(t, dep.Key) <= newest && dep.State != "everywhere" {
				return fmt.Errorf("deployment %s is %s: pending %v, refused %v", dep.Key, dep.State, dep.Pending, dep.Refused)
			}
		}
		return nil
	})
}

func number(t *testing.T, key string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(key, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// drained is arrived when nobody deploys any more: no partition has anything
// left to send.
func drained(t *testing.T, n *cluster.Node, d time.Duration) {
	t.Helper()
	arrived(t, n, d)
	cluster.Until(t, d, "every outbox is empty", func(ctx context.Context) error {
		s, err := n.Status(ctx)
		if err != nil {
			return err
		}
		for _, p := range s.Partitions {
			if p.Problem != "" || p.Behind != 0 || p.Pending != 0 {
				return fmt.Errorf("partition %d: behind %d, pending %d, problem %q", p.ID, p.Behind, p.Pending, p.Problem)
			}
		}
		return nil
	})
}

// code is the status code of a call's error.
func code(err error) codes.Code { return status.Code(err) }
