package gateway

import (
	"context"
	"path"
	"strings"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/grevy-io/grevy/protocol"
)

// This file serves clients of 0.2x, in which a process was called a workflow.
// Their CreateWorkflowInstance, CreateWorkflowInstanceWithResult and
// CancelWorkflowInstance are those of today by another name: all numbers and
// types of their fields are the same. Only DeployWorkflow is not.

// The fields of a resource of DeployWorkflow. Its name is field 1 in
// DeployProcess too; these two are unknown there.
const (
	oldResourceType       = 2 // FILE 0: by its name; BPMN 1; YAML 2
	oldResourceDefinition = 3

	oldTypeYAML = 2
)

// DeployWorkflow is DeployProcess, with the definitions in another field. Of
// what it deployed it says all that its clients know: key, id, version, name.
func (s service) DeployWorkflow(ctx context.Context, req *pb.DeployProcessRequest) (*pb.DeployProcessResponse, error) { //nolint:staticcheck // old clients send it
	cmd := &protocol.Deploy{Resources: make([]protocol.Resource, len(req.GetProcesses()))}
	given := map[string]string{}
	for i, w := range req.GetProcesses() {
		kind, content, err := oldResource(w.ProtoReflect().GetUnknown())
		if err != nil {
			return nil, malformed(err)
		}
		name := w.GetName()
		if kind == oldTypeYAML || strings.EqualFold(path.Ext(name), ".yaml") {
			return nil, invalidArgument("Expected to deploy workflow '%s' as BPMN, but YAML workflows are not supported", name)
		}
		if ext := strings.ToLower(path.Ext(name)); ext != ".bpmn" && ext != ".xml" {
			name += ".bpmn" // nothing but BPMN was deployed, by any name
		}
		given[name] = w.GetName()
		cmd.Resources[i] = protocol.Resource{Name: name, Content: content}
	}
	deployed, err := s.deploy(ctx, cmd)
	if err != nil {
		return nil, err
	}
	resp := &pb.DeployProcessResponse{Key: int64(deployed.Key)} //nolint:staticcheck // as above
	for i := range deployed.Definitions {
		p := process(&deployed.Definitions[i])
		p.ResourceName, p.TenantId = given[p.GetResourceName()], ""
		resp.Processes = append(resp.Processes, p)
	}
	return resp, nil
}

// oldResource reads type and definition of a resource of DeployWorkflow.
func oldResource(fields []byte) (kind uint64, content []byte, err error) {
	for len(fields) > 0 {
		num, typ, n := protowire.ConsumeTag(fields)
		if n < 0 {
			return 0, nil, protowire.ParseError(n)
		}
		fields = fields[n:]
		switch {
		case num == oldResourceType && typ == protowire.VarintType:
			kind, n = protowire.ConsumeVarint(fields)
		case num == oldResourceDefinition && typ == protowire.BytesType:
			content, n = protowire.ConsumeBytes(fields)
		default:
			n = protowire.ConsumeFieldValue(num, typ, fields)
		}
		if n < 0 {
			return 0, nil, protowire.ParseError(n)
		}
		fields = fields[n:]
	}
	return kind, content, nil
}
