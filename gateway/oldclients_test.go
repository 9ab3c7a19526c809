package gateway_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
)

// oldResource is a resource of DeployWorkflow as a client of 0.26 sends it:
// name, type (none: FILE), definition.
func oldResource(name string, kind uint64, definition string) []byte {
	b := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), name)
	if kind != 0 {
		b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), kind)
	}
	return protowire.AppendString(protowire.AppendTag(b, 3, protowire.BytesType), definition)
}

// bytesOf is a message with these bytes, whatever they are.
func bytesOf(b []byte) proto.Message {
	m := &pb.TopologyRequest{}
	m.ProtoReflect().SetUnknown(b)
	return m
}

func deployWorkflow(resources ...[]byte) proto.Message {
	var b []byte
	for _, r := range resources {
		b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), r)
	}
	return bytesOf(b)
}

// TestDeployWorkflow: each resource is BPMN, under a name that says so; the
// answer has the names that were given, and no field that clients of 0.2x do
// not know.
func TestDeployWorkflow(t *testing.T) {
	f := newFake(t, 1)
	f.setHook(func(_ context.Context, _ protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error) {
		d := &protocol.Deployed{Key: 5}
		for i, r := range cmd.(*protocol.Deploy).Resources {
			d.Definitions = append(d.Definitions, protocol.Definition{
				Kind: protocol.ProcessDefinition, Key: protocol.Key(6 + i), ID: "p", Version: 3, ResourceName: r.Name,
			})
		}
		return d, nil
	})
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	got := &pb.DeployProcessResponse{}
	req := deployWorkflow(oldResource("a.bpmn", 0, "A"), oldResource("workflow", 1, "B"), oldResource("c.XML", 1, "C"))
	if err := r.conn.Invoke(callCtx(t), "/gateway_protocol.Gateway/DeployWorkflow", req, got); err != nil {
		t.Fatal(err)
	}
	sent := locked[*protocol.Deploy](f)
	want := []protocol.Resource{{Name: "a.bpmn", Content: []byte("A")}, {Name: "workflow.bpmn", Content: []byte("B")}, {Name: "c.XML", Content: []byte("C")}}
	if len(sent) != 1 || !reflect.DeepEqual(sent[0].Resources, want) {
		t.Errorf("sent %+v, want %+v", sent, want)
	}
	answer := &pb.DeployProcessResponse{Key: 5}
	for i, name := range []string{"a.bpmn", "workflow", "c.XML"} {
		answer.Processes = append(answer.Processes, &pb.ProcessMetadata{BpmnProcessId: "p", Version: 3, ProcessDefinitionKey: int64(6 + i), ResourceName: name})
	}
	if !proto.Equal(got, answer) {
		t.Errorf("answered %v, want %v", got, answer)
	}
}

func TestDeployWorkflow_Refused(t *testing.T) {
	r := start(t, newFake(t, 1), gateway.Config{}, gateway.Tuning{})
	deploy := func(req proto.Message) error {
		return r.conn.Invoke(callCtx(t), "/gateway_protocol.Gateway/DeployWorkflow", req, &pb.DeployProcessResponse{})
	}
	for _, res := range [][]byte{oldResource("w", 2, "name: w"), oldResource("w.yaml", 0, "name: w")} {
		if err := deploy(deployWorkflow(res)); err == nil || !strings.Contains(err.Error(), "YAML workflows are not supported") {
			t.Errorf("YAML: %v", err)
		}
	}
	torn := oldResource("a.bpmn", 0, "A")
	err := deploy(deployWorkflow(torn[:len(torn)-1]))
	checkPrefix(t, 0, err, codes.InvalidArgument, "Malformed request: ")
	if n := len(locked[*protocol.Deploy](r.fake)); n > 0 {
		t.Errorf("%d deployments were sent", n)
	}
}

// TestOldNames: the other calls of 0.2x are those of today.
func TestOldNames(t *testing.T) {
	f := newFake(t, 1)
	f.setHook(func(_ context.Context, _ protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error) {
		created := protocol.Created{DefinitionKey: 6, ProcessID: "p", Version: 3, InstanceKey: 7}
		switch c := cmd.(type) {
		case *protocol.CancelInstance:
			return &protocol.Done{}, nil
		case *protocol.CreateInstance:
			if c.AwaitResult {
				return &protocol.Result{Created: created, Variables: []byte(`{"r":1}`)}, nil
			}
		}
		return &created, nil
	})
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	create := &pb.CreateProcessInstanceRequest{BpmnProcessId: "p", Version: -1, Variables: `{"a":1}`}
	key := int64(protocol.NewKey(1, 9))
	for _, c := range []struct {
		method    string
		req, resp proto.Message
		want      proto.Message
	}{
		{"CreateWorkflowInstance", create, &pb.CreateProcessInstanceResponse{},
			&pb.CreateProcessInstanceResponse{ProcessDefinitionKey: 6, BpmnProcessId: "p", Version: 3, ProcessInstanceKey: 7, TenantId: "<default>"}},
		{"CreateWorkflowInstanceWithResult", &pb.CreateProcessInstanceWithResultRequest{Request: create}, &pb.CreateProcessInstanceWithResultResponse{},
			&pb.CreateProcessInstanceWithResultResponse{ProcessDefinitionKey: 6, BpmnProcessId: "p", Version: 3, ProcessInstanceKey: 7, Variables: `{"r":1}`, TenantId: "<default>"}},
		{"CancelWorkflowInstance", &pb.CancelProcessInstanceRequest{ProcessInstanceKey: key}, &pb.CancelProcessInstanceResponse{}, &pb.CancelProcessInstanceResponse{}},
	} {
		if err := r.conn.Invoke(callCtx(t), "/gateway_protocol.Gateway/"+c.method, c.req, c.resp); err != nil || !proto.Equal(c.resp, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.method, c.resp, err, c.want)
		}
	}
}
