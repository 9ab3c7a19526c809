package gateway_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/protobuf/proto"

	"github.com/grevy-io/grevy/gateway"
	"github.com/grevy-io/grevy/protocol"
)

// TestMapping sends each request once and compares the command, the partition
// and the response, field by field.
func TestMapping(t *testing.T) {
	key := int64(protocol.NewKey(2, 7))
	created := protocol.Created{DefinitionKey: 11, InstanceKey: 12, ProcessID: "p", Version: 3}
	createReq := &pb.CreateProcessInstanceRequest{
		ProcessDefinitionKey: 11, BpmnProcessId: "p", Version: -1, Variables: `{"a": 1}`, TenantId: "<default>",
		StartInstructions: []*pb.ProcessInstanceCreationStartInstruction{{ElementId: "x"}, {ElementId: "y"}},
	}
	createCmd := protocol.CreateInstance{
		DefinitionKey: 11, ProcessID: "p", Version: -1, Variables: []byte(`{"a": 1}`),
		StartElements: []string{"x", "y"}, DeploymentSeq: 42,
	}
	withResult := createCmd
	withResult.AwaitResult, withResult.FetchVariables = true, []string{"a", "b"}
	deployed := &protocol.Deployed{Key: 5, Seq: 43, Definitions: []protocol.Definition{
		{Kind: protocol.ProcessDefinition, Key: 6, ID: "p", Version: 1, ResourceName: "a.bpmn"}, {Kind: protocol.ProcessDefinition, Key: 7, ID: "q", Version: 2, ResourceName: "b.bpmn"},
	}}
	metadata := []*pb.ProcessMetadata{
		{BpmnProcessId: "p", Version: 1, ProcessDefinitionKey: 6, ResourceName: "a.bpmn", TenantId: "<default>"},
		{BpmnProcessId: "q", Version: 2, ProcessDefinitionKey: 7, ResourceName: "b.bpmn", TenantId: "<default>"},
	}
	everyKind := &protocol.Deployed{Key: 5, Seq: 43, Definitions: []protocol.Definition{
		{Kind: protocol.FormDefinition, Key: 7, ID: "f", Version: 4, ResourceName: "d.form"},
		{Kind: protocol.RequirementsDefinition, Key: 8, ID: "g", Name: "G", Version: 2, ResourceName: "c.dmn"},
		{Kind: protocol.DecisionDefinition, Key: 9, ID: "d", Name: "D", Version: 3, ResourceName: "c.dmn", Parent: 8, ParentID: "g"},
		deployed.Definitions[0],
	}}
	evaluated := &protocol.Evaluated{
		Decision: protocol.EvaluatedDecision{Key: 9, ID: "d", Name: "D", Version: 3, Output: []byte("7")}, RequirementsID: "g", RequirementsKey: 8,
		Decisions: []protocol.EvaluatedDecision{{
			Key: -1, ID: "k", Name: "K", Version: -1, Type: "DECISION_TABLE", Output: []byte("null"),
			Inputs: []protocol.DecisionValue{{ID: "i", Name: "in", Value: []byte("1")}},
			Rules:  []protocol.MatchedRule{{ID: "r", Index: 2, Outputs: []protocol.DecisionValue{{ID: "o", Name: "out", Value: []byte("2")}}}},
		}}, FailedID: "x", FailureMessage: "no",
	}
	deploy := &protocol.Deploy{Resources: []protocol.Resource{{Name: "a.bpmn", Content: []byte("A")}, {Name: "b.bpmn", Content: []byte("B")}}}

	cases := []struct {
		name string
		call func(context.Context, pb.GatewayClient) (proto.Message, error)
		p    protocol.PartitionID
		cmd  protocol.Command
		back protocol.Reply
		resp proto.Message
	}{
		{"CreateProcessInstance", func(ctx context.Context, c pb.GatewayClient) (proto.Message, error) {
			return c.CreateProcessInstance(ctx, createReq)
		}, 1, &createCmd, &created, &pb.CreateProcessInstanceResponse{
			ProcessDefinitionKey: 11, BpmnProcessId: "p", Version: 3, ProcessInstanceKey: 12, TenantId: "<default>"}},
		{"CreateProcessInstanceWithResult", func(ctx context.Context, c pb.GatewayClient) (proto.Message, error) {
			return c.CreateProcessInstanceWithResult(ctx, &pb.CreateProcessInstanceWithResultRequest{Request: createReq, RequestTimeout: 5000, FetchVariables: []string{"a", "b"}})
		}, 1, &withResult, &protocol.Result{Created: created, Variables: []byte(`{"r":2}`)}, &pb.CreateProcessInstanceWithResultResponse{
			ProcessDefinitionKey: 11, BpmnProcessId: "p", Version: 3, ProcessInstanceKey: 12, Variables: `{"r":2}`, TenantId: "<default>"}},
		{"DeployResource", func(ctx context.Context, c pb.GatewayClient) (proto.Message, error) {
			return c.DeployResource(ctx, &pb.DeployResourceRequest{Resources: []*pb.Resource{{Name: "a.bpmn", Content: []byte("A")}, {Name: "b.bpmn", Content: []byte("B")}}})
		}, 1, deploy, deployed, &pb.DeployResourceResponse{Key: 5, TenantId: "<default>", Deployments: []*pb.Deployment{
			{Metadata: &pb.Deployment_Process{Process: metadata[0]}}, {Metadata: &pb.Deployment_Process{Process: metadata[1]}}}}},
		{"DeployResource of every kind", func(ctx context.Context, c pb.GatewayClient) (proto.Message, error) {
			return c.DeployResource(ctx, &pb.DeployResourceRequest{Resources: []*pb.Resource{{Name: "a.bpmn", Content: []byte("A")}, {Name: "b.bpmn", Content: []byte("B")}}})
		}, 1, deploy, everyKind, &pb.DeployResourceResponse{Key: 5, TenantId: "<default>", Deployments: []*pb.Deployment{
			{Metadata: &pb.Deployment_Process{Process: metadata[0]}},
			{Metadata: &pb.Deployment_Decision{Decision: &pb.DecisionMetadata{
				DmnDecisionId: "d", DmnDecisionName: "D", Version: 3, DecisionKey: 9, DmnDecisionRequirementsId: "g", DecisionRequirementsKey: 8, TenantId: "<default>"}}},
			{Metadata: &pb.Deployment_DecisionRequirements{DecisionRequirements: &pb.DecisionRequirementsMetadata{
				DmnDecisionRequirementsId: "g", DmnDecisionRequirementsName: "G", Version: 2, DecisionRequirementsKey: 8, ResourceName: "c.dmn", TenantId: "<default>"}}},
			{Metadata: &pb.Deployment_Form{Form: &pb.FormMetadata{FormId: "f", Version: 4, FormKey: 7, ResourceName: "d.form", TenantId: "<default>"}}},
		}}},
		{"EvaluateDecision", func(ctx context.Context, c pb.GatewayClient) (proto.Message, error) {
			return c.EvaluateDecision(ctx, &pb.EvaluateDecisionRequest{DecisionKey: 9, DecisionId: "d", Variables: `{"a": 1}`, TenantId: "<default>"})
		}, 1, &protocol.EvaluateDecision{DecisionKey: 9, DecisionID: "d", Variables: []byte(`{"a": 1}`), DeploymentSeq: 42}, evaluated, &pb.EvaluateDecisionResponse{
			DecisionKey: 9, DecisionId: "d", DecisionName: "D", DecisionVersion: 3, DecisionRequirementsId: "g", DecisionRequirementsKey: 8,
			DecisionOutput: "7", FailedDecisionId: "x", FailureMessage: "no", TenantId: "<default>",
			EvaluatedDecisions: []*pb.EvaluatedDecision{{
				DecisionKey: -1, DecisionId: "k", DecisionName: "K", DecisionVersion: -1, DecisionType: "DECISION_TABLE", DecisionOutput: "null", TenantId: "<default>",
				EvaluatedInputs: []*pb.EvaluatedDecisionInput{{InputId: "i", InputName: "in", InputValue: "1"}},
				MatchedRules: []*pb.MatchedDecisionRule{{RuleId: "r", RuleIndex: 2, EvaluatedOutputs: []*pb.EvaluatedDecisionOutput{
					{OutputId: "o", OutputName: "out", OutputValue: "2"}}}},
			}}}},
		{"DeleteResource", func(ctx context.Context, c pb.GatewayClient) (proto.Message, error) {
			return c.DeleteResource(ctx, &pb.DeleteResourceRequest{ResourceKey: key})
		}, 2, &protocol.DeleteResource{ResourceKey: protocol.Key(key)}, &protocol.KeyReply{Key: 44}, &pb.DeleteResourceResponse{}},
		{"DeployProcess", func(ctx context.Context, c pb.GatewayClient) (proto.Message, error) {
			return c.DeployProcess(ctx, &pb.DeployProcessRequest{Processes: []*pb.ProcessRequestObject{{Name: "a.bpmn", Definition: []byte("A")}, {Name: "b.bpmn", Definition: []byte("B")}}})
		}, 1, deploy, deployed, &pb.DeployProcessResponse{Key: 5, Processes: metadata}},
		{"CancelProcessInstance", func(ctx context.Context, c pb.GatewayClient) (proto.Message, error) {
			req := &pb.CancelProcessInstanceRequest{ProcessInstanceKey: key}
			req.ProtoReflect().SetUnknown([]byte{2 << 3, 9}) // the operationReference of 8.6
			return c.CancelProcessInstance(ctx, req)
		}, 2, &protocol.CancelInstance{InstanceKey: protocol.Key(key)}, &protocol.Done{}, &pb.CancelProcessInstanceResponse{}},
		{"CompleteJob", func(ctx context.Context, c pb.GatewayClient) (proto.Message, error) {
			return c.CompleteJob(ctx, &pb.CompleteJobRequest{JobKey: key})
		}, 2, &protocol.CompleteJob{JobKey: protocol.Key(key), Variables: []byte("{}")}, &protocol.Done{}, &pb.CompleteJobResponse{}},
		{"FailJob", func(ctx context.Context, c pb.GatewayClient) (proto.Message, error) {
			return c.FailJob(ctx, &pb.FailJobRequest{JobKey: key, Retries: 2, ErrorMessage: "e", RetryBackOff: 77, Variables: `{"w":"x"}`})
		}, 2, &protocol.FailJob{JobKey: protocol.Key(key), Retries: 2, Message: "e", BackOff: 77, Variables: []byte(`{"w":"x"}`)}, &protocol.Done{}, &pb.FailJobResponse{}},
		{"UpdateJobRetries", func(ctx context.Context, c pb.GatewayClient) (proto.Message, error) {
			return c.UpdateJobRetries(ctx, &pb.UpdateJobRetriesRequest{JobKey: key, Retries: 4})
		}, 2, &protocol.UpdateJobRetries{JobKey: protocol.Key(key), Retries: 4}, &protocol.Done{}, &pb.UpdateJobRetriesResponse{}},
		{"UpdateJobTimeout", func(ctx context.Context, c pb.GatewayClient) (proto.Message, error) {
			return c.UpdateJobTimeout(ctx, &pb.UpdateJobTimeoutRequest{JobKey: key, Timeout: 900})
		}, 2, &protocol.UpdateJobTimeout{JobKey: protocol.Key(key), Timeout: 900}, &protocol.Done{}, &pb.UpdateJobTimeoutResponse{}},
		{"SetVariables", func(ctx context.Context, c pb.GatewayClient) (proto.Message, error) {
			return c.SetVariables(ctx, &pb.SetVariablesRequest{ElementInstanceKey: key, Variables: "null", Local: true})
		}, 2, &protocol.SetVariables{ElementKey: protocol.Key(key), Variables: []byte("{}"), Local: true}, &protocol.KeyReply{Key: 99}, &pb.SetVariablesResponse{Key: 99}},
		// Java's string hash of "k-9" is 104,279: odd, so the second of two partitions.
		{"PublishMessage", func(ctx context.Context, c pb.GatewayClient) (proto.Message, error) {
			return c.PublishMessage(ctx, &pb.PublishMessageRequest{Name: "m", CorrelationKey: "k-9", TimeToLive: 70, MessageId: "i", Variables: `{"a":1}`, TenantId: " "})
		}, 2, &protocol.PublishMessage{Name: "m", CorrelationKey: "k-9", TimeToLive: 70, MessageID: "i", Variables: []byte(`{"a":1}`), DeploymentSeq: 42},
			&protocol.KeyReply{Key: 99}, &pb.PublishMessageResponse{Key: 99, TenantId: "<default>"}},
		{"BroadcastSignal", func(ctx context.Context, c pb.GatewayClient) (proto.Message, error) {
			return c.BroadcastSignal(ctx, &pb.BroadcastSignalRequest{SignalName: "s"})
		}, 1, &protocol.BroadcastSignal{Name: "s", Variables: []byte("{}"), DeploymentSeq: 42}, &protocol.KeyReply{Key: 98}, &pb.BroadcastSignalResponse{Key: 98, TenantId: "<default>"}},
		{"ResolveIncident", func(ctx context.Context, c pb.GatewayClient) (proto.Message, error) {
			return c.ResolveIncident(ctx, &pb.ResolveIncidentRequest{IncidentKey: key})
		}, 2, &protocol.ResolveIncident{IncidentKey: protocol.Key(key)}, &protocol.Done{}, &pb.ResolveIncidentResponse{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, 2)
			f.seq = 42
			f.setHook(func(context.Context, protocol.PartitionID, protocol.Command) (protocol.Reply, error) {
				return c.back, nil
			})
			r := start(t, f, gateway.Config{}, gateway.Tuning{})
			resp, err := c.call(callCtx(t), r.client)
			if err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(resp, c.resp) {
				t.Errorf("response\n got %v\nwant %v", resp, c.resp)
			}
			if len(f.calls) != 1 || f.calls[0].partition != c.p || !reflect.DeepEqual(f.calls[0].cmd, c.cmd) {
				t.Errorf("commands\n got %+v\nwant %+v at %d", f.calls, c.cmd, c.p)
			}
		})
	}
}

func TestTopology(t *testing.T) {
	r := start(t, newFake(t, 2), gateway.Config{Version: "8.6.0"}, gateway.Tuning{})
	got, err := r.client.Topology(callCtx(t), &pb.TopologyRequest{})
	if err != nil {
		t.Fatal(err)
	}
	want := &pb.TopologyResponse{
		ClusterSize: 2, PartitionsCount: 2, ReplicationFactor: 2, GatewayVersion: "8.6.0",
		Brokers: []*pb.BrokerInfo{
			{NodeId: 0, Host: "a", Port: 26501, Version: "1.0", Partitions: []*pb.Partition{
				{PartitionId: 1, Role: pb.Partition_LEADER, Health: pb.Partition_HEALTHY},
				{PartitionId: 2, Role: pb.Partition_FOLLOWER, Health: pb.Partition_UNHEALTHY}}},
			{NodeId: 1, Host: "b", Port: 26601, Version: "1.1", Partitions: []*pb.Partition{
				{PartitionId: 1, Role: pb.Partition_INACTIVE, Health: pb.Partition_DEAD},
				{PartitionId: 2, Role: pb.Partition_LEADER, Health: pb.Partition_HEALTHY}}},
		},
	}
	if !proto.Equal(got, want) {
		t.Errorf("\n got %v\nwant %v", got, want)
	}
}

func TestActivatedJob(t *testing.T) {
	f := newFake(t, 1)
	f.setHook(func(_ context.Context, _ protocol.PartitionID, cmd protocol.Command) (protocol.Reply, error) {
		return &protocol.Jobs{Jobs: []protocol.Job{{
			Key: 1, InstanceKey: 2, DefinitionKey: 3, ElementKey: 4, Type: "t", ProcessID: "p", ElementID: "e", Worker: "w",
			Version: 5, Retries: 6, Deadline: 7, Headers: []byte(`{"h":"1"}`), Variables: []byte(`{"v":1}`),
		}, {Key: 8}}}, nil
	})
	r := start(t, f, gateway.Config{}, gateway.Tuning{})
	jobs, err := activate(callCtx(t), r.client, &pb.ActivateJobsRequest{
		Type: "t", Worker: "w", Timeout: 1000, MaxJobsToActivate: 2, FetchVariable: []string{"v"}, RequestTimeout: -1, TenantIds: []string{"<default>"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []*pb.ActivatedJob{{
		Key: 1, ProcessInstanceKey: 2, ProcessDefinitionKey: 3, ElementInstanceKey: 4, Type: "t", BpmnProcessId: "p", ElementId: "e",
		Worker: "w", ProcessDefinitionVersion: 5, Retries: 6, Deadline: 7, CustomHeaders: `{"h":"1"}`, Variables: `{"v":1}`, TenantId: "<default>",
	}, {Key: 8, CustomHeaders: "{}", Variables: "{}", TenantId: "<default>"}}
	if len(jobs) != 2 || !proto.Equal(jobs[0], want[0]) || !proto.Equal(jobs[1], want[1]) {
		t.Errorf("\n got %v\nwant %v", jobs, want)
	}
	cmd := &protocol.ActivateJobs{Type: "t", Worker: "w", Timeout: 1000, Max: 2, FetchVariables: []string{"v"}, MaxBytes: 4 << 20}
	if !reflect.DeepEqual(f.calls[0].cmd, cmd) {
		t.Errorf("command\n got %+v\nwant %+v", f.calls[0].cmd, cmd)
	}
}
