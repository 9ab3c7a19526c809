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
	for i := range deployed.Definitions {
		resp.Deployments = append(resp.Deployments, &pb.Deployment{
			Metadata: &pb.Deployment_Process{Process: process(&deployed.Definitions[i])},
		})
	}
	return resp, nil
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
		resp.Processes = append(resp.Processes, process(&deployed.Definitions[i]))
	}
	return resp, nil
}

func (s *Server) deploy(ctx context.Context, cmd *protocol.Deploy) (*protocol.Deployed, error) {
	deployed, err := as[*protocol.Deployed](s.ask(ctx, protocol.DeploymentPartition, cmd))
	if err != nil {
		return nil, err
	}
	if l, ok := s.broker.(DeploymentListener); ok {
		l.Deployed(deployed.Seq)
	}
	return deployed, nil
}

func process(d *protocol.Definition) *pb.ProcessMetadata {
	return &pb.ProcessMetadata{
		BpmnProcessId:        d.ProcessID,
		Version:              d.Version,
		ProcessDefinitionKey: int64(d.Key),
		ResourceName:         d.ResourceName,
		TenantId:             defaultTenant,
	}
}
