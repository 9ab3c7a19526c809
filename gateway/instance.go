package gateway

import (
	"context"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/protobuf/proto"

	"github.com/grevy-io/grevy/protocol"
)

// createCommand checks a request and makes its command. method is the RPC that
// its texts name.
func (s *Server) createCommand(method string, req *pb.CreateProcessInstanceRequest) (*protocol.CreateInstance, error) {
	// path: write 1/8 gateway: checked without state, made a typed command
	if err := checkTenants(method, req.GetTenantId()); err != nil {
		return nil, err
	}
	variables, err := document(req.GetVariables())
	if err != nil {
		return nil, err
	}
	cmd := &protocol.CreateInstance{
		DefinitionKey: protocol.Key(req.GetProcessDefinitionKey()),
		ProcessID:     req.GetBpmnProcessId(),
		Version:       req.GetVersion(),
		Variables:     variables,
		DeploymentSeq: s.broker.DeploymentSeq(),
	}
	for _, i := range req.GetStartInstructions() {
		cmd.StartElements = append(cmd.StartElements, i.GetElementId())
	}
	return cmd, nil
}

func (s service) CreateProcessInstance(ctx context.Context, req *pb.CreateProcessInstanceRequest) (*pb.CreateProcessInstanceResponse, error) {
	cmd, err := s.createCommand("CreateProcessInstance", req)
	if err != nil {
		return nil, err
	}
	created, err := as[*protocol.Created](s.askAnyone(ctx, cmd))
	if err != nil {
		return nil, err
	}
	return &pb.CreateProcessInstanceResponse{
		ProcessDefinitionKey: int64(created.DefinitionKey),
		BpmnProcessId:        created.ProcessID,
		Version:              created.Version,
		ProcessInstanceKey:   int64(created.InstanceKey),
		TenantId:             defaultTenant,
	}, nil
}

func (s service) CreateProcessInstanceWithResult(ctx context.Context, req *pb.CreateProcessInstanceWithResultRequest) (*pb.CreateProcessInstanceWithResultResponse, error) {
	cmd, err := s.createCommand("CreateProcessInstanceWithResult", req.GetRequest())
	if err != nil {
		return nil, err
	}
	cmd.AwaitResult, cmd.FetchVariables = true, req.GetFetchVariables()
	wait := s.cfg.RequestTimeout
	if req.GetRequestTimeout() > 0 {
		wait = millis(req.GetRequestTimeout())
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	p, reply, err := s.anywhere(ctx, cmd)
	if err != nil && expired(ctx, err) {
		return nil, resultTimedOut(p, s.address(p), wait)
	}
	result, err := as[*protocol.Result](reply, err)
	if err != nil {
		return nil, err
	}
	resp := &pb.CreateProcessInstanceWithResultResponse{
		ProcessDefinitionKey: int64(result.DefinitionKey),
		BpmnProcessId:        result.ProcessID,
		Version:              result.Version,
		ProcessInstanceKey:   int64(result.InstanceKey),
		Variables:            objectText(result.Variables),
		TenantId:             defaultTenant,
	}
	if size := proto.Size(resp); size > s.cfg.MaxMessageSize {
		return nil, resultTooLarge(result.InstanceKey, size, s.cfg.MaxMessageSize)
	}
	return resp, nil
}

func (s service) CancelProcessInstance(ctx context.Context, req *pb.CancelProcessInstanceRequest) (*pb.CancelProcessInstanceResponse, error) {
	cmd := &protocol.CancelInstance{InstanceKey: protocol.Key(req.GetProcessInstanceKey())}
	if _, err := as[*protocol.Done](s.byKey(ctx, req.GetProcessInstanceKey(), cmd)); err != nil {
		return nil, err
	}
	return &pb.CancelProcessInstanceResponse{}, nil
}

func (s service) SetVariables(ctx context.Context, req *pb.SetVariablesRequest) (*pb.SetVariablesResponse, error) {
	variables, err := document(req.GetVariables())
	if err != nil {
		return nil, err
	}
	cmd := &protocol.SetVariables{ElementKey: protocol.Key(req.GetElementInstanceKey()), Variables: variables, Local: req.GetLocal()}
	reply, err := as[*protocol.KeyReply](s.byKey(ctx, req.GetElementInstanceKey(), cmd))
	if err != nil {
		return nil, err
	}
	return &pb.SetVariablesResponse{Key: int64(reply.Key)}, nil
}

func (s service) ResolveIncident(ctx context.Context, req *pb.ResolveIncidentRequest) (*pb.ResolveIncidentResponse, error) {
	cmd := &protocol.ResolveIncident{IncidentKey: protocol.Key(req.GetIncidentKey())}
	if _, err := as[*protocol.Done](s.byKey(ctx, req.GetIncidentKey(), cmd)); err != nil {
		return nil, err
	}
	return &pb.ResolveIncidentResponse{}, nil
}

// objectText is a JSON object as responses carry it; nothing is an empty one.
func objectText(doc []byte) string {
	if len(doc) == 0 {
		return "{}"
	}
	return string(doc)
}
