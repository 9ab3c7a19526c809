package gateway_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc/codes"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
)

func TestModifyProcessInstance(t *testing.T) {
	f := newFake(t, 2)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	f.setHook(func(context.Context, protocol.PartitionID, protocol.Command) (protocol.Reply, error) {
		return &protocol.Done{}, nil
	})
	key := protocol.NewKey(2, 7)
	activate := &pb.ModifyProcessInstanceRequest_ActivateInstruction{
		ElementId: "t", AncestorElementInstanceKey: 9,
		VariableInstructions: []*pb.ModifyProcessInstanceRequest_VariableInstruction{{Variables: `{"a":1}`, ScopeId: "sub"}, {}},
	}
	req := &pb.ModifyProcessInstanceRequest{
		ProcessInstanceKey:    int64(key),
		ActivateInstructions:  []*pb.ModifyProcessInstanceRequest_ActivateInstruction{activate},
		TerminateInstructions: []*pb.ModifyProcessInstanceRequest_TerminateInstruction{{ElementInstanceKey: 5}},
	}
	req.ProtoReflect().SetUnknown([]byte{4 << 3, 9}) // the operationReference of 8.6
	if _, err := r.client.ModifyProcessInstance(callCtx(t), req); err != nil {
		t.Fatal(err)
	}
	want := &protocol.ModifyInstance{
		InstanceKey: key, Terminate: []protocol.Key{5},
		Activate: []protocol.ActivateElement{{
			ElementID: "t", Ancestor: 9,
			Variables: []protocol.ScopeVariables{{ScopeID: "sub", Variables: []byte(`{"a":1}`)}, {Variables: []byte("{}")}},
		}},
	}
	if last := f.calls[len(f.calls)-1]; last.partition != 2 || !reflect.DeepEqual(last.cmd, protocol.Command(want)) {
		t.Errorf("partition %d got %+v, want %+v", last.partition, last.cmd, want)
	}
	activate.VariableInstructions[1].Variables = "[1]"
	_, err := r.client.ModifyProcessInstance(callCtx(t), req)
	checkStatus(t, err, codes.InvalidArgument, "Property 'variables' is invalid: Expected document to be a root level object, but was 'ARRAY'")
	_, err = r.client.ModifyProcessInstance(callCtx(t), &pb.ModifyProcessInstanceRequest{})
	checkStatus(t, err, codes.Unavailable, "Expected to execute command on partition 0, but either it does not exist, or the gateway is not yet aware of it")
}

func TestMigrateProcessInstance(t *testing.T) {
	f := newFake(t, 2)
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	f.setHook(func(context.Context, protocol.PartitionID, protocol.Command) (protocol.Reply, error) {
		return &protocol.Done{}, nil
	})
	key := protocol.NewKey(2, 7)
	req := &pb.MigrateProcessInstanceRequest{
		ProcessInstanceKey: int64(key),
		MigrationPlan: &pb.MigrateProcessInstanceRequest_MigrationPlan{
			TargetProcessDefinitionKey: 8,
			MappingInstructions:        []*pb.MigrateProcessInstanceRequest_MappingInstruction{{SourceElementId: "t", TargetElementId: "u"}},
		},
	}
	req.ProtoReflect().SetUnknown([]byte{3 << 3, 9}) // the operationReference of 8.6
	if _, err := r.client.MigrateProcessInstance(callCtx(t), req); err != nil {
		t.Fatal(err)
	}
	want := &protocol.MigrateInstance{
		InstanceKey: key, TargetKey: 8, Mappings: []protocol.ElementMapping{{SourceID: "t", TargetID: "u"}},
	}
	if last := f.calls[len(f.calls)-1]; last.partition != 2 || !reflect.DeepEqual(last.cmd, protocol.Command(want)) {
		t.Errorf("partition %d got %+v, want %+v", last.partition, last.cmd, want)
	}
	_, err := r.client.MigrateProcessInstance(callCtx(t), &pb.MigrateProcessInstanceRequest{ProcessInstanceKey: -1})
	checkStatus(t, err, codes.Unavailable, "Expected to execute command on partition -1, but either it does not exist, or the gateway is not yet aware of it")
}
