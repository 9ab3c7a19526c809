package gateway

import (
	"context"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"github.com/grevy-io/grevy/protocol"
)

func (s service) DeployResource(ctx context.Context, req *pb.DeployResourceRequest) (*pb.DeployResourceResponse, error) {
	// path: deployment 1/9 gateway: one command, to the deployment partition
	if err := checkTenants("DeployResource", req.GetTenantId()); err != nil {
		return nil, err
	}
	cmd := &protocol.Deploy{Resources: make([]protocol.Resource, len(req.GetResources()))}
	for i, r := range req.GetResources() {
		cmd.Resources[i] = protocol.Resource{Name: r.GetName(), Content: r.GetContent()}
	}
	deployed, err := s.deploy(ctx, cmd)
	if err != nil {
		return nil, err
	}
	resp := &pb.DeployResourceResponse{Key: int64(deployed.Key), TenantId: defaultTenant}
	for _, kind := range metadataOrder {
		for i := range deployed.Definitions {
			if d := &deployed.Definitions[i]; d.Kind == kind {
				resp.Deployments = append(resp.Deployments, metadataOf(d))
			}
		}
	}
	return resp, nil
}

// metadataOrder is the order of kinds in a response (seen on Zeebe 8.6.0).
var metadataOrder = []protocol.DefinitionKind{
	protocol.ProcessDefinition, protocol.DecisionDefinition, protocol.RequirementsDefinition, protocol.FormDefinition,
}

func metadataOf(d *protocol.Definition) *pb.Deployment {
	switch d.Kind {
	case protocol.DecisionDefinition:
		return &pb.Deployment{Metadata: &pb.Deployment_Decision{Decision: &pb.DecisionMetadata{
			DmnDecisionId: d.ID, DmnDecisionName: d.Name, Version: d.Version, DecisionKey: int64(d.Key),
			DmnDecisionRequirementsId: d.ParentID, DecisionRequirementsKey: int64(d.Parent), TenantId: defaultTenant,
		}}}
	case protocol.RequirementsDefinition:
		return &pb.Deployment{Metadata: &pb.Deployment_DecisionRequirements{DecisionRequirements: &pb.DecisionRequirementsMetadata{
			DmnDecisionRequirementsId: d.ID, DmnDecisionRequirementsName: d.Name, Version: d.Version,
			DecisionRequirementsKey: int64(d.Key), ResourceName: d.ResourceName, TenantId: defaultTenant,
		}}}
	case protocol.FormDefinition:
		return &pb.Deployment{Metadata: &pb.Deployment_Form{Form: &pb.FormMetadata{
			FormId: d.ID, Version: d.Version, FormKey: int64(d.Key), ResourceName: d.ResourceName, TenantId: defaultTenant,
		}}}
	}
	return &pb.Deployment{Metadata: &pb.Deployment_Process{Process: process(d)}}
}

// DeployProcess is what DeployResource was before 8.0.
func (s service) DeployProcess(ctx context.Context, req *pb.DeployProcessRequest) (*pb.DeployProcessResponse, error) { //nolint:staticcheck // old clients send it
	cmd := &protocol.Deploy{Resources: make([]protocol.Resource, len(req.GetProcesses()))}
	for i, p := range req.GetProcesses() {
		cmd.Resources[i] = protocol.Resource{Name: p.GetName(), Content: p.GetDefinition()}
	}
	deployed, err := s.deploy(ctx, cmd)
	if err != nil {
		return nil, err
	}
	resp := &pb.DeployProcessResponse{Key: int64(deployed.Key)} //nolint:staticcheck // as above
	for i := range deployed.Definitions {
		if d := &deployed.Definitions[i]; d.Kind == protocol.ProcessDefinition {
			resp.Processes = append(resp.Processes, process(d))
		}
	}
	return resp, nil
}

// DeleteResource takes back what was deployed. Its answer waits, like that of a
// deployment, until no gateway takes for the newest what is deleted.
func (s service) DeleteResource(ctx context.Context, req *pb.DeleteResourceRequest) (*pb.DeleteResourceResponse, error) {
	wait, err := s.waitOf(ctx)
	if err != nil {
		return nil, err
	}
	cmd := &protocol.DeleteResource{ResourceKey: protocol.Key(req.GetResourceKey())}
	seq, err := as[*protocol.KeyReply](s.byKey(ctx, req.GetResourceKey(), cmd))
	if err != nil {
		return nil, err
	}
	s.awaitDistributed(ctx, wait, uint64(seq.Key), 0)
	return &pb.DeleteResourceResponse{}, nil
}

func (s *Server) deploy(ctx context.Context, cmd *protocol.Deploy) (*protocol.Deployed, error) {
	wait, err := s.waitOf(ctx)
	if err != nil {
		return nil, err
	}
	deployed, err := as[*protocol.Deployed](s.ask(ctx, protocol.DeploymentPartition, cmd))
	if err != nil {
		return nil, err
	}
	s.awaitDistributed(ctx, wait, deployed.Seq, deployed.Key)
	return deployed, nil
}

func process(d *protocol.Definition) *pb.ProcessMetadata {
	return &pb.ProcessMetadata{
		BpmnProcessId:        d.ID,
		Version:              d.Version,
		ProcessDefinitionKey: int64(d.Key),
		ResourceName:         d.ResourceName,
		TenantId:             defaultTenant,
	}
}
