package gateway

import (
	"context"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/protobuf/proto"

	"github.com/grevy-io/grevy/protocol"
)

// EvaluateDecision evaluates on any partition, like a creation. An evaluation
// that fails is told in the response, not by a status.
func (s service) EvaluateDecision(ctx context.Context, req *pb.EvaluateDecisionRequest) (*pb.EvaluateDecisionResponse, error) {
	if err := checkTenants("EvaluateDecision", req.GetTenantId()); err != nil {
		return nil, err
	}
	variables, err := document(req.GetVariables())
	if err != nil {
		return nil, err
	}
	cmd := &protocol.EvaluateDecision{
		DecisionKey: protocol.Key(req.GetDecisionKey()), DecisionID: req.GetDecisionId(), Variables: variables,
		DeploymentSeq: s.broker.DeploymentSeq(),
	}
	ev, err := as[*protocol.Evaluated](s.askAnyone(ctx, cmd))
	if err != nil {
		return nil, err
	}
	resp := evaluation(ev)
	if size := proto.Size(resp); size > s.cfg.MaxMessageSize {
		return nil, evaluationTooLarge(ev.Decision.ID, size, s.cfg.MaxMessageSize)
	}
	return resp, nil
}

func evaluation(ev *protocol.Evaluated) *pb.EvaluateDecisionResponse {
	d := &ev.Decision
	resp := &pb.EvaluateDecisionResponse{
		DecisionKey: int64(d.Key), DecisionId: d.ID, DecisionName: d.Name, DecisionVersion: d.Version,
		DecisionRequirementsId: ev.RequirementsID, DecisionRequirementsKey: int64(ev.RequirementsKey),
		DecisionOutput: string(d.Output), FailedDecisionId: ev.FailedID, FailureMessage: ev.FailureMessage, TenantId: defaultTenant,
	}
	for i := range ev.Decisions {
		resp.EvaluatedDecisions = append(resp.EvaluatedDecisions, evaluatedDecision(&ev.Decisions[i]))
	}
	return resp
}

func evaluatedDecision(d *protocol.EvaluatedDecision) *pb.EvaluatedDecision {
	out := &pb.EvaluatedDecision{
		DecisionKey: int64(d.Key), DecisionId: d.ID, DecisionName: d.Name, DecisionVersion: d.Version, DecisionType: d.Type,
		DecisionOutput: string(d.Output), TenantId: defaultTenant,
	}
	for _, in := range d.Inputs {
		out.EvaluatedInputs = append(out.EvaluatedInputs, &pb.EvaluatedDecisionInput{InputId: in.ID, InputName: in.Name, InputValue: string(in.Value)})
	}
	for i := range d.Rules {
		rule := &pb.MatchedDecisionRule{RuleId: d.Rules[i].ID, RuleIndex: d.Rules[i].Index}
		for _, v := range d.Rules[i].Outputs {
			rule.EvaluatedOutputs = append(rule.EvaluatedOutputs, &pb.EvaluatedDecisionOutput{OutputId: v.ID, OutputName: v.Name, OutputValue: string(v.Value)})
		}
		out.MatchedRules = append(out.MatchedRules, rule)
	}
	return out
}
