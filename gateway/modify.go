package gateway

import (
	"context"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"github.com/grevy-io/grevy/protocol"
)

func (s service) ModifyProcessInstance(ctx context.Context, req *pb.ModifyProcessInstanceRequest) (*pb.ModifyProcessInstanceResponse, error) {
	cmd := &protocol.ModifyInstance{InstanceKey: protocol.Key(req.GetProcessInstanceKey())}
	for _, i := range req.GetActivateInstructions() {
		a := protocol.ActivateElement{ElementID: i.GetElementId(), Ancestor: protocol.Key(i.GetAncestorElementInstanceKey())}
		for _, v := range i.GetVariableInstructions() {
			variables, err := document(v.GetVariables())
			if err != nil {
				return nil, err
			}
			a.Variables = append(a.Variables, protocol.ScopeVariables{ScopeID: v.GetScopeId(), Variables: variables})
		}
		cmd.Activate = append(cmd.Activate, a)
	}
	for _, i := range req.GetTerminateInstructions() {
		cmd.Terminate = append(cmd.Terminate, protocol.Key(i.GetElementInstanceKey()))
	}
	if _, err := as[*protocol.Done](s.byKey(ctx, req.GetProcessInstanceKey(), cmd)); err != nil {
		return nil, err
	}
	return &pb.ModifyProcessInstanceResponse{}, nil
}

func (s service) MigrateProcessInstance(ctx context.Context, req *pb.MigrateProcessInstanceRequest) (*pb.MigrateProcessInstanceResponse, error) {
	cmd := &protocol.MigrateInstance{
		InstanceKey: protocol.Key(req.GetProcessInstanceKey()),
		TargetKey:   protocol.Key(req.GetMigrationPlan().GetTargetProcessDefinitionKey()),
	}
	for _, i := range req.GetMigrationPlan().GetMappingInstructions() {
		cmd.Mappings = append(cmd.Mappings, protocol.ElementMapping{SourceID: i.GetSourceElementId(), TargetID: i.GetTargetElementId()})
	}
	if _, err := as[*protocol.Done](s.byKey(ctx, req.GetProcessInstanceKey(), cmd)); err != nil {
		return nil, err
	}
	return &pb.MigrateProcessInstanceResponse{}, nil
}
